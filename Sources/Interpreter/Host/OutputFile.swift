import Files

public enum FilePath {
  /// The part of a path before its last slash; empty if it has none.
  public static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
  }
}

/// Writes files atomically. The alias spares other targets an import of `Files`.
public typealias OutputFile = AtomicFile
