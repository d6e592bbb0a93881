import Syntax

/// Compiles a syntax tree to closures over numbered slots, and checks it in the same pass: names, arguments, types, units,
/// words. So `srs check` and `srs run` cannot disagree.
final class Compiler {
  let interpreter: Interpreter
  var diagnostics: [Diagnostic] = []
  /// The current function; nil at the top level, whose names are the interpreter's globals.
  var scope: Scope?
  /// The variables of the top-level loops around the current statement.
  var topLoops: [String] = []
  /// Names that are bound exactly once at the top level of this text.
  let boundOnce: Set<String>

  var globals: Globals { interpreter.globals }
  var library: Library { interpreter.library }

  init(_ interpreter: Interpreter, _ statements: [Statement]) {
    self.interpreter = interpreter
    let bindings = Bindings(statements)
    boundOnce = bindings.once
    // Functions may use names that are bound further down, so all names are declared first.
    for name in bindings.counts.keys.sorted() where globals.indices[name] == nil { _ = globals.index(name) }
    for statement in statements { declareFunction(statement) }
  }

  private func declareFunction(_ statement: Statement) {
    guard case .function(let name, let function) = statement.kind, boundOnce.contains(name.text) else { return }
    let index = globals.index(name.text)
    globals.signatures[index] = Signature(function)
    globals.types[index] = .function
  }

  /// Reports an error. After a hundred errors, messages are not even built.
  func report(_ diagnostic: @autoclosure () -> Diagnostic) {
    if diagnostics.count < 100 { diagnostics.append(diagnostic()) }
  }

  // MARK: Names

  enum Access {
    case local(Int, ValueType)
    case outer(Int, Int, ValueType)
    case global(Int)
    case builtin(Builtin)
  }

  func resolve(_ name: String) -> Access? {
    if let scope, let found = resolve(name, in: scope) { return found }
    if let index = globals.indices[name] {
      // In `let mean = mean(xs)` at the top level, the name means the builtin until it is bound. Functions look names up when
      // they run.
      let early = scope == nil && !globals.isBound[index] && globals.value(index) == nil
      if !early || library.builtins[name] == nil { return .global(index) }
    }
    if let builtin = library.builtins[name] { return .builtin(builtin) }
    // The name is bound further down in this function. Reading it is an error at run time if it has no value by then.
    return scope.flatMap { scope in scope.slots[name].map { .local($0, scope.types[$0]) } }
  }

  private func resolve(_ name: String, in scope: Scope) -> Access? {
    if let slot = scope.slots[name], scope.bound.contains(name) || scope !== self.scope {
      return .local(slot, scope.types[slot])
    }
    guard let parent = scope.parent else {
      // A function made inside a top-level loop captures the loop's variables.
      guard topLoops.contains(name), let index = globals.indices[name] else { return nil }
      return capture(name, .any, into: scope) { [cell = globals.cells[index]] _ in cell.pointee ?? .nothing }
    }
    guard let found = resolve(name, in: parent) else { return nil }
    switch found {
    case .local(let slot, let type):
      if parent.loops.contains(name) { return capture(name, type, into: scope) { $0[slot] ?? .nothing } }
      return .outer(1, slot, type)
    case .outer(let depth, let slot, let type): return .outer(depth + 1, slot, type)
    default: return found
    }
  }

  private func capture(_ name: String, _ type: ValueType, into scope: Scope, _ read: @escaping Code) -> Access {
    let slot = scope.slot(name, type: type)
    scope.bound.insert(name)
    scope.captures.append((read, slot))
    return .local(slot, type)
  }

  func name(_ name: String, _ span: Span) -> Typed {
    switch resolve(name) {
    case .local(let slot, let type):
      return Typed(type) { frame in
        guard let value = frame[slot] else { throw Self.notSetYet(name, span) }
        return value
      }
    case .outer(let depth, let slot, let type):
      return Typed(type) { frame in
        guard let value = frame.outer(depth)[slot] else { throw Self.notSetYet(name, span) }
        return value
      }
    case .global(let index):
      let cell = globals.cells[index]
      return Typed(globals.types[index]) { _ in
        guard let value = cell.pointee else { throw Self.notSetYet(name, span) }
        return value
      }
    case .builtin(let builtin):
      let value = Value.function(interpreter.function(builtin))
      return Typed(.function) { _ in value }
    case nil:
      report(unknownName(name, span))
      return Typed(.any) { _ in .nothing }
    }
  }

  private static func notSetYet(_ name: String, _ span: Span) -> Diagnostic {
    Diagnostic(
      .notSetYet, "`\(name)` has no value yet", at: span,
      help: "it is bound further down, in a branch that was not taken, or its statement failed")
  }

  func unknownName(_ name: String, _ span: Span) -> Diagnostic {
    // Limit the search for similar names; scripts with more names are generated by programs.
    var known = Array(library.builtins.keys) + globals.names.suffix(1000)
    var around = scope
    while let inner = around {
      if inner.slots.count <= 500 { known += inner.slots.keys }
      around = inner.parent
    }
    return Diagnostic(
      .unknownName, "there is nothing called `\(name)`", at: span,
      help: ForeignNames.help(forName: name) ?? Spelling.suggestion(name, in: known.sorted())
        ?? "`let \(name) = ...` binds a name; at the prompt ?\"words\" searches the functions")
  }

  /// The storage of a variable: a slot of the frame or a global cell.
  enum Storage {
    case slot(Int)
    case cell(UnsafeMutablePointer<Value?>)
  }

