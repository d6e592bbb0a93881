import Syntax

extension Compiler {
  func call(_ callee: Expression, _ arguments: [Expression.Argument], piped: Expression?, _ span: Span) -> Typed {
    guard isInOrder(arguments) else { return Typed(.any) { _ in .nothing } }
    if case .name(let name) = callee.kind {
      switch resolve(name) {
      case .builtin(let builtin): return call(builtin, callee.span, arguments, piped: piped, span)
      case .global(let index):
        if let signature = globals.signatures[index] {
          check(signature, name, callee.span, arguments, piped: piped)
        }
      case nil:
        report(unknownName(name, callee.span))
        // Check the arguments as well, which may contain errors of their own.
        for argument in arguments { _ = expression(argument.value) }
        if let piped { _ = expression(piped) }
        return Typed(.any) { _ in .nothing }
      default: break
      }
    }
    return dynamicCall(expression(callee), callee.span, arguments, piped: piped, span)
  }

  private func isInOrder(_ arguments: [Expression.Argument]) -> Bool {
    var named: Name?
    for argument in arguments {
      if let label = argument.label {
        named = label
      } else if !argument.isSpread, let named {
        report(
          Diagnostic(
            .surplusArgument, "a positional argument follows `\(named.text):`", at: argument.value.span,
            help: "positional arguments come first, then named ones"))
        return false
      }
    }
    return true
  }

  // MARK: Functions of the script

  private func check(
    _ signature: Signature, _ name: String, _ span: Span, _ arguments: [Expression.Argument], piped: Expression?
  ) {
    guard !arguments.contains(where: \.isSpread) else { return }
    let positional = arguments.filter { $0.label == nil }.count + (piped == nil ? 0 : 1)
    if positional > signature.parameters.count {
      report(
        Diagnostic(
          .surplusArgument, "`\(name)` takes \(signature.parameters.count) arguments, but \(positional) are given",
          at: arguments.last?.value.span ?? span))
    }
    var given = Set(signature.parameters.prefix(positional))
    let known = Set(signature.parameters)
    for label in arguments.compactMap(\.label) {
      if !known.contains(label.text) {
        report(unknownArgument(label, name, signature.parameters))
        if let meant = Spelling.nearest(label.text, in: signature.parameters) { given.insert(meant) }
      } else if !given.insert(label.text).inserted {
        report(Diagnostic(.repeatedArgument, "`\(label.text)` is given twice", at: label.span))
      }
    }
    for missing in signature.parameters.prefix(signature.required) where !given.contains(missing) {
      report(Diagnostic(.missingArgument, "`\(name)` needs `\(missing)`", at: span))
    }
  }

  private func unknownArgument(_ label: Name, _ function: String, _ known: [String]) -> Diagnostic {
    Diagnostic(
      .unknownArgument, "`\(function)` has no argument `\(label.text)`", at: label.span,
      help: ForeignNames.help(forArgument: label.text, of: function, among: known) ?? Spelling.suggestion(label.text, in: known)
        ?? (known.isEmpty ? "it takes none" : "its arguments are: \(Spelling.list(known))"))
  }

