import Layers

/// The division of a batch into tiles and lanes. It depends on the lengths of the batch's sequences only, not on the number of
/// threads.
///
/// The sequences are sorted by length, the longest first; sequences of equal length keep their order. A tile has the next
/// sequences of this order and is as long as its first one. The tiles are assigned to a fixed number of lanes. Each lane sums
/// the gradients of its tiles in order, and the lanes are summed in order. So the result has the same bits for any number of
/// threads.
struct BatchCut: Sendable {
  /// The largest number of lanes, which limits how many threads can work on a batch. Each lane costs a gradient buffer.
  static let lanes = 8
  /// The largest number of sequences of full length in a tile, chosen so that the activations of a tile stay in the cache of
  /// one core.
  static let largestTile = 16

  /// One tile of the batch.
  struct Part: Sendable {
    /// The indices in `order` of the tile's sequences.
    let sequences: Range<Int>
    let tile: Tile
    /// The index, in the batch, of the tile's first row.
    let firstRow: Int
  }

  /// The indices, in the batch, of its sequences, in the order of the tiles.
  let order: [Int]
  let parts: [Part]
  /// The number of rows of all tiles.
  let rows: Int

  /// - Parameters:
  ///   - lengths: the number of items that the network reads and predicts of each sequence of the batch.
  ///   - limit: the number of items of the longest sequence of the data.
  ///   - objective: determines how many positions a sequence has.
  init(_ lengths: [Int], limit: Int, objective: Objective) {
    let positions = lengths.map { max(0, objective.positions(length: $0)) }
    let order = positions.indices.sorted { positions[$0] == positions[$1] ? $0 < $1 : positions[$0] > positions[$1] }
    let largest = Self.largestRows(limit: limit, batch: lengths.count, objective: objective)
    // Full sequences are divided evenly over the lanes. Shorter ones get as many rows per tile.
    let even = (positions.reduce(0, +) + Self.lanes - 1) / Self.lanes
    var parts: [Part] = []
    var (start, row) = (0, 0)
    while start < order.count {
      // A tile has at least the shortest possible sequence, even if nothing exists in it.
      let longest = max(positions[order[start]], objective.positions(length: 2))
      let count = max(1, min(largest / longest, (even + longest - 1) / longest))
      let sequences = start..<min(order.count, start + count)
      let starts = sequences.map { Int32(longest - positions[order[$0]]) }
      let tile = Tile(positions: longest, sequences: sequences.count, starts: starts.allSatisfy { $0 == 0 } ? [] : starts)
      parts.append(Part(sequences: sequences, tile: tile, firstRow: row))
      row += tile.rows
      start = sequences.upperBound
    }
    self.order = order
    self.parts = parts
    rows = row
  }

  /// The largest number of rows of a tile.
  static func largestRows(limit: Int, batch: Int, objective: Objective) -> Int {
    min(largestTile, max(1, (batch + lanes - 1) / lanes)) * max(objective.positions(length: limit), objective.positions(length: 2))
  }

  /// The largest tile of every length that a batch can have.
  static func largestTiles(limit: Int, batch: Int, objective: Objective, pads: Pads) -> [Tile] {
    let rows = largestRows(limit: limit, batch: batch, objective: objective)
    let (shortest, longest) = (objective.positions(length: 2), objective.positions(length: max(2, limit)))
    return ((pads == .item ? longest : shortest)...longest).map { Tile(positions: $0, sequences: min(batch, rows / $0)) }
  }

  var lanesUsed: Int { min(Self.lanes, parts.count) }
  /// The tiles of a lane, in order.
  func parts(of lane: Int) -> [Part] { stride(from: lane, to: parts.count, by: Self.lanes).map { parts[$0] } }
}
