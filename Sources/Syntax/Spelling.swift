/// Suggests the name that the user probably meant.
public enum Spelling {
  /// The longest name, in bytes, for which a suggestion is made. Longer names are not typed by hand.
  private static let longestName = 128
  /// The largest number of names to search. Among more, the nearest name is rarely helpful and slow to find.
  private static let mostCandidates = 2000

  /// The candidate nearest to `name`, or nil if none is near. A candidate is near when at most a third of the letters of
  /// `name` (at least one) differ by insertion, deletion, substitution or a swap of neighbours; case, `_` and `-` are
  /// ignored. Nil as well for more than 2000 candidates and for a name of more than 128 bytes.
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

  /// The Damerau-Levenshtein distance (optimal string alignment), or `limit` if the distance is not below it.
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
      // The minimum of a row never decreases, except by one through a swap, so rows above the limit can be abandoned.
      if least > limit { return limit }
      (older, old) = (old, row)
    }
    return min(limit, old[b.count])
  }

  /// `did you mean X?`, or nil.
  public static func suggestion(_ name: String, in candidates: some Collection<String>) -> String? {
    nearest(name, in: candidates).map { "did you mean `\($0)`?" }
  }

  /// The names separated by commas. Of more than 40 names, the first 20 and the number of the others.
  public static func list(_ names: some Collection<String>) -> String {
    func short(_ name: String) -> String { name.utf8.count <= longestName ? name : name.prefix(40) + "..." }
    guard names.count > 40 else { return names.map(short).joined(separator: ", ") }
    return names.prefix(20).map(short).joined(separator: ", ") + " and \(names.count - 20) more"
  }
}
