/// The windows of the histories of a mapped file. A window is a row; its items are read on demand and not copied before.
struct WindowRows: Sendable {
  /// The windows of a history that are rows. The names of the cases are part of fingerprints: see `SequenceSet.addIdentity`.
  enum Part: Equatable, Sendable {
    case all
    /// The windows of the training part of a leave-last-out split, which excludes the last two items.
    case beforeHeldOut
    /// The one window whose last item is `back` items before the last item of the history.
    case heldOut(back: Int)
  }

  let histories: Histories
  let options: WindowOptions
  let part: Part
  let count: Int
  /// The number of rows before every 16th history, and the number of all rows.
  private let starts: [Int]
  private static let group = 16

  /// - Parameter isCancelled: Called for every history; once it returns true, rows are left out.
  init(_ histories: Histories, _ options: WindowOptions, _ part: Part = .all, _ isCancelled: () -> Bool = { false }) {
    self.histories = histories
    self.options = options
    self.part = part
    var starts: [Int] = []
    var rows = 0
    for h in 0..<histories.count {
      if isCancelled() { break }
      if h % Self.group == 0 {
        starts.append(rows)
        histories.use(histories: h..<min(histories.count, h + Self.group))
      }
      rows += Self.rows(histories.length(h), options, part)
    }
    starts.append(rows)
    count = rows
    self.starts = starts
  }

  /// The number of rows of a history with this number of events.
  private static func rows(_ events: Int, _ options: WindowOptions, _ part: Part) -> Int {
    switch part {
    case .all: options.count(events)
    case .beforeHeldOut: options.count(events >= 3 ? events - 2 : events)
    case .heldOut: events >= 3 ? 1 : 0
    }
  }

  /// The history of a row, and the range of the row's events in it.
  func find(_ row: Int) -> (history: Int, window: Range<Int>) {
    var (low, high) = (0, starts.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= row { low = middle } else { high = middle }
    }
    // If groups have no rows, several have the same start; the search finds the last of them.
    var h = low * Self.group
    var left = row - starts[low]
    histories.use(histories: h..<min(histories.count, h + Self.group))
    while true {
      let events = histories.length(h)
      let rows = Self.rows(events, options, part)
      if left < rows {
        switch part {
        case .all: return (h, options.window(left, events))
        case .beforeHeldOut: return (h, options.window(left, events >= 3 ? events - 2 : events))
        case .heldOut(let back): return (h, max(0, events - back - options.length)..<(events - back))
        }
      }
      left -= rows
      h += 1
    }
  }

  /// The items of a row, without padding.
  func events(_ row: Int) -> [Int32] {
    let (h, window) = find(row)
    let start = histories.start(h)
    return [Int32](unsafeUninitializedCapacity: window.count) { items, count in
      histories.copyItems((start + window.lowerBound)..<(start + window.upperBound), to: items.baseAddress, after: 0)
      count = window.count
    }
  }

  /// The items of the history before a row.
  func earlier(_ row: Int) -> [Int32] {
    let (h, window) = find(row)
    let start = histories.start(h)
    return [Int32](unsafeUninitializedCapacity: window.lowerBound) { items, count in
      histories.copyItems(start..<(start + window.lowerBound), to: items.baseAddress, after: 0)
      count = window.lowerBound
    }
  }

  /// The items of a row, padded in front.
  func items(_ row: Int) -> [Int32] {
    let (h, window) = find(row)
    let start = histories.start(h)
    let length = options.length
    return [Int32](unsafeUninitializedCapacity: length) { items, count in
      histories.copyItems((start + window.lowerBound)..<(start + window.upperBound), to: items.baseAddress, after: length - window.count)
      for i in 0..<(length - window.count) { items[i] = 0 }
      count = length
    }
  }

  func user(_ row: Int) -> Int32 { histories.owner(find(row).history) }

  /// The index, in the events of the histories, of the first event of a row.
  func firstEvent(_ row: Int) -> Int {
    let (h, window) = find(row)
    return histories.start(h) + window.lowerBound
  }

  /// The times of the events of a row.
  func times(_ row: Int) -> [Int64] {
    let (h, window) = find(row)
    let start = histories.start(h)
    return window.map { histories.time(start + $0) }
  }

  /// The time of the last event of a row.
  func time(_ row: Int) -> Int64 {
    let (h, window) = find(row)
    return histories.time(histories.start(h) + window.upperBound - 1)
  }
}

extension WindowOptions {
  /// The number of windows of a history with this number of events.
  func count(_ events: Int) -> Int {
    guard events >= minimum else { return 0 }
    guard events > length else { return 1 }
    let step = stride ?? length
    return min(most ?? .max, 1 + min((events - length + step - 1) / step, (events - minimum) / step))
  }

  /// Window `k` of a history with this number of events.
  func window(_ k: Int, _ events: Int) -> Range<Int> {
    let step = stride ?? length
    switch from {
    case .end: return max(0, events - k * step - length)..<(events - k * step)
    case .start: return (k * step)..<min(events, k * step + length)
    }
  }
}
