// The engine without the language: trains a shallow NextItNet, stacks it, continues the training, and evaluates it.
//
//     swift run -c release stack-in-swift [ratings.dat]

import StackRec

/// Prints the progress.
struct Narrator: TrainingObserver {
  var shouldStop: Bool { false }
  func stepped(_ progress: TrainingProgress) {}
  func evaluated(_ progress: TrainingProgress, _ point: HistoryPoint) {
    print("step \(point.step), \(point.blocks) blocks: MRR@5 \(point.metrics[Metric(.mrr, 5)] ?? 0)")
  }
  func grew(_ mark: GrowthMark, name: String) { print("stacked \(mark.from) -> \(mark.to) blocks") }
}

let pool = WorkerPool(threads: 2)
let histories =
  CommandLine.arguments.count > 1
  ? try Histories.read(CommandLine.arguments[1], ReadingOptions(pool: pool)).histories
  : try SyntheticProcess.histories(users: 1000, items: 300, seed: 7)
let data = try histories.filtered(minUser: 5, minItem: 5).windows(length: 20).split(train: 0.8, valid: 0.1, test: 0.1, seed: 10)

let network = try NextItNet(.init(items: data.train.items.count, dim: 32, blocks: 2))
var recipe = Recipe(phases: [
  Phase(run: .steps(100)),
  Phase(run: .steps(100), to: 4, by: .adjacent, carry: .preserving),
])
recipe.batch = 128
recipe.evaluateEvery = .steps(50)

let run = try Trainer(recipe, data: data, pool: pool, observer: Narrator()).run(Model(network, seed: 1))

let metric = Metric(.mrr, 5)
let stacked = metric.mean(Ranking.ranks(run.model, on: data.test, pool: pool))
let markov = metric.mean(Ranking.ranks(Baseline(.markov, train: data.train), on: data.test, pool: pool))
print("test MRR@5: \(stacked), first-order Markov \(markov)")
