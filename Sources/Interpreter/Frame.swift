import Syntax

/// The variables of one call of a function.
final class Frame {
  /// nil: not bound yet.
  var slots: [Value?]
  let parent: Frame?
  /// Value of the last expression statement, or of `return`.
  var result = Value.nothing

  init(slots: Int, parent: Frame?) {
    self.slots = [Value?](repeating: nil, count: slots)
    self.parent = parent
  }

  @inline(__always)
  func outer(_ depth: Int) -> Frame {
    var frame = self
    for _ in 0..<depth {
      guard let next = frame.parent else { return frame }
      frame = next
    }
    return frame
  }
}

/// Names of the file or the session.
final class Globals {
  private(set) var indices: [String: Int] = [:]
  private(set) var names: [String] = []
  var values: [Value?] = []
  var types: [ValueType] = []
  var signatures: [Signature?] = []
  /// Has its binding been compiled? Before that, the name may still mean a builtin.
  var isBound: [Bool] = []

  /// Index of a name, made when it is new.
  func index(_ name: String) -> Int {
    if let index = indices[name] { return index }
    indices[name] = names.count
    names.append(name)
    values.append(nil)
    types.append(.any)
    signatures.append(nil)
    isBound.append(false)
    return names.count - 1
  }

  /// Forgets names that never got a value: those of an entry that failed before it ran.
  var setNames: [String] { names.indices.filter { values[$0] != nil }.map { names[$0] } }
}

/// Parameters of a function of the script, for checking its calls.
struct Signature {
  let parameters: [String]
  let required: Int
}

/// How a statement ended.
enum Flow {
  case next, returned, broke, continued
}

/// `return`, `break` or `continue` out of an expression that holds statements.
///
/// `@unchecked Sendable`: thrown and caught on the interpreter's one thread.
struct ControlTransfer: Error, @unchecked Sendable {
  let flow: Flow
  let value: Value
}

typealias Code = (Frame) throws -> Value
typealias Step = (Frame) throws -> Flow

/// Compiled code and what is known of its value.
struct Typed {
  let code: Code
  let type: ValueType
  /// The value itself, where it is written in the text.
  let constant: Value?

  init(_ type: ValueType, constant: Value? = nil, _ code: @escaping Code) {
    self.type = type
    self.constant = constant
    self.code = code
  }

  static func constant(_ value: Value) -> Typed { Typed(value.type, constant: value) { _ in value } }
}

/// Names of one function while it is compiled.
final class Scope {
  let parent: Scope?
  private(set) var slots: [String: Int] = [:]
  private(set) var types: [ValueType] = []
  /// Names bound once in this function: their type is known for good.
  let boundOnce: Set<String>
  /// Names whose binding has been compiled: before that, they may still mean something outside.
  var bound: Set<String> = []
  /// Variables of the loops that are open here.
  var loops: [String] = []
  /// Loop variables of enclosing functions that are taken along: how the maker reads each, and its slot here.
  var captures: [(read: Code, slot: Int)] = []

  init(parent: Scope?, boundOnce: Set<String>) {
    self.parent = parent
    self.boundOnce = boundOnce
  }

  var count: Int { types.count }

  func slot(_ name: String, type: ValueType = .any) -> Int {
    let known = boundOnce.contains(name) ? type : .any
    if let slot = slots[name] {
      types[slot] = known
      return slot
    }
    slots[name] = types.count
    types.append(known)
    return types.count - 1
  }
}