  private func dynamicCall(
    _ callee: Typed, _ calleeSpan: Span, _ arguments: [Expression.Argument], piped: Expression?, _ span: Span
  ) -> Typed {
    // A variable may hide a builtin, as in `let table = ...` and then `table(rows)`.
    let hides = library.builtins[calleeSpan.text] != nil
    let help = hides ? "`\(calleeSpan.text)` is a variable here, which hides the function of that name: call it something else" : nil
    if !callee.type.fits(.function) {
      report(Diagnostic(.notCallable, "\(callee.type.name) cannot be called", at: calleeSpan, help: help))
    }
    let first = piped.map { expression($0) }
    let rest = arguments.map { (label: $0.label, value: expression($0.value), isSpread: $0.isSpread, span: $0.value.span) }
    // If all arguments are positional, they are stored directly in the frame of the function.
    let plain: [Code]? =
      rest.contains { $0.label != nil || $0.isSpread } ? nil : (first.map { [$0.code] } ?? []) + rest.map(\.value.code)
    let interpreter = interpreter
    return Typed(.any) { frame in
      let value = try callee.code(frame)
      if let plain, case .function(let function) = value, let script = function.script, plain.count == function.parameters.count {
        let inner = script.makeFrame()
        for (index, code) in plain.enumerated() { inner[script.template.slots[index]] = try code(frame) }
        return try interpreter.enter(script, inner, calleeSpan) {}
      }
      guard case .function(let function) = value else {
        throw Diagnostic(.notCallable, "\(value.described) cannot be called", at: calleeSpan, help: help)
      }
      var values = [Value?](repeating: nil, count: function.parameters.count)
      var next = 0
      func assign(_ value: Value, _ span: Span) throws {
        guard next < values.count else {
          throw Diagnostic(
            .surplusArgument, "`\(function.name)` takes \(function.parameters.count) arguments", at: span)
        }
        values[next] = value
        next += 1
      }
      var indices: [String: Int] = [:]
      func name(_ name: String, _ value: Value, _ span: Span) throws {
        if indices.isEmpty && function.parameters.count > 8 {
          for (index, parameter) in function.parameters.enumerated() { indices[parameter] = index }
        }
        guard let index = indices.isEmpty ? function.parameters.firstIndex(of: name) : indices[name] else {
          throw Diagnostic(
            .unknownArgument, "`\(function.name)` has no argument `\(name)`", at: span,
            help: Spelling.suggestion(name, in: function.parameters))
        }
        if values[index] != nil { throw Diagnostic(.repeatedArgument, "`\(name)` is given twice", at: span) }
        values[index] = value
      }
      var fromRecords: [(String, Value, Span)] = []
      if let first { try assign(try first.code(frame), calleeSpan) }
      for argument in rest {
        let value = try argument.value.code(frame)
        if let label = argument.label {
          try name(label.text, value, label.span)
        } else if argument.isSpread {
          guard case .record(let record) = value else {
            throw Diagnostic(.wrongType, "`..` needs a record here, not \(value.described)", at: argument.span)
          }
          fromRecords += record.fields.map { ($0.key, $0.value, argument.span) }
        } else {
          try assign(value, argument.span)
        }
      }
      // Arguments that are written in the call take precedence over fields of spread records.
      let written = Set(function.parameters.indices.filter { values[$0] != nil }.map { function.parameters[$0] })
      for (key, value, span) in fromRecords where !written.contains(key) { try name(key, value, span) }
      for index in 0..<function.required where values[index] == nil {
        throw Diagnostic(
          .missingArgument, "`\(function.name)` needs `\(function.parameters[index])`", at: calleeSpan)
      }
      return try function.call(values, span)
    }
  }

  // MARK: Builtins

  /// An argument bound to its parameter.
  private struct Bound {
    let index: Int
    let code: Code
    let span: Span
  }

  private struct Spread {
    let code: Code
    let span: Span
  }

  private func call(
    _ builtin: Builtin, _ nameSpan: Span, _ arguments: [Expression.Argument], piped: Expression?, _ span: Span
  ) -> Typed {
    var bound: [Bound] = []
    var given: [Int: Span] = [:]
    var spreads: [Spread] = []
    var fromSpreads: Set<String> = []
    var openSpread = false
    var rest: [(Code, Span)] = []
    let positional = builtin.parameters.indices.filter { builtin.parameters[$0].positional }
    var nextPositional = 0

    func bind(_ index: Int, _ value: Expression) {
      let typed = argument(value, for: builtin.parameters[index], index, of: builtin)
      given[index] = value.span
      bound.append(Bound(index: index, code: typed.code, span: value.span))
    }
    var hasSurplus = false
    func bindNext(_ value: Expression) {
      if nextPositional < positional.count, !(builtin.hasRest && nextPositional == positional.count - 1) {
        bind(positional[nextPositional], value)
        nextPositional += 1
      } else if builtin.hasRest {
        rest.append((expression(value).code, value.span))
      } else {
        _ = expression(value)
        if !hasSurplus { report(surplus(builtin, value.span, positional.count)) }
        hasSurplus = true
      }
    }

    if let piped { bindNext(piped) }
    for argument in arguments {
      if let label = argument.label {
        guard let index = builtin.parameters.firstIndex(where: { $0.name == label.text }) else {
          report(unknownArgument(label, builtin.name, builtin.parameters.map(\.name)))
          // Do not report the argument that was probably meant as missing, too.
          if let meant = Spelling.nearest(label.text, in: builtin.parameters.map(\.name)) { fromSpreads.insert(meant) }
          // A bare word belongs to the argument that was probably meant; do not report it as an unknown name.
          if case .name(let word) = argument.value.kind, resolve(word) == nil, library.words.contains(word) { continue }
          _ = expression(argument.value)
          continue
        }
        if given[index] != nil {
          report(Diagnostic(.repeatedArgument, "`\(label.text)` is given twice", at: label.span))
          continue
        }
        bind(index, argument.value)
      } else if argument.isSpread {
        let typed = expression(argument.value)
        spreads.append(Spread(code: typed.code, span: argument.value.span))
        openSpread = check(typed, argument.value.span, builtin, &fromSpreads) || openSpread
      } else {
        bindNext(argument.value)
      }
    }
    if !openSpread {
      for (index, parameter) in builtin.parameters.enumerated()
      where parameter.required && given[index] == nil && !fromSpreads.contains(parameter.name) {
        report(missing(parameter, builtin, nameSpan))
      }
    }
    return invocation(builtin, nameSpan, bound, rest, spreads, span)
  }

