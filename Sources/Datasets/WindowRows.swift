/// The windows of histories, found when they are asked for instead of being copied: what sequences of a mapped file are.
struct WindowRows: Sendable {
  /// Which windows of a history are rows.
  enum Part: Equatable, Sendable {
    case all
    /// Those of the items before the two that leave-last-out holds back.
    case beforeHeldOut
    /// The one that ends so many items before the end.
    case heldOut(back: Int)
  }

  let histories: Histories
  let options: WindowOptions
  let part: Part
  let count: Int
  /// Rows before every 16th history.
  private let starts: [Int]
  private static let group = 16

  init(_ histories: Histories, _ options: WindowOptions, _ part: Part = .all) {
    self.histories = histories
    self.options = options
    self.part = part
    var starts: [Int] = []
    var rows = 0
    for h in 0..<histories.count {
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

  private static func rows(_ events: Int, _ options: WindowOptions, _ part: Part) -> Int {
    switch part {
    case .all: options.count(events)
    case .beforeHeldOut: options.count(events >= 3 ? events - 2 : events)
    case .heldOut: events >= 3 ? 1 : 0
    }
  }

  /// The history of a row, and the row's place among the history's events.
  func place(_ row: Int) -> (history: Int, window: Range<Int>) {
    var (low, high) = (0, starts.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= row { low = middle } else { high = middle }
    }
    // Groups without rows begin where the next one does; the last of them is the one found.
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

  /// The items of a row, padded in front.
  func items(_ row: Int) -> [Int32] {
    let (h, window) = place(row)
    let start = histories.start(h)
    let length = options.length
    return [Int32](unsafeUninitializedCapacity: length) { items, count in
      histories.copyItems((start + window.lowerBound)..<(start + window.upperBound), to: items.baseAddress, after: length - window.count)
      for i in 0..<(length - window.count) { items[i] = 0 }
      count = length
    }
  }

  func user(_ row: Int) -> Int32 { histories.owner(place(row).history) }

  func time(_ row: Int) -> Int64 {
    let (h, window) = place(row)
    return histories.time(histories.start(h) + window.upperBound - 1)
  }
}

extension WindowOptions {
  /// How many windows so many events have.
  func count(_ events: Int) -> Int {
    guard events >= minimum else { return 0 }
    guard events > length else { return 1 }
    let step = stride ?? length
    return 1 + min((events - length + step - 1) / step, (events - minimum) / step)
  }

  /// Window `k` of so many events.
  func window(_ k: Int, _ events: Int) -> Range<Int> {
    let step = stride ?? length
    switch from {
    case .end: return max(0, events - k * step - length)..<(events - k * step)
    case .start: return (k * step)..<min(events, k * step + length)
    }
  }
}
