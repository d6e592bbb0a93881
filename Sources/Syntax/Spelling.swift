/// Finds the name that was meant.
public enum Spelling {
  /// The candidate nearest to `name`, if one is near: at most a third of its letters differ (by insertion, deletion,
  /// substitution or a swap of neighbours), case and `_` not counted.
  public static func nearest(_ name: String, in candidates: some Sequence<String>) -> String? {
    let wanted = fold(name)
    var best: (distance: Int, name: String)?
    for candidate in candidates where candidate != name {
      let limit = min(best?.distance ?? .max, wanted.count < 2 ? 1 : max(1, wanted.count / 3) + 1)
      let distance = distance(wanted, fold(candidate), limit: limit)
      if distance < limit { best = (distance, candidate) }
    }
    return best?.name
  }

  private static func fold(_ name: String) -> [Character] { name.lowercased().filter { $0 != "_" && $0 != "-" }.map { $0 } }

  /// Damerau-Levenshtein distance (optimal alignment), or `limit` where it is not below.
  static func distance(_ a: [Character], _ b: [Character], limit: Int) -> Int {
    if abs(a.count - b.count) >= limit { return limit }
    if a.isEmpty || b.isEmpty { return min(limit, max(a.count, b.count)) }
    var older = [Int](repeating: 0, count: b.count + 1)
    var old = Array(0...b.count)
    for i in 1...a.count {
      var row = [i] + [Int](repeating: 0, count: b.count)
      for j in 1...b.count {
        row[j] = min(old[j] + 1, row[j - 1] + 1, old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] { row[j] = min(row[j], older[j - 2] + 1) }
      }
      (older, old) = (old, row)
    }
    return min(limit, old[b.count])
  }

  /// `did you mean X?`, or nil.
  public static func suggestion(_ name: String, in candidates: some Sequence<String>) -> String? {
    nearest(name, in: candidates).map { "did you mean `\($0)`?" }
  }
}
