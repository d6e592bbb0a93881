import Datasets
import Evaluation
import Foundation
import Interpreter
import Layers
import ModelFiles
import Syntax
import Training

/// The data of the transfer task: source histories, each with a target item from another vocabulary.
final class TargetValue: ObjectValue {
  static let type = ObjectType(
    "a target data set",
    members: [
      ("train", .object(SequencesValue.type), "the samples to fine-tune on"),
      ("valid", .object(SequencesValue.type), "the samples by which the best parameters are chosen"),
      ("test", .object(SequencesValue.type), "the samples for the final evaluation"), ("items", .number, "number of target items"),
    ])

  let split: Split
  /// The number of target items, without padding.
  private let count: Int

  init(_ split: Split) {
    self.split = split
    count = split.train.rankedItems.count - 1
  }

  func member(_ name: String) -> Value? {
    switch name {
    case "train": .object(SequencesValue(split.train, split: split, part: "train"))
    case "valid": .object(SequencesValue(split.valid, split: split, part: "validation"))
    case "test": .object(SequencesValue(split.test, split: split, part: "test"))
    case "items": .number(Double(count))
    default: nil
    }
  }

  var summary: String {
    "target: \(NumberFormat.grouped(split.train.count)) train, \(NumberFormat.grouped(split.valid.count)) validation, \(NumberFormat.grouped(split.test.count)) test samples, \(NumberFormat.grouped(count)) items"
  }
}

extension Builtin {
  static let loadTarget = Builtin(
    "load_target",
    "Reads a data set of the transfer task. A line has the source items of a user, an empty field, and target items: `item,item,...,,target[,target...]`. Every target is one sample; all samples of a line are in the same part of the split.",
    topic: "Data", returns: .object(TargetValue.type), effects: .reads,
    example: """
      write("i1,i2,,a\\ni2,i1,i3,,b,a\\ni3,,c\\ni2,i3,,a\\n", "out/target.csv")
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(load_target("out/target.csv", data, train: 40%, valid: 30%, test: 30%).items)  #> 3
      """
  ) { d in
    let file = d.positional("file", .text, "path of the file")
    let source = d.positional("data", Kind<SplitValue>.object, "the data that the model was pre-trained on")
    let userFirst = d.named("user_first", .bool, default: false, "false", "whether every line begins with a user of the source data")
    let shares = TargetShares(&d)
    return { call in
      let path = try call.inputPath(try call[file])
      let source = (try call[source]).split.train
      let isUserFirst = try call[userFirst]
      let read = try call.withProgress("reading \(path)", "lines") {
        try SequenceSet.readTarget(path, source: source, userFirst: isUserFirst, watch: $0)
      }
      for note in read.notes { call.interpreter.host.note(note) }
      return try shares.split(call, read.set)
    }
  }

