/// How histories are divided into windows, which become sequences.
public struct WindowOptions: Sendable, Equatable {
  public enum Anchor: String, Sendable, CaseIterable { case end, start }

  /// The number of items of a window.
  public var length: Int
  /// The number of items from one window to the next; nil: `length`, so that windows do not overlap.
  public var stride: Int?
  /// The smallest number of items of a window. Shorter windows are left out.
  public var minimum: Int
  /// Whether the windows are counted from the end of a history or from its start.
  public var from: Anchor
  /// The largest number of windows of a history, counted as `from` says; nil: no limit.
  public var most: Int?

  public init(length: Int, stride: Int? = nil, minimum: Int = 2, from: Anchor = .end, most: Int? = nil) {
    self.length = length
    self.stride = stride
    self.minimum = minimum
    self.from = from
    self.most = most
  }

  /// The text that fingerprints contain. It is Swift's description of this type in version 0.1, and must not change.
  var hashed: String {
    let stride = stride.map { "Optional(\($0))" } ?? "nil"
    return "WindowOptions(length: \(length), stride: \(stride), minimum: \(minimum), from: Datasets.WindowOptions.Anchor.\(from)"
      + (most.map { ", most: \($0))" } ?? ")")
  }

  /// - Throws: `DataError` for options that are not valid.
  func check() throws(DataError) {
    guard length >= 2 else {
      throw DataError("a window needs at least 2 items: one to read and one to predict", argument: "length")
    }
    guard stride ?? length >= 1 else { throw DataError("windows must move by at least 1 item", argument: "stride") }
    guard minimum >= 2, minimum <= length else { throw DataError("must be from 2 to the length, \(length)", argument: "min_length") }
  }

  /// Calls `body` with every window of the events `start..<end`. Counted from the end, the last window ends with the last
  /// event, and the first window may be shorter. Counted from the start, the first window begins with the first event, and
  /// the last window may be shorter.
  func forEach(_ start: Int, _ end: Int, _ body: (Range<Int>) -> Void) {
    let step = stride ?? length
    var left = most ?? .max
    switch from {
    case .end:
      var end = end
      while end - start >= minimum, left > 0 {
        left -= 1
        let first = max(start, end - length)
        body(first..<end)
        if first == start { break }
        end -= step
      }
    case .start:
      var start = start
      while end - start >= minimum, left > 0 {
        left -= 1
        let last = min(end, start + length)
        body(start..<last)
        if last == end { break }
        start += step
      }
    }
  }
}

extension Histories {
  /// Divides every history into windows of `length` items, `stride` items apart. Shorter windows are padded in front. Windows
  /// of fewer than `minimum` items are left out.
  ///
  /// - Throws: `DataError` for options that are not valid.
  public func windows(length: Int, stride: Int? = nil, minimum: Int = 2) throws(DataError) -> SequenceSet {
    try windows(WindowOptions(length: length, stride: stride, minimum: minimum))
  }

  /// Divides every history into windows.
  ///
  /// - Parameters:
  ///   - options: how to divide them.
  ///   - isCancelled: called for every history; once it returns true, the windows are incomplete and must not be used.
  /// - Throws: `DataError` for options that are not valid, and for a damaged file.
  public func windows(_ options: WindowOptions, isCancelled: () -> Bool = { false }) throws(DataError) -> SequenceSet {
    try options.check()
    if file != nil { return try windows(options, .all, isCancelled) }
    var rows = 0
    for h in 0..<count { rows += options.count(offsets[h + 1] - offsets[h]) }
    var builder = SequenceSet.Builder(self, length: options.length, capacity: rows)
    for h in 0..<count {
      if isCancelled() { break }
      options.forEach(offsets[h], offsets[h + 1]) { builder.add($0, historyFrom: offsets[h], user: owners[h]) }
    }
    return builder.build(overlaps: (options.stride ?? options.length) < options.length)
  }

  /// The windows of a mapped file, without copying them.
  func windows(_ options: WindowOptions, _ part: WindowRows.Part, _ isCancelled: () -> Bool = { false }) throws(DataError) -> SequenceSet {
    let rows = WindowRows(self, options, part, isCancelled)
    if let fault = file?.fault { throw fault }
    guard rows.count <= Int32.max else {
      throw DataError(
        "\(rows.count) windows are more than the limit of \(Int32.max)", help: "make them longer, or `stride` larger",
        argument: "length")
    }
    return SequenceSet(rows)
  }
}
