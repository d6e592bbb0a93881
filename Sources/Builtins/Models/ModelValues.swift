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
      ("blocks", .list(.text), "its blocks, by what each computes"), ("depth", .number, "how many blocks"),
      ("dim", .number, "width of its hidden states"), ("parameters", .number, "how many numbers it learns"),
      ("kind", .text, "the function that makes such models"),
    ])

  let model: Model
  /// Where its blocks came from, for a stacked one.
  let plan: GrowthPlan?
  let known: Vocabularies
  /// Items in the sequences it was trained on, where that is known.
  let length: Int?

  init(_ model: Model, plan: GrowthPlan? = nil, knowing known: Vocabularies, length: Int? = nil) {
    self.length = length
    self.model = model
    self.plan = plan
    self.known = known
  }

  /// The model for sequences of the same items in another order, as other data of the same shop has them: mapped by name.
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
    "\(model.network.kind), \(model.network.depth) blocks, \(NumberFormat.grouped(model.network.layout.count)) parameters"
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

  /// Where the parameters of a grown model came from: a line for each that is the same in all blocks.
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
  /// A model, or a run that stands for its model.
  static var model: Kind<ModelValue> {
    Kind(.object(ModelValue.type)) { value throws(ConversionError) in
      guard case .object(let object) = value else { throw .type }
      if let model = object as? ModelValue { return model }
      if let run = object as? RunValue { return run.modelValue }
      throw .type
    }
  }
}
