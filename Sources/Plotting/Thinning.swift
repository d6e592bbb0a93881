import Foundation

/// Reduces the number of points of a line without changing the picture: of consecutive points in the same column of a fine
/// grid, only the first, the last and the extreme ones are kept.
enum Thinning {
  /// Lines of at most this many points are not thinned.
  static let least = 5_000
  /// The number of grid columns and rows, finer than a page at 600 dots per inch.
  private static let grid = (x: 4_000.0, y: 3_000.0)

  /// The points to draw.
  ///
  /// - Parameters:
  ///   - x: The x axis; its scale and range determine the columns of the grid.
  ///   - y: The y axis.
  ///   - isCancelled: Once it returns true, the result is incomplete and must not be used.
  static func thinned(
    _ points: [Layer.Point], style: Layer.Line.Style, x: Axis, y: Axis, _ isCancelled: () -> Bool = { false }
  ) -> [Layer.Point] {
    guard points.count > least else { return points }
    func coordinate(_ value: Double, _ axis: Axis) -> Double { axis.logarithmic ? log10(max(value, .leastNormalMagnitude)) : value }
    let finite = points.filter { $0.x.isFinite && $0.y.isFinite }
    let xs = (x.range.map { [$0.lowerBound, $0.upperBound] } ?? finite.map(\.x)).map { coordinate($0, x) }
    let ys = (y.range.map { [$0.lowerBound, $0.upperBound] } ?? finite.map(\.y)).map { coordinate($0, y) }
    guard let left = xs.min(), let right = xs.max(), let low = ys.min(), let high = ys.max(), right > left,
      (right - left).isFinite, (high - low).isFinite
    else { return points }
    func column(_ value: Double) -> Int { Int(max(-1, min(2, (coordinate(value, x) - left) / (right - left))) * grid.x) }
    if style == .points {
      // Keep one point per cell of the grid.
      var seen: Set<Int> = []
      var kept: [Layer.Point] = []
      for point in points where point.x.isFinite && point.y.isFinite {
        if isCancelled() { break }
        let row = high > low ? Int(max(-1, min(2, (coordinate(point.y, y) - low) / (high - low))) * grid.y) : 0
        if seen.insert(row * Int(grid.x + 1) + column(point.x)).inserted { kept.append(point) }
      }
      return kept
    }
    // Of consecutive points in one column, keep the first, the lowest, the highest and the last, in order.
    var kept: [Layer.Point] = []
    var start = 0
    while start < points.count, !isCancelled() {
      guard points[start].x.isFinite, points[start].y.isFinite else {
        kept.append(points[start])
        start += 1
        continue
      }
      let here = column(points[start].x)
      var end = start + 1
      while end < points.count, points[end].x.isFinite, points[end].y.isFinite, column(points[end].x) == here { end += 1 }
      let run = start..<end
      var chosen: Set<Int> = [start, end - 1]
      for value: (Layer.Point) -> Double in [\.y, { $0.low ?? $0.y }, { $0.high ?? $0.y }] {
        if let least = run.min(by: { value(points[$0]) < value(points[$1]) }) { chosen.insert(least) }
        if let most = run.max(by: { value(points[$0]) < value(points[$1]) }) { chosen.insert(most) }
      }
      for index in chosen.sorted() { kept.append(points[index]) }
      start = end
    }
    return kept
  }
}
