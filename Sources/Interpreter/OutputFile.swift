import Files

/// The part of a path before its last slash; empty where it has none.
public enum FilePath {
  public static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ""
  }
}

/// Files that are there whole or not at all.
public typealias OutputFile = WholeFile
