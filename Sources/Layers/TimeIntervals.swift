import Glibc

/// The event from whose time a model of times measures the intervals to earlier events.
public enum TimeReference: String, Codable, Sendable, CaseIterable {
  /// The last event that the model reads, at each position.
  case history
  /// The event that each position predicts, as the published code of HSTU does. Its time is then part of the input.
  case target
}

/// The intervals between the events of a tile, in the buckets of HSTU (Zhai et al., ICML 2024):
///
///     bucket = min(128, floor(ln(max(1, |seconds|)) / 0.301))
public enum TimeIntervals {
  /// The number of buckets.
  public static let buckets = 129
  private static let width = 0.301
  /// The shortest interval of each bucket, in seconds.
  private static let edges = (0..<buckets).map { $0 == 0 ? 0 : exp(Double($0) * width) }

  /// Floats that the buckets of a tile take.
  public static func count(_ tile: Tile) -> Int { (tile.sequences * tile.positions * tile.positions + 3) / 4 }

  /// Writes, for every sequence of T events, `(T, T)` buckets to `result`, `positions * positions` bytes after those of the
  /// previous sequence: in row i, column j <= i, the bucket of the interval from event j to the reference of position i.
  ///
  /// - Parameters:
  ///   - times: `(positions, sequences)` times of the events, in seconds.
  ///   - references: `(positions, sequences)` times of the events from which each position measures.
  static func fill(
    _ tile: Tile, times: UnsafePointer<Double>, references: UnsafePointer<Double>, into result: UnsafeMutablePointer<UInt8>
  ) {
    edges.withUnsafeBufferPointer { edges in
      for b in 0..<tile.sequences {
        let start = tile.start(b)
        let length = tile.positions - start
        let square = result + b * tile.positions * tile.positions
        for i in 0..<length {
          let reference = references[(start + i) * tile.sequences + b]
          var bucket = 0
          // Events are sorted by time, so the bucket rarely changes from one event to the one before it.
          for j in stride(from: i, through: 0, by: -1) {
            let interval = abs(reference - times[(start + j) * tile.sequences + b])
            while bucket < buckets - 1, interval >= edges[bucket + 1] { bucket += 1 }
            while bucket > 0, interval < edges[bucket] { bucket -= 1 }
            square[i * length + j] = UInt8(bucket)
          }
        }
      }
    }
  }
}

extension TileInput {
  /// The same pass with the intervals between the events of the tile.
  ///
  /// - Parameters:
  ///   - pass: the pass without intervals.
  ///   - reference: the event from which intervals are measured.
  ///   - memory: `TimeIntervals.count` floats, which must stay until the pass ends.
  public func timed(_ pass: Pass, from reference: TimeReference, memory: UnsafeMutablePointer<Float>) -> Pass {
    guard let times else { return pass }
    var pass = pass
    let buckets = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt8.self)
    TimeIntervals.fill(
      tile, times: times.events, references: reference == .target ? times.predicted : times.events, into: buckets)
    pass.intervals = UnsafePointer(buckets)
    return pass
  }

  /// The same pass with the intervals that `timed` wrote to `memory`.
  public func alreadyTimed(_ pass: Pass, memory: UnsafeMutablePointer<Float>) -> Pass {
    guard times != nil else { return pass }
    var pass = pass
    pass.intervals = UnsafePointer(UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt8.self))
    return pass
  }
}
