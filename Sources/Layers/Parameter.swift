import Kernels

/// How a fresh parameter is drawn.
public enum Initializer: Sendable, Equatable {
  case constant(Float)
  case normal(Float)
  /// Drawn again outside two standard deviations.
  case truncatedNormal(Float)
  /// From minus to plus the bound.
  case uniform(Float)
}

/// What a parameter is for. Growth's carry rules are written in these words.
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

/// Does the reference code carry a parameter to a stacked model?
public enum ReferenceCarry: Sendable {
  case never
  case always
  /// Only with the operator `random`, which leaves the lower blocks as they are.
  case withRandom
}

/// Where a block's parameter belongs: which stack, which block of it, and its name inside the block.
public struct BlockPlace: Sendable, Hashable {
  public let stack: String
  public let index: Int
  public let local: String
}

/// One parameter: declared once by its layer; initialisation, growth, optimizers and checkpoints read this.
public struct Parameter: Sendable {
  /// Readable path, e.g. `blocks.3.conv1.weight`.
  public let name: String
  public let shape: [Int]
  public let initial: Initializer
  public let part: ParameterPart
  public let reference: ReferenceCarry
  /// Rows that a batch does not touch have no gradient (embedding and output tables).
  public let sparseRows: Bool
  public let block: BlockPlace?
  /// Where its values start in the model's buffer.
  public let offset: Int

  public var count: Int { shape.reduce(1, *) }
  public var range: Range<Int> { offset..<(offset + count) }
}

/// All parameters of a network in their order, dense ones first, so that one buffer holds them all and the optimizer
/// walks the dense part in one go.
public struct ParameterLayout: Sendable {
  public let parameters: [Parameter]
  /// Floats of the dense parameters, which come first.
  public let denseCount: Int
  public let count: Int
  /// Floats of what the layers make of their parameters once a step.
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

  /// Draws every parameter from the stream of its own name: one more layer changes no other layer's values.
  public func initialise(_ values: FloatBuffer, seed: UInt64) {
    for parameter in parameters { initialise(parameter, values, seed: seed) }
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

/// Collects the parameters of a network while its layers are built. A layer keeps the `Slot`s it is given and asks
/// for their offsets when the layout is closed.
public final class LayoutBuilder {
  private struct Draft {
    let name: String
    let shape: [Int]
    let initial: Initializer
    let part: ParameterPart
    let reference: ReferenceCarry
    let sparseRows: Bool
    let block: BlockPlace?
    let slot: Slot
  }

  private var drafts: [Draft] = []
  private var preparedCount = 0
  private var prefix = ""
  private var place: (stack: String, index: Int)?

  public init() {}

  public func add(
    _ name: String, _ shape: [Int], _ initial: Initializer, _ part: ParameterPart, reference: ReferenceCarry = .never,
    sparseRows: Bool = false
  ) -> Slot {
    let slot = Slot()
    drafts.append(
      Draft(
        name: prefix + name, shape: shape, initial: initial, part: part, reference: reference,
        sparseRows: sparseRows, block: place.map { BlockPlace(stack: $0.stack, index: $0.index, local: name) },
        slot: slot))
    return slot
  }

  /// A place for what a layer makes of its parameters once a step, in `Pass.prepared`.
  public func reserve(_ count: Int) -> Slot {
    let slot = Slot()
    slot.offset = preparedCount
    preparedCount += count
    return slot
  }

  /// Runs `body` with the names of one block: `STACK.INDEX.`.
  func block<Result>(_ stack: String, _ index: Int, _ body: () throws -> Result) rethrows -> Result {
    prefix = "\(stack).\(index)."
    place = (stack, index)
    defer {
      prefix = ""
      place = nil
    }
    return try body()
  }

  /// Assigns the offsets. Every slot handed out is valid from here on.
  public func close() -> ParameterLayout {
    var offset = 0
    var parameters: [Parameter] = []
    var dense = 0
    for sparse in [false, true] {
      for draft in drafts where draft.sparseRows == sparse {
        draft.slot.offset = offset
        let parameter = Parameter(
          name: draft.name, shape: draft.shape, initial: draft.initial, part: draft.part,
          reference: draft.reference, sparseRows: sparse, block: draft.block, offset: offset)
        parameters.append(parameter)
        offset += parameter.count
      }
      if !sparse { dense = offset }
    }
    return ParameterLayout(parameters, denseCount: dense, preparedCount: preparedCount)
  }

  /// The offset of a declared parameter, known once the layout is closed, or of a reserved place.
  ///
  /// `@unchecked Sendable`: written once by `close`, before the network that owns it is used anywhere.
  public final class Slot: @unchecked Sendable {
    public fileprivate(set) var offset = -1
  }
}

public typealias Slot = LayoutBuilder.Slot
