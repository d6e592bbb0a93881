import Datasets
import Foundation
import Growth
import Interpreter
import Kernels
import Layers
import ModelFiles
import Models
import Syntax
import Training

extension Builtin {
  static let models: [Builtin] = [nextitnet, grec] + attentionModels + recurrentModels + [stack, loadModel]

  static let nextitnet = Builtin(
    "nextitnet",
    "NextItNet (Yuan et al., WSDM 2019): residual blocks of two dilated causal convolutions, `out = x + alpha * y` with alpha 0 at first. The list of dilations repeats over the blocks.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(nextitnet(data, dim: 8, blocks: 2).depth)  #> 2
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, which gives the items")
    let stack = ConvolutionArguments(&d)
    return { call in
      let split = (try call[data]).split
      return try build(call, seed: try call[stack.seed], split) {
        try NextItNet(try stack.configuration(call, split))
      }
    }
  }

  static let grec = Builtin(
    "grec",
    "GRec (Yuan et al., WWW 2020), trained by filling gaps: a fifth of the items are masked and predicted. The mask is the pad, or <UNK> in protocol stackrec. `causal` uses NextItNet's blocks, as StackRec does. `encoder_decoder` is the published architecture: a bidirectional encoder, a projector and a causal decoder; encoder and decoder have `blocks` blocks each and grow together.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(grec(data, dim: 8, blocks: 2, architecture: encoder_decoder).depth)  #> 2
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, which gives the items")
    let architecture = d.named(
      "architecture", Kind<GRec.Architecture>.word, default: .causal, "causal", "as in StackRec (causal), or as published (encoder_decoder)"
    )
    let prediction = d.named(
      "prediction", Kind<GRec.Prediction>.word, default: .before, "before",
      "for causal: the output that predicts a masked item, at the position before it (as in the authors' code) or at its own position")
    let stack = ConvolutionArguments(&d)
    return { call in
      let split = (try call[data]).split
      if call.given(prediction), try call[architecture] != .causal {
        throw call.error(
          .badValue, "encoder_decoder predicts one position before a masked item, always", argument: "prediction", help: "leave it out")
      }
      return try build(call, seed: try call[stack.seed], split) {
        try GRec(
          .init(
            try call[architecture], try stack.configuration(call, split), prediction: try call[prediction],
            mask: split.train.unknownItem ?? 0))
      }
    }
  }

  /// The arguments that models with dilated convolutions share.
  private struct ConvolutionArguments: Sendable {
    let dim: Argument<Int>
    let blocks: Argument<Int>
    let dilations: Argument<[Int]>
    let kernel: Argument<Int>
    let alpha: Argument<Bool>
    let pads: PadsArgument
    let tie: Argument<Bool>
    let seed: Argument<Int?>

    init(_ d: inout Declaration) {
      dim = d.named("dim", .whole(from: 1, to: 4096), default: 64, "64", "width of embeddings and hidden states")
      blocks = d.named("blocks", .whole(from: 0, to: 4096), default: 4, "4", "number of residual blocks, two convolutions each")
      dilations = d.named(
        "dilations", Kind<Int>.whole(from: 1, to: 100_000).list, default: [1, 4], "[1, 4]",
        "dilation of the first convolution of each block; the second has twice that dilation")
      kernel = d.named("kernel", .whole(from: 2, to: 64), default: 3, "3", "kernel size of the convolutions")
      alpha = d.named("alpha", .bool, default: true, "true", "whether the blocks have residual weights alpha")
      pads = PadsArgument(&d)
      tie = d.named("tie", .bool, default: false, "false", "whether items are scored by the item embedding instead of an output layer")
      seed = d.optional("seed", .whole(from: 0), "seed of the initial parameters; default: the seed of the session (--seed)")
    }

    func configuration(_ call: Call, _ split: Split) throws -> NextItNet.Configuration {
      NextItNet.Configuration(
        items: split.train.items.count, dim: try call[dim], blocks: try call[blocks], dilations: try call[dilations],
        kernel: try call[kernel], alpha: try call[alpha], pads: try pads.value(call, split), tie: try call[tie])
    }
  }

  /// The argument of every model that says what it reads before the first item of a sequence.
  struct PadsArgument: Sendable {
    private let pads: Argument<Pads?>

    init(_ d: inout Declaration) {
      pads = d.optional(
        "pads", Kind<Pads>.word,
        "before the first item of a sequence: nothing (none), or the pad as an item with a trained embedding (item); default: none, in protocol stackrec item"
      )
    }

