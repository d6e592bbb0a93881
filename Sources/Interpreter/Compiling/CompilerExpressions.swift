import Syntax

extension Compiler {
  func expression(_ expression: Expression) -> Typed {
    let span = expression.span
    switch expression.kind {
    case .number(let value): return .constant(.number(value))
    case .quantity(let value, let unit): return .constant(.quantity(value, unit))
    case .bool(let value): return .constant(.bool(value))
    case .nil: return .constant(.nothing)
    case .metric(let name, let k):
      guard library.metrics.contains(name) else {
        report(
          Diagnostic(
            .unknownName, "there is no metric `\(name)`", at: span,
            help: ["hit", "hits", "auc", "accuracy"].contains(name)
              ? ForeignNames.help(forName: name)
              : Spelling.suggestion(name, in: library.metrics) ?? "metrics are: \(library.metrics.joined(separator: ", "))"))
        return .constant(.metric(MetricName(name, k)))
      }
      return .constant(.metric(MetricName(name, k)))
    case .string(let parts): return string(parts, span)
    case .name(let name): return self.name(name, span)
    case .group(let inner): return self.expression(inner)
    case .list(let elements): return list(elements)
    case .record(let fields): return record(fields)
    case .range(let low, let high): return range(low, high)
    case .unary(let operation, let value): return unary(operation, value, span)
    case .binary(let operation, let a, let b, let operatorSpan): return binary(operation, a, b, operatorSpan, span)
    case .member(let value, let name): return member(self.expression(value), name)
    case .index(let value, let index): return self.index(value, index, span)
    case .call(let callee, let arguments): return call(callee, arguments, piped: nil, span)
    case .pipe(let value, let target): return pipe(value, target, span)
    case .lambda(let body): return function("function", body)
    case .conditional(let branches, let otherwise): return conditional(branches, otherwise)
    case .attempt(let body, let name, let otherwise): return attempt(body, name, otherwise)
    case .timed(let body): return timed(body)
    case .broken: return Typed(.any) { _ in .nothing }
    }
  }

  private func string(_ parts: [Expression.StringPart], _ span: Span) -> Typed {
    if parts.isEmpty { return .constant(.text("")) }
    if parts.count == 1, case .text(let text) = parts[0] { return .constant(.text(text)) }
    let pieces = parts.map { part -> (String, Code?) in
      switch part {
      case .text(let text): return (text, nil)
      case .code(let value): return ("", expression(value).code)
      }
    }
    let interpreter = interpreter
    return Typed(.text) { frame in
      var text = ""
      let work = Work(interpreter.host, at: span)
      for (fixed, code) in pieces {
        let piece = try code?(frame).printed(work) ?? fixed
        try work.checkText(bytes: text.utf8.count + piece.utf8.count)
        text += piece
      }
      return .text(text)
    }
  }

  /// Compiles an element of a list or record. A name that is not bound may be a word of some parameter.
  private func element(_ value: Expression) -> Typed {
    if case .name(let name) = value.kind, resolve(name) == nil, library.words.contains(name) {
      return .constant(.word(name))
    }
    return expression(value)
  }

  private func list(_ elements: [Expression.Element]) -> Typed {
    let typed = elements.map { (element($0.value), $0.isSpread, $0.value.span) }
    if typed.allSatisfy({ $0.0.constant != nil && !$0.1 }) {
      return .constant(.list(typed.compactMap { $0.0.constant }))
    }
    let type: ValueType = typed.contains { $0.1 } ? .any : .common(typed.map(\.0.type))
    let interpreter = interpreter
    return Typed(.list(type)) { frame in
      var values: [Value] = []
      values.reserveCapacity(typed.count)
      for (item, isSpread, span) in typed {
        let value = try item.code(frame)
        guard isSpread else {
          values.append(value)
          continue
        }
        guard let more = value.sequence else {
          throw Diagnostic(.wrongType, "`..` in a list needs a list, not \(value.described)", at: span)
        }
        try Work(interpreter.host, at: span).checkList(elements: values.count + more.count)
        values += more
      }
      return .list(values)
    }
  }

