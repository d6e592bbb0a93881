import Kernels
import Layers

/// The pairwise logistic loss of the transfer task, for the target p and one uniformly drawn negative n:
///
///     -log s(h e_p) - log(1 - s(h e_n)) + l2 / 2 (|e_p|^2 + |e_n|^2)
///
/// With `over: all`, as in the authors' code, the penalty is added once per batch: l2 / 2 times the squares of the whole table.
///
/// s is the logistic function, h the hidden state, e an item's row of the output table. If the output layer has a bias, it is
/// added to both scores.
public struct Pairwise: Loss {
  public static let kind = "pairwise"
  public static let summary = "The transfer task's pairwise logistic loss with one uniform negative."
  public static let example = "finetune(target, l2: 0.02)"
  /// The function `finetune` creates it; it has no function of its own.
  public static let hasFunction = false
  public static let samples = [Pairwise(l2: 0.02), Pairwise(l2: 0.02, over: .all)]
  public static let fields: [Field<Pairwise>] = [Field("l2", \.l2), Field("over", \.over)]

  /// The embeddings that the penalty applies to.
  public enum Penalised: String, Codable, Sendable, CaseIterable {
    /// The two of each sample.
    case samples
    /// All of the table.
    case all
  }

  public var l2 = 0.0
  public var over = Penalised.samples

  public init() {}

  public init(l2: Double, over: Penalised = .samples) {
    self.l2 = l2
    self.over = over
  }

  public var name: String { "pairwise(l2: \(NumberText.short(l2))\(over == .all ? ", over: all" : ""))" }
  public func reach(rows: Int) -> OutputReach { .rows(negatives: 1) }
  public func ownNegatives(rows: Int) -> OwnNegatives? {
    OwnNegatives(count: 1, per: .position, distribution: .uniform, otherThanTarget: true)
  }
  public var decay: Float { over == .samples ? Float(l2) : 0 }
  public var tableDecay: Float { over == .all ? Float(l2) : 0 }
  public func head(_ step: LossStep) -> any LossHead {
    PairwiseHead(output: step.output, parameters: step.parameters, l2: decay)
  }
}

extension Pairwise: LegacyNamed {
  var legacyName: String { name }
}

/// The computation of `Pairwise` for the rows of a tile.
struct PairwiseHead: LossHead {
  let output: OutputTable
  let parameters: FloatBuffer
  /// The coefficient of the penalty on the embeddings of a sample.
  let l2: Float

  func run(
    _ rows: LossRows, hidden: UnsafeMutablePointer<Float>, shared: UnsafeMutablePointer<Float>, own: OwnRowGradients,
    memory: LossMemory
  ) -> Double {
    let d = output.width
    let table = parameters.base + output.weight.offset
    let bias = output.bias.map { UnsafePointer(parameters.base + $0.offset) }
    var loss = 0.0
    for row in 0..<rows.count {
      let h = hidden + row * d
      let w = rows.weights[row]
      guard w != 0, let negatives = rows.negatives else {
        h.update(repeating: 0, count: d)
        continue
      }
      let p = table + Int(rows.targets[row]) * d
      let n = table + Int(negatives[row]) * d
      var (sp, sn) = (Double(Elementwise.dot(h, p, d)), Double(Elementwise.dot(h, n, d)))
      if let bias {
        sp += Double(bias[Int(rows.targets[row])])
        sn += Double(bias[Int(negatives[row])])
      }
      let squares = Double(Elementwise.dot(p, p, d) + Elementwise.dot(n, n, d))
      loss += Double(w) * (Logistic.softplus(-sp) + Logistic.softplus(sn) + Double(l2) / 2 * squares)
      let (gp, gn) = (w * Float(Logistic.sigma(sp) - 1), w * Float(Logistic.sigma(sn)))
      // The penalty's gradient is that of `Loss.decay`.
      (own.targets[row], own.negatives[row]) = (gp, gn)
      (own.hidden + row * d).update(from: h, count: d)
      Elementwise.scale(h, p, gp, d)
      Elementwise.addScaled(h, n, gn, d)
    }
    return loss
  }
}
