import Datasets
import Interpreter
import Layers
import Models
import Syntax

extension Builtin {
  static let attentionModels = [sasrec, ssept, esasrec, hstu, bert4rec]

  static let sasrec = Builtin(
    "sasrec",
    "SASRec (Kang and McAuley, ICDM 2018): each block has causal self-attention and a feed-forward layer. By default it is StackRec's: the output of each of the two is multiplied by a residual weight alpha, 0 at first, added to its input, and layer-normalised. Presets: `sasrec_plus` (Klenitskiy and Vasilev, 2023) and `gsasrec` (Petrov and Macdonald, 2023); options that are given change them. A good start on data of shops and films: `sasrec(data, dropout: 0.2)`, trained with `optimizer: adam(lr: 2e-3), ema: 0.99`.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(sasrec(data, dim: 8, blocks: 2, heads: 2).depth)  #> 2
      print(sasrec(data, preset: sasrec_plus, dim: 8).depth)  #> 2
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, which gives the items")
    let preset = d.named(
      "preset", Kind<SASRecPreset>.word, default: .stackrec, "stackrec", "whose model: it sets the defaults of all other options")
    let dim = d.optional(
      "dim", .whole(from: 1, to: 4096), "width of embeddings and hidden states; default: 64, gsasrec 128")
    let blocks = d.optional("blocks", .whole(from: 0, to: 4096), "number of blocks; default: 4, sasrec_plus and gsasrec 2")
    let heads = d.named("heads", .whole(from: 1, to: 256), default: 1, "1", "number of attention heads; it must divide the width")
    let dropout = d.optional("dropout", .share, "dropout rate; default: 0, sasrec_plus 0.1, gsasrec 0.5")
    let alpha = d.optional(
      "alpha", .bool, "whether the blocks have residual weights alpha; only for StackRec's model, where it is true by default")
    let pads = PadsArgument(&d)
    let norm = d.optional(
      "norm", Kind<SASRecNorm>.word,
      "where a block normalises: after each half (post), before it (pre), or before it and adding to the normalised value (query); default: post, in the other presets query"
    )
    let inner = d.optional("ff_dim", .whole(from: 1, to: 65_536), "width of the feed-forward layer; default: dim")
    let projection = d.optional(
      "projection", .bool, "whether attention has an output projection; default: true with pre and query, but not in gsasrec")
    let scale = d.optional(
      "scale", .bool, "whether the item embedding is multiplied by sqrt(dim); default: as projection")
    let tie = d.optional(
      "tie", .bool, "whether items are scored by the item embedding instead of an output layer; default: as projection")
    let initial = d.optional(
      "init", Kind<Initialisation>.word,
      "initial values: linear layers of PyTorch, normal 0.02, or Xavier; default: pytorch, with pre and query normal, in gsasrec pytorch")
    let deviation = d.optional(
      "embedding_std", Kind<Double>.number.checked { $0 > 0 && $0 < 1e3 ? nil : "must be above 0" },
      "standard deviation of the initial embeddings; default: that of init, in gsasrec 1")
    let seed = d.optional("seed", .whole(from: 0), "seed of the initial parameters; default: the seed of the session (--seed)")
    return { call in
      let split = (try call[data]).split
      let chosen = try call[preset]
      let isOwn = chosen != .stackrec
      var network = SASRec.Configuration(
        items: split.train.items.count, length: split.train.length,
        dim: try call[dim] ?? (chosen == .gsasrec ? 128 : 64), blocks: try call[blocks] ?? (isOwn ? 2 : 4), heads: try call[heads],
        dropout: try call[dropout] ?? chosen.dropout, pads: try pads.value(call, split))
      let form = try call[norm]
      let others = [
        call.given(norm), call.given(inner), call.given(projection), call.given(scale), call.given(tie), call.given(initial),
        call.given(deviation),
      ]
      if isOwn || others.contains(true) {
        let width = network.dim
        var variant: SASRec.Variant =
          switch (chosen, form) {
          case (.gsasrec, _): .gSASRec(width)
          case (.stackrec, .post?), (.stackrec, nil): .post(width)
          case (_, .pre?): .pre(width)
          default: .sasRecPlus(width)
          }
        variant.form = form?.form ?? variant.form
        variant.inner = try call[inner] ?? variant.inner
        variant.isProjected = try call[projection] ?? variant.isProjected
        variant.isScaled = try call[scale] ?? variant.isScaled
        variant.isTied = try call[tie] ?? variant.isTied
        variant.initial = try call[initial] ?? variant.initial
        variant.embeddingDeviation = try call[deviation] ?? variant.embeddingDeviation
        network.variant = variant
      }
      if network.variant != nil, try call[alpha] == true {
        throw call.error(
          .badValue, "only StackRec's SASRec has residual weights", argument: "alpha",
          help: "leave alpha out, or the options of other models")
      }
      network.alpha = network.variant == nil ? try call[alpha] ?? true : false
      let configuration = network
      return try Builtin.build(call, seed: try call[seed], split) { try SASRec(configuration) }
    }
  }

