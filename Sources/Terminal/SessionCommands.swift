import Foundation
import Interpreter
import Syntax

/// A command of the prompt: `%time train(...)`.
struct SessionCommand {
  let name: String
  let arguments: String
  let summary: String

  static let all: [SessionCommand] = [
    .init(name: "time", arguments: "ENTRY", summary: "run an entry and show the time it took"),
    .init(name: "who", arguments: "", summary: "list the variables"),
    .init(name: "save", arguments: "FILE.srs", summary: "save the successful entries as cells of a script"),
    .init(name: "load", arguments: "FILE.srs", summary: "the same as %run"),
    .init(name: "run", arguments: "FILE.srs", summary: "run a script and keep its names"),
    .init(name: "edit", arguments: "[FILE.srs]", summary: "write an entry in $EDITOR, or edit a script, and run it"),
    .init(name: "reset", arguments: "[NAME]", summary: "forget a variable, so that a function of its name is found again, or all"),
    .init(name: "cd", arguments: "[FOLDER]", summary: "change the current folder, or show it"),
    .init(
      name: "history", arguments: "[TEXT]", summary: "list the entries of this session with their numbers, all or those that contain a text"
    ),
    .init(name: "pager", arguments: "on | off", summary: "show output that is longer than the screen page by page"),
    .init(name: "help", arguments: "", summary: "show this list"),
  ]

  static var help: String {
    let heads = all.map { "%\($0.name)\($0.arguments.isEmpty ? "" : " \($0.arguments)")" }
    let width = heads.map(\.count).max() ?? 0
    return zip(heads, all).map { "  \($0)\(String(repeating: " ", count: width - $0.count))  \($1.summary)\n" }.joined()
      + "  !COMMAND\(String(repeating: " ", count: max(0, width - 8)))  run a shell command\n"
      + "  ?name  ?name.member  ?\"some words\"  ?E0301  help on a function, a parameter or member, words, an error\n"
      + "  _ is the last value, out[n] the value of entry n; |> at the beginning goes on from the last value\n"
      + "  Ctrl-C clears the entry or ends what runs, Ctrl-D or exit leaves, Tab completes, right arrow takes the suggestion,\n"
      + "  Alt-Enter begins a line, Ctrl-_ undoes, Ctrl-R searches earlier entries, Ctrl-X Ctrl-E opens the entry in $EDITOR\n"
  }
}

extension Session {
  /// Runs the command line `%name rest`. For an unknown command, suggests a similar one.
  func command(_ line: String) {
    let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
    let name = parts.first.map(String.init) ?? "help"
    let rest = parts.count > 1 ? String(parts[1]).trimmingCharacters(in: .whitespacesAndNewlines) : ""
    switch name {
    case "help": write(SessionCommand.help)
    case "time": evaluate(rest, timed: true)
    case "who": write(variables)
    case "save": save(rest)
    case "run", "load": runFile(rest)
    case "edit": edit(rest)
    case "reset": reset(rest)
    case "exit", "quit": write("exit leaves; so does Ctrl-D\n")
    case "cd": change(rest)
    case "history":
      for (index, entry) in entries.enumerated() where rest.isEmpty || entry.contains(rest) {
        let lines = entry.split(separator: "\n", omittingEmptySubsequences: false)
        write("\(index + 1): \(lines.joined(separator: "\n   "))\n")
      }
    case "pager":
      switch rest {
      case "on": usesPager = true
      case "off": usesPager = false
      default: complain("%pager takes on or off\n")
      }
    default:
      let near = Spelling.suggestion("%" + name, in: SessionCommand.all.map { "%" + $0.name })
      complain("there is no command %\(name)" + (near.map { "; \($0)" } ?? "; %help lists them") + "\n")
    }
  }

  /// Forgets all variables, or those whose names are given.
  private func reset(_ names: String) {
    if names.isEmpty {
      interpreter.forget()
      succeeded = []
      results = [:]
      return
    }
    for name in names.split(separator: " ").map(String.init) {
      if interpreter.forget(name) {
        write("\(name) is forgotten" + (interpreter.library.builtins[name] == nil ? "\n" : "; `\(name)` is the function again\n"))
      } else {
        let near = Spelling.suggestion(name, in: interpreter.names)
        complain("there is no variable \(name)" + (near.map { "; \($0)" } ?? "") + "; nothing is forgotten\n")
      }
    }
  }

  private var variables: String {
    let names = interpreter.names.filter { $0 != "_" && $0 != "out" }
    if names.isEmpty { return "no variables yet\n" }
    let width = names.map(\.count).max() ?? 0
    return names.map { name in
      let value = interpreter.value(name)
      var text = value.map { if case .object(let object) = $0 { object.summary } else { $0.shown } } ?? ""
      text = text.replacingOccurrences(of: "\n", with: " ")
      if text.count > 70 { text = text.prefix(67) + "..." }
      return "\(name)\(String(repeating: " ", count: width - name.count))  \(text)\n"
    }.joined()
  }

