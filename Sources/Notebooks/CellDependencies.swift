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

  private static let writers: Set<String> = ["save", "write", "write_json", "write_csv"]

  private struct Names {
    var used: Set<String> = []
    var given: Set<String> = []
    /// Gives names that are not to be seen in the text.
    var imports = false
  }

  init(_ notebook: Notebook) {
    let statements = Parser.parse(notebook.file).statements
    let cells = notebook.cells.map { cell -> Names in
      var names = Names()
      for statement in statements where cell.range.contains(statement.span.range.lowerBound) {
        statement.visitNames { names.used.insert($0) }
        Self.collect(statement, &names)
      }
      return names
    }
    for number in cells.indices {
      var wanted = cells[number].used
      var found: Set<Int> = []
      // A function may use what only a later cell gives, so what is found is looked through for more.
      var grew = true
      while grew {
        grew = false
        for other in 0..<number where !found.contains(other) && (cells[other].imports || !cells[other].given.isDisjoint(with: wanted)) {
          found.insert(other)
          wanted.formUnion(cells[other].used)
          grew = true
        }
      }
      needs.append(found.sorted())
      mayWrite.append(cells[number].imports || !wanted.isDisjoint(with: Self.writers))
    }
    var seen: Set<String> = []
    collectImports(statements, of: notebook.file.name, &seen)
  }

  private mutating func collectImports(_ statements: [Statement], of file: String, _ seen: inout Set<String>) {
    for statement in statements {
      collectImports(statement.innerStatements, of: file, &seen)
      guard case .import(let expression) = statement.kind, case .string(let parts) = expression.kind, case .text(let name)? = parts.first
      else { continue }
      let folder = FilePath.folder(of: file)
      let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
      guard seen.insert(path).inserted, let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
      imported.append(text)
      collectImports(Parser.parse(SourceFile(name: path, text: text)).statements, of: path, &seen)
    }
  }

  /// What a statement binds outside of functions: blocks make no scope.
  private static func collect(_ statement: Statement, _ names: inout Names) {
    switch statement.kind {
    case .bind(let pattern, _): names.given.formUnion(pattern.names.map(\.text))
    case .parameter(let name, _, _), .function(let name, _): names.given.insert(name.text)
    case .loop(let pattern, _, _): names.given.formUnion(pattern.names.map(\.text))
    case .import: names.imports = true
    default: break
    }
    for inner in statement.innerStatements { collect(inner, &names) }
  }
}