  private func record(_ fields: [Expression.Field]) -> Typed {
    let typed = fields.map { (key: $0.key?.text, value: element($0.value), span: $0.value.span) }
    var types: [String: ValueType]? = [:]
    for (key, value, _) in typed {
      if let key {
        types?[key] = value.type
      } else if case .record(let inner?) = value.type {
        types?.merge(inner) { _, new in new }
      } else {
        types = nil
      }
    }
    return Typed(.record(types)) { frame in
      var record = Record()
      for (key, value, span) in typed {
        let result = try value.code(frame)
        if let key {
          record[key] = result
        } else if case .record(let other) = result {
          for field in other.fields { record[field.key] = field.value }
        } else {
          throw Diagnostic(.wrongType, "`..` in a record needs a record, not \(result.described)", at: span)
        }
      }
      return .record(record)
    }
  }

  private func range(_ low: Expression, _ high: Expression) -> Typed {
    let ends = [(expression(low), low.span), (expression(high), high.span)]
    for (end, span) in ends where !end.type.fits(.number) {
      report(Diagnostic(.wrongType, "the ends of a range are whole numbers, not \(end.type.name)", at: span))
    }
    return Typed(.range) { frame in
      var numbers: [Int] = []
      for (end, span) in ends {
        let value = try end.code(frame)
        guard case .number(let number) = value, let whole = Int(exactly: number), abs(number) <= 0x1p53 else {
          throw Diagnostic(.wrongType, "the ends of a range are whole numbers, not \(value.described)", at: span)
        }
        numbers.append(whole)
      }
      return .range(numbers[0], numbers[1])
    }
  }

  private func unary(_ operation: UnaryOperator, _ value: Expression, _ span: Span) -> Typed {
    switch operation {
    case .not:
      let test = condition(value, "not")
      return Typed(.bool) { .bool(try !test($0)) }
    case .minus:
      let typed = expression(value)
      if case .number(let number)? = typed.constant { return .constant(.number(-number)) }
      if case .quantity(let amount, let unit)? = typed.constant { return .constant(.quantity(-amount, unit)) }
      if !typed.type.fits(
        .oneOf([.number, .list(.any), .quantity(.share), .quantity(.time), .quantity(.length), .quantity(.steps), .quantity(.epochs)]))
      {
        report(Diagnostic(.badOperands, "`-` needs a number, not \(typed.type.name)", at: value.span))
      }
      return Typed(typed.type) { frame in
        let value = try typed.code(frame)
        if case .number(let number) = value { return .number(-number) }
        return try Operators.negate(value, span)
      }
    }
  }

  private func binary(
    _ operation: BinaryOperator, _ a: Expression, _ b: Expression, _ operatorSpan: Span, _ span: Span
  ) -> Typed {
    if operation == .and || operation == .or {
      let left = condition(a, operation.rawValue)
      let right = condition(b, operation.rawValue)
      if operation == .and { return Typed(.bool) { .bool(try left($0) && right($0)) } }
      return Typed(.bool) { .bool(try left($0) || right($0)) }
    }
    let left = expression(a)
    let right = expression(b)
    if !Operators.fits(operation, left.type, right.type) {
      report(
        Operators.bad(
          operation, left.constant?.described ?? left.type.name, right.constant?.described ?? right.type.name,
          textual: [left.type, right.type].contains { if case .text = $0 { true } else { false } }, span))
    }
    let (l, r) = (left.code, right.code)
    func slow(_ x: Value, _ y: Value) throws -> Value { try Operators.binary(operation, x, y, span) }
    switch operation {
    case .plus, .minus, .times, .divide, .power:
      return arithmetic(operation, l, r, Self.arithmeticType(operation, left.type, right.type), slow)
    case .less: return comparison(l, r, slow) { $0 < $1 }
    case .lessOrEqual: return comparison(l, r, slow) { $0 <= $1 }
    case .greater: return comparison(l, r, slow) { $0 > $1 }
    case .greaterOrEqual: return comparison(l, r, slow) { $0 >= $1 }
    case .equal: return comparison(l, r, slow) { $0 == $1 }
    default: return comparison(l, r, slow) { $0 != $1 }
    }
  }

  /// Compares two numbers by `test`, and all other values, including NaN, by `slow`.
  @inline(__always)
  private func comparison(
    _ l: @escaping Code, _ r: @escaping Code, _ slow: @escaping (Value, Value) throws -> Value,
    _ test: @escaping (Double, Double) -> Bool
  ) -> Typed {
    Typed(.bool) { frame in
      let (x, y) = (try l(frame), try r(frame))
      if case .number(let p) = x, case .number(let q) = y, !p.isNaN, !q.isNaN { return .bool(test(p, q)) }
      return try slow(x, y)
    }
  }

