import Foundation
import Interpreter
import Syntax

/// Which cells of a notebook another one needs: those before it that give a name it uses, and what they need.
struct CellDependencies {
  /// By cell, the numbers of the cells it needs, in order.
  private(set) var needs: [[Int]] = []
  /// By cell, could it write a file? It uses a function that does, or something that may.
  private(set) var mayWrite: [Bool] = []
  /// The texts of all files that are imported, those that these import too.
  private(set) var imported: [String] = []

  /// Could it read one?
  private(set) var mayRead: [Bool] = []
  /// Does it give the same when it is run again with the same? A clock and the list of runs do not.
  private(set) var isRepeatable: [Bool] = []

  private struct Names {
    var used: Set<String> = []
    var given: Set<String> = []
  }

  /// - Parameter library: says of every function what it does to files.
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
      // A function may use what only a later cell gives, so what is found is looked through for more.
      var grew = true
      while grew {
        grew = false
        for other in 0..<number where !found.contains(other) && !cells[other].given.isDisjoint(with: wanted) {
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

  /// What statements use, and bind outside of functions; with what they import, as if it stood there. Blocks make no scope.
  private static func collect(
    _ statements: [Statement], of file: String, _ names: inout Names, _ imported: inout [String], depth: Int
  ) {
    for statement in statements {
      statement.visitNames { names.used.insert($0) }
      switch statement.kind {
      case .bind(let pattern, _), .loop(let pattern, _, _): names.given.formUnion(pattern.names.map(\.text))
      case .parameter(let name, _, _), .function(let name, _): names.given.insert(name.text)
      case .import(let expression):
        guard case .string(let parts) = expression.kind, case .text(let name)? = parts.first, depth < 20 else { break }
        let folder = FilePath.folder(of: file)
        let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
        // One that is not there is an error of the check.
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
