import Files
import Foundation
import Interpreter

/// What the cells of a notebook gave when they last ran, to be shown again while neither their code, nor that of the
/// cells they need, nor the files they read have changed.
public final class CellCache {
  private struct Entry: Codable {
    var outputs: [CellOutput]
    var seconds: Double
    /// Files that were read, with their size and the time they were changed.
    var files: [String: [Double]]
  }

  private let path: String
  private var entries: [String: Entry]
  private var used: Set<String> = []

  /// A cache that cannot be read is an empty one.
  public init(path: String) {
    self.path = path
    entries = FileManager.default.contents(atPath: path).flatMap { try? JSONDecoder().decode([String: Entry].self, from: $0) } ?? [:]
  }

  /// nil where the cell has to run.
  func result(_ key: String) -> CellResult? {
    guard let entry = entries[key], entry.files.allSatisfy({ Self.state($0.key) == $0.value }) else { return nil }
    // The cell runs again where someone has put in what gnuplot does not draw.
    for case .picture(let svg) in entry.outputs where !PictureCheck.isPlain(svg) { return nil }
    used.insert(key)
    var result = CellResult()
    (result.outputs, result.seconds, result.isCached) = (entry.outputs, entry.seconds, true)
    return result
  }

  /// Files that a cell of the cache read.
  func files(_ key: String) -> [String: [Double]] { entries[key]?.files ?? [:] }

  /// - Parameter files: what was read, as it was then.
  func keep(_ key: String, _ result: CellResult, files: [String: [Double]]) {
    used.insert(key)
    entries[key] = Entry(outputs: result.outputs, seconds: result.seconds, files: files)
  }

  /// Size and time of a file; nothing of one that is not there.
  static func state(_ path: String) -> [Double] {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path), let size = attributes[.size] as? Int,
      let date = attributes[.modificationDate] as? Date
    else { return [] }
    return [Double(size), date.timeIntervalSince1970]
  }

  /// Keeps what this run used.
  public func save() throws(OutputFile.Failure) {
    let kept = entries.filter { used.contains($0.key) }
    guard let data = try? JSONEncoder().encode(kept) else { return }
    try OutputFile.write(data, to: path)
    chmod(path, 0o600)
  }
}
