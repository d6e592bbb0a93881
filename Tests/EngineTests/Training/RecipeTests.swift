import Datasets
import Foundation
import Growth
import Kernels
import Layers
import Models
import Testing

@testable import Evaluation
@testable import Training

/// Recipes: canonical texts, fingerprints and the fingerprints of version 0.1.
@Suite struct RecipeTests {
  /// For every option, a value other than its default. `everyFieldIsChangedHere` fails for an option without a line here.
  static let changes: [String: @Sendable (inout Recipe) -> Void] = [
    "phases": { $0.phases = [Phase(run: .steps(3))] }, "batch": { $0.batch = 65 },
    "loss": { $0.loss = SampledSoftmax(share: 0.25, distribution: .uniform) },
    "optimizer": { $0.optimizer = Adam(rate: 2e-3, clip: 0.5) }, "schedule": { $0.schedule = TestSchedule(half: 7) },
    "pads_in_loss": { $0.padsInLoss = true }, "eval_every": { $0.evaluateEvery = .epochs(0.5) },
    "watch": { $0.watch = Metric(.hr, 7) }, "patience": { $0.patience = 4 }, "metrics": { $0.metrics = [Metric(.ndcg, 20)] },
    "seed": { $0.seed = .max }, "candidates": { $0.ranking.candidates = .sampled(99, seed: 3) }, "skip_spikes": { $0.spikeGuard = 3 },
    "ties": { $0.ranking.ties = .number }, "rank_pad": { $0.ranking.ranksPad = true },
    "hide": { $0.ranking.hide = .window },
    "shuffle": { $0.shuffle = .once }, "last_batch": { $0.lastBatch = .drop }, "of_equals": { $0.ofEquals = .earlier },
    "run": { $0.length = .epochs(20) }, "accumulate": { $0.accumulate = 3 }, "ema": { $0.averageDecay = 0.99 },
  ]

  static let phaseChanges: [String: @Sendable (inout Phase) -> Void] = [
    "run": { $0.run = .seconds(1.5) }, "to": { $0.to = 8 }, "by": { $0.by = .topCross },
    "carry": { $0.carry = .parts([.norm, .blocks], optimizer: true) }, "data": { $0.dataShare = 0.5 },
    "when": { $0.when = .init(plateau: 2, on: Metric(.hr, 5)) }, "freeze_for": { $0.freezeOld = .steps(9) },
    "optimizer": { $0.optimizer = .kept }, "rate": { $0.rate = 0.5 }, "length": { $0.length = 50 },
    "trial": { $0.trial = GrowthTrial(run: .steps(9), candidates: [.init(by: .cross, carry: .preserving, rate: 2)]) },
  ]

  static let adamChanges: [String: @Sendable (inout Adam) -> Void] = [
    "lr": { $0.rate = 2e-3 }, "beta1": { $0.beta1 = 0.8 }, "beta2": { $0.beta2 = 0.98 }, "epsilon": { $0.epsilon = 1e-6 },
    "form": { $0.form = .tensorflow }, "lazy": { $0.lazy = false }, "l2": { $0.l2 = 0.01 }, "clip": { $0.clip = 1 },
  ]

  /// A schedule that is not registered: it can be used for training, but a recipe with it cannot be read.
  struct TestSchedule: Schedule {
    static let kind = "test_half_after"
    static let summary = "Half the rate after so many steps."
    static let example = ""
    static let fields: [Field<TestSchedule>] = [Field("half", \.half)]
    var half = 0
    init() {}
    init(half: Int) { self.half = half }
    func factor(_ position: StepPosition) -> Double { position.step < half ? 1 : 0.5 }
  }

  @Test func everyFieldIsChangedHere() {
    #expect(Set(Recipe.fields.map(\.key)) == Set(Self.changes.keys))
    #expect(Set(Phase.fields.map(\.key)) == Set(Self.phaseChanges.keys))
    #expect(Set(Adam.fields.map(\.key)) == Set(Self.adamChanges.keys))
    // Every stored property is a field.
    let ranking = Mirror(reflecting: Recipe().ranking).children.count
    #expect(Mirror(reflecting: Recipe()).children.count - 1 + ranking == Recipe.fields.count)
    #expect(Mirror(reflecting: Phase()).children.count == Phase.fields.count)
    #expect(Mirror(reflecting: Adam()).children.count == Adam.fields.count)
  }

  /// For every option, a recipe that differs from the default in this option only.
  private static func all() -> [(key: String, recipe: Recipe)] {
    var recipes: [(key: String, recipe: Recipe)] = [("", Recipe(phases: [Phase()]))]
    for (key, change) in changes.sorted(by: { $0.key < $1.key }) {
      var recipe = recipes[0].recipe
      change(&recipe)
      recipes.append((key, recipe))
    }
    for (key, change) in phaseChanges.sorted(by: { $0.key < $1.key }) {
      var recipe = recipes[0].recipe
      change(&recipe.phases[0])
      recipes.append(("phases.0.\(key)", recipe))
    }
    for (key, change) in adamChanges.sorted(by: { $0.key < $1.key }) {
      var (recipe, adam) = (recipes[0].recipe, Adam())
      change(&adam)
      recipe.optimizer = adam
      recipes.append(("optimizer.\(key)", recipe))
    }
    return recipes
  }

