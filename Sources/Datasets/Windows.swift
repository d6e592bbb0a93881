/// How histories are cut into sequences.
public struct WindowOptions: Sendable, Equatable {
  public enum Anchor: String, Sendable, CaseIterable { case end, start }

  public var length: Int
  /// From one window to the next; nil: the length, so that none overlap.
  public var stride: Int?
  /// Windows of fewer items are left out.
  public var minimum: Int
  /// Where the first window stands.
  public var from: Anchor

  public init(length: Int, stride: Int? = nil, minimum: Int = 2, from: Anchor = .end) {
    self.length = length
    self.stride = stride
    self.minimum = minimum
    self.from = from
  }

  func check() throws(DataError) {
    guard length >= 2 else {
      throw DataError("a window needs at least 2 items: something to see and something to predict", argument: "length")
    }
    guard stride ?? length >= 1 else { throw DataError("windows must move by at least 1 item", argument: "stride") }
    guard minimum >= 2, minimum <= length else { throw DataError("must be from 2 to the length, \(length)", argument: "min_length") }
  }

  /// Calls `body` with every window of the events `start..<end`. From the end, the last window ends with the last event
  /// and the first may be shorter; from the start, the first begins with the first event and the last may be shorter.
  func forEach(_ start: Int, _ end: Int, _ body: (Range<Int>) -> Void) {
    let step = stride ?? length
    switch from {
    case .end:
      var end = end
      while end - start >= minimum {
        let first = max(start, end - length)
        body(first..<end)
        if first == start { break }
        end -= step
      }
    case .start:
      var start = start
      while end - start >= minimum {
        let last = min(end, start + length)
        body(start..<last)
        if last == end { break }
        start += step
      }
    }
  }
}

extension Histories {
  /// Cuts every history into windows of `length` items, `stride` apart; shorter ones are padded in front. Windows of
  /// fewer than `minimum` items are left out.
  public func windows(length: Int, stride: Int? = nil, minimum: Int = 2) throws(DataError) -> SequenceSet {
    try windows(WindowOptions(length: length, stride: stride, minimum: minimum))
  }

  public func windows(_ options: WindowOptions) throws(DataError) -> SequenceSet {
    try options.check()
    if file != nil { return try windows(options, .all) }
    var rows = 0
    for h in 0..<count { options.forEach(offsets[h], offsets[h + 1]) { _ in rows += 1 } }
    var builder = SequenceSet.Builder(length: options.length, capacity: rows)
    events.withUnsafeBufferPointer { events in
      for h in 0..<count {
        options.forEach(offsets[h], offsets[h + 1]) { window in
          builder.add(UnsafeBufferPointer(rebasing: events[window]), user: owners[h], time: times?[window.upperBound - 1])
        }
      }
    }
    return builder.build(self, overlaps: (options.stride ?? options.length) < options.length)
  }

  /// Windows that stay in their file.
  func windows(_ options: WindowOptions, _ part: WindowRows.Part) throws(DataError) -> SequenceSet {
    let rows = WindowRows(self, options, part)
    if let fault = file?.fault { throw fault }
    guard rows.count <= Int32.max else {
      throw DataError(
        "\(rows.count) windows are more than the \(Int32.max) there can be", help: "make them longer, or `stride` larger",
        argument: "length")
    }
    return SequenceSet(rows)
  }
}