  private func surplus(_ builtin: Builtin, _ span: Span, _ count: Int) -> Diagnostic {
    let named = builtin.parameters.filter { !$0.positional }.map { "\($0.name):" }
    return Diagnostic(
      .surplusArgument, "`\(builtin.name)` takes \(count) positional argument\(count == 1 ? "" : "s")", at: span,
      help: named.isEmpty
        ? builtin.topic == "Statistics" ? "the numbers stand in a list: \(builtin.name)([1, 2])" : nil
        : "the others are given by name: \(named.joined(separator: ", "))")
  }

  private func missing(_ parameter: Builtin.Parameter, _ builtin: Builtin, _ span: Span) -> Diagnostic {
    Diagnostic(
      .missingArgument, "`\(builtin.name)` needs `\(parameter.name)`: \(parameter.summary)", at: span,
      help: parameter.positional ? builtin.signature : "pass it as \(parameter.name): \(parameter.wanted)")
  }

  /// Checks the fields of a spread record. Returns true if the fields are not known before the program runs.
  private func check(_ typed: Typed, _ span: Span, _ builtin: Builtin, _ names: inout Set<String>) -> Bool {
    switch typed.type {
    case .record(let fields?):
      for (key, type) in fields.sorted(by: { $0.key < $1.key }) {
        guard let parameter = builtin.parameters.first(where: { $0.name == key }) else {
          report(unknownArgument(Name(text: key, span: span), builtin.name, builtin.parameters.map(\.name)))
          continue
        }
        if !names.insert(key).inserted {
          report(Diagnostic(.repeatedArgument, "`\(key)` is a field of two spread records", at: span))
        }
        if !type.fits(parameter.type) {
          report(
            Diagnostic(
              .wrongType, "`\(key)` of \(builtin.name) is \(parameter.wanted), this record has \(type.name)", at: span))
        }
      }
      return false
    case .any, .record, .oneOf: return true
    default:
      report(Diagnostic(.wrongType, "`..` needs a record here, not \(typed.type.name)", at: span))
      return true
    }
  }

  /// Compiles an argument for its parameter and checks its type as far as that is known. Bare words take precedence over
  /// variables.
  private func argument(_ value: Expression, for parameter: Builtin.Parameter, _ index: Int, of builtin: Builtin) -> Typed {
    if let word = bareWord(value, parameter.words, parameter, builtin) { return word }
    if !parameter.elementWords.isEmpty, case .list(let elements) = value.kind {
      let typed = elements.map { element in
        bareWord(element.value, parameter.elementWords, parameter, builtin) ?? expression(element.value)
      }
      if typed.allSatisfy({ $0.constant != nil }), !elements.contains(where: \.isSpread) {
        return checked(.constant(.list(typed.compactMap(\.constant))), value.span, index, builtin)
      }
      if !elements.contains(where: \.isSpread) {
        return Typed(.list(.any)) { frame in .list(try typed.map { try $0.code(frame) }) }
      }
    }
    return checked(expression(value), value.span, index, builtin)
  }