  /// Every option changes the fingerprint, and the list of differences names it.
  @Test func everyOptionChangesTheFingerprint() throws {
    let model = try TrainerTests.model()
    let base = try TrainingIdentity(model, TrainerTests.data, Recipe(phases: [Phase()]))
    var seen: [String: String] = [:]
    for (key, recipe) in Self.all() {
      let identity = try TrainingIdentity(model, TrainerTests.data, recipe)
      #expect(seen.updateValue(key, forKey: identity.fingerprint) == nil, "\(key)")
      let names = identity.differences(from: base).map(\.name)
      let stem = key == "phases" ? "phases.0.run" : key == "optimizer" ? "optimizer.lr" : key
      #expect(key.isEmpty ? names.isEmpty : names.contains { $0 == stem || $0.hasPrefix(stem + ".") }, "\(key): \(names)")
      // The identity survives writing and reading.
      let back = try TrainingIdentity(text: identity.text)
      #expect(back.fingerprint == identity.fingerprint && back.differences(from: identity).isEmpty, "\(key)")
    }
    let other = try TrainingIdentity(Model(model.network, seed: 6), TrainerTests.data, Recipe(phases: [Phase()]))
    #expect(Set(other.differences(from: base).map(\.name)) == ["model.seed", "model.values"])
    let half = try TrainingIdentity(model, TrainerTests.data.fraction(0.5, label: "half"), Recipe(phases: [Phase()]))
    #expect(half.differences(from: base).map(\.name) == ["data.train"])
    #expect(try TrainingIdentity(model.copy(), TrainerTests.data, Recipe(phases: [Phase()])) == base)
  }

  @Test func textsAreReadBack() throws {
    for (key, recipe) in Self.all() where !(recipe.schedule is TestSchedule) {
      let text = try recipe.canonical()
      #expect(try Recipe(canonical: text).canonical() == text, "\(key)")
    }
    for text in ["", "{}", "[]", "{\"version\":2}", "{\"version\":1,\"other\":3}", "{\"version\":1,\"loss\":{\"kind\":\"none\"}}"] {
      #expect(throws: Tree.Failure.self, "\(text)") { try Recipe(canonical: text) }
    }
  }

  /// Existing files contain these texts, so they must not change. New options may be added.
  @Test func goldenTexts() throws {
    #expect(try Recipe(phases: []).canonical() == #"{"version":1}"#)
    var recipe = Recipe(phases: [
      Phase(run: .steps(250)),
      Phase(
        run: .epochs(1.5), to: 8, by: .dilationAware, carry: .preserving, dataShare: 0.25, when: .init(plateau: 2, on: Metric(.mrr, 5)),
        freezeOld: .steps(40)),
      Phase(by: .adjacent, carry: .parts([.blocks, .norm], optimizer: true)),
    ])
    recipe.loss = SampledSoftmax(share: 0.2)
    recipe.optimizer = Adam(rate: 0.003, lazy: false)
    recipe.seed = 18_446_744_073_709_551_615
    recipe.ranking.candidates = .sampled(99, seed: 0)
    recipe.patience = 8
    #expect(
      try recipe.canonical()
        == #"{"candidates":{"sampled":99,"seed":0},"loss":{"kind":"sampled_softmax","share":0.2},"optimizer":{"kind":"adam","lazy":false,"lr":0.003},"patience":8,"phases":[{"run":{"steps":250}},{"by":"dilation_aware","carry":"preserving","data":0.25,"freeze_for":{"steps":40},"run":{"epochs":1.5},"to":8,"when":{"on":"mrr@5","plateau":2}},{"by":"adjacent","carry":["blocks","norm","optimizer"]}],"seed":18446744073709551615,"version":1}"#
    )
  }

  /// Fingerprints of models whose values do not depend on libraries of the machine.
  @Test func goldenFingerprints() throws {
    let model = Model(try NextItNet(.init(items: 5, dim: 2, blocks: 1, pads: .item)), seed: 7)
    for i in 0..<model.values.count { model.values[i] = Float(i) / 64 }
    let set = SequenceSet.fixed(length: 4, tokens: [1, 2, 3, 4, 0, 1, 2, 3], items: 5)
    let data = Split(train: set, valid: set, test: set, rule: "by hand")
    var recipe = Recipe(phases: [
      Phase(run: .steps(6)), Phase(run: .epochs(2), to: 2, by: .cross, when: .init(plateau: 1, on: Metric(.hr, 5)), freezeOld: .steps(3)),
    ])
    recipe.optimizer = Adam(rate: 1e-3, clip: 2)
    let identity = try TrainingIdentity(model, data, recipe)
    #expect(identity.fingerprint == "5de4754457826d7c")
    #expect(identity.legacyFingerprint == "ed5a440e80276641")
    recipe.schedule = TestSchedule(half: 1)
    #expect(try TrainingIdentity(model, data, recipe).legacyFingerprint == nil, "version 0.1 had one rate")
  }

  /// The learning rate is the optimizer's rate times the schedule's factor; the history records it.
  @Test func theScheduleScalesTheLearningRate() throws {
    let run = try TrainerTests.run([Phase(run: .steps(20))]) { $0.schedule = TestSchedule(half: 10) }
    #expect(run.history.map(\.rate) == [1e-3, 1e-3, 1e-3, 0.5e-3, 0.5e-3])
    let constant = try TrainerTests.run([Phase(run: .steps(20))])
    #expect(run.history[2].loss == constant.history[2].loss && run.history[4].loss != constant.history[4].loss)
  }
}
