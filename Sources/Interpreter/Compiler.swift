import Syntax

/// Turns a tree into closures over numbered slots, and checks it on the way: names, arguments, types, units, words.
/// Checking a file and compiling it are one thing, so they cannot disagree.
final class Compiler {
  let interpreter: Interpreter
  var diagnostics: [Diagnostic] = []
  /// nil at the top level, whose names are the interpreter's globals.
  var scope: Scope?
  /// Loop variables open at the top level.
  var topLoops: [String] = []
  /// Names bound once at the top level of this text.
  let boundOnce: Set<String>

  var globals: Globals { interpreter.globals }
  var library: Library { interpreter.library }

  init(_ interpreter: Interpreter, _ statements: [Statement]) {
    self.interpreter = interpreter
    let bindings = Bindings(statements)
    boundOnce = bindings.once
    // Functions may use names that are bound further down.
    for name in bindings.counts.keys.sorted() where globals.indices[name] == nil { _ = globals.index(name) }
    for statement in statements { declareFunction(statement) }
  }

  private func declareFunction(_ statement: Statement) {
    guard case .function(let name, let function) = statement.kind, boundOnce.contains(name.text) else { return }
    let index = globals.index(name.text)
    globals.signatures[index] = Signature(function)
    globals.types[index] = .function
  }

  /// What is beyond the hundredth error is not even worked out.
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
      // `let mean = mean(xs)`: the builtin, until the name is bound. Functions look names up when they run.
      let early = scope == nil && !globals.isBound[index] && globals.value(index) == nil
      if !early || library.builtins[name] == nil { return .global(index) }
    }
    if let builtin = library.builtins[name] { return .builtin(builtin) }
    // Bound further down in this function: an error when it runs, if it has no value by then.
    return scope.flatMap { scope in scope.slots[name].map { .local($0, scope.types[$0]) } }
  }

  private func resolve(_ name: String, in scope: Scope) -> Access? {
    if let slot = scope.slots[name], scope.bound.contains(name) || scope !== self.scope {
      return .local(slot, scope.types[slot])
    }
    guard let parent = scope.parent else {
      // A loop variable of the file, seen from a function made inside the loop.
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
    // A script with more names than these was made by a program.
    var known = Array(library.builtins.keys) + globals.names.suffix(1000)
    var around = scope
    while let inner = around {
      if inner.slots.count <= 500 { known += inner.slots.keys }
      around = inner.parent
    }
    return Diagnostic(
      .unknownName, "there is nothing called `\(name)`", at: span,
      help: Spelling.suggestion(name, in: known.sorted()) ?? "bind it with `let \(name) = ...`")
  }

  /// Where a variable is kept.
  enum Place {
    case slot(Int)
    case cell(UnsafeMutablePointer<Value?>)
  }

  /// Makes room for a name in the present function or file.
  func place(_ name: String, _ type: ValueType) -> Place {
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

  /// The same; returns what stores into it.
  func store(_ name: String, _ type: ValueType) -> (Frame, Value) -> Void {
    switch place(name, type) {
    case .slot(let slot): return { frame, value in frame[slot] = value }
    case .cell(let cell): return { _, value in cell.pointee = value }
    }
  }

  // MARK: Blocks

  /// Statements one after the other; the frame's result is the last expression's value.
  func block(_ statements: [Statement]) -> Step {
    let steps = statements.map { statement($0) }
    if scope == nil, steps.count > 1 {
      // What an interrupt cut short is kept, but nothing is made of it.
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

  /// A block whose value is wanted.
  func valueBlock(_ block: Block) -> Typed {
    // One expression needs no frame traffic.
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
    // Functions inside may use names that are bound further down.
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

/// A compiled function before it is bound to the frame it is made in.
final class FunctionTemplate {
  let name: String
  let parameters: [String]
  let required: Int
  let slots: [Int]
  let defaults: [Code?]
  /// Asked for its size when it is called: it may still grow while it is compiled.
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

/// A function of the script: its code, the frame it was made in, and the loop variables it took along.
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
