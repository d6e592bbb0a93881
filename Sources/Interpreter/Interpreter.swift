import Files
import Foundation
import Syntax

/// Runs programs of the language: a whole file, or the entries of a prompt one after the other.
public final class Interpreter {
  public let library: Library
  public let host: any InterpreterHost
  let globals = Globals()
  var compilingLoops = 0
  private var depth = 0
  private var stack = StackSpace()
  private var importing: [String] = []
  /// Builtins as function values. Each builtin has a single value, so that it equals itself.
  private var functions: [String: FunctionValue] = [:]
  private var overrides: [String: String] = [:]
  private(set) var usedOverrides: Set<String> = []
  /// The frame of the top level. It has no slots, because top-level variables are globals.
  private let top = Frame.make(slots: 0, parent: nil)

  /// The maximum depth of nested calls of script functions.
  static let maximumCallDepth = 2000

  public init(_ library: Library, host: any InterpreterHost) {
    self.library = library
    self.host = host
  }

  // MARK: Running

  /// A compiled text.
  public struct Program {
    let step: Step
    /// The syntax tree of the text.
    public let tree: SyntaxTree
  }

  /// Parses, checks and compiles a text without running it.
  public func compile(_ file: SourceFile) -> (program: Program?, diagnostics: [Diagnostic]) {
    let tree = Parser.parse(file)
    guard tree.diagnostics.isEmpty else { return (nil, tree.diagnostics) }
    let compiler = Compiler(self, tree.statements)
    let step = compiler.block(tree.statements)
    let errors = compiler.diagnostics + unusedOverrides(tree)
    let sorted = errors.sorted { ($0.span?.range.lowerBound ?? 0) < ($1.span?.range.lowerBound ?? 0) }
    return sorted.isEmpty ? (Program(step: step, tree: tree), []) : (nil, sorted)
  }

  /// Compiles a text in parts, which a notebook runs cell by cell. A statement belongs to the part after the last of `offsets`
  /// that is not beyond the statement's first byte. The parts are compiled together, so functions may use names of later parts.
  public func compile(_ file: SourceFile, cutAt offsets: [Int]) -> (parts: [Program]?, tree: SyntaxTree?, diagnostics: [Diagnostic]) {
    let tree = Parser.parse(file)
    guard tree.diagnostics.isEmpty else { return (nil, nil, tree.diagnostics) }
    let compiler = Compiler(self, tree.statements)
    var groups = [[Statement]](repeating: [], count: offsets.count + 1)
    for statement in tree.statements {
      groups[offsets.count { $0 <= statement.span.range.lowerBound }].append(statement)
    }
    let parts = groups.map { Program(step: compiler.block($0), tree: tree) }
    let errors = (compiler.diagnostics + unusedOverrides(tree)).sorted {
      ($0.span?.range.lowerBound ?? 0) < ($1.span?.range.lowerBound ?? 0)
    }
    return errors.isEmpty ? (parts, tree, []) : (nil, nil, errors)
  }

  /// Shows a value as the prompt does: nothing for nil, a picture if the host collects pictures, else text.
  public func present(_ value: Value) throws {
    if case .nothing = value { return }
    if host.collectsPictures, case .object(let object) = value, let svg = try object.picture() {
      host.picture(svg)
    } else {
      host.write(value.shown + "\n")
    }
  }

  /// Runs a compiled text and returns the value of its last statement.
  @discardableResult
  public func run(_ program: Program) throws -> Value {
    depth = 0
    stack = StackSpace()
    _ = try program.step(top)
    return top.result
  }

  public func checkInterrupt(_ span: Span) throws {
    if host.isInterrupted { throw Diagnostic(.interrupted, "interrupted", at: span) }
  }

  // MARK: The session

  public var names: [String] { globals.setNames.sorted() }

  public func value(_ name: String) -> Value? { globals.indices[name].flatMap { globals.value($0) } }

  public func set(_ name: String, _ value: Value) {
    let index = globals.index(name)
    globals.cells[index].pointee = value
    globals.types[index] = .any
  }

  /// Forgets all variables and functions of the session.
  public func forget() { globals.forget() }

  /// Forgets a variable or function of the session. Returns false if there is none of that name.
  public func forget(_ name: String) -> Bool { globals.forget(name) }

  // MARK: Parameters

  /// Sets the values of `param`s from the command line, as texts of the language.
  public func override(_ parameters: [String: String]) { overrides = parameters }

  func parameterOverride(_ name: Name, _ fallback: Typed) throws -> Value? {
    guard let raw = overrides[name.text] else { return nil }
    usedOverrides.insert(name.text)
    if case .text = fallback.type { return .text(raw) }
    let tree = Parser.parse(SourceFile(name: "--set \(name.text)", text: raw))
    let given: Typed?
    if tree.diagnostics.isEmpty, tree.comments.isEmpty, tree.statements.count == 1, case .expression(let value) = tree.statements[0].kind {
      let compiler = Compiler(self, [])
      given = compiler.expression(value)
      if !compiler.diagnostics.isEmpty { throw badOverride(name, raw, fallback.type) }
    } else {
      given = nil
    }
    guard let value = given?.constant, Self.isAccepted(value, for: fallback.type) else { throw badOverride(name, raw, fallback.type) }
    if let problem = Self.unfit(value, fallback.type, fallback.constant) { throw badOverride(name, raw, fallback.type, problem) }
    return value
  }

