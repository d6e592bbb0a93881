/// Finds the name that was meant.
public enum Spelling {
  /// Longer names are not typed by hand, and are compared with nothing. In bytes.
  private static let longestName = 128
  /// Among more names nobody is helped by the nearest, and finding it would take long.
  private static let mostCandidates = 2000

  /// The candidate nearest to `name`, if one is near: at most a third of its letters differ (by insertion, deletion,
  /// substitution or a swap of neighbours), case and `_` not counted. None among more than 2000 candidates, and none for
  /// a name of more than 128 bytes.
  public static func nearest(_ name: String, in candidates: some Collection<String>) -> String? {
    guard name.utf8.count <= longestName, candidates.count <= mostCandidates else { return nil }
    let wanted = fold(name)
    var best: (distance: Int, name: String)?
    for candidate in candidates where candidate.utf8.count <= longestName && candidate != name {
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
      var least = i
      for j in 1...b.count {
        row[j] = min(old[j] + 1, row[j - 1] + 1, old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] { row[j] = min(row[j], older[j - 2] + 1) }
        least = min(least, row[j])
      }
      // Distances never get smaller again, but for the swap of the next letter with this one.
      if least > limit { return limit }
      (older, old) = (old, row)
    }
    return min(limit, old[b.count])
  }

  /// `did you mean X?`, or nil.
  public static func suggestion(_ name: String, in candidates: some Collection<String>) -> String? {
    nearest(name, in: candidates).map { "did you mean `\($0)`?" }
  }

  /// Names one after the other, for people: of many, the first ones and how many there are.
  public static func list(_ names: some Collection<String>) -> String {
    func short(_ name: String) -> String { name.utf8.count <= longestName ? name : name.prefix(40) + "..." }
    guard names.count > 40 else { return names.map(short).joined(separator: ", ") }
    return names.prefix(20).map(short).joined(separator: ", ") + " and \(names.count - 20) more"
  }
}