  static let syntheticTarget = Builtin(
    "synthetic_target",
    "Generates a target data set for the transfer task: each sequence of `data` gets one of `items` new items, most often from the group that its last ten items indicate. By default only half of the sequences are used, because target data is scarce in practice.",
    topic: "Data", returns: .object(TargetValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(synthetic_target(data, items: 20, seed: 3).items)  #> 20
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the source data")
    let items = d.named("items", .whole(from: 2, to: 10_000_000), default: 200, "200", "number of target items")
    let users = d.named("users", .share, default: 0.5, "50%", "share of the sequences that get a target")
    let shares = TargetShares(&d)
    return { call in
      let split = (try call[data]).split
      let share = try call[users]
      guard share > 0 else { throw call.error(.badValue, "a share of 0% leaves no samples", argument: "users") }
      let sources = split.evaluation == .stackrec ? [split.train, split.test] : [split.train, split.valid, split.test]
      let set = try call.engine {
        try SequenceSet.syntheticTarget(
          sources.map { $0.fraction(share) }, items: try call[items], seed: try shares.seed(call), isCancelled: call.isCancelled)
      }
      try call.work.checkInterrupt()
      return try shares.split(call, set)
    }
  }

  /// The shares and the seed of a target data set's split.
  private struct TargetShares: Sendable {
    private let train: Argument<Double>
    private let valid: Argument<Double>
    private let test: Argument<Double>
    private let seedArgument: Argument<Int>

    init(_ d: inout Declaration) {
      train = d.named("train", .share, default: 0.8, "80%", "share of the training part")
      valid = d.named("valid", .share, default: 0.1, "10%", "share of the validation part")
      test = d.named("test", .share, default: 0.1, "10%", "share of the test part")
      seedArgument = d.named("seed", .whole(from: 0), default: 0, "0", "seed of the random numbers")
    }

    func seed(_ call: Call) throws -> UInt64 { UInt64(try call[seedArgument]) }

    func split(_ call: Call, _ set: SequenceSet) throws -> Value {
      guard set.rankedItems.count > 2 else {
        throw call.error(.data, "there is only one target item; ranking needs at least two")
      }
      let parts = try call.engine {
        try set.split(train: try call[train], valid: try call[valid], test: try call[test], seed: try seed(call))
      }
      return .object(TargetValue(parts))
    }
  }

  static let finetune = Builtin(
    "finetune",
    "Fine-tunes a trained model on a target data set (the transfer task). New embeddings of the target items replace the output layer. The score of an item is the dot product of its embedding and the last hidden state h. The loss is pairwise logistic with one uniform negative, -log sigmoid(h e_p) - log(1 - sigmoid(h e_n)), plus an L2 penalty on the two target embeddings.",
    topic: "Training", returns: .object(RunValue.type),
    example: """
      let data = synthetic(users: 60, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let target = synthetic_target(data, items: 20, seed: 3)
      let run = nextitnet(data, dim: 8, blocks: 1, seed: 1) |> finetune(target, batch: 32, run: 4steps, eval_every: 2steps)
      print(run.steps)  #> 4
      """
  ) { d in
    let model = d.positional("model", .model, "the pre-trained model, or a run")
    let target = d.positional("target", Kind<TargetValue>.object, "the target data set")
    let run = d.optional("run", .extent, "how long: steps, epochs or a time; default: until `stop` ends it")
    let l2 = d.named(
      "l2", Kind<Double>.number.checked { $0 >= 0 && $0 < 1e6 ? nil : "must not be negative, nor above 1e6" },
      default: 0.02, "0.02", "coefficient of the penalty: l2 / 2 times the squared norms of the two embeddings of a sample")
    let over = d.named(
      "l2_over", Kind<Pairwise.Penalised>.word, default: .samples, "samples",
      "what the penalty applies to: the two embeddings of each sample (samples), or once per batch all target embeddings, as in the authors' code (all)"
    )
    let rank = d.named(
      "rank",
      Kind<RankingCandidates>.setting.orWords({ $0 == "all" ? .all : nil }, ["all"]),
      default: .sampled(99, seed: 0), "sampled(99)", "the candidates that a validation target is ranked among: all, or sampled(n)")
    let arguments = TrainingArguments(&d, transfer: true)
    return { call in
      let source = try call[model]
      let split = (try call[target]).split
      var recipe = try arguments.recipe(call, split, source.model.network)
      recipe.loss = Pairwise(l2: try call[l2], over: try call[over])
      recipe.ranking.candidates = try call[rank]
      let length = try call[run]
      recipe.phases = [Phase(run: length)]
      if length == nil && recipe.patience == nil {
        throw call.error(
          .missingArgument, "this training has no end", help: "give run: 1000steps, or stop: patience(8, on: mrr@5)")
      }
      guard source.known.items == split.train.items else {
        throw call.error(
          .training, "the items of the model are not the items in the histories of this target data set", argument: "target",
          help: "create the target data set from the data that the model was trained on")
      }
      if source.model.network.embedsUsers, source.known.users != split.train.userNames {
        throw call.error(
          .model, "\(source.model.network.kind) embeds the users of the source data, and this target data set does not name them",
          argument: "target",
          help: "load_target(..., user_first: true) reads a file that names them")
      }
      let seed = recipe.seed
      let fresh = try call.engine { try source.model.retargeted(split.train.rankedItems.count, seed: seed) }
      return try start(
        call, "finetune", arguments, ModelValue(fresh, knowing: Vocabularies(split.train)), split, recipe)
    }
  }

  static let sampled = Builtin(
    "sampled",
    "Candidates for ranking: the target and a number of items drawn uniformly, the same for every model, instead of all items. It is meant for the transfer task, as in the paper. Sampled metrics cannot be compared with those of full rankings.",
    topic: "Evaluation", returns: .object(RankingCandidates.type), example: "let rank = sampled(99)"
  ) { d in
    let count = d.positional("items", .whole(from: 1), "number of items besides the target")
    let seed = d.named("seed", .whole(from: 0), default: 0, "0", "seed of the draw")
    return { call in
      let number = try call[count]
      return .object(
        SettingValue(RankingCandidates.sampled(number, seed: UInt64(try call[seed])), "sampled(\(number))"))
    }
  }
}
