import Syntax

/// Makes long loops of the interpreter interruptible: it counts steps and regularly checks for an interrupt.
public final class Work {
  private let host: any InterpreterHost
  /// The span for errors of the loop.
  let span: Span
  private var left = interval
  /// The number of steps between two checks.
  private static let interval = 1024

  public init(_ host: any InterpreterHost, at span: Span) {
    self.host = host
    self.span = span
  }

  /// Counts one step of short, bounded work.
  ///
  /// - Throws: E0801 after an interrupt.
  @inline(__always)
  public func step() throws {
    left -= 1
    if left == 0 { try checkInterrupt() }
  }

  /// Checks for an interrupt immediately, before a step that may take long.
  ///
  /// - Throws: E0801 after an interrupt.
  public func checkInterrupt() throws {
    left = Self.interval
    if host.isInterrupted { throw Diagnostic(.interrupted, "interrupted", at: span) }
  }

  /// Checks the size of a text before it is made.
  ///
  /// - Throws: E0406 for more than `Operators.longestText` bytes.
  func checkText(bytes: Int) throws {
    guard bytes <= Operators.longestText else {
      throw Diagnostic(.badValue, "this text would have more than \(NumberFormat.grouped(Operators.longestText)) bytes", at: span)
    }
  }

  /// Checks the size of a list before it is made.
  ///
  /// - Throws: E0406 for more than `Value.largestList` elements.
  func checkList(elements: Int) throws {
    guard elements <= Value.largestList else {
      throw Diagnostic(.badValue, "this list would have more than \(NumberFormat.grouped(Value.largestList)) elements", at: span)
    }
  }
}

extension Builtin.Call {
  /// A new counter for a loop of this call.
  public var work: Work { Work(interpreter.host, at: span) }

  /// Calls `body` with each element; throws E0801 after an interrupt.
  func forEach(_ elements: [Value], _ body: (Value) throws -> Void) throws {
    let work = work
    for element in elements {
      try work.step()
      try body(element)
    }
  }

  /// The results of `body` for each element; throws E0801 after an interrupt.
  func map<Element, Result>(_ elements: [Element], _ body: (Element) throws -> Result) throws -> [Result] {
    let work = work
    return try elements.map { element in
      try work.step()
      return try body(element)
    }
  }
}
