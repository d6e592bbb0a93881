import Datasets
import Interpreter
import Layers
import Models
import Syntax

extension Builtin {
  static let sasrec = Builtin(
    "sasrec",
    "SASRec (Kang and McAuley, ICDM 2018): causal self-attention and a feed-forward layer in a block, each entering by a residual weight that is 0 at first, each closed by a layer normalisation.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(sasrec(data, dim: 8, blocks: 2, heads: 2).depth)  #> 2
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, for its items")
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
    "SSE-PT (Wu et al., RecSys 2020): SASRec on the user's and the item's embedding side by side. While training, the user and now and then an item are replaced by others (stochastic shared embeddings); the defaults are the reference code's.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(ssept(data, user_dim: 4, item_dim: 4, blocks: 2).dim)  #> 8
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, for its items and users")
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

/// The arguments of models with attention.
private struct AttentionArguments: Sendable {
  private let blocks: Builtin.Argument<Int>
  private let heads: Builtin.Argument<Int>
  private let dropout: Builtin.Argument<Double>
  private let alpha: Builtin.Argument<Bool>
  private let seed: Builtin.Argument<Int?>

  init(_ d: inout Builtin.Declaration, dropout rate: Double, _ text: String) {
    blocks = d.named("blocks", .whole(from: 1, to: 4096), default: 4, "4", "blocks of attention and feed-forward")
    heads = d.named("heads", .whole(from: 1, to: 256), default: 1, "1", "heads of the attention; they share the width")
    dropout = d.named("dropout", .share, default: rate, text, "share of the values that training leaves out")
    alpha = d.named("alpha", .bool, default: true, "true", "with residual weights")
    seed = d.optional("seed", .whole(from: 0), "seed of the parameters; left out: that of the session (--seed)")
  }

  func build(_ call: Builtin.Call, _ configuration: SASRec.Configuration, _ split: Split) throws -> Value {
    var configuration = configuration
    configuration.blocks = try call[blocks]
    configuration.heads = try call[heads]
    configuration.dropout = try call[dropout]
    configuration.alpha = try call[alpha]
    let network = configuration
    return try Builtin.build(call, seed: try call[seed], split) { try SASRec(network) }
  }
}
