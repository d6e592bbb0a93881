import Glibc
import Kernels

/// A random process that generates interaction histories in which the order and a longer context matter.
///
/// The catalogue is divided into interests of about 40 items. A user alternates between several interests:
///
/// - The next event stays in the current interest with probability 0.3. Otherwise it returns to the previous interest (with
///   probability 0.9) or moves to one of four neighbours of the current one (with probabilities 0.4, 0.3, 0.2, 0.1).
/// - Inside an interest, the next item is with probability 0.8 a successor of the last item of *the same interest*, however
///   long ago that was. Each item has three successors (with probabilities 0.7, 0.2, 0.1). Otherwise it is drawn by popularity
///   (Zipf's law with exponent 0.8, inside the interest).
///
/// So the last item alone is usually a poor predictor, and the last item of another interest matters. A first-order Markov
/// chain cannot use it; a model with a longer context can. All probabilities are known, so a ranking by
/// `probabilities(after:)` is the best possible one given the whole history.
struct InterestProcess: Sendable {
  let itemCount: Int
  let interestCount: Int
  private let interestOf: [Int32]
  private let members: [[Int32]]
  private let popularity: [[Double]]
  private let successors: [Int32]
  private let neighbours: [[Int]]

  static let stay = 0.3
  static let goBack = 0.9
  static let chain = 0.8
  static let successorWeights = [0.7, 0.2, 0.1]
  static let drift = [0.4, 0.3, 0.2, 0.1]

  init(items: Int, seed: UInt64) {
    itemCount = items
    let interests = max(2, items / 40)
    interestCount = interests
    var numbers = RandomStream(seed: seed, "synthetic/catalogue").numbers()
    let order = numbers.permutation(items)
    var interestOf = [Int32](repeating: 0, count: items)
    var members = [[Int32]](repeating: [], count: interests)
    for (index, item) in order.enumerated() {
      interestOf[item] = Int32(index % interests)
      members[index % interests].append(Int32(item))
    }
    self.interestOf = interestOf
    self.members = members
    popularity = members.map { group in
      let weights = group.indices.map { pow(Double($0 + 1), -0.8) }
      let total = weights.reduce(0, +)
      return weights.map { $0 / total }
    }
    var successors: [Int32] = []
    for item in 0..<items {
      let group = members[Int(interestOf[item])]
      for _ in Self.successorWeights {
        successors.append(group[numbers.below(group.count)])
      }
    }
    self.successors = successors
    neighbours = (0..<interests).map { _ in Self.drift.map { _ in numbers.below(interests) } }
  }

  /// What the next event depends on: the current and the previous interest, and the last item of each interest.
  private struct State {
    var current: Int?
    var previous: Int?
    var last: [Int: Int32] = [:]

    mutating func add(_ item: Int32, in interest: Int) {
      if interest != current {
        previous = current
        current = interest
      }
      last[interest] = item
    }
  }

  /// For each interest, the probability that the next event belongs to it.
  private func interestProbabilities(_ state: State) -> [Double] {
    guard let current = state.current else {
      return Array(repeating: 1 / Double(interestCount), count: interestCount)
    }
    var p = [Double](repeating: 0, count: interestCount)
    p[current] += Self.stay
    let leave = 1 - Self.stay
    let back = state.previous == nil ? 0 : Self.goBack
    if let previous = state.previous { p[previous] += leave * back }
    for (neighbour, weight) in zip(neighbours[current], Self.drift) { p[neighbour] += leave * (1 - back) * weight }
    return p
  }

  /// Generates a history of 20 to 140 items.
  func walk(_ numbers: inout RandomNumbers) -> [Int32] {
    let length = 20 + numbers.below(61) + numbers.below(61)
    var state = State()
    return (0..<length).map { _ in
      let interest = Self.draw(interestProbabilities(state), &numbers)
      let item: Int32
      if let last = state.last[interest], numbers.uniform() < Self.chain {
        item = successors[Int(last) * Self.successorWeights.count + Self.draw(Self.successorWeights, &numbers)]
      } else {
        item = members[interest][Self.draw(popularity[interest], &numbers)]
      }
      state.add(item, in: interest)
      return item
    }
  }

