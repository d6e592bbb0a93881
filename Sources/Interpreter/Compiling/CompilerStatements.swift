import Syntax

extension Compiler {
  func statement(_ statement: Statement) -> Step {
    switch statement.kind {
    case .expression(let value): return expressionStatement(value)
    case .bind(let pattern, let value): return bind(pattern, expression(value))
    case .parameter(let name, let value, _): return parameter(name, value)
    case .function(let name, let body):
      let store: (Frame, Value) -> Void
      if scope == nil {
        store = self.store(name.text, .function)
        if boundOnce.contains(name.text) { globals.signatures[globals.index(name.text)] = Signature(body) }
      } else {
        store = self.store(name.text, .function)
      }
      let function = function(name.text, body)
      return { frame in
        store(frame, try function.code(frame))
        frame.result = .nothing
        return .next
      }
    case .loop(let pattern, let sequence, let body): return loop(pattern, sequence, body)
    case .whileLoop(let condition, let body): return whileLoop(condition, body)
    case .return(let value):
      if scope == nil { report(Diagnostic(.misplaced, "`return` is outside of a function", at: statement.span)) }
      let value = value.map { expression($0) }
      return { frame in
        frame.result = try value?.code(frame) ?? .nothing
        return .returned
      }
    case .break, .continue:
      if openLoops == 0 {
        report(Diagnostic(.misplaced, "`\(statement.span.text)` is outside of a loop", at: statement.span))
      }
      let flow: Flow = if case .break = statement.kind { .broke } else { .continued }
      return { _ in flow }
    case .import(let path): return importing(path)
    case .assert(let condition, let message): return assertion(condition, message, statement.span)
    }
  }

  private var openLoops: Int { interpreter.compilingLoops }

  /// Compiles an expression as a statement. An `if` whose value is not used is compiled to statements, so that `return` and
  /// `break` inside it need no Swift error.
  private func expressionStatement(_ value: Expression) -> Step {
    if case .conditional(let branches, let otherwise) = value.kind {
      let tests = branches.map { (condition($0.condition, "if"), block($0.then.statements)) }
      let last = otherwise.map { block($0.statements) }
      return { frame in
        for (test, body) in tests where try test(frame) { return try body(frame) }
        frame.result = .nothing
        return try last?(frame) ?? .next
      }
    }
    let typed = expression(value)
    return { frame in
      frame.result = try typed.code(frame)
      return .next
    }
  }

  func condition(_ value: Expression, _ word: String) -> (Frame) throws -> Bool {
    let typed = expression(value)
    let span = value.span
    if !typed.type.fits(.bool) {
      report(
        Diagnostic(.wrongType, "the condition of `\(word)` is true or false, not \(typed.type.name)", at: span))
    }
    return { frame in
      let value = try typed.code(frame)
      if case .bool(let bool) = value { return bool }
      throw Diagnostic(.wrongType, "the condition of `\(word)` is true or false, not \(value.described)", at: span)
    }
  }

  private func bind(_ pattern: Pattern, _ value: Typed) -> Step {
    guard pattern.isTuple else {
      let code = value.code
      switch declare(pattern.names[0].text, value.type) {
      case .slot(let slot):
        return { frame in
          frame[slot] = try code(frame)
          frame.result = .nothing
          return .next
        }
      case .cell(let cell):
        return { frame in
          cell.pointee = try code(frame)
          frame.result = .nothing
          return .next
        }
      }
    }
    let assign = unpack(pattern)
    return { frame in
      try assign(frame, try value.code(frame))
      frame.result = .nothing
      return .next
    }
  }

  /// Code that assigns a value to a pattern: the elements of a list to its names, or the value itself to a single name.
  private func unpack(_ pattern: Pattern) -> (Frame, Value) throws -> Void {
    let stores = pattern.names.map { store($0.text, .any) }
    guard pattern.isTuple else { return { frame, value in stores[0](frame, value) } }
    let span = pattern.span
    return { frame, value in
      guard let parts = value.sequence, parts.count == stores.count else {
        let found = value.sequence.map { "\($0.count) elements" } ?? value.described
        throw Diagnostic(.wrongType, "\(stores.count) names need a list of \(stores.count), found \(found)", at: span)
      }
      for (store, part) in zip(stores, parts) { store(frame, part) }
    }
  }

