import Datasets
import Interpreter
import Layers
import Models
import Syntax

extension Builtin {
  static let sasrec = Builtin(
    "sasrec",
    "SASRec (Kang and McAuley, ICDM 2018): each block has causal self-attention and a feed-forward layer. The output of each of the two is multiplied by a residual weight alpha, 0 at first, added to its input, and layer-normalised.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(sasrec(data, dim: 8, blocks: 2, heads: 2).depth)  #> 2
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, which gives the items")
    let dim = d.named("dim", .whole(from: 1, to: 4096), default: 64, "64", "width of embeddings and hidden states")
    let attention = AttentionArguments(&d, dropout: 0, "0")
    return { call in
      let split = (try call[data]).split
      let network = SASRec.Configuration(items: split.train.items.count, length: split.train.length, dim: try call[dim])
      return try attention.build(call, network, split)
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
    blocks = d.named("blocks", .whole(from: 1, to: 4096), default: 4, "4", "number of blocks")
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