  /// Checks the bounds of a quantity that `--set` gives, as functions check them in a script. Returns what is wrong, or nil. If
  /// the default itself is out of bounds, so may be other values.
  private static func unfit(_ value: Value, _ type: ValueType, _ fallback: Value?) -> String? {
    if case .list(let values) = value, case .list(let element) = type {
      var defaults: [Value] = []
      if case .list(let all)? = fallback { defaults = all }
      for value in values {
        if let problem = unfit(value, element, nil), defaults.allSatisfy({ unfit($0, element, nil) == nil }) { return problem }
      }
      return nil
    }
    guard case .quantity(let dimension) = type else { return nil }
    func amount(_ value: Value) -> Double? {
      switch value {
      case .number(let number): number
      case .quantity(let amount, let unit): amount * (unit == .percent ? 0.01 : 1)
      default: nil
      }
    }
    func problem(_ value: Value) -> String? {
      guard let amount = amount(value) else { return nil }
      switch dimension {
      case .share:
        if case .quantity(let percent, .percent) = value { return percent < 0 || percent > 100 ? "is from 0% to 100%" : nil }
        return amount < 0 || amount > 1 ? "is from 0% to 100%" : nil
      case .length: return amount <= 0 ? "is above 0" : nil
      case .steps, .epochs, .time: return amount < 0 ? "is not negative" : nil
      }
    }
    guard let found = problem(value) else { return nil }
    if let fallback, problem(fallback) != nil { return nil }
    return found
  }

  /// Does a value have the type of the default, or a type that is accepted instead of it? Numbers are accepted for shares and
  /// steps, and steps, epochs and times for each other.
  private static func isAccepted(_ value: Value, for fallback: ValueType) -> Bool {
    if case .list(let values) = value, case .list(let element) = fallback { return values.allSatisfy { isAccepted($0, for: element) } }
    if value.type.fits(fallback) { return true }
    switch (value.type, fallback) {
    case (.number, .quantity(.share)), (.number, .quantity(.steps)), (.quantity(.share), .number): return true
    case (.quantity(.steps), .number): return true
    case (.quantity(let a), .quantity(let b)):
      let lengths: [Syntax.Unit.Dimension] = [.steps, .epochs, .time]
      return lengths.contains(a) && lengths.contains(b)
    default: return false
    }
  }

  private func badOverride(_ name: Name, _ raw: String, _ type: ValueType, _ problem: String? = nil) -> Diagnostic {
    Diagnostic(
      .badParameter,
      "--set \(name.text)=\(raw.count > 60 ? raw.prefix(60) + "..." : raw): `\(name.text)` \(problem ?? "is \(type.name)")", at: name.span)
  }

  private func unusedOverrides(_ tree: SyntaxTree) -> [Diagnostic] {
    let known = tree.parameters.map(\.name)
    return overrides.keys.sorted().filter { !known.contains($0) && !usedOverrides.contains($0) }.map { name in
      Diagnostic(
        .badParameter, "--set \(name): the script has no param `\(name)`", at: nil,
        help: Spelling.suggestion(name, in: known)
          ?? (known.isEmpty ? "it has no params" : "its params are: \(known.joined(separator: ", "))"))
    }
  }

  // MARK: Calls

  func invoke(_ builtin: Builtin, _ values: [Value?], _ spans: [Span?], _ span: Span) throws -> Value {
    try checkInterrupt(span)
    return try builtin.body(Builtin.Call(builtin: builtin, interpreter: self, span: span, values: values, spans: spans))
  }

  /// A builtin as a value: `map(sum)`.
  func function(_ builtin: Builtin) -> FunctionValue {
    if let known = functions[builtin.name] { return known }
    let made = makeFunction(builtin)
    functions[builtin.name] = made
    return made
  }

  private func makeFunction(_ builtin: Builtin) -> FunctionValue {
    let required = builtin.parameters.prefix { $0.required }.count
    return FunctionValue(name: builtin.name, parameters: builtin.parameters.map(\.name), required: required) {
      [unowned self] values, span in
      var values = values
      // Called as a value, a builtin with a rest parameter takes one value for it.
      if builtin.hasRest, let index = builtin.parameters.lastIndex(where: \.positional), let value = values[index] {
        values[index] = .list([value])
      }
      return try invoke(builtin, values, values.map { $0 == nil ? nil : span }, span)
    }
  }