  static let esasrec = Builtin(
    "esasrec",
    "eSASRec (Tikhonovich et al., RecSys 2025): SASRec with gated pre-norm blocks (LiGR) and a SwiGLU feed-forward layer, scored by the item embedding. The authors train it with sampled softmax, 256 negatives of every position.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(esasrec(data, dim: 8, blocks: 2).depth)  #> 2
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, which gives the items")
    let dim = d.named("dim", .whole(from: 1, to: 4096), default: 64, "64", "width of embeddings and hidden states")
    let blocks = d.named("blocks", .whole(from: 0, to: 4096), default: 2, "2", "number of blocks")
    let heads = d.named("heads", .whole(from: 1, to: 256), default: 1, "1", "number of attention heads; it must divide the width")
    let dropout = d.named("dropout", .share, default: 0.1, "0.1", "dropout rate")
    let inner = d.optional("ff_dim", .whole(from: 1, to: 65_536), "width of the feed-forward layer; default: 4 times dim")
    let pads = PadsArgument(&d)
    let seed = d.optional("seed", .whole(from: 0), "seed of the initial parameters; default: the seed of the session (--seed)")
    return { call in
      let split = (try call[data]).split
      let width = try call[dim]
      var variant = SASRec.Variant.eSASRec(width)
      variant.inner = try call[inner] ?? variant.inner
      let configuration = SASRec.Configuration(
        items: split.train.items.count, length: split.train.length, dim: width, blocks: try call[blocks], heads: try call[heads],
        dropout: try call[dropout], alpha: false, variant: variant, pads: try pads.value(call, split))
      return try Builtin.build(call, seed: try call[seed], split) { try SASRec(configuration) }
    }
  }

  /// Whether a model reads times, as a word.
  private enum EventTimes: String, Sendable, CaseIterable {
    case none, history, target

    var reference: TimeReference? { TimeReference(rawValue: rawValue) }
  }

  static let hstu = Builtin(
    "hstu",
    "HSTU (Zhai et al., ICML 2024): attention without a softmax, with a bias of the distance between positions, and gates instead of feed-forward layers. Items are scored by the cosine with the item embedding. The authors train it with sampled softmax, 128 negatives of every position. With `time` the scores also have a bias of the interval between two events; such a model needs data with times wherever it is used, so it cannot be fine-tuned on target data, which has none.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(hstu(data, dim: 8, blocks: 2).depth)  #> 2
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, which gives the items")
    let dim = d.named("dim", .whole(from: 1, to: 4096), default: 50, "50", "width of embeddings and hidden states")
    let blocks = d.named("blocks", .whole(from: 0, to: 4096), default: 2, "2", "number of blocks")
    let heads = d.named("heads", .whole(from: 1, to: 256), default: 1, "1", "number of attention heads; it must divide the width")
    let dropout = d.named("dropout", .share, default: 0.2, "0.2", "dropout rate")
    let temperature = d.named(
      "temperature", Kind<Double>.number.checked { $0 > 0 && $0 < 1e3 ? nil : "must be above 0" }, default: 0.05, "0.05",
      "what the cosines are divided by")
    let time = d.named(
      "time", Kind<EventTimes>.word, default: .none, "none",
      "from which event intervals are measured: the last one that is read (history), or the one to predict (target), as in the published code, which so reads when the target happens; needs data with times"
    )
    let pads = PadsArgument(&d)
    let seed = d.optional("seed", .whole(from: 0), "seed of the initial parameters; default: the seed of the session (--seed)")
    return { call in
      let split = (try call[data]).split
      let reference = try call[time].reference
      if reference != nil, !split.train.hasTimes {
        throw call.error(
          .badValue, "this data has no times", argument: "time", help: "load data with times, or remove `time`")
      }
      let configuration = HSTU.Configuration(
        items: split.train.items.count, length: split.train.length, dim: try call[dim], blocks: try call[blocks],
        heads: try call[heads], dropout: try call[dropout], temperature: try call[temperature], pads: try pads.value(call, split),
        time: reference)
      return try Builtin.build(call, seed: try call[seed], split) { try HSTU(configuration) }
    }
  }