  private func bareWord(
    _ value: Expression, _ words: [String], _ parameter: Builtin.Parameter, _ builtin: Builtin
  ) -> Typed? {
    guard !words.isEmpty, case .name(let name) = value.kind else { return nil }
    if words.contains(name) { return .constant(.word(name)) }
    switch resolve(name) {
    case nil: report(parameter.unknownWord(name, in: builtin.name, at: value.span))
    case .builtin(let function) where !ValueType.function.fits(parameter.type):
      if function.result.fits(parameter.type) {
        report(
          Diagnostic(
            .wrongType, "`\(parameter.name)` of \(builtin.name) is \(parameter.wanted), not the function `\(name)`", at: value.span,
            help: "call it: \(function.signature)"))
      } else {
        report(parameter.unknownWord(name, in: builtin.name, at: value.span))
      }
    default: return nil
    }
    return Typed(.any) { _ in .nothing }
  }

  private func checked(_ typed: Typed, _ span: Span, _ index: Int, _ builtin: Builtin) -> Typed {
    let parameter = builtin.parameters[index]
    if let constant = typed.constant {
      do throws(ConversionError) {
        try parameter.accepts(constant)
      } catch {
        report(builtin.diagnostic(error, constant, index, at: span))
      }
    } else if !typed.type.fits(parameter.type) {
      let code: Diagnostic.Code = if case .quantity = typed.type { .wrongUnit } else { .wrongType }
      report(
        Diagnostic(
          code, "`\(parameter.name)` of \(builtin.name) is \(parameter.wanted), not \(typed.type.name)", at: span,
          label: "expected \(parameter.wanted)", help: ForeignNames.help(forKindOf: parameter.name, in: builtin.name)))
    }
    return typed
  }

  private func invocation(
    _ builtin: Builtin, _ nameSpan: Span, _ bound: [Bound], _ rest: [(Code, Span)], _ spreads: [Spread], _ span: Span
  ) -> Typed {
    let interpreter = interpreter
    if let fast = fastInvocation(builtin, nameSpan, bound, spreads) { return fast }
    let count = builtin.parameters.count
    let restIndex = builtin.hasRest ? builtin.parameters.lastIndex { $0.positional } : nil
    return Typed(builtin.result) { frame in
      var values = [Value?](repeating: nil, count: count)
      var spans = [Span?](repeating: nil, count: count)
      for argument in bound {
        values[argument.index] = try argument.code(frame)
        spans[argument.index] = argument.span
      }
      if let restIndex {
        values[restIndex] = .list(try rest.map { try $0.0(frame) })
        spans[restIndex] = rest.first?.1
      }
      for spread in spreads {
        let value = try spread.code(frame)
        guard case .record(let record) = value else {
          throw Diagnostic(.wrongType, "`..` needs a record here, not \(value.described)", at: spread.span)
        }
        for field in record.fields {
          guard let index = builtin.parameters.firstIndex(where: { $0.name == field.key }) else {
            throw Diagnostic(
              .unknownArgument, "`\(builtin.name)` has no argument `\(field.key)`", at: spread.span,
              help: ForeignNames.help(forArgument: field.key, of: builtin.name, among: builtin.parameters.map(\.name))
                ?? Spelling.suggestion(field.key, in: builtin.parameters.map(\.name)))
          }
          // Arguments that are written in the call take precedence over fields of spread records.
          if values[index] == nil {
            values[index] = field.value
            spans[index] = spread.span
          }
        }
      }
      return try interpreter.invoke(builtin, values, spans, nameSpan)
    }
  }

  /// A fast call of a builtin of one or two numbers, as inner loops use them; nil if the builtin has no such form.
  private func fastInvocation(_ builtin: Builtin, _ nameSpan: Span, _ bound: [Bound], _ spreads: [Spread]) -> Typed? {
    guard spreads.isEmpty, bound.count == builtin.parameters.count, bound.indices.allSatisfy({ bound[$0].index == $0 }) else { return nil }
    let interpreter = interpreter
    let spans = bound.map { Optional($0.span) }
    if let function = builtin.ofNumber, bound.count == 1 {
      let x = bound[0].code
      return Typed(builtin.result) { frame in
        let value = try x(frame)
        if case .number(let number) = value, let result = function(number) { return .number(result) }
        return try interpreter.invoke(builtin, [value], spans, nameSpan)
      }
    }
    if let function = builtin.ofNumbers, bound.count == 2 {
      let (x, y) = (bound[0].code, bound[1].code)
      return Typed(builtin.result) { frame in
        let (a, b) = (try x(frame), try y(frame))
        if case .number(let p) = a, case .number(let q) = b, let result = function(p, q) { return .number(result) }
        return try interpreter.invoke(builtin, [a, b], spans, nameSpan)
      }
    }
    return nil
  }
}
