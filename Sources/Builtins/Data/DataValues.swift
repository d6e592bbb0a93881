import Basics
import Datasets
import Foundation
import Interpreter
import Training

/// Interaction histories, loaded from a file or generated.
final class HistoriesValue: ObjectValue {
  static let type = ObjectType(
    "a set of histories",
    members: [
      ("users", .number, "number of users (of lines where users are not named)"), ("items", .number, "number of items"),
      ("interactions", .number, "number of interactions"), ("source", .text, "where it came from"),
      ("synthetic", .bool, "whether a known process generated it"),
    ])

  let histories: Histories

  init(_ histories: Histories) { self.histories = histories }

  func member(_ name: String) -> Value? {
    switch name {
    case "users": .number(Double(histories.hasUsers ? histories.users.count : histories.count))
    case "items": .number(Double(histories.items.count - 1))
    case "interactions": .number(Double(histories.events.count))
    case "source": .text(histories.source)
    case "synthetic": .bool(histories.process != nil)
    default: nil
    }
  }

  var summary: String {
    let who = histories.hasUsers ? "users" : "sequences"
    return
      "\(NumberFormat.grouped(histories.hasUsers ? histories.users.count : histories.count)) \(who), \(NumberFormat.grouped(histories.items.count - 1)) items, \(NumberFormat.grouped(histories.events.count)) interactions"
  }

  /// The share of interactions whose item occurs earlier in a history of the same user.
  private func repeats(_ histories: Histories) -> String {
    var seen = [Int32](repeating: -1, count: histories.items.count)
    var repeated = 0
    for h in (0..<histories.count).sorted(by: { (histories.owners[$0], $0) < (histories.owners[$1], $1) }) {
      for item in histories.history(h) {
        if seen[Int(item)] == histories.owners[h] { repeated += 1 }
        seen[Int(item)] = histories.owners[h]
      }
    }
    let share = Double(repeated) / Double(max(1, histories.events.count))
    return "\(NumberFormat.text((share * 1000).rounded() / 10)) % repeats, "
  }

  var display: String {
    let histories: Histories
    do throws(DataError) { histories = try self.histories.checked() } catch { return "\(summary)\n  \(error.message)" }
    let lengths = (0..<histories.count).map { histories.history($0).count }.sorted()
    guard !lengths.isEmpty else { return summary }
    let numbers = lengths.map(Double.init)
    func quantile(_ share: Double) -> String { NumberFormat.text((SampleStatistics.quantile(numbers, share) * 10).rounded() / 10) }
    let density = Double(histories.events.count) / Double(max(1, histories.count)) / Double(max(1, histories.items.count - 1))
    // The dates are the only place where a wrong time unit becomes visible.
    let times = histories.timeRange.map { "times from \($0.first) to \($0.last)\n  " } ?? ""
    return """
      \(histories.source)
        \(summary)
        \(times)\(repeats(histories))density \(NumberFormat.text(density * 100)) %, history length: minimum \(lengths[0]), median \(quantile(0.5)), 90th percentile \(quantile(0.9)), maximum \(lengths[lengths.count - 1])
      """
  }
}

/// Fixed-length sequences: one part of a data set, or all sequences before the split.
final class SequencesValue: ObjectValue {
  static let type = ObjectType(
    "a set of sequences",
    members: [
      ("count", .number, "number of sequences"), ("length", .number, "number of positions in each, including padding"),
      ("items", .number, "number of items"), ("source", .text, "where it came from"),
    ])

  let set: SequenceSet
  /// The data set that contains this part; nil before the split.
  let split: Split?
  let part: String
  /// The histories that the sequences were cut from, and how.
  let origin: (histories: Histories, window: WindowOptions)?

  init(
    _ set: SequenceSet, split: Split? = nil, part: String = "all", origin: (histories: Histories, window: WindowOptions)? = nil
  ) {
    self.origin = origin
    self.set = set
    self.split = split
    self.part = part
  }

  func member(_ name: String) -> Value? {
    switch name {
    case "count": .number(Double(set.count))
    case "length": .number(Double(set.length))
    case "items": .number(Double(set.items.count - 1))
    case "source": .text(set.source)
    default: nil
    }
  }

  var elementHelp: String? {
    "sequence(data.test, 0) is the first one; .count is their number, and recommend(model, data.test, k: 5) works on all"
  }

  var summary: String {
    "\(NumberFormat.grouped(set.count)) sequences of \(set.length) (\(part)), \(NumberFormat.grouped(set.items.count - 1)) items"
  }
}

/// Training, validation and test sequences.
final class SplitValue: ObjectValue {
  static let type = ObjectType(
    "a data set",
    members: [
      ("train", .object(SequencesValue.type), "the sequences to train on"),
      ("valid", .object(SequencesValue.type), "the sequences by which the best parameters are chosen"),
      ("test", .object(SequencesValue.type), "the sequences for the final evaluation"), ("items", .number, "number of items"),
      ("length", .number, "number of positions in a sequence"), ("synthetic", .bool, "whether a known process generated it"),
    ])

  let split: Split

  init(_ split: Split) { self.split = split }

  func member(_ name: String) -> Value? {
    switch name {
    case "train": .object(SequencesValue(split.train, split: split, part: "train"))
    case "valid": .object(SequencesValue(split.valid, split: split, part: "validation"))
    case "test": .object(SequencesValue(split.test, split: split, part: "test"))
    case "items": .number(Double(split.train.items.count - 1))
    case "length": .number(Double(split.train.length))
    case "synthetic": .bool(split.train.process != nil)
    default: nil
    }
  }

  var summary: String {
    "\(NumberFormat.grouped(split.train.count)) train, \(NumberFormat.grouped(split.valid.count)) validation, \(NumberFormat.grouped(split.test.count)) test sequences of \(split.train.length), \(NumberFormat.grouped(split.train.items.count - 1)) items"
  }

  var display: String {
    let sets = split.evaluation == .stackrec ? [split.train, split.test] : [split.train, split.valid, split.test]
    let filled = sets.reduce(0) { $0 + $1.interactions }
    let cells = sets.reduce(0) { $0 + $1.count * $1.length }
    var text = """
      \(split.train.source)
        \(summary)
        split \(split.rule)
        \(NumberFormat.grouped(filled)) interactions in the sequences
      """
    if cells > filled {
      let lengths = sets.flatMap { set in (0..<set.count).map { Double(set.eventCount($0)) } }.sorted()
      let quantiles = [0, 0.25, 0.5, 0.75, 1].map { NumberFormat.text(SampleStatistics.quantile(lengths, $0)) }
      let share = NumberFormat.text((Double(cells - filled) / Double(cells) * 1000).rounded() / 10)
      text +=
        "\n  lengths: \(quantiles[0]) to \(quantiles[4]), median \(quantiles[2]), middle half \(quantiles[1]) to \(quantiles[3]); padded to \(split.train.length) they would be \(share) % padding"
    }
    if split.train.process != nil {
      text += "\n  the data is synthetic; to use your own, give a file: --set data_file=PATH, or load(\"PATH\")"
    }
    return text
  }
}