  private func arithmetic(
    _ operation: BinaryOperator, _ l: @escaping Code, _ r: @escaping Code, _ type: ValueType,
    _ slow: @escaping (Value, Value) throws -> Value
  ) -> Typed {
    switch operation {
    case .plus:
      return Typed(type) { frame in
        let (x, y) = (try l(frame), try r(frame))
        if case .number(let p) = x, case .number(let q) = y { return .number(p + q) }
        return try slow(x, y)
      }
    case .minus:
      return Typed(type) { frame in
        let (x, y) = (try l(frame), try r(frame))
        if case .number(let p) = x, case .number(let q) = y { return .number(p - q) }
        return try slow(x, y)
      }
    case .times:
      return Typed(type) { frame in
        let (x, y) = (try l(frame), try r(frame))
        if case .number(let p) = x, case .number(let q) = y, (p * q).isFinite { return .number(p * q) }
        return try slow(x, y)
      }
    case .divide:
      return Typed(type) { frame in
        let (x, y) = (try l(frame), try r(frame))
        if case .number(let p) = x, case .number(let q) = y, q != 0 { return .number(p / q) }
        return try slow(x, y)
      }
    default:
      return Typed(type) { frame in try slow(try l(frame), try r(frame)) }
    }
  }

  private static func arithmeticType(_ operation: BinaryOperator, _ a: ValueType, _ b: ValueType) -> ValueType {
    switch (a, b) {
    case (.number, .number): return .number
    case (.text, .text): return .text
    case (.quantity(.share), .number) where operation == .times: return .number
    case (.quantity(let x), .number) where operation == .times || operation == .divide: return .quantity(x)
    case (.quantity(let x), .quantity(let y)) where x == y: return operation == .divide ? .number : .quantity(x)
    default: return .any
    }
  }

  // MARK: Members and elements

  private func member(_ value: Typed, _ name: Name) -> Typed {
    var type = ValueType.any
    switch value.type {
    case .object(let object):
      if let member = object.members.first(where: { $0.name == name.text }) {
        type = member.type
      } else {
        report(Self.unknownMember(name, of: object.name, in: object.members.map(\.name), library))
      }
    case .record(let fields?):
      if let field = fields[name.text] {
        type = field
      } else {
        report(Self.unknownMember(name, of: "this record", in: fields.keys.sorted(), library))
      }
    case .date:
      type = .number
      if !Calendar.members.contains(name.text) { report(Self.unknownMember(name, of: "a date", in: Calendar.members, library)) }
    case .any, .record, .oneOf: break
    default:
      report(Self.unknownMember(name, of: value.type.name, in: [], library))
    }
    let code = value.code
    return Typed(type) { [library] frame in
      let owner = try code(frame)
      switch owner {
      case .record(let record):
        if let field = record[name.text] { return field }
        throw Self.unknownMember(name, of: "this record", in: record.keys, library)
      case .object(let object):
        if let found = object.member(name.text) { return found }
        let type = Swift.type(of: object).type
        throw Self.unknownMember(name, of: type.name, in: type.members.map(\.name), library)
      case .date(let seconds):
        if let found = Calendar.member(seconds, name.text) { return found }
        throw Self.unknownMember(name, of: "a date", in: Calendar.members, library)
      default: throw Self.unknownMember(name, of: owner.described, in: [], library)
      }
    }
  }

  private static func unknownMember(_ name: Name, of owner: String, in known: [String], _ library: Library) -> Diagnostic {
    Diagnostic(
      .unknownMember, known.isEmpty ? "\(owner) has no members" : "\(owner) has no `\(name.text)`", at: name.span,
      help: Spelling.suggestion(name.text, in: known)
        ?? ForeignNames.help(forMember: name.text, isFunction: library.builtins[name.text] != nil)
        ?? (known.isEmpty ? nil : "it has: \(Spelling.list(known))"))
  }

  private func index(_ value: Expression, _ index: Expression, _ span: Span) -> Typed {
    let owner = expression(value)
    let indexCode = expression(index)
    var type = ValueType.any
    switch owner.type {
    case .list(let element): type = element
    case .object(let object): type = object.element ?? .any
    case .any, .record, .range, .text, .oneOf: break
    default: report(Diagnostic(.wrongType, "\(owner.type.name) has no elements", at: span))
    }
    let indexSpan = index.span
    return Typed(type) { frame in
      try Self.element(of: try owner.code(frame), try indexCode.code(frame), indexSpan)
    }
  }

