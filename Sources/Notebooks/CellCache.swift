import Files
import Foundation
import Interpreter

/// The outputs of the cells of a notebook from their last run. They are reused while neither the code of a cell, nor the cells
/// that it needs, nor the files that these read have changed.
public final class CellCache {
  private struct Entry: Codable {
    var outputs: [CellOutput]
    var seconds: Double
    /// The files that the cell read, each with its size and the time of its last change.
    var files: [String: [Double]]
  }

  private let path: String
  private var entries: [String: Entry]
  private var used: Set<String> = []

  /// Reads the cache. A cache that cannot be read counts as empty.
  public init(path: String) {
    self.path = path
    entries = FileManager.default.contents(atPath: path).flatMap { try? JSONDecoder().decode([String: Entry].self, from: $0) } ?? [:]
  }

  /// The cached result of a cell; nil if the cell has to run.
  func result(_ key: String) -> CellResult? {
    guard let entry = entries[key], entry.files.allSatisfy({ Self.state($0.key) == $0.value }) else { return nil }
    // The cache is a file that others may have changed, so its pictures must be checked before they get into a page.
    for case .picture(let svg) in entry.outputs where !PictureCheck.isPlain(svg) { return nil }
    used.insert(key)
    var result = CellResult()
    (result.outputs, result.seconds, result.isCached) = (entry.outputs, entry.seconds, true)
    return result
  }

  /// The files that a cached cell read.
  func files(_ key: String) -> [String: [Double]] { entries[key]?.files ?? [:] }

  /// Adds a result.
  ///
  /// - Parameter files: The files that the cell read, with their state at that time.
  func keep(_ key: String, _ result: CellResult, files: [String: [Double]]) {
    used.insert(key)
    entries[key] = Entry(outputs: result.outputs, seconds: result.seconds, files: files)
  }

  /// The size of a file and the time of its last change; empty if it does not exist.
  static func state(_ path: String) -> [Double] {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path), let size = attributes[.size] as? Int,
      let date = attributes[.modificationDate] as? Date
    else { return [] }
    return [Double(size), date.timeIntervalSince1970]
  }

  /// Saves the entries that this run used, and drops the others.
  public func save() throws(OutputFile.Failure) {
    let kept = entries.filter { used.contains($0.key) }
    guard let data = try? JSONEncoder().encode(kept) else { return }
    try OutputFile.write(data, to: path)
    chmod(path, 0o600)
  }
}
