import Kernels

/// How the values of a new parameter are initialised.
public enum Initializer: Sendable, Equatable {
  case constant(Float)
  /// Normal with mean 0 and this standard deviation.
  case normal(Float)
  /// As `normal`; values outside two standard deviations are drawn again.
  case truncatedNormal(Float)
  /// Uniform from minus this bound to the bound.
  case uniform(Float)
}

/// What a parameter is for. The carry rules of growth refer to these parts.
public enum ParameterPart: String, Sendable, CaseIterable {
  /// Item, user and position embeddings.
  case embedding
  /// Weights and biases inside a block: convolutions, attention, feed-forward.
  case blocks
  /// Gains and shifts of normalisations.
  case norm
  /// Residual weights.
  case alpha
  /// The output layer.
  case output
}

/// Whether the authors' reference code copies a parameter when it stacks a model.
public enum ReferenceCarry: Sendable {
  case never
  case always
  /// Only with the operator `random`, which leaves the lower blocks as they are.
  case withRandom
}

/// The block that a parameter belongs to: its stack, its index in the stack, and the parameter's name inside the block.
public struct BlockMember: Sendable, Hashable {
  public let stack: String
  public let index: Int
  public let local: String
}

/// One parameter tensor. Its layer declares it once; initialisation, growth, optimizers and checkpoints read the declaration.
public struct Parameter: Sendable {
  /// A readable path, e.g. `blocks.3.conv1.weight`.
  public let name: String
  public let shape: [Int]
  public let initial: Initializer
  public let part: ParameterPart
  /// Whether the authors' reference code copies this parameter when it stacks a model.
  public let reference: ReferenceCarry
  /// Whether rows that a batch does not use have no gradient, as in embedding and output tables.
  public let sparseRows: Bool
  /// Whether a block becomes the identity, or a sequence of its norms, if all such parameters of it are 0.
  public let silences: Bool
  /// nil for a parameter outside of blocks.
  public let block: BlockMember?
  /// The index of its first value in the model's buffer.
  public let offset: Int

  public var count: Int { shape.reduce(1, *) }
  public var range: Range<Int> { offset..<(offset + count) }
}

/// All parameters of a network, in the order of their values in the model's buffer. Parameters with dense gradients come
/// first, so the optimizer can update them in one loop.
public struct ParameterLayout: Sendable {
  public let parameters: [Parameter]
  /// Floats of the dense parameters.
  public let denseCount: Int
  /// Floats of all parameters.
  public let count: Int
  /// Floats of what the layers compute from their parameters once per step: see `Preparing`.
  public let preparedCount: Int
  private let indices: [String: Int]

  init(_ parameters: [Parameter], denseCount: Int, preparedCount: Int) {
    self.preparedCount = preparedCount
    self.parameters = parameters
    self.denseCount = denseCount
    count = parameters.last.map { $0.offset + $0.count } ?? 0
    indices = Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($1.name, $0) })
  }

  public subscript(name: String) -> Parameter? { indices[name].map { parameters[$0] } }

  /// Initialises every parameter from a random stream with the parameter's name, so one more layer does not change the
  /// values of the others.
  ///
  /// - Parameters:
  ///   - values: receives the values.
  ///   - seed: the seed of the streams.
  ///   - pool: computes in parallel and can be cancelled; nil: on this thread.
  public func initialise(_ values: FloatBuffer, seed: UInt64, pool: WorkerPool? = nil) {
    guard let pool else { return parameters.forEach { initialise($0, values, seed: seed) } }
    pool.forEachUntilCancelled(parameters.count) { [self] index, _ in initialise(parameters[index], values, seed: seed) }
  }

  public func initialise(_ parameter: Parameter, _ values: FloatBuffer, seed: UInt64) {
    let target = UnsafeMutableBufferPointer(start: values.base + parameter.offset, count: parameter.count)
    var numbers = RandomStream(seed: seed, "initialise/" + parameter.name).numbers()
    switch parameter.initial {
    case .constant(let value):
      for i in target.indices { target[i] = value }
    case .normal(let deviation):
      for i in target.indices { target[i] = Float(numbers.normal()) * deviation }
    case .uniform(let bound):
      for i in target.indices { target[i] = Float(2 * numbers.uniform() - 1) * bound }
    case .truncatedNormal(let deviation):
      for i in target.indices { target[i] = Float(numbers.truncatedNormal()) * deviation }
    }
  }
}

/// Collects the parameter declarations of a network while its layers are built. A layer stores the `Slot`s that it gets.
/// Their offsets are valid after `close`.
public final class LayoutBuilder {
  private struct Draft {
    let name: String
    let shape: [Int]
    let initial: Initializer
    let part: ParameterPart
    let reference: ReferenceCarry
    let sparseRows: Bool
    let silences: Bool
    let block: BlockMember?
    let slot: Slot
  }

  private var drafts: [Draft] = []
  private var preparedCount = 0
  private var prefix = ""
  private var block: (stack: String, index: Int)?

  public init() {}

  /// Declares a parameter.
  public func add(
    _ name: String, _ shape: [Int], _ initial: Initializer, _ part: ParameterPart, reference: ReferenceCarry = .never,
    sparseRows: Bool = false, silences: Bool = false
  ) -> Slot {
    let slot = Slot()
    drafts.append(
      Draft(
        name: prefix + name, shape: shape, initial: initial, part: part, reference: reference,
        sparseRows: sparseRows, silences: silences, block: block.map { BlockMember(stack: $0.stack, index: $0.index, local: name) },
        slot: slot))
    return slot
  }

  /// Reserves floats in `Pass.prepared` for what a layer computes from its parameters once per step.
  public func reserve(_ count: Int) -> Slot {
    let slot = Slot()
    slot.offset = preparedCount
    preparedCount += count
    return slot
  }

  /// Runs `body`, whose parameters belong to one block: their names get the prefix `STACK.INDEX.`.
  func block<Result>(_ stack: String, _ index: Int, _ body: () throws -> Result) rethrows -> Result {
    prefix = "\(stack).\(index)."
    block = (stack, index)
    defer {
      prefix = ""
      block = nil
    }
    return try body()
  }

  /// Assigns the offsets. All slots are valid from here on.
  public func close() -> ParameterLayout {
    var offset = 0
    var parameters: [Parameter] = []
    var dense = 0
    for sparse in [false, true] {
      for draft in drafts where draft.sparseRows == sparse {
        draft.slot.offset = offset
        let parameter = Parameter(
          name: draft.name, shape: draft.shape, initial: draft.initial, part: draft.part,
          reference: draft.reference, sparseRows: sparse, silences: draft.silences, block: draft.block, offset: offset)
        parameters.append(parameter)
        offset += parameter.count
      }
      if !sparse { dense = offset }
    }
    return ParameterLayout(parameters, denseCount: dense, preparedCount: preparedCount)
  }

  /// The offset of a declared parameter, valid once the layout is closed, or of reserved floats.
  ///
  /// `@unchecked Sendable`: `close` writes it once, before any other code uses the network.
  public final class Slot: @unchecked Sendable {
    public fileprivate(set) var offset = -1
  }
}

public typealias Slot = LayoutBuilder.Slot