  private func save(_ path: String) {
    guard !path.isEmpty else { return complain("%save needs a file name: %save experiment.srs\n") }
    guard !succeeded.isEmpty else { return complain("no entry has succeeded yet\n") }
    let text = succeeded.map { "# %%\n\($0)\n" }.joined(separator: "\n")
    do {
      try OutputFile.write(Data(text.utf8), to: (path as NSString).expandingTildeInPath)
      write("wrote \(succeeded.count) entries to \(path)\n")
    } catch {
      complain("\(error.message)\n")
    }
  }

  /// Runs a script in the session and keeps its names.
  public func runFile(_ path: String) {
    guard !path.isEmpty else { return complain("%run needs a file name: %run experiment.srs\n") }
    let whole = (path as NSString).expandingTildeInPath
    guard let data = FileManager.default.contents(atPath: whole) else {
      return complain("the script \(path) does not exist or cannot be read\n")
    }
    beginEntry()
    let (program, diagnostics) = interpreter.compile(SourceFile(name: path, bytes: [UInt8](data)))
    for diagnostic in diagnostics { errors(renderer.render(diagnostic)) }
    guard let program else { return }
    do { try interpreter.run(program) } catch let diagnostic as Diagnostic { errors(renderer.render(diagnostic)) } catch {
      complain("error: \(error)\n")
    }
  }

  private func edit(_ path: String) {
    if path.isEmpty {
      guard let entry = ExternalEditor.change(succeeded.last ?? "") else { return complain("the editor failed, so nothing is run\n") }
      take(entry)
      return
    }
    let file = (path as NSString).expandingTildeInPath
    guard ExternalEditor.open(file) else { return complain("the editor failed, so nothing is run\n") }
    runFile(file)
  }

  private func change(_ folder: String) {
    if !folder.isEmpty && !FileManager.default.changeCurrentDirectoryPath((folder as NSString).expandingTildeInPath) {
      return complain("there is no folder \(folder)\n")
    }
    write(FileManager.default.currentDirectoryPath + "\n")
  }

  // MARK: Help

  /// `?name`, `?name.member`, `?"words"`, `?E0301`.
  func help(_ asked: String) {
    let builtins = interpreter.library.builtins
    if let builtin = builtins[asked] { return write(builtin.help(columns: interpreter.host.width - 1)) }
    if asked.isEmpty {
      let topics = Dictionary(grouping: builtins.values, by: \.topic)
      let lines = topics.keys.sorted().map { topic in
        TextWrap.wrapped(
          "\(topic): \((topics[topic] ?? []).map(\.name).sorted().joined(separator: ", "))", columns: interpreter.host.width - 1, indent: 2)
          + "\n"
      }
      return write(lines.joined() + "\nAt the prompt:\n" + SessionCommand.help)
    }
    if let text = Self.wordHelp(asked, interpreter.library) {
      return write(TextWrap.wrapped(text, columns: interpreter.host.width - 1, indent: 0) + "\n")
    }
    if asked.hasPrefix("\"") { return search(asked.filter { $0 != "\"" }) }
    if let code = Diagnostic.Code(rawValue: asked.uppercased()) { return write("\(code.rawValue): \(code.explanation)\n") }
    if asked.hasPrefix("%") { return write(SessionCommand.help) }
    let parts = asked.split(separator: ".").map(String.init)
    if parts.count == 2, let builtin = builtins[parts[0]] {
      if let parameter = builtin.parameters.first(where: { $0.name == parts[1] }) { return write(builtin.help(of: parameter)) }
      let near = Spelling.suggestion(parts[1], in: builtin.parameters.map(\.name))
      return complain("`\(parts[0])` has no argument `\(parts[1])`" + (near.map { "; \($0)" } ?? "") + "\n")
    }
    if let first = parts.first, let value = interpreter.value(first) { return describe(first, value, parts.dropFirst().first) }
    let near = Spelling.suggestion(asked, in: builtins.keys.sorted() + interpreter.names)
    if near == nil || asked.contains(" ") { return search(asked) }
    complain("there is no function `\(asked)`" + (near.map { "; \($0)" } ?? "; ?\"\(asked)\" searches the help") + "\n")
  }

