import Datasets
import Evaluation
import Kernels
import Layers

/// The fingerprint that version 0.1 computed for a training: a hash of Swift's descriptions of its options. Runs and
/// checkpoints of that version are found by it, so it must never change. It is nil for a training with settings that
/// version 0.1 did not have.
enum LegacyFingerprint {
  static func text(_ model: Model, _ data: Split, _ recipe: Recipe) throws -> String? {
    guard let loss = recipe.loss as? any LegacyNamed, let adam = recipe.optimizer as? Adam, recipe.schedule is ConstantRate,
      adam.form == .pytorch, recipe.shuffle == .everyEpoch, recipe.lastBatch == .keep, recipe.ofEquals == .later,
      recipe.accumulate == 1, recipe.averageDecay == nil, recipe.length == nil,
      recipe.ranking == RankingRule(recipe.ranking.candidates),
      !recipe.phases.contains(where: {
        $0.when?.isPlateau == false || $0.optimizer != nil || $0.rate != 1 || $0.length != nil || $0.trial != nil
      })
    else {
      return nil
    }
    var hash = WordHash()
    hash.add("stackrec training 1 \(model.network.kind) \(model.seed)")
    hash.add(String(decoding: try model.network.encodedConfiguration(), as: UTF8.self))
    hash.add(UnsafeRawBufferPointer(model.values.values))
    for set in [data.train, data.valid] { set.addIdentity(to: &hash) }
    hash.add("\(recipe.batch) \(loss.legacyName) \(text(adam)) \(recipe.padsInLoss) \(text(recipe.evaluateEvery))")
    hash.add(
      "\(recipe.watch.name) \(recipe.patience ?? 0) \(recipe.metrics.map(\.name)) \(recipe.seed) \(text(recipe.ranking.candidates))")
    hash.add("\(recipe.spikeGuard ?? 0)")
    for phase in recipe.phases {
      hash.add("\(optional(phase.run, debug)) \(phase.to ?? 0) \(phase.by?.rawValue ?? "") \(phase.carry.name)")
      hash.add("\(phase.dataShare) \(optional(phase.when, text)) \(optional(phase.freezeOld, debug))")
    }
    return hash.text
  }

  private static func optional<Value>(_ value: Value?, _ text: (Value) -> String) -> String {
    value.map { "Optional(Training.\(text($0)))" } ?? "nil"
  }

  private static func debug(_ extent: Extent) -> String { "Extent.\(text(extent))" }

  private static func text(_ extent: Extent) -> String {
    switch extent {
    case .steps(let count): "steps(\(count))"
    case .epochs(let count): "epochs(\(count))"
    case .seconds(let seconds): "seconds(\(seconds))"
    }
  }

  private static func text(_ rule: Phase.Rule) -> String {
    guard case .plateau(let evaluations) = rule.condition, let metric = rule.metric else { return "" }
    return
      "Phase.Plateau(evaluations: \(evaluations), metric: Training.Metric(kind: Training.Metric.Kind.\(metric.kind.rawValue), k: \(metric.k)))"
  }

  private static func text(_ adam: Adam) -> String {
    let clip = adam.clip.map { "Optional(\($0))" } ?? "nil"
    return
      "AdamOptions(rate: \(adam.rate), beta1: \(adam.beta1), beta2: \(adam.beta2), epsilon: \(adam.epsilon), lazy: \(adam.lazy), l2: \(adam.l2), clip: \(clip))"
  }

  private static func text(_ candidates: RankingCandidates) -> String {
    switch candidates {
    case .all: "all"
    case .sampled(let count, let seed): "sampled(\(count), seed: \(seed))"
    }
  }
}

/// A loss that exists in version 0.1, with its name there.
protocol LegacyNamed {
  var legacyName: String { get }
}
