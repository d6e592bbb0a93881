import Kernels
import Layers

/// The source of every parameter of a grown model. It also applies to the state of an optimizer.
public struct GrowthPlan: Sendable {
  public struct Step: Sendable {
    public let target: Parameter
    /// The old parameter it is copied from; nil: newly initialised.
    public let source: Parameter?
    /// The value it is set to instead, in a function-preserving growth: 0 for the residual weights, or the output layers, of a
    /// copy, which is then the identity, and 1 for the residual weight of a kept block of a model that had none.
    public let constant: Float?
  }

  public let operation: GrowthOperator
  public let carry: Carry
  public let sources: [BlockSource]
  /// For function-preserving growth: whether block i takes the place of its source.
  public let kept: [Bool]
  public let steps: [Step]

  /// The indices of the new blocks: all but the first copy of each old block.
  public var newBlocks: Set<Int> {
    var seen: Set<Int> = []
    return Set(
      sources.indices.filter { index in
        if carry.preserving { return !kept[index] }
        guard case .copy(let old) = sources[index] else { return true }
        return !seen.insert(old).inserted
      })
  }

  /// The same plan without sources of the parameters of some blocks.
  public func leavingOut(_ blocks: Set<Int>) -> GrowthPlan {
    let steps = steps.map { step in
      step.target.block.map { blocks.contains($0.index) } ?? false
        ? Step(target: step.target, source: nil, constant: step.constant) : step
    }
    return GrowthPlan(operation: operation, carry: carry, sources: sources, kept: kept, steps: steps)
  }

  /// Copies the values (parameters or moments) that the plan carries. Other values of `new` are unchanged.
  public func transfer(from old: FloatBuffer, to new: FloatBuffer) {
    for step in steps {
      if let source = step.source {
        (new.base + step.target.offset).update(from: old.base + source.offset, count: source.count)
      }
    }
  }
}

extension Network {
  /// The deeper network and the sources of its parameters. Nothing of the size of the network is allocated.
  ///
  /// - Throws: `GrowthError` if the growth is not possible: the operator does not reach the depth, or the function cannot be
  ///   preserved.
  public func grown(by operation: GrowthOperator, to depth: Int? = nil, carry: Carry) throws
    -> (network: any Network, plan: GrowthPlan)
  {
    let network = self
    let new = depth ?? operation.defaultDepth(from: network.depth)
    let signatures = network.stacks.first?.blocks.map(\.signature) ?? []
    let sources = try operation.sources(from: network.depth, to: new, period: Model.period(of: signatures))
    // The old model may have no block to look at.
    let plain = try network.withBlocks(new)
    if carry.preserving, let block = plain.stacks.flatMap(\.blocks).first(where: { !$0.canBeSilent }) {
      throw GrowthError.neverSilent(signature: block.signature)
    }
    // A block that ends in a normalisation is silent after another normalisation only.
    if carry.preserving, network.depth == 0, network.closingNorm == nil,
      let block = plain.stacks.flatMap(\.blocks).first(where: { !$0.norms.isEmpty })
    {
      throw GrowthError.neverSilent(signature: block.signature)
    }
    // Copies become the identity by residual weights, or by output layers of 0. A model that has neither gets residual weights.
    let gains = carry.preserving && !plain.layout.parameters.contains { $0.part == .alpha || $0.silences }
    let deeper = gains ? try network.withAlpha().withBlocks(new) : plain
    let kept = carry.preserving ? try Model.keptBlocks(sources, from: network, to: deeper) : sources.map { _ in false }

    let steps = deeper.layout.parameters.map { target -> GrowthPlan.Step in
      let source = Model.source(of: target, in: network.layout, sources: sources)
      let taken = source.flatMap { carry.takes($0, with: operation) ? $0 : nil }
      var constant: Float?
      if carry.preserving, target.part == .alpha, let place = target.block {
        constant = !kept[place.index] ? 0 : taken == nil ? 1 : nil
      } else if carry.preserving, target.silences, let place = target.block, !kept[place.index] {
        constant = 0
      }
      return GrowthPlan.Step(target: target, source: constant == nil ? taken : nil, constant: constant)
    }
    return (deeper, GrowthPlan(operation: operation, carry: carry, sources: sources, kept: kept, steps: steps))
  }
}

