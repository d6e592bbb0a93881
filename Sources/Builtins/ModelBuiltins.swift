import Foundation
import Growth
import Interpreter
import Layers
import Models
import Syntax
import Training

extension Builtin {
  static let models: [Builtin] = [nextitnet, stack]

  static let nextitnet = Builtin(
    "nextitnet",
    "NextItNet (Yuan et al., WSDM 2019): dilated causal convolutions, two in a residual block, `out = x + alpha * y` with alpha 0 at first. The dilations are repeated over the blocks.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(nextitnet(data, dim: 8, blocks: 2).depth)  #> 2
      """
  ) { d in
    let data = d.positional("data", Kind<SplitValue>.object, "the data set, for its items")
    let dim = d.named("dim", .whole(from: 1, to: 4096), default: 64, "64", "width of embeddings and hidden states")
    let blocks = d.named("blocks", .whole(from: 1, to: 4096), default: 4, "4", "residual blocks, two convolutions each")
    let dilations = d.named(
      "dilations", Kind<Int>.whole(from: 1, to: 100_000).list, default: [1, 4], "[1, 4]",
      "dilation of each block's first convolution; the second has twice that")
    let kernel = d.named("kernel", .whole(from: 2, to: 64), default: 3, "3", "taps of a convolution")
    let alpha = d.named("alpha", .bool, default: true, "true", "with residual weights")
    let seed = d.optional("seed", .whole(from: 0), "seed of the parameters; left out: that of the session (--seed)")
    return { call in
      let split = (try call[data]).split
      let configuration = NextItNet.Configuration(
        items: split.train.items.count, dim: try call[dim], blocks: try call[blocks], dilations: try call[dilations],
        kernel: try call[kernel], alpha: try call[alpha])
      let seed = UInt64(try call[seed] ?? call.interpreter.host.seed)
      return .object(ModelValue(try build(call, seed: seed) { try NextItNet(configuration) }))
    }
  }

  /// A fresh model, if there is memory for it: parameters, gradients and the optimizer's moments.
  static func build(_ call: Call, seed: UInt64, _ make: () throws -> any Network) throws -> Model {
    try call.engine {
      let network = try make()
      let needed = network.layout.count * 4 * 5
      let present = Int(ProcessInfo.processInfo.physicalMemory)
      guard needed < present else {
        throw call.error(
          .model,
          "this model has \(NumberFormat.grouped(network.layout.count)) parameters; training it needs \(ModelValue.megabytes(needed)), this machine has \(ModelValue.megabytes(present))",
          argument: "blocks", help: "lower `blocks` or `dim`")
      }
      return Model(network, seed: seed)
    }
  }

  static let stack = Builtin(
    "stack",
    "A deeper model whose blocks are copies of a trained one's. `by` says which new block comes from which old one, `carry` what comes along besides.",
    topic: "Models", returns: .object(ModelValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      let deep = nextitnet(data, dim: 8, blocks: 2) |> stack(by: adjacent, to: 4)
      print(deep.depth)  #> 4
      """
  ) { d in
    let model = d.positional("model", .model, "the trained model, or a run")
    let by = d.named("by", Kind<GrowthOperator>.word, default: .adjacent, "adjacent", "where blocks come from")
    let to = d.optional("to", .whole(from: 1, to: 4096), "depth of the new model; left out: twice as deep")
    let carry = d.named(
      "carry", .carry, default: .all, "all", "what is carried over: everything; what the authors' code does; or so that the scores stay")
    return { call in
      let old = try call[model]
      let grown = try call.engine { try old.grown(by: try call[by], to: try call[to], carry: try call[carry]) }
      return .object(ModelValue(grown.model, plan: grown.plan))
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
  /// A text where a word will do.
  var asWord: Value {
    if case .text(let text) = self { return .word(text) }
    return self
  }
}
