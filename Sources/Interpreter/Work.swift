import Syntax

/// Long work of the interpreter: it counts its steps, and looks now and then whether someone wants it to end.
public final class Work {
  private let host: any InterpreterHost
  /// Where an error of the work belongs.
  let span: Span
  private var left = interval
  /// Steps between two looks: a step takes some nanoseconds, a look no longer.
  private static let interval = 1024

  public init(_ host: any InterpreterHost, at span: Span) {
    self.host = host
    self.span = span
  }

  /// Counts one step, which takes about the same time each time.
  ///
  /// - Throws: E0801 where someone wants the work to end.
  @inline(__always)
  public func step() throws {
    left -= 1
    if left == 0 { try look() }
  }

  /// Looks at once: before a step that takes long.
  ///
  /// - Throws: E0801 where someone wants the work to end.
  public func look() throws {
    left = Self.interval
    if host.isInterrupted { throw Diagnostic(.interrupted, "interrupted", at: span) }
  }

  /// A text may have so many bytes.
  ///
  /// - Throws: E0406 for more, before they are made.
  func checkText(bytes: Int) throws {
    guard bytes <= Operators.longestText else {
      throw Diagnostic(.badValue, "this text would have more than \(NumberFormat.grouped(Operators.longestText)) bytes", at: span)
    }
  }

  /// A list may have so many elements.
  ///
  /// - Throws: E0406 for more, before they are made.
  func checkList(elements: Int) throws {
    guard elements <= Value.largestList else {
      throw Diagnostic(.badValue, "this list would have more than \(NumberFormat.grouped(Value.largestList)) elements", at: span)
    }
  }
}

extension Builtin.Call {
  /// The work of this call.
  public var work: Work { Work(interpreter.host, at: span) }

  /// Goes through elements, and ends where someone wants it to.
  func forEach(_ elements: [Value], _ body: (Value) throws -> Void) throws {
    let work = work
    for element in elements {
      try work.step()
      try body(element)
    }
  }

  /// What a function gives for each element, with a look now and then whether someone wants it to end.
  func map<Element, Result>(_ elements: [Element], _ body: (Element) throws -> Result) throws -> [Result] {
    let work = work
    return try elements.map { element in
      try work.step()
      return try body(element)
    }
  }
}
