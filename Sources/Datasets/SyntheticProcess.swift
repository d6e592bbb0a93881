import Glibc
import Kernels

/// A known process of interaction histories in which order and longer context matter.
///
/// The catalogue is cut into interests of about 40 items. A user follows several of them at a time, one thread each:
///
/// - the next event belongs to the present interest with probability 0.3; otherwise he goes back to the interest he
///   was in before (0.9 of the time) or drifts to one of four neighbours of the present one (0.4, 0.3, 0.2, 0.1);
/// - inside an interest he goes on, with probability 0.8, from the item where he left *this interest*, however long
///   ago that was: each item has three successors (0.7, 0.2, 0.1); otherwise he takes an item by popularity (Zipf,
///   exponent 0.8, inside the interest).
///
/// So most of the time the last item says little, and what counts is the last item of another thread: what
/// first-order Markov chains miss, and what a longer view finds. As every probability is known,
/// `probabilities(after:)` is the best ranking there can be for someone who has seen the whole history.
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
    for (place, item) in order.enumerated() {
      interestOf[item] = Int32(place % interests)
      members[place % interests].append(Int32(item))
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

  /// What a history says about the next event: the interests it is and was in, and the last item of each.
  private struct State {
    var current: Int?
    var previous: Int?
    var last: [Int: Int32] = [:]

    mutating func see(_ item: Int32, in interest: Int) {
      if interest != current {
        previous = current
        current = interest
      }
      last[interest] = item
    }
  }

  /// Probability of each interest being the next event's.
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
      state.see(item, in: interest)
      return item
    }
  }

  private static func draw(_ weights: [Double], _ numbers: inout RandomNumbers) -> Int {
    var u = numbers.uniform()
    for (i, weight) in weights.enumerated() {
      u -= weight
      if u < 0 { return i }
    }
    return weights.lastIndex { $0 > 0 } ?? 0
  }

  /// The exact probability of every item (numbered from 0) being the next after `history`.
  func probabilities(after history: some Sequence<Int32>) -> [Double] {
    var state = State()
    for item in history { state.see(item, in: Int(interestOf[Int(item)])) }
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

/// A synthetic data set's process together with the histories it made, so that an oracle can be asked.
public final class SyntheticProcess: Sendable {
  private let process: InterestProcess
  /// Full histories by user number, items from 0.
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

  /// The exact probability of every item (numbered from 0) being event number `time` of a user, given all before it.
  public func probabilities(user: Int, time: Int) -> [Double] {
    process.probabilities(after: histories[user].prefix(time))
  }

  /// The histories it makes, with the number of each event as its time.
  ///
  /// - Parameters:
  ///   - users: how many histories.
  ///   - items: how many items there are, the pad not counted.
  ///   - seed: of the catalogue and of all that happens.
  ///   - watch: told the share that is made; false stops it.
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
