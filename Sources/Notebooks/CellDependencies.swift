import Foundation
import Interpreter
import Syntax

/// The dependencies of the cells of a notebook. A cell needs the earlier cells that define a name it uses, and the cells that
/// these need.
struct CellDependencies {
  /// For each cell, the indices of the cells that it needs, in order.
  private(set) var needs: [[Int]] = []
  /// For each cell, can it write a file? True if it, or a cell that it needs, uses a builtin that writes files.
  private(set) var mayWrite: [Bool] = []
  /// The texts of all files that are imported, directly or indirectly.
  private(set) var imported: [String] = []

  /// For each cell, can it read a file?
  private(set) var mayRead: [Bool] = []
  /// For each cell, does it give the same outputs when it runs again? Not if it, or a cell that it needs, uses a clock or the list of runs.
  private(set) var isRepeatable: [Bool] = []

  private struct Names {
    var used: Set<String> = []
    var defined: Set<String> = []
  }

  /// - Parameter library: Its builtins declare their effects.
  init(_ notebook: Notebook, _ library: Library) {
    func any(_ names: Set<String>, _ effect: Builtin.Effects) -> Bool {
      names.contains { library.builtins[$0]?.effects.contains(effect) == true }
    }
    let statements = Parser.parse(notebook.file).statements
    var imported: [String] = []
    let cells = notebook.cells.map { cell -> Names in
      var names = Names()
      let own = statements.filter { cell.range.contains($0.span.range.lowerBound) }
      Self.collect(own, of: notebook.file.name, &names, &imported, depth: 0)
      return names
    }
    self.imported = imported
    for number in cells.indices {
      var wanted = cells[number].used
      var found: Set<Int> = []
      // The names that needed cells use are needed as well, so repeat until no further cell is found.
      var grew = true
      while grew {
        grew = false
        for other in 0..<number where !found.contains(other) && !cells[other].defined.isDisjoint(with: wanted) {
          found.insert(other)
          wanted.formUnion(cells[other].used)
          grew = true
        }
      }
      needs.append(found.sorted())
      mayWrite.append(any(wanted, .writes))
      mayRead.append(any(wanted, .reads))
      isRepeatable.append(!any(wanted, .changes))
    }
  }

  /// Collects the names that statements use, and those that they define outside of functions. Imported files count as if their
  /// text were in the place of the import. Blocks are no scopes, so their statements count too.
  private static func collect(
    _ statements: [Statement], of file: String, _ names: inout Names, _ imported: inout [String], depth: Int
  ) {
    for statement in statements {
      statement.visitNames { names.used.insert($0) }
      switch statement.kind {
      case .bind(let pattern, _), .loop(let pattern, _, _): names.defined.formUnion(pattern.names.map(\.text))
      case .parameter(let name, _, _), .function(let name, _): names.defined.insert(name.text)
      case .import(let expression):
        guard case .string(let parts) = expression.kind, case .text(let name)? = parts.first, depth < 20 else { break }
        let folder = FilePath.folder(of: file)
        let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
        // If the file does not exist, the compiler reports it.
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { break }
        imported.append(text)
        let inner = Parser.parse(SourceFile(name: path, text: text)).statements
        collect(inner, of: path, &names, &imported, depth: depth + 1)
      default: break
      }
      collect(statement.innerStatements, of: file, &names, &imported, depth: depth)
    }
  }
}