  func closure(_ template: FunctionTemplate, _ frame: Frame, _ captured: [(Value, Int)]) -> FunctionValue {
    let script = ScriptFunction(template: template, frame: frame, captured: captured)
    return FunctionValue(name: template.name, parameters: template.parameters, required: template.required, script: script) {
      [unowned self] values, span in
      let inner = script.makeFrame()
      return try enter(script, inner, span) {
        for (index, value) in values.enumerated() {
          if let value {
            inner[template.slots[index]] = value
          } else if let code = template.defaults[index] {
            inner[template.slots[index]] = try code(inner)
          }
        }
      }
    }
  }

  /// Runs the body of a function after `fill` has stored the arguments in its frame.
  @inline(__always)
  func enter(_ script: ScriptFunction, _ inner: Frame, _ span: Span, _ fill: () throws -> Void) throws -> Value {
    let template = script.template
    try checkInterrupt(span)
    guard depth < Self.maximumCallDepth, stack.isEnough else {
      throw Diagnostic(
        .tooManyCalls, "functions call each other too deeply (\(depth) calls inside each other)", at: span,
        help: "does the recursion of `\(template.name)` end?")
    }
    depth += 1
    defer { depth -= 1 }
    do {
      try fill()
      if let single = template.single { return try single(inner) }
      _ = try template.step?(inner)
      return inner.result
    } catch let transfer as ControlTransfer where transfer.flow == .returned {
      return transfer.value
    } catch var diagnostic as Diagnostic {
      if diagnostic.trace.count < 64 { diagnostic.trace.append(.init(function: template.name, span: span)) }
      throw diagnostic
    }
  }

  /// Calls a function value with positional arguments.
  ///
  /// - Throws: E0304 for too few or too many arguments.
  public func call(_ function: FunctionValue, _ arguments: [Value], at span: Span) throws -> Value {
    if let script = function.script, arguments.count == function.parameters.count {
      let inner = script.makeFrame()
      return try enter(script, inner, span) {
        for (index, value) in arguments.enumerated() { inner[script.template.slots[index]] = value }
      }
    }
    guard arguments.count <= function.parameters.count, arguments.count >= function.required else {
      throw Diagnostic(
        .wrongType,
        "`\(function.name)` takes \(function.parameters.count) argument\(function.parameters.count == 1 ? "" : "s"), it is called with \(arguments.count) here",
        at: span)
    }
    var values = [Value?](repeating: nil, count: function.parameters.count)
    for (index, argument) in arguments.enumerated() { values[index] = argument }
    return try function.call(values, span)
  }

  /// Calls a function value with named arguments. Each must be a parameter of the function.
  public func call(_ function: FunctionValue, named arguments: Record, at span: Span) throws -> Value {
    try function.call(function.parameters.map { arguments[$0] }, span)
  }

  // MARK: Import

  /// Compiles another file. It runs when the `import` statement runs.
  func compileImport(_ name: String, _ span: Span, report: (Diagnostic) -> Void) -> Step? {
    let folder = FilePath.folder(of: span.file.name)
    let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    if importing.contains(path) || path == span.file.name {
      report(Diagnostic(.importFailed, "these files import each other: \((importing + [path]).joined(separator: " -> "))", at: span))
      return nil
    }
    if let problem = readingRefusal(path) {
      report(Diagnostic(.importFailed, problem, at: span))
      return nil
    }
    let bytes: [UInt8]
    do {
      bytes = try contents(path)
    } catch {
      let exists = FileManager.default.fileExists(atPath: path)
      report(
        Diagnostic(
          .importFailed, exists ? error.message : "there is no file \(path)", at: span,
          help: exists ? nil : "the name is taken from the folder of the importing file"))
      return nil
    }
    importing.append(path)
    let openLoops = compilingLoops
    compilingLoops = 0
    defer {
      importing.removeLast()
      compilingLoops = openLoops
    }
    let tree = Parser.parse(SourceFile(name: path, bytes: bytes))
    tree.diagnostics.forEach(report)
    guard tree.diagnostics.isEmpty else { return nil }
    let compiler = Compiler(self, tree.statements)
    let step = compiler.block(tree.statements)
    compiler.diagnostics.forEach(report)
    return step
  }
}

/// Checks that enough of the thread's stack is left.
private struct StackSpace {
  private let lowest: UInt

  /// Three quarters of the stack below the caller may be used; the last quarter is reserved for work between two checks.
  init() {
    var here = 0
    let address = withUnsafePointer(to: &here) { UInt(bitPattern: $0) }
    let size = UInt(max(Thread.current.stackSize, 4 << 20))
    lowest = address - size / 4 * 3
  }

  var isEnough: Bool {
    var here = 0
    return withUnsafePointer(to: &here) { UInt(bitPattern: $0) } > lowest
  }
}

extension SyntaxTree {
  /// The script's parameters in order: name, default as written, comment.
  public var parameters: [(name: String, defaultText: String, comment: String?)] {
    statements.compactMap { statement in
      guard case .parameter(let name, let value, let comment) = statement.kind else { return nil }
      return (name.text, value.span.text, comment)
    }
  }
}
