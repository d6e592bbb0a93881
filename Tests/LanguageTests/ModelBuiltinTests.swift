import Builtins
import Foundation
import Layers
import Models
import Testing

/// The functions and the page of every registered model.
@Suite struct ModelBuiltinTests {
  private static let samples = Registry.samples(.init(items: 30, length: 10, users: 5, width: 8))

  /// A network lists all options that its builtin was called with. Scripts that recreate it are written from this list.
  @Test func optionsAreTheArgumentsOfTheBuiltin() throws {
    for kind in Registry.kinds {
      let builtin = try #require(StackRecLibrary.library.builtins[kind.name], "\(kind.name) has no function")
      let options = try Self.samples.filter { $0.kind == kind.name }.flatMap { try $0.network().options.map(\.name) }
      #expect(Set(options) == Set(builtin.parameters.map(\.name)).subtracting(["data", "seed", "preset"]), "\(kind.name)")
    }
  }

  @Test func thePageHasEveryModel() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/models.md"), encoding: .utf8)
    for kind in Registry.kinds { #expect(page.contains("`\(kind.name)`"), "docs/models.md says nothing of \(kind.name)") }
  }
}