  /// Help on a word that is no function: a keyword, a metric, a unit, a word of arguments, `|>`.
  private static func wordHelp(_ word: String, _ library: Library) -> String? {
    if let keyword = keywords[word] { return "\(word): \(keyword)" }
    let metric = word.prefix { $0 != "@" }.lowercased()
    if library.metrics.contains(metric) {
      return
        "\(metric)@k: a metric of the rank r of the one right item, counted from 1, and 0 for ranks above k: mrr@k = 1 / r, hr@k = 1, ndcg@k = 1 / log2(r + 1), recall@k = 1, precision@k = 1 / k, map@k = 1 / r. Written mrr@5, hr@10, ndcg@10."
    }
    if ["step", "steps", "epoch", "epochs", "ms", "s", "min", "h", "cm", "mm", "pt", "%"].contains(word) {
      return
        "\(word): a unit, written after its number without a blank: 100steps, 3epochs, 90s, 10min, 8.4cm, 20%. A computed one is n * 1steps."
    }
    let users = library.builtins.values.filter { builtin in
      library.builtins[word] == nil && builtin.parameters.contains { $0.words.contains(word) || $0.elementWords.contains(word) }
    }.map { builtin in
      builtin.name + "("
        + builtin.parameters.filter { $0.words.contains(word) || $0.elementWords.contains(word) }.map(\.name).joined(separator: ", ") + ":)"
    }.sorted()
    return users.isEmpty ? nil : "\(word): a word of the arguments \(users.joined(separator: ", ")); ?function says more"
  }

  private static let keywords: [String: String] = [
    "let": "binds a name: let x = 5, let (a, b) = [1, 2]", "fn": "binds a function: fn f(x) = x * 2, or fn f(x) { return x * 2 }",
    "param": "binds a name whose value --set can change: param dim = 64  # width",
    "if": "if x > 0 { ... } else if x < 0 { ... } else { ... }; it has a value",
    "else": "if x > 0 { 1 } else { 2 }", "for": "for x in xs { ... }, for i in 0..9 { ... }, for (i, x) in enumerate(xs) { ... }",
    "while": "while x < 9 { ... }", "return": "ends a function: return x * 2", "break": "leaves a loop",
    "continue": "goes on with the next turn of a loop",
    "import": "runs a script and keeps its names: import \"helpers.srs\"",
    "assert": "ends with an error unless a condition holds: assert x > 0, \"x is {x}\"",
    "try": "try { ... } else e => { print(e.message) }", "and": "both conditions hold", "or": "one of two conditions holds",
    "not": "a condition does not hold",
    "true": "a condition that holds", "false": "a condition that does not hold", "nil": "the value of nothing",
    "|>": "passes a value on as the first argument: xs |> map(x => x * 2) |> sum",
    "=>": "a function without a name: x => x * 2, (a, b) => a + b",
    "..": "a range with both ends, 1..9; also puts the elements of a list or record into another: [..xs, 5], { ..rec, a: 2 }",
  ]

  private func describe(_ name: String, _ value: Value, _ member: String?) {
    guard case .object(let object) = value else {
      return write("\(name) is \(value.described)" + (value.described.contains("function") ? "" : ": \(value.type.name)") + "\n")
    }
    let type = Swift.type(of: object).type
    let members = type.members.filter { member == nil || $0.name == member }
    if let member, members.isEmpty {
      let near = Spelling.suggestion(member, in: type.members.map(\.name))
      return complain("\(type.name) has no `\(member)`" + (near.map { "; \($0)" } ?? "") + "\n")
    }
    let width = members.map(\.name.count).max() ?? 0
    write(
      "\(name) is \(type.name)\n"
        + members.map { "  .\($0.name)\(String(repeating: " ", count: width - $0.name.count))  \($0.summary) (\($0.type.name))\n" }.joined()
    )
  }

  private func search(_ words: String) {
    let asked = words.lowercased().replacingOccurrences(of: "-", with: " ")
    let wanted = asked.split(separator: " ")
    func holds(_ text: String) -> Bool {
      let text = text.lowercased().replacingOccurrences(of: "-", with: " ")
      return wanted.allSatisfy { text.contains($0) }
    }
    // Functions that are known by these words come first, then those whose summary has them, then those whose page has them.
    let ranked = interpreter.library.builtins.values.compactMap { builtin -> (rank: Int, builtin: Builtin)? in
      if builtin.name == asked || builtin.synonyms.contains(where: { holds($0) }) { return (0, builtin) }
      return holds(builtin.summary) ? (1, builtin) : holds(builtin.help) ? (2, builtin) : nil
    }.sorted { ($0.rank, $0.builtin.name) < ($1.rank, $1.builtin.name) }
    if ranked.isEmpty { return complain("the help of no function contains \"\(words)\"\n") }
    let most = 12
    let found = ranked.prefix(most).map(\.builtin)
    let width = found.map(\.name.count).max() ?? 0
    let lines = found.map { builtin in
      let first = builtin.summary.components(separatedBy: ". ")[0]
      return TextWrap.wrapped(
        "\(builtin.name)\(String(repeating: " ", count: width - builtin.name.count))  \(first)", columns: interpreter.host.width - 1,
        indent: width + 2) + "\n"
    }
    write(lines.joined() + (ranked.count > most ? "and \(ranked.count - most) more\n" : ""))
  }
}