  private static func element(of owner: Value, _ index: Value, _ span: Span) throws -> Value {
    switch (owner, index) {
    case (.list(let values), .number(let number)):
      guard let whole = Int(exactly: number) else {
        throw Diagnostic(.wrongType, "an index is a whole number, not \(index.described)", at: span)
      }
      let position = whole < 0 ? values.count + whole : whole
      guard values.indices.contains(position) else {
        throw Diagnostic(
          .outOfRange, "there is no element \(whole) in a list of \(values.count)", at: span,
          help: values.isEmpty ? nil : "elements are counted from 0 to \(values.count - 1), or from -1 at the end")
      }
      return values[position]
    case (.range(let low, let high), .number(let number)):
      guard let whole = Int(exactly: number), whole >= 0, whole <= high - low else {
        throw Diagnostic(.outOfRange, "there is no element \(index.described) in \(low)..\(high)", at: span)
      }
      return .number(Double(low + whole))
    case (.list(let values), .range(let low, let high)):
      guard low >= 0, high < values.count, low <= high + 1 else {
        throw Diagnostic(.outOfRange, "\(low)..\(high) reaches outside of a list of \(values.count)", at: span)
      }
      return .list(Array(values[low..<(high + 1)]))
    case (.record(let record), .text(let key)):
      if let value = record[key] { return value }
      throw Diagnostic(
        .missingKey, "this record has no field \"\(key)\"", at: span,
        help: Spelling.suggestion(key, in: record.keys) ?? "it has: \(Spelling.list(record.keys))")
    case (.object(let object), _):
      if let value = object.element(index) { return value }
      throw Diagnostic(
        .missingKey, "\(Swift.type(of: object).type.name) has no element \(index.described)", at: span, help: object.elementHelp)
    default:
      throw Diagnostic(
        .wrongType, "\(owner.described) has no element \(index.described)", at: span,
        help: { if case .text = owner { "a part of a text is slice(\"abc\", 0, 1), with both ends" } else { nil } }())
    }
  }

  // MARK: Blocks with a value

  private func conditional(
    _ branches: [(condition: Expression, then: Block)], _ otherwise: Block?
  ) -> Typed {
    let compiled = branches.map { (condition($0.condition, "if"), valueBlock($0.then)) }
    let last = otherwise.map { valueBlock($0) }
    // The type is known if all branches give the same type of object.
    var type = ValueType.any
    if let last, case .object(let object) = last.type,
      compiled.allSatisfy({ if case .object(let other) = $0.1.type { other === object } else { false } })
    {
      type = last.type
    }
    return Typed(type) { frame in
      for (test, body) in compiled where try test(frame) { return try body.code(frame) }
      return try last?.code(frame) ?? .nothing
    }
  }

  private func attempt(_ body: Block, _ name: Name?, _ otherwise: Block) -> Typed {
    let body = valueBlock(body)
    let store = name.map { self.store($0.text, .record(nil)) }
    let otherwise = valueBlock(otherwise)
    return Typed(.any) { frame in
      do {
        return try body.code(frame)
      } catch let diagnostic as Diagnostic where diagnostic.code != .interrupted {
        store?(
          frame,
          .record(
            Record([
              ("message", .text(diagnostic.message)), ("code", .text(diagnostic.code.rawValue)),
              ("place", .text(diagnostic.span?.location ?? "")),
            ])))
        return try otherwise.code(frame)
      }
    }
  }

  private func timed(_ body: Block) -> Typed {
    let body = valueBlock(body)
    let interpreter = interpreter
    return Typed(body.type) { frame in
      let clock = ContinuousClock()
      let start = clock.now
      let value = try body.code(frame)
      let elapsed = start.duration(to: clock.now)
      let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
      interpreter.host.note("took \(NumberFormat.duration(seconds))")
      return value
    }
  }

  private func pipe(_ value: Expression, _ target: Expression, _ span: Span) -> Typed {
    switch target.kind {
    case .call(let callee, let arguments): return call(callee, arguments, piped: value, span)
    case .name, .member, .lambda, .group: return call(target, [], piped: value, span)
    case .broken: return Typed(.any) { _ in .nothing }
    default:
      report(
        Diagnostic(
          .notCallable, "the right side of `|>` must be a function", at: target.span,
          help: "x |> f(y) is f(x, y); a pipe inside a larger expression needs parentheses"))
      return Typed(.any) { _ in .nothing }
    }
  }
}