  /// Declares a name in the current function or file.
  func declare(_ name: String, _ type: ValueType) -> Storage {
    if let scope {
      let slot = scope.slot(name, type: type)
      scope.bound.insert(name)
      return .slot(slot)
    }
    let index = globals.index(name)
    globals.types[index] = boundOnce.contains(name) ? type : .any
    globals.signatures[index] = nil
    globals.isBound[index] = true
    return .cell(globals.cells[index])
  }

  /// Declares a name and returns code that stores its value.
  func store(_ name: String, _ type: ValueType) -> (Frame, Value) -> Void {
    switch declare(name, type) {
    case .slot(let slot): return { frame, value in frame[slot] = value }
    case .cell(let cell): return { _, value in cell.pointee = value }
    }
  }

  // MARK: Blocks

  /// Compiles statements to run one after the other. The result of the frame is the value of the last expression.
  func block(_ statements: [Statement]) -> Step {
    let steps = statements.map { statement($0) }
    if scope == nil, steps.count > 1 {
      // At the top level, check for an interrupt before each further statement. A statement such as a training may end early
      // and normally after an interrupt; the following ones must not run on its partial result.
      let (interpreter, spans) = (interpreter, statements.map(\.span))
      return { frame in
        for (i, step) in steps.enumerated() {
          if i > 0 { try interpreter.checkInterrupt(spans[i]) }
          let flow = try step(frame)
          if flow != .next { return flow }
        }
        return .next
      }
    }
    switch steps.count {
    case 0:
      return { frame in
        frame.result = .nothing
        return .next
      }
    case 1: return steps[0]
    default:
      return { frame in
        for step in steps {
          let flow = try step(frame)
          if flow != .next { return flow }
        }
        return .next
      }
    }
  }

  /// Compiles a block whose value is used.
  func valueBlock(_ block: Block) -> Typed {
    // A single expression does not need the result of the frame.
    if block.statements.count == 1, case .expression(let value) = block.statements[0].kind {
      return expression(value)
    }
    let step = self.block(block.statements)
    return Typed(.any) { frame in
      let flow = try step(frame)
      if flow != .next { throw ControlTransfer(flow: flow, value: frame.result) }
      return frame.result
    }
  }

  // MARK: Functions

  func function(_ name: String, _ body: FunctionBody) -> Typed {
    let inner = Scope(
      parent: scope,
      boundOnce: Bindings(body.body.statements).once.subtracting(body.parameters.map(\.name.text)))
    let outer = scope
    let openLoops = interpreter.compilingLoops
    interpreter.compilingLoops = 0
    scope = inner
    let slots = body.parameters.map { parameter in
      inner.bound.insert(parameter.name.text)
      return inner.slot(parameter.name.text)
    }
    // Inner functions may use names that are bound further down, so all names are declared first.
    for name in Bindings(body.body.statements).counts.keys.sorted() where inner.slots[name] == nil {
      _ = inner.slot(name)
    }
    let defaults = body.parameters.map { $0.defaultValue.map { expression($0) } }
    let single: Typed?
    let step: Step?
    if body.body.statements.count == 1, case .expression(let value) = body.body.statements[0].kind {
      single = expression(value)
      step = nil
    } else {
      single = nil
      step = block(body.body.statements)
    }
    scope = outer
    interpreter.compilingLoops = openLoops
    if let late = firstRequiredAfterDefault(body.parameters) {
      report(Diagnostic(.missingArgument, "`\(late.text)` needs a default: the parameter before it has one", at: late.span))
    }
    let template = FunctionTemplate(
      name: name, parameters: body.parameters.map(\.name.text),
      required: body.parameters.prefix { $0.defaultValue == nil }.count, slots: slots,
      defaults: defaults.map { $0?.code }, scope: inner, single: single?.code, step: step)
    let interpreter = interpreter
    return Typed(.function) { frame in
      let captured = try inner.captures.map { (try $0.read(frame), $0.slot) }
      return .function(interpreter.closure(template, frame, captured))
    }
  }

  private func firstRequiredAfterDefault(_ parameters: [FunctionParameter]) -> Name? {
    var hasDefault = false
    for parameter in parameters {
      if parameter.defaultValue != nil { hasDefault = true } else if hasDefault { return parameter.name }
    }
    return nil
  }
}

extension Signature {
  init(_ function: FunctionBody) {
    parameters = function.parameters.map(\.name.text)
    required = function.parameters.prefix { $0.defaultValue == nil }.count
  }
}

/// A compiled function, not yet bound to the frame in which it is created.
final class FunctionTemplate {
  let name: String
  let parameters: [String]
  let required: Int
  let slots: [Int]
  let defaults: [Code?]
  /// The scope gives the size of the frame. It is read at each call, because the scope may still grow during compilation.
  let scope: Scope
  let single: Code?
  let step: Step?

  init(
    name: String, parameters: [String], required: Int, slots: [Int], defaults: [Code?], scope: Scope, single: Code?, step: Step?
  ) {
    self.name = name
    self.parameters = parameters
    self.required = required
    self.slots = slots
    self.defaults = defaults
    self.scope = scope
    self.single = single
    self.step = step
  }
}

/// A function of the script: its code, the frame in which it was created, and the loop variables that it captured.
struct ScriptFunction {
  let template: FunctionTemplate
  let frame: Frame
  let captured: [(Value, Int)]

  func makeFrame() -> Frame {
    let inner = Frame.make(slots: template.scope.count, parent: frame)
    for (value, slot) in captured { inner[slot] = value }
    return inner
  }
}
