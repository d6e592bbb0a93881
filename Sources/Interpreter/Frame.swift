import Syntax

/// What stands before the variables of a frame.
struct FrameHeader {
  let parent: Frame?
  let count: Int
  /// Value of the last expression statement, or of `return`.
  var result = Value.nothing
}

/// The variables of one call of a function, in one piece of memory: calls are frequent.
final class Frame: ManagedBuffer<FrameHeader, Value?> {
  static func make(slots: Int, parent: Frame?) -> Frame {
    let buffer = create(minimumCapacity: slots) { _ in FrameHeader(parent: parent, count: slots) }
    buffer.withUnsafeMutablePointerToElements { $0.initialize(repeating: nil, count: slots) }
    return unsafeDowncast(buffer, to: Frame.self)
  }

  deinit {
    _ = withUnsafeMutablePointers { header, slots in slots.deinitialize(count: header.pointee.count) }
  }

  /// nil: not bound yet.
  @inline(__always)
  subscript(slot: Int) -> Value? {
    get { withUnsafeMutablePointerToElements { $0[slot] } }
    set { withUnsafeMutablePointerToElements { $0[slot] = newValue } }
  }

  @inline(__always)
  var result: Value {
    get { withUnsafeMutablePointerToHeader { $0.pointee.result } }
    set { withUnsafeMutablePointerToHeader { $0.pointee.result = newValue } }
  }

  @inline(__always)
  func outer(_ depth: Int) -> Frame {
    var frame = self
    for _ in 0..<depth {
      guard let next = frame.header.parent else { return frame }
      frame = next
    }
    return frame
  }
}

/// Names of the file or the session.
final class Globals {
  private(set) var indices: [String: Int] = [:]
  private(set) var names: [String] = []
  /// A place for each value, which code that reads it knows.
  private(set) var cells: [UnsafeMutablePointer<Value?>] = []
  var types: [ValueType] = []
  var signatures: [Signature?] = []
  /// Has its binding been compiled? Before that, the name may still mean a builtin.
  var isBound: [Bool] = []

  /// Index of a name, made when it is new.
  func index(_ name: String) -> Int {
    if let index = indices[name] { return index }
    indices[name] = names.count
    names.append(name)
    let cell = UnsafeMutablePointer<Value?>.allocate(capacity: 1)
    cell.initialize(to: nil)
    cells.append(cell)
    types.append(.any)
    signatures.append(nil)
    isBound.append(false)
    return names.count - 1
  }

  func value(_ index: Int) -> Value? { cells[index].pointee }

  /// No name is known any more. Their places stay, for code that was compiled with them.
  func forget() {
    for cell in cells { cell.pointee = nil }
    indices = [:]
  }

  deinit {
    for cell in cells {
      cell.deinitialize(count: 1)
      cell.deallocate()
    }
  }

  /// Forgets names that never got a value: those of an entry that failed before it ran.
  var setNames: [String] { names.indices.filter { value($0) != nil }.map { names[$0] } }
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
