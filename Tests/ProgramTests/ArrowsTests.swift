import Foundation
import Models
import Testing

/// Which targets may import which. docs/architecture.md has the same table.
@Suite struct ArrowsTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static let imports: [String: Set<String>] = [
    "Basics": [],
    "Kernels": ["CBLAS", "CKernels"],
    "Layers": ["Kernels"],
    "Growth": ["Layers", "Kernels"],
    "Models": ["Layers", "Kernels"],
    "Archives": ["CArchive"], "Datasets": ["CZlib", "Archives", "Kernels"],
    "Downloads": ["CDownloads", "Archives"],
    "Evaluation": ["Layers", "Datasets", "Kernels", "Basics"],
    "ModelFiles": ["Layers", "Models", "Datasets", "Kernels"],
    "Training": ["Layers", "Growth", "Datasets", "Evaluation", "ModelFiles", "Kernels", "Basics"],
    "StackRec": ["Kernels", "Layers", "Growth", "Models", "Datasets", "Evaluation", "ModelFiles", "Training"],
    "Benchmarking": ["Kernels", "Layers", "Models", "Datasets", "Evaluation", "Training", "Basics"],
    "Files": ["CFiles"],
    "Plotting": ["CGnuplot", "Files"],
    "RunStore": ["GRDB"],
    "Syntax": [],
    "Interpreter": ["Syntax", "Files", "Basics"],
    "Terminal": ["Interpreter", "Syntax", "CEditline"],
    "Notebooks": ["Interpreter", "Syntax", "Files", "Basics", "CMarkdown"],
    "Builtins": [
      "Interpreter", "Syntax", "Kernels", "Layers", "Growth", "Models", "Datasets", "Evaluation", "ModelFiles", "Training",
      "Plotting", "RunStore", "Downloads", "Basics",
    ],
    "srs": [
      "Builtins", "Benchmarking", "RunStore", "Notebooks", "Terminal", "Interpreter", "Syntax", "Files", "ArgumentParser", "Logging",
    ],
  ]

  static let toolchain: Set<String> = ["Foundation", "Glibc", "Synchronization", "Dispatch"]

  static func swiftFiles(in folder: URL) -> [URL] {
    let all = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return (all?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
  }

  @Test func importsMatchTheTable() throws {
    let sources = Self.root.appendingPathComponent("Sources")
    let targets = try FileManager.default.contentsOfDirectory(atPath: sources.path).filter { !$0.hasPrefix("C") }
    #expect(Set(targets) == Set(Self.imports.keys))
    for target in targets {
      let allowed = (Self.imports[target] ?? []).union(Self.toolchain)
      for file in Self.swiftFiles(in: sources.appendingPathComponent(target)) {
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
          let words = line.split(separator: " ")
          guard let index = words.firstIndex(of: "import"), index <= 1, words.count > index + 1 else { continue }
          let name = String(words[words.count - 1].split(separator: ".")[0])
          #expect(allowed.contains(name), "\(target)/\(file.lastPathComponent) imports \(name)")
        }
      }
    }
  }

  /// The dependencies in Package.swift match the table.
  @Test func packageMatchesTheTable() throws {
    let text = try String(contentsOf: Self.root.appendingPathComponent("Package.swift"), encoding: .utf8)
      .replacingOccurrences(of: "\n", with: " ")
    for (target, allowed) in Self.imports {
      let kind = target == "srs" ? "executableTarget" : "target"
      let pattern = try Regex<(Substring, Substring)>(
        "\\.\(kind)\\(\\s*name: \"\(target)\"(.*?)(?:\\.target\\(|\\.testTarget\\(|\\.executableTarget\\()")
      let declared = try #require(text.firstMatch(of: pattern), "\(target)").1
      for other in Self.imports.keys where declared.contains("\"\(other)\"") && other != target {
        #expect(allowed.contains(other), "\(target) depends on \(other)")
      }
    }
  }

  @Test func architectureHasTheTable() throws {
    let text = try String(contentsOf: Self.root.appendingPathComponent("docs/architecture.md"), encoding: .utf8)
    for (target, allowed) in Self.imports {
      let row = try #require(text.split(separator: "\n").first { $0.hasPrefix("| `\(target)`") }, "\(target)")
      for name in allowed where !["ArgumentParser", "Logging"].contains(name) {
        #expect(row.contains(name), "\(target) may import \(name)")
      }
    }
  }

  /// Only the registry, the target Models, its builtins and the benchmarks name particular models. The names of the
  /// models are read from the sources of the target.
  @Test func noOtherTargetNamesAModel() throws {
    let sources = Self.root.appendingPathComponent("Sources")
    var names = Set(Registry.kinds.map { "\"\($0.name)\"" })
    for file in Self.swiftFiles(in: sources.appendingPathComponent("Models")) {
      for match in try String(contentsOf: file, encoding: .utf8).matches(of: /public struct (\w+): ConfiguredNetwork/) {
        names.insert(String(match.1))
      }
    }
    #expect(names.count > Registry.kinds.count)
    let own = ["Sources/Models/", "Sources/Builtins/Models/", "Sources/Benchmarking/Workload.swift"]
    for file in Self.swiftFiles(in: sources) where !own.contains(where: { file.path.contains($0) }) {
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        let code = line.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let words = Set(code.split { !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "\"" }.map(String.init))
        #expect(words.isDisjoint(with: names), "\(file.lastPathComponent): \(line)")
      }
    }
  }

  /// Only Plotting and the shell of the prompt start processes.
  @Test func noOtherProcesses() throws {
    for file in Self.swiftFiles(in: Self.root.appendingPathComponent("Sources")) where !file.path.hasSuffix("Terminal/Shell.swift") {
      let text = try String(contentsOf: file, encoding: .utf8)
      for word in ["Process()", "posix_spawn", "popen(", "system("] {
        #expect(!text.contains(word), "\(file.lastPathComponent) has \(word)")
      }
    }
  }
}
