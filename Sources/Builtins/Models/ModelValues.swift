import Datasets
import Foundation
import Growth
import Interpreter
import Layers
import ModelFiles
import Training

/// A model with its parameters.
final class ModelValue: ObjectValue {
  static let type = ObjectType(
    "a model",
    members: [
      ("blocks", .list(.text), "a text for each block that names its type and options"), ("depth", .number, "number of blocks"),
      ("dim", .number, "width of its hidden states"), ("parameters", .number, "number of trainable parameters"),
      ("kind", .text, "the function that creates such models"),
    ])

  let model: Model
  /// For a stacked model: the source of each block and parameter.
  let plan: GrowthPlan?
  let known: Vocabularies
  /// The length of the sequences that it was trained on, if known.
  let length: Int?

  init(_ model: Model, plan: GrowthPlan? = nil, knowing known: Vocabularies, length: Int? = nil) {
    self.length = length
    self.model = model
    self.plan = plan
    self.known = known
  }

  /// The model with its items and users renumbered, by name, to those of `set`. Returns the model itself where no
  /// renumbering is needed or possible.
  func fitted(to set: SequenceSet) -> ModelValue {
    guard let other = model.reordered(known, for: set) else { return self }
    return ModelValue(other.model, plan: plan, knowing: other.known, length: length)
  }

  func member(_ name: String) -> Value? {
    let network = model.network
    switch name {
    case "blocks": return .list((network.stacks.first?.blocks ?? []).map { .text($0.signature) })
    case "depth": return .number(Double(network.depth))
    case "dim": return .number(Double(network.width))
    case "parameters": return .number(Double(network.layout.count))
    case "kind": return .text(network.kind)
    default: return nil
    }
  }

  var summary: String {
    "\(model.network.kind), \(NumberFormat.count(model.network.depth, "block")), \(NumberFormat.grouped(model.network.layout.count)) parameters"
  }

  var display: String {
    let network = model.network
    var lines = ["\(network.kind)(\(network.options.map { "\($0.name): \($0.value)" }.joined(separator: ", ")))"]
    var rows: [[String]] = [["part", "shape", "parameters"]]
    for parameter in network.layout.parameters where parameter.block == nil {
      rows.append([parameter.name, Self.shape(parameter.shape), NumberFormat.grouped(parameter.count)])
    }
    for stack in network.stacks {
      let inside = network.layout.parameters.filter { $0.block?.stack == stack.name }
      let first = inside.filter { $0.block?.index == 0 }
      for parameter in first {
        rows.append([
          "\(stack.name).*.\(parameter.block?.local ?? "")", "\(stack.count) x \(Self.shape(parameter.shape))",
          NumberFormat.grouped(parameter.count * stack.count),
        ])
      }
    }
    rows.append(["all", "", "\(NumberFormat.grouped(network.layout.count)) (\(Self.megabytes(4 * network.layout.count)))"])
    lines += TextTable.aligned(rows, right: [2]).map { "  " + $0 }
    if let plan {
      lines.append("  grown by \(plan.operation.rawValue), carry \(plan.carry.name):")
      let sources = plan.sources.enumerated().map { index, source -> String in
        switch source {
        case .fresh: return "\(index): fresh"
        case .copy(let old): return "\(index): \(old)" + (plan.carry.preserving && !plan.kept[index] ? " (silent)" : "")
        }
      }
      lines.append("  new block: old block   " + sources.joined(separator: ", "))
      lines += Self.origins(plan)
    }
    return lines.joined(separator: "\n")
  }

  /// For each parameter of a grown model, a line that says how it was initialised: copied, constant or newly drawn. The
  /// parameters of the same name in all blocks share a line.
  private static func origins(_ plan: GrowthPlan) -> [String] {
    var order: [String] = []
    var groups: [String: [GrowthPlan.Step]] = [:]
    for step in plan.steps {
      let name = step.target.block.map { "\($0.stack).*.\($0.local)" } ?? step.target.name
      if groups[name] == nil { order.append(name) }
      groups[name, default: []].append(step)
    }
    let rows = order.map { name -> [String] in
      let steps = groups[name] ?? []
      let copied = steps.count { $0.source != nil }
      let (zero, one) = (steps.count { $0.constant == 0 }, steps.count { $0.constant == 1 })
      let counts = [(copied, "copied"), (zero, "set to 0"), (one, "set to 1"), (steps.count - copied - zero - one, "fresh")]
      let present = counts.filter { $0.0 > 0 }
      return [name, present.count == 1 ? present[0].1 : present.map { "\($0.0) \($0.1)" }.joined(separator: ", ")]
    }
    return TextTable.aligned(rows, right: []).map { "  " + $0 }
  }

  static func shape(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: " x ") }
  static func megabytes(_ bytes: Int) -> String {
    bytes < 1 << 20 ? "\((bytes + 512) >> 10) KB" : NumberFormat.fixed(Double(bytes) / 1_048_576, digits: 1) + " MB"
  }
}

extension Kind where T == ModelValue {
  /// A model, or a run, which is converted to its model.
  static var model: Kind<ModelValue> {
    Kind(.object(ModelValue.type)) { value throws(ConversionError) in
      guard case .object(let object) = value else { throw .type }
      if let model = object as? ModelValue { return model }
      if let run = object as? RunValue { return run.modelValue }
      throw .type
    }
  }
}