    func value(_ call: Call, _ split: Split) throws -> Pads {
      try call[pads] ?? (split.evaluation == .stackrec ? .item : .none)
    }
  }

  /// Creates a model with initial parameters.
  ///
  /// - Parameter seed: seed of the parameters; nil: the seed of the session.
  /// - Throws: an error if training would not fit in memory, and the errors of `make`.
  static func build(_ call: Call, seed: Int?, _ split: Split, _ make: () throws -> any Network) throws -> Value {
    let network = try call.engine(make)
    try checkMemory(call, network)
    let seed = UInt64(seed ?? call.interpreter.host.seed)
    let model = try call.cancellable { Model(network, seed: seed, pool: $0) }
    return .object(ModelValue(model, knowing: Vocabularies(split.train)))
  }

  /// Throws if training the network cannot fit in memory. Training keeps at least five arrays of the size of the
  /// parameters: the current, the best and the given ones, and two moments of the optimizer.
  static func checkMemory(_ call: Call, _ network: any Network) throws {
    try call.engine {
      try MemoryBudget.check(
        Double(network.layout.count) * 4 * 5, "training a model of \(NumberFormat.grouped(network.layout.count)) parameters")
    }
  }

  static let stack = Builtin(
    "stack",
    "Builds a deeper model whose blocks are copies of a trained model's blocks. The growth operator `by` chooses the source block of each new block; `carry` selects which parameters are carried over.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let deep = nextitnet(data, dim: 8, blocks: 2) |> stack(by: adjacent, to: 4)
      print(deep.depth)  #> 4
      """
  ) { d in
    let model = d.positional("model", .model, "the trained model, or a run")
    let by = d.named(
      "by", Kind<GrowthOperator>.word, default: .adjacent, "adjacent", "the growth operator, which chooses the source of each new block")
    let to = d.optional(
      "to", .whole(from: 1, to: 4096), "number of blocks of the new model; default: twice as many, or 2n - 2 for trimmed_seam")
    let carry = d.named(
      "carry", .carry, default: .all, "all",
      "which parameters are carried over: all; reference (as in the authors' code); preserving (the scores stay the same); or a list of parts"
    )
    return { call in
      let old = try call[model]
      let deeper = try call.engine {
        let operation = try call[by]
        return try old.model.network.withBlocks(try call[to] ?? max(1, operation.defaultDepth(from: old.model.network.depth)))
      }
      try checkMemory(call, deeper)
      let grown = try call.engine { try old.model.grown(by: try call[by], to: try call[to], carry: try call[carry]) }
      return .object(ModelValue(grown.model, plan: grown.plan, knowing: old.known))
    }
  }
}

extension Builtin {
  static let loadModel = Builtin(
    "load_model",
    "Reads a model saved by `save(model, \"x.safetensors\")`, with the names of its items. It can be evaluated, stacked and trained further on any data with the same items.",
    topic: "Models", returns: .object(ModelValue.type), effects: .reads,
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      save(nextitnet(data, dim: 8, blocks: 2), "out/model.safetensors")
      print(load_model("out/model.safetensors").depth)  #> 2
      """
  ) { d in
    let file = d.positional("file", .text, "path of the file")
    return { call in
      let path = try call.inputPath(try call[file])
      let read = try call.engine {
        try ModelFile.read(path)
      }
      return .object(ModelValue(read.model, knowing: read.known))
    }
  }
}

extension Kind where T == Carry {
  /// `reference`, `all`, `preserving`, or a list of parts.
  static var carry: Kind<Carry> {
    let whole = ["reference", "all", "preserving"]
    let parts = ["blocks", "norm", "alpha", "output", "optimizer"]
    return Kind(.oneOf(whole.map { .word($0) } + [.list(.any)]), words: whole, elementWords: parts) {
      value throws(ConversionError) in
      switch value {
      case .word(let word), .text(let word):
        switch word {
        case "reference": return .reference
        case "all": return .all
        case "preserving": return .preserving
        default: throw .word(word)
        }
      case .list(let elements):
        var chosen: Set<ParameterPart> = []
        var optimizer = false
        for element in elements {
          guard case .word(let word) = element.asWord else { throw .type }
          if word == "optimizer" {
            optimizer = true
          } else if parts.contains(word), let part = ParameterPart(rawValue: word) {
            chosen.insert(part)
          } else {
            throw .word(word)
          }
        }
        return .parts(chosen, optimizer: optimizer)
      default: throw .type
      }
    }
  }
}

extension Value {
  /// The value, with a text converted to a word.
  var asWord: Value {
    if case .text(let text) = self { return .word(text) }
    return self
  }
}
