import StackRec

/// Ignores all events and never stops the training.
struct Silent: TrainingObserver {
  var shouldStop: Bool { false }
  func stepped(_ progress: TrainingProgress) {}
  func evaluated(_ progress: TrainingProgress, _ point: HistoryPoint) {}
  func grew(_ mark: GrowthMark, name: String) {}
}

let pool = WorkerPool(threads: 2)
let data = try SyntheticProcess.histories(users: 200, items: 100, seed: 7).windows(length: 12)
  .split(train: 0.8, valid: 0.1, test: 0.1, seed: 1)
var recipe = Recipe(phases: [Phase(run: .steps(20)), Phase(run: .steps(20), to: 4, by: .cross, carry: .preserving)])
recipe.batch = 32
recipe.optimizer = Adam(rate: 3e-3)
recipe.loss = SampledSoftmax(share: 0.2)

let network = try SASRec(.init(items: data.train.items.count, length: 12, dim: 16, blocks: 2))
let run = try Trainer(recipe, data: data, pool: pool, observer: Silent()).run(Model(network, seed: 1))
let metric = Metric(.ndcg, 10)
print("\(run.model.network.depth) blocks, \(metric.title) \(metric.mean(Ranking.ranks(run.model, on: data.test, pool: pool)))")
