import Datasets
import Interpreter
import Layers
import Models

extension Builtin {
  static let recurrentModels = [gru4rec]

  static let gru4rec = Builtin(
    "gru4rec",
    "GRU4Rec (Hidasi et al., ICLR 2016) on whole sequences: layers of gated recurrent units over the item embeddings, which also score the items. The authors' own code trains in parallel sessions.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(gru4rec(data, dim: 8).depth)  #> 1
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, which gives the items")
    let dim = d.named("dim", .whole(from: 1, to: 4096), default: 64, "64", "width of embeddings and hidden states")
    let blocks = d.named("blocks", .whole(from: 0, to: 4096), default: 1, "1", "number of layers")
    let dropout = d.named("dropout", .share, default: 0, "0", "dropout rate of the input")
    let pads = PadsArgument(&d)
    let seed = d.optional("seed", .whole(from: 0), "seed of the initial parameters; default: the seed of the session (--seed)")
    return { call in
      let split = (try call[data]).split
      let configuration = GRU4Rec.Configuration(
        items: split.train.items.count, dim: try call[dim], blocks: try call[blocks], dropout: try call[dropout],
        pads: try pads.value(call, split))
      return try build(call, seed: try call[seed], split) { try GRU4Rec(configuration) }
    }
  }
}