  /// Draws an index with the given probabilities.
  private static func draw(_ weights: [Double], _ numbers: inout RandomNumbers) -> Int {
    var u = numbers.uniform()
    for (i, weight) in weights.enumerated() {
      u -= weight
      if u < 0 { return i }
    }
    return weights.lastIndex { $0 > 0 } ?? 0
  }

  /// For every item, from 0, the exact probability that it follows `history`.
  func probabilities(after history: some Sequence<Int32>) -> [Double] {
    var state = State()
    for item in history { state.add(item, in: Int(interestOf[Int(item)])) }
    var p = [Double](repeating: 0, count: itemCount)
    for (interest, weight) in interestProbabilities(state).enumerated() where weight > 0 {
      let last = state.last[interest]
      let popular = last == nil ? 1 : 1 - Self.chain
      for (item, share) in zip(members[interest], popularity[interest]) { p[Int(item)] += weight * popular * share }
      guard let last else { continue }
      let list = Int(last) * Self.successorWeights.count
      for (i, share) in Self.successorWeights.enumerated() {
        p[Int(successors[list + i])] += weight * Self.chain * share
      }
    }
    return p
  }
}

/// The process of a synthetic data set together with the histories that it generated. It gives an oracle the true
/// probabilities.
public final class SyntheticProcess: Sendable {
  private let process: InterestProcess
  /// The whole histories by user number. Items count from 0.
  private let histories: [[Int32]]

  init(users: Int, items: Int, seed: UInt64, watch: ReadingWatch?) throws(ReadingStopped) {
    let process = InterestProcess(items: items, seed: seed)
    let stream = RandomStream(seed: seed, "synthetic/users")
    self.process = process
    var histories: [[Int32]] = []
    histories.reserveCapacity(users)
    for user in 0..<users {
      if user % 1024 == 0, let watch, !watch(Double(user) / Double(users), user) { throw ReadingStopped() }
      var numbers = stream.numbers(at: UInt64(user))
      histories.append(process.walk(&numbers))
    }
    self.histories = histories
  }

  public var itemCount: Int { process.itemCount }

  /// For every item, from 0, the exact probability that it is event number `time` of a user, given all events before.
  public func probabilities(user: Int, time: Int) -> [Double] {
    process.probabilities(after: histories[user].prefix(time))
  }

  /// Generates a synthetic data set. The time of an event is its number in the history.
  ///
  /// - Parameters:
  ///   - users: the number of histories.
  ///   - items: the number of items without the pad.
  ///   - seed: the seed of the catalogue and of the histories.
  ///   - watch: receives the progress and can stop the generation.
  /// - Throws: `DataError`, `ReadingStopped`.
  public static func histories(users: Int, items: Int, seed: UInt64, watch: ReadingWatch? = nil) throws -> Histories {
    guard users >= 1 else { throw DataError("must be at least 1", argument: "users") }
    guard items >= 2 else { throw DataError("must be at least 2", argument: "items") }
    let process = try SyntheticProcess(users: users, items: items, seed: seed, watch: watch)
    var offsets = [0]
    var events: [Int32] = []
    var times: [Int64] = []
    for walk in process.histories {
      events.append(contentsOf: walk.map { $0 + 1 })
      times.append(contentsOf: (0..<Int64(walk.count)))
      offsets.append(events.count)
    }
    return Histories(
      items: Vocabulary(["<pad>"] + (0..<items).map { "i\($0)" }), users: Vocabulary((0..<users).map { "u\($0)" }),
      owners: Column(0..<Int32(users)), offsets: Column(offsets), events: Column(events), times: Column(times), hasUsers: true,
      source: "synthetic(users: \(users), items: \(items), seed: \(seed))", process: process)
  }
}
