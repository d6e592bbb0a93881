import Syntax

/// The header of a frame, which precedes its variables in memory.
struct FrameHeader {
  let parent: Frame?
  let count: Int
  /// The value of the last expression statement or of `return`.
  var result = Value.nothing
}

/// The variables of one call of a function. They are tail-allocated in a single memory block, because calls are frequent.
final class Frame: ManagedBuffer<FrameHeader, Value?> {
  static func make(slots: Int, parent: Frame?) -> Frame {
    let buffer = create(minimumCapacity: slots) { _ in FrameHeader(parent: parent, count: slots) }
    buffer.withUnsafeMutablePointerToElements { $0.initialize(repeating: nil, count: slots) }
    return unsafeDowncast(buffer, to: Frame.self)
  }

  deinit {
    _ = withUnsafeMutablePointers { header, slots in slots.deinitialize(count: header.pointee.count) }
  }

  /// The value of a variable; nil if it is not bound yet.
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

/// The top-level names of a file or session.
final class Globals {
  private(set) var indices: [String: Int] = [:]
  private(set) var names: [String] = []
  /// A memory cell for each value. Compiled code refers to the cells directly.
  private(set) var cells: [UnsafeMutablePointer<Value?>] = []
  var types: [ValueType] = []
  var signatures: [Signature?] = []
  /// Has the binding of each name been compiled? Before that, the name may still mean a builtin.
  var isBound: [Bool] = []

  /// The index of a name, which is added if it is new.
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

  /// Removes all names. The cells stay allocated, because compiled code may refer to them.
  func forget() {
    for cell in cells { cell.pointee = nil }
    indices = [:]
  }

  /// Removes a name. Returns false if it has no value.
  func forget(_ name: String) -> Bool {
    guard let index = indices[name], cells[index].pointee != nil else { return false }
    cells[index].pointee = nil
    indices[name] = nil
    return true
  }

  deinit {
    for cell in cells {
      cell.deinitialize(count: 1)
      cell.deallocate()
    }
  }

  /// The names that have a value. Names of an entry that failed before it ran have none.
  var setNames: [String] { names.indices.filter { value($0) != nil }.map { names[$0] } }
}

/// The parameters of a function of the script, for checking its calls.
struct Signature {
  let parameters: [String]
  let required: Int
}

/// How a statement ended: normally, or by `return`, `break` or `continue`.
enum Flow {
  case next, returned, broke, continued
}

/// Carries `return`, `break` or `continue` out of an expression that contains statements.
///
/// It is `@unchecked Sendable` because it is thrown and caught on the interpreter's one thread.
struct ControlTransfer: Error, @unchecked Sendable {
  let flow: Flow
  let value: Value
}

typealias Code = (Frame) throws -> Value
typealias Step = (Frame) throws -> Flow

/// Compiled code and what is known about its value.
struct Typed {
  let code: Code
  let type: ValueType
  /// The value itself if it is a constant.
  let constant: Value?

  init(_ type: ValueType, constant: Value? = nil, _ code: @escaping Code) {
    self.type = type
    self.constant = constant
    self.code = code
  }

  static func constant(_ value: Value) -> Typed { Typed(value.type, constant: value) { _ in value } }
}

/// The names of one function during its compilation.
final class Scope {
  let parent: Scope?
  private(set) var slots: [String: Int] = [:]
  private(set) var types: [ValueType] = []
  /// Names that are bound exactly once in this function, so that their type does not change.
  let boundOnce: Set<String>
  /// Names whose binding has been compiled. Before that, a name may still mean something outside of the function.
  var bound: Set<String> = []
  /// The variables of the loops around the current statement.
  var loops: [String] = []
  /// Captured loop variables of enclosing functions: code that reads each in the enclosing frame, and its slot in this frame.
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
