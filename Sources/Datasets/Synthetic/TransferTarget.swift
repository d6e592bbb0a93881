import Glibc
import Kernels

/// The data of the transfer task: histories of users in a source domain, each with one item of a target domain, which has
/// another vocabulary. A sample has the length of the source sequences. Its last item is the target; the items before it are
/// the user's last source items, padded in front.
extension SequenceSet {
  /// Reads a target file in the format of the authors' reference code. A line is `item,item,...,,target[,target...]`: source
  /// items, an empty field, then the targets. Each target becomes one sample.
  ///
  /// - Parameters:
  ///   - path: the path of the file.
  ///   - source: the data that the model was trained on. It determines the items and the length.
  ///   - userFirst: whether a line begins with its user, who must be a user of the source data.
  ///   - watch: receives the progress and can stop the reading.
  /// - Returns: the samples, and notes for the user.
  /// - Throws: `DataError` with file, line and column; `ReadingStopped`.
  public static func readTarget(_ path: String, source: SequenceSet, userFirst: Bool = false, watch: ReadingWatch? = nil) throws
    -> (set: SequenceSet, notes: [String])
  {
    let file = TextFile(path: path, bytes: try Histories.fileBytes(path, watch: watch), watch: watch)
    let isSpaced = try file.separatorHasBlank(0x2c)
    let numbers = source.items.numbers()
    let users = userFirst ? source.userNames.numbers() : NameNumbers([])
    let skipped = userFirst ? 1 : 0
    let pad = source.items.names.first
    var builder = TargetBuilder(length: source.length)
    var interner = Interner()
    var lines = 0
    var unpadded = false
    try file.forEachLine { number, line in
      let fields = file.fields(line, 0x2c, isSpaced: isSpaced)
      guard let gap = fields.firstIndex(where: file.isBlank), gap > skipped, gap < fields.count - 1 else {
        throw file.error(
          "a line is \(userFirst ? "a user, " : "")source items, an empty field, and targets: item,item,,target",
          help: "separate both by two commas",
          line: number, column: 1)
      }
      var items: [Int32] = []
      var user = Int32(lines)
      if userFirst {
        guard let known = users[file.text(fields[0])] else {
          throw file.error(
            "\"\(file.text(fields[0]))\" is not a user of the source data", help: "give the data set that the model was pre-trained on",
            line: number, column: 1)
        }
        user = known
      }
      for field in fields[skipped..<gap] {
        let name = file.text(field)
        if let known = numbers[name], known != 0 {
          items.append(known)
        } else if (name == pad || name == "0") && items.isEmpty {
          unpadded = true
        } else {
          throw file.error(
            "\"\(name)\" is not an item of the source data", help: "give the data set that the model was pre-trained on",
            line: number, column: field.lowerBound - line.lowerBound + 1)
        }
      }
      if let bad = file.invalidUTF8(line) {
        throw file.error("this is not UTF-8 text", line: number, column: bad - line.lowerBound + 1)
      }
      guard !items.isEmpty else {
        throw file.error("this line has no source item, only padding", line: number, column: 1)
      }
      for field in fields[(gap + 1)...] {
        guard !file.isBlank(field) else {
          throw file.error("a target is missing here", line: number, column: field.lowerBound - line.lowerBound + 1)
        }
        builder.add(items[...], target: file.number(&interner, field) + 1, user: user)
      }
      lines += 1
    }
    guard lines > 0 else { throw DataError("the file has no lines", file: path, argument: "file") }
    let set = builder.build(
      source: source, targets: interner.names(), users: userFirst ? nil : (0..<lines).map { "line \($0 + 1)" }, from: path)
    return (set, unpadded ? ["padding in front of lines was left out"] : [])
  }

  /// Generates target interactions by a known process, for experiments with the transfer task.
  ///
  /// There is one group for every ten target items, and every source item belongs to a random group. With probability 0.8, the
  /// target comes from the group that most of the user's last ten items belong to (the later one of equals). Otherwise it can
  /// be any target item. Within this selection, it is drawn by popularity (Zipf's law with exponent 0.8). So the history is
  /// informative about the target.
  ///
  /// - Parameters:
  ///   - sources: the source sequences. Each yields one sample.
  ///   - items: the number of target items without the pad, at least 2.
  ///   - seed: the seed of the groups and of the targets.
  ///   - isCancelled: called for every sequence; once it returns true, the result is incomplete and must not be used.
  /// - Throws: `DataError` for too few items.
  public static func syntheticTarget(
    _ sources: [SequenceSet], items: Int, seed: UInt64, isCancelled: () -> Bool = { false }
  ) throws -> SequenceSet {
    guard let first = sources.first, items >= 2 else {
      throw DataError("a target needs at least 2 items", argument: "items")
    }
    let groups = max(2, items / 10)
    var numbers = RandomStream(seed: seed, "synthetic_target/catalogue").numbers()
    let groupOf = (0..<first.items.count).map { _ in numbers.below(groups) }
    let weights = (0..<items).map { pow(Double($0 + 1), -0.8) }
    let total = weights.reduce(0, +)
    /// One of every `step`-th item from `first` on.
    func zipf(_ first: Int, _ step: Int, _ numbers: inout RandomNumbers) -> Int {
      let count = (items - first + step - 1) / step
      var left = numbers.uniform() * (step == 1 ? total : weights[..<count].reduce(0, +))
      for choice in 0..<count {
        left -= weights[choice]
        if left < 0 { return first + choice * step }
      }
      return first + (count - 1) * step
    }
    var builder = TargetBuilder(length: first.length)
    let events = RandomStream(seed: seed, "synthetic_target/events")
    var sample = 0
    for set in sources {
      for index in 0..<set.count {
        if isCancelled() { break }
        let history = set.sequence(index).filter { $0 != 0 }
        var counts: [Int: Int] = [:]
        var best = 0
        for item in history.suffix(10) {
          let group = groupOf[Int(item)]
          counts[group, default: 0] += 1
          if counts[group, default: 0] >= counts[best, default: 0] { best = group }
        }
        var numbers = events.numbers(at: UInt64(sample))
        // With two or three items the last groups are empty.
        let isOwn = numbers.uniform() < 0.8 && best < items
        let choice = isOwn ? zipf(best, groups, &numbers) : zipf(0, 1, &numbers)
        builder.add(history[...], target: Int32(choice + 1), user: set.user(index))
        sample += 1
      }
    }
    return builder.build(
      source: first, targets: (0..<items).map { "t\(seed).\($0)" }, users: nil,
      from: "synthetic target of \(items) items, seed \(seed), on \(first.source)")
  }

  private struct TargetBuilder {
    let length: Int
    private var tokens: [Int32] = []
    private var users: [Int32] = []

    init(length: Int) { self.length = length }

    mutating func add(_ items: ArraySlice<Int32>, target: Int32, user: Int32) {
      let seen = items.suffix(length - 1)
      tokens += [Int32](repeating: 0, count: length - 1 - seen.count) + seen + [target]
      users.append(user)
    }

    /// - Parameter names: the names of the users; nil: the users are those of the source data.
    func build(source: SequenceSet, targets: [String], users names: [String]?, from: String) -> SequenceSet {
      // Samples of one user share source items, so `overlaps` keeps all of them in one part of a split.
      SequenceSet(
        length: length, tokens: tokens, users: users, times: nil, items: source.items,
        userNames: names.map { Vocabulary($0) } ?? source.userNames, hasUsers: names == nil && source.hasUsers, source: from, process: nil,
        overlaps: true, targetItems: Vocabulary(["<pad>"] + targets))
    }
  }
}
