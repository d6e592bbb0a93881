import Foundation
import Testing

/// The ```console blocks of the documentation contain the actual output of each `$ command`.
@Suite struct ConsoleBlockTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  private static let pages: [String] =
    ["README.md"]
    + ((try? FileManager.default.contentsOfDirectory(atPath: root + "/docs")) ?? []).filter { $0.hasSuffix(".md") }.sorted().map {
      "docs/\($0)"
    }

  /// The blocks of a page share a folder, because they build on each other.
  @Test(arguments: pages)
  func page(name: String) throws {
    let folder = NSTemporaryDirectory() + "stackrec-console-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let bin = URL(fileURLWithPath: Srs.path).deletingLastPathComponent().path
    let text = try String(contentsOfFile: Self.root + "/" + name, encoding: .utf8)
    var isInside = false
    var status: Int32 = 0
    var command: String?
    var wanted: [Substring] = []
    func finish() throws {
      guard let line = command else { return }
      let result = try Srs(shell: "export PATH=\(bin):$PATH; cd \(folder); exec 2>&1; (exit \(status)); \(line)")
      status = result.status
      let found = result.output.split(separator: "\n", omittingEmptySubsequences: false).map { $0.trimmingSuffix { $0 == " " } }
      let lines = wanted.map { $0.trimmingSuffix { $0 == " " } }
      #expect(found.dropLast(found.last == "" ? 1 : 0) == lines[...], "\(name): \(line)")
      command = nil
      wanted = []
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if isInside && line == "```" {
        try finish()
        isInside = false
      } else if line == "```console" {
        isInside = true
      } else if isInside && line.hasPrefix("$ ") {
        try finish()
        command = String(line.dropFirst(2))
      } else if isInside {
        wanted.append(line)
      }
    }
    #expect(!isInside)
  }
}

extension Substring {
  fileprivate func trimmingSuffix(_ isBlank: (Character) -> Bool) -> Substring {
    var text = self
    while let last = text.last, isBlank(last) { text.removeLast() }
    return text
  }
}