extension Model {
  /// A deeper model with blocks and other parameters taken from this one.
  ///
  /// - Throws: `GrowthError`, as `Network.grown`.
  public func grown(by operation: GrowthOperator, to depth: Int? = nil, carry: Carry) throws
    -> (model: Model, plan: GrowthPlan)
  {
    let (deeper, plan) = try network.grown(by: operation, to: depth, carry: carry)
    // New parameters come from another random stream, so that they do not repeat the initial values of the old ones.
    let seed = seed &+ UInt64(deeper.depth) &* 0x9e37_79b9_7f4a_7c15
    let grown = Model(deeper, values: FloatBuffer(count: deeper.layout.count), seed: seed)
    for step in plan.steps where step.source == nil && step.constant == nil {
      deeper.layout.initialise(step.target, grown.values, seed: seed)
    }
    plan.transfer(from: values, to: grown.values)
    for step in plan.steps {
      guard let constant = step.constant else { continue }
      for i in step.target.range { grown.values[i] = constant }
    }
    if carry.preserving { Self.passThrough(grown, kept: plan.kept) }
    return (grown, plan)
  }

  /// Makes copies with residual weights 0 the identity in models whose blocks end in a normalisation.
  ///
  /// With residual weights 0, such a copy is a sequence of norms. The gain g and shift b of the norm before it move to
  /// the copy's last norm; the norm before the copy and its inner norms get gain 1 and shift 0. Normalising again
  /// changes nothing, so g and b are applied once, at the end. At a variance of 1, each norm of the copy divides by
  /// sqrt(1 + epsilon); its gain is multiplied by this factor. The remaining relative error is epsilon / (2 variance)
  /// of the first norm, about 3e-6, because its own epsilon makes the variance of its output slightly smaller than 1.
  private static func passThrough(_ model: Model, kept: [Bool]) {
    let values = model.values
    for (number, stack) in model.network.stacks.enumerated() {
      var closing = number == 0 ? model.network.closingNorm : nil
      for (index, block) in stack.blocks.enumerated() {
        guard let last = block.norms.last else { continue }
        if !kept[index], let before = closing {
          let repair = (1 + last.epsilon).squareRoot()
          for i in 0..<last.width {
            values[last.gain.offset + i] = values[before.gain.offset + i] * repair
            values[last.shift.offset + i] = values[before.shift.offset + i]
            values[before.gain.offset + i] = 1
            values[before.shift.offset + i] = 0
            for inner in block.norms.dropLast() {
              values[inner.gain.offset + i] = repair
              values[inner.shift.offset + i] = 0
            }
          }
        }
        closing = last
      }
    }
  }

  /// The length of the shortest pattern that the signatures repeat.
  static func period(of signatures: [String]) -> Int {
    guard signatures.count > 1 else { return 1 }
    for period in 1..<signatures.count where signatures.indices.allSatisfy({ signatures[$0] == signatures[$0 % period] }) {
      return period
    }
    return signatures.count
  }

  /// The old parameter that a new one may be copied from.
  fileprivate static func source(of target: Parameter, in old: ParameterLayout, sources: [BlockSource]) -> Parameter? {
    guard let place = target.block else { return old[target.name] }
    guard case .copy(let index) = sources[place.index] else { return nil }
    return old["\(place.stack).\(index).\(place.local)"]
  }

  /// The copies that replace the old blocks, one for each. A copy must compute the same as its block (a dilation
  /// belongs to its position), and the kept copies must be in the old order.
  fileprivate static func keptBlocks(_ sources: [BlockSource], from old: any Network, to new: any Network) throws -> [Bool] {
    var kept = sources.map { _ in false }
    var next = 0
    for stack in zip(old.stacks, new.stacks).prefix(1) {
      for block in 0..<old.depth {
        let place = sources.indices.first { i in
          i >= next && sources[i] == .copy(of: block)
            && stack.1.blocks[i].signature == stack.0.blocks[block].signature
        }
        guard let place else {
          throw GrowthError.cannotPreserve(block: block, signature: stack.0.blocks[block].signature)
        }
        kept[place] = true
        next = place + 1
      }
    }
    return kept
  }
}