  private func parameter(_ name: Name, _ value: Expression) -> Step {
    guard scope == nil else {
      report(Diagnostic(.misplaced, "`param` belongs to the top level of a script", at: name.span))
      return { _ in .next }
    }
    let fallback = expression(value)
    var typed = fallback
    do {
      if let given = try interpreter.parameterOverride(name, fallback) { typed = .constant(given) }
    } catch let diagnostic as Diagnostic {
      report(diagnostic)
    } catch {}
    // The type is that of the default, also when `--set` gives a value.
    let store = store(name.text, fallback.type)
    return { frame in
      store(frame, try typed.code(frame))
      frame.result = .nothing
      return .next
    }
  }

  private func loop(_ pattern: Pattern, _ sequence: Expression, _ body: Block) -> Step {
    let source = expression(sequence)
    let span = sequence.span
    switch source.type {
    case .bool, .nothing, .number, .text, .metric, .function, .quantity, .word:
      report(Diagnostic(.wrongType, "`for` goes through a list, a range or a record, not \(source.type.name)", at: span))
    default: break
    }
    let names = pattern.names.map(\.text)
    let assign = unpack(pattern)
    if let scope { scope.loops += names } else { topLoops += names }
    interpreter.compilingLoops += 1
    let step = block(body.statements)
    interpreter.compilingLoops -= 1
    if let scope { scope.loops.removeLast(names.count) } else { topLoops.removeLast(names.count) }
    let interpreter = interpreter
    return { frame in
      let value = try source.code(frame)
      func iterate(_ element: Value) throws -> Flow {
        try interpreter.checkInterrupt(span)
        try assign(frame, element)
        return try Self.run(step, frame)
      }
      if case .range(let low, let high) = value {
        // Iterate over a range without making it into a list, since it may have any length.
        var i = low
        while i <= high {
          let flow = try iterate(.number(Double(i)))
          if flow == .broke { break }
          if flow == .returned { return flow }
          i += 1
        }
      } else {
        guard let elements = value.sequence else {
          throw Diagnostic(
            .wrongType, "`for` goes through a list, a range or a record, not \(value.described)", at: span)
        }
        for element in elements {
          let flow = try iterate(element)
          if flow == .broke { break }
          if flow == .returned { return flow }
        }
      }
      frame.result = .nothing
      return .next
    }
  }

  private func whileLoop(_ condition: Expression, _ body: Block) -> Step {
    let test = self.condition(condition, "while")
    interpreter.compilingLoops += 1
    let step = block(body.statements)
    interpreter.compilingLoops -= 1
    let interpreter = interpreter
    let span = condition.span
    return { frame in
      while try test(frame) {
        try interpreter.checkInterrupt(span)
        let flow = try Self.run(step, frame)
        if flow == .broke { break }
        if flow == .returned { return flow }
      }
      frame.result = .nothing
      return .next
    }
  }

  /// Runs one iteration of a loop and catches a `break` or `continue` from inside an expression.
  private static func run(_ step: Step, _ frame: Frame) throws -> Flow {
    do {
      return try step(frame)
    } catch let transfer as ControlTransfer {
      frame.result = transfer.value
      return transfer.flow
    }
  }

  private func importing(_ path: Expression) -> Step {
    guard case .string(let parts) = path.kind, parts.count == 1, case .text(let name) = parts[0], scope == nil else {
      report(
        Diagnostic(
          .importFailed, "`import` takes the name of a file in quotes, at the top level", at: path.span,
          help: "import \"helpers.srs\""))
      return { _ in .next }
    }
    let step = interpreter.compileImport(name, path.span) { self.report($0) }
    return { frame in
      _ = try step?(frame)
      frame.result = .nothing
      return .next
    }
  }

  private func assertion(_ condition: Expression, _ message: Expression?, _ span: Span) -> Step {
    let test = self.condition(condition, "assert")
    let message = message.map { expression($0) }
    let interpreter = interpreter
    return { frame in
      if try !test(frame) {
        let text = try message?.code(frame).printed(Work(interpreter.host, at: condition.span))
        throw Diagnostic(.assertionFailed, text ?? "this condition is false", at: condition.span)
      }
      frame.result = .nothing
      return .next
    }
  }
}
