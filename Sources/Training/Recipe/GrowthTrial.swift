import Evaluation
import Growth

/// A growth whose rule is chosen by trying: every candidate grows the same state and trains for a short while, and the best one
/// goes on.
public struct GrowthTrial: Sendable, Equatable, Codable {
  /// One way to grow.
  public struct Candidate: Sendable, Equatable, Codable {
    public var by: GrowthOperator
    public var carry: Carry
    /// What becomes of the optimizer's state; nil: as in `Phase.optimizer`.
    public var optimizer: Phase.StateRule?
    /// The factor of the learning rate in the phase.
    public var rate: Double

    public init(by: GrowthOperator, carry: Carry, optimizer: Phase.StateRule? = .kept, rate: Double = 1) {
      self.by = by
      self.carry = carry
      self.optimizer = optimizer
      self.rate = rate
    }

    /// The candidate in words.
    var name: String { "\(by.rawValue), \(carry.name)" + (rate == 1 ? "" : ", rate \(rate)") }
  }

  /// How long every candidate is trained.
  public var run: Extent
  public var candidates: [Candidate]

  public init(run: Extent = .epochs(1), candidates: [Candidate] = Self.usual) {
    self.run = run
    self.candidates = candidates
  }

  /// The candidates that are tried where none are given. Those that a model or a depth does not allow are left out.
  public static let usual = [
    Candidate(by: .cross, carry: .preserving), Candidate(by: .adjacent, carry: .preserving), Candidate(by: .cross, carry: .all),
    Candidate(by: .adjacent, carry: .all),
  ]
}

extension Phase {
  /// The phase with the growth of a candidate.
  func growing(_ candidate: GrowthTrial.Candidate) -> Phase {
    var phase = self
    (phase.by, phase.carry, phase.optimizer) = (candidate.by, candidate.carry, candidate.optimizer)
    phase.rate = rate * candidate.rate
    phase.trial = nil
    return phase
  }

  /// The phase for each candidate of its trial; the phase itself if it has none.
  var alternatives: [Phase] { trial.map { $0.candidates.map(growing) } ?? [self] }

  /// The phases of a training that doubles the number of blocks until it has `depth`, without further numbers to choose: half of
  /// the run is for the final depth; a growth comes when the learning curve is flat, or at last when the shallow model has had its share.
  public static func doubling(from blocks: Int, to depth: Int, run: Extent, trial: GrowthTrial, on metric: Metric) -> [Phase] {
    var depths = [blocks]
    while let last = depths.last, last < depth { depths.append(last == 0 ? 1 : min(depth, 2 * last)) }
    return depths.indices.map { index in
      let isLast = index == depths.count - 1
      let share = 0.5 / Double(max(1, depths.count - 1))
      return Phase(
        run: isLast ? nil : run.scaled(by: share), to: index == 0 ? nil : depths[index],
        by: index > 0 && depths[index - 1] == 0 ? .random : nil,
        when: index == 0 ? nil : .init(slope: 0.05, on: metric),
        trial: index == 0 || depths[index - 1] == 0 ? nil : trial)
    }
  }
}

extension Extent {
  /// A share of the length, at least one step.
  func scaled(by share: Double) -> Extent {
    switch self {
    case .steps(let count): .steps(max(1, Int((Double(count) * share).rounded())))
    case .epochs(let count): .epochs(count * share)
    case .seconds(let count): .seconds(count * share)
    }
  }
}