  static let bert4rec = Builtin(
    "bert4rec",
    "BERT4Rec (Sun et al., CIKM 2019): attention to both sides, trained by filling gaps: a fifth of the items are masked and predicted. At test the last item is masked. Items are scored by the item embedding.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(bert4rec(data, dim: 8, blocks: 2).depth)  #> 2
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, which gives the items")
    let dim = d.named("dim", .whole(from: 1, to: 4096), default: 64, "64", "width of embeddings and hidden states")
    let blocks = d.named("blocks", .whole(from: 0, to: 4096), default: 2, "2", "number of blocks")
    let heads = d.named("heads", .whole(from: 1, to: 256), default: 2, "2", "number of attention heads; it must divide the width")
    let dropout = d.named("dropout", .share, default: 0.1, "0.1", "dropout rate")
    let widening = d.named("widening", .whole(from: 1, to: 16), default: 4, "4", "width of the feed-forward layer, as a multiple of dim")
    let pads = PadsArgument(&d)
    let seed = d.optional("seed", .whole(from: 0), "seed of the initial parameters; default: the seed of the session (--seed)")
    return { call in
      let split = (try call[data]).split
      let configuration = BERT4Rec.Configuration(
        items: split.train.items.count, length: split.train.length, dim: try call[dim], blocks: try call[blocks],
        heads: try call[heads], dropout: try call[dropout], widening: try call[widening], pads: try pads.value(call, split))
      return try Builtin.build(call, seed: try call[seed], split) { try BERT4Rec(configuration) }
    }
  }

  /// Whose SASRec.
  enum SASRecPreset: String, Sendable, CaseIterable {
    case stackrec
    case sasrecPlus = "sasrec_plus"
    case gsasrec

    var dropout: Double {
      switch self {
      case .stackrec: 0
      case .sasrecPlus: 0.1
      case .gsasrec: 0.5
      }
    }
  }

  /// Where a block of SASRec normalises.
  enum SASRecNorm: String, Sendable, CaseIterable {
    case post, pre, query

    var form: TransformerBlock.Form {
      switch self {
      case .post: .post
      case .pre: .pre
      case .query: .query
      }
    }
  }

  static let ssept = Builtin(
    "ssept",
    "SSE-PT (Wu et al., RecSys 2020): SASRec on concatenated user and item embeddings. During training, users and items are replaced by random ones with given probabilities (stochastic shared embeddings). The defaults are those of the reference code.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(ssept(data, user_dim: 4, item_dim: 4, blocks: 2).dim)  #> 8
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, which gives the items and users")
    let userDim = d.named("user_dim", .whole(from: 1, to: 4096), default: 64, "64", "width of the user embedding")
    let itemDim = d.named("item_dim", .whole(from: 1, to: 4096), default: 64, "64", "width of the item embedding")
    let swapUser = d.named("swap_user", .share, default: 0.8, "80%", "probability that a sequence's user is replaced")
    let swapItem = d.named("swap_item", .share, default: 0.01, "1%", "probability that an input item is replaced")
    let attention = AttentionArguments(&d, dropout: 0.2, "0.2")
    return { call in
      let split = (try call[data]).split
      guard split.train.hasUsers else {
        throw call.error(
          .model, "ssept learns an embedding of every user, and this data does not name its users", argument: "data",
          help: "load data with users (a table, or MovieLens ratings), or use sasrec")
      }
      var network = SASRec.Configuration(items: split.train.items.count, length: split.train.length, dim: try call[itemDim])
      network.users = .init(
        count: split.train.userNames.count, dim: try call[userDim],
        sharing: .init(user: try call[swapUser], item: try call[swapItem]))
      return try attention.build(call, network, split)
    }
  }
}

/// The arguments that models with attention share.
private struct AttentionArguments: Sendable {
  private let blocks: Builtin.Argument<Int>
  private let heads: Builtin.Argument<Int>
  private let dropout: Builtin.Argument<Double>
  private let alpha: Builtin.Argument<Bool>
  private let pads: Builtin.PadsArgument
  private let seed: Builtin.Argument<Int?>

  init(_ d: inout Builtin.Declaration, dropout rate: Double, _ text: String) {
    blocks = d.named("blocks", .whole(from: 0, to: 4096), default: 4, "4", "number of blocks")
    heads = d.named("heads", .whole(from: 1, to: 256), default: 1, "1", "number of attention heads; it must divide the width")
    dropout = d.named("dropout", .share, default: rate, text, "dropout rate")
    alpha = d.named("alpha", .bool, default: true, "true", "whether the blocks have residual weights alpha")
    pads = Builtin.PadsArgument(&d)
    seed = d.optional("seed", .whole(from: 0), "seed of the initial parameters; default: the seed of the session (--seed)")
  }

  func build(_ call: Builtin.Call, _ configuration: SASRec.Configuration, _ split: Split) throws -> Value {
    var configuration = configuration
    configuration.blocks = try call[blocks]
    configuration.heads = try call[heads]
    configuration.dropout = try call[dropout]
    configuration.alpha = try call[alpha]
    configuration.pads = try pads.value(call, split)
    let network = configuration
    return try Builtin.build(call, seed: try call[seed], split) { try SASRec(network) }
  }
}
