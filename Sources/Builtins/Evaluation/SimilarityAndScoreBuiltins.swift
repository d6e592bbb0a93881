import Datasets
import Evaluation
import Foundation
import Interpreter
import Kernels
import Layers
import Syntax
import Training

/// Cosine similarities between the blocks of a model.
final class SimilarityValue: ObjectValue {
  static let type = ObjectType(
    "a similarity",
    members: [
      ("matrix", .list(.list(.number)), "cosine similarities, a list for every block"),
      ("neighbours", .number, "mean over pairs of adjacent blocks"),
    ], element: .list(.number))

  let similarity: Similarity
  private let what: String

  init(_ similarity: Similarity, of what: String) {
    self.similarity = similarity
    self.what = what
  }

  func member(_ name: String) -> Value? {
    switch name {
    case "matrix": .list(elements ?? [])
    case "neighbours": .number(similarity.neighbours)
    default: nil
    }
  }

  var elements: [Value]? { similarity.values.map { .list($0.map { .number($0) }) } }

  var summary: String {
    "similarity of the \(what) of \(similarity.values.count) blocks: \(NumberFormat.fixed(similarity.neighbours, digits: 3)) between neighbours"
  }

  var display: String {
    let rows = similarity.values.enumerated().map { i, row in
      ["\(i)"] + row.map { NumberFormat.fixed($0, digits: 2) }
    }
    guard rows.count <= 16 else { return summary }
    return ([summary] + TextTable.aligned(rows, right: Set(0...rows.count)).map { "  " + $0 }).joined(separator: "\n")
  }
}

/// The scores of all items for every sequence of a set: a matrix of shape (sequences, items).
final class ScoresValue: ObjectValue {
  static let type = ObjectType(
    "a table of scores",
    members: [("sequences", .number, "number of rows"), ("items", .number, "number of columns; the first is that of the padding item")])

  let values: FloatBuffer
  let rows: Int
  let columns: Int

  init(_ values: FloatBuffer, rows: Int, columns: Int) {
    self.values = values
    self.rows = rows
    self.columns = columns
  }

  func member(_ name: String) -> Value? {
    switch name {
    case "sequences": .number(Double(rows))
    case "items": .number(Double(columns))
    default: nil
    }
  }

  var summary: String { "scores of \(NumberFormat.grouped(columns)) items for \(NumberFormat.grouped(rows)) sequences" }

  /// Calls `put` with successive pieces of an .npy file.
  func writeNPY(put: (UnsafeRawBufferPointer) throws -> Void) throws {
    try NumPy.write([rows, columns], put: put) { values.values[($0 * columns)..<(($0 + 1) * columns)] }
  }
}

/// A number that an .npy file can have.
protocol NumPyNumber {
  /// The name of its type in NumPy.
  static var numPyType: String { get }
}

extension Float: NumPyNumber { static let numPyType = "<f4" }
extension Int32: NumPyNumber { static let numPyType = "<i4" }

/// NumPy's file format 1.0: little-endian, C order.
enum NumPy {
  /// The number of values of a piece.
  private static let piece = 1 << 18

  /// Calls `put` with successive pieces of a file: a header, then the values of every index of the first dimension.
  static func write<Row: Collection>(_ shape: [Int], put: (UnsafeRawBufferPointer) throws -> Void, _ row: (Int) -> Row) throws
  where Row.Element: NumPyNumber {
    let type = Row.Element.numPyType
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape.map { "\($0)," }.joined(separator: " "))), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    let front = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)]
    try (front + header.utf8).withUnsafeBytes(put)
    var values: [Row.Element] = []
    for index in 0..<shape[0] {
      values += row(index)
      if values.count >= piece || index == shape[0] - 1 {
        try values.withUnsafeBytes(put)
        values.removeAll(keepingCapacity: true)
      }
    }
  }
}

extension Builtin {
  /// What `similarity` compares.
  enum BlockPart: String, Sendable, CaseIterable { case outputs, parameters }

  static let similarity = Builtin(
    "similarity",
    "Computes the cosine similarity of every pair of blocks of a model: of their outputs (flattened, averaged over sequences) or of their parameters. The paper reports values above 0.9 for adjacent blocks, which is why a copy of a block is a good start for the next one.",
    topic: "Evaluation", returns: .object(SimilarityValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(similarity(nextitnet(data, dim: 8, blocks: 3), on: data.test).neighbours)  #> 1
      """
  ) { d in
    let model = d.positional("model", .model, "a model, or a run")
    let on = d.optional("on", Kind<SequencesValue>.object, "for outputs: the sequences to compute them on, e.g. data.test")
    let part = d.named("of", Kind<BlockPart>.word, default: .outputs, "outputs", "what to compare")
    return { call in
      let model = try call[model]
      let part = try call[part]
      guard model.model.network.depth >= 2 else {
        throw call.error(.badValue, "a model of one block has no pair of blocks to compare", argument: "model")
      }
      guard part == .outputs else {
        if call.given(on) {
          throw call.error(
            .badValue, "`on` is only for of: outputs; parameters do not depend on sequences", argument: "on", help: "remove it")
        }
        let similarity = try call.cancellable("comparing parameters") { Similarity.parameters(model.model, pool: $0) }
        return .object(SimilarityValue(similarity, of: part.rawValue))
      }
      guard let set = try call[on]?.set else {
        throw call.error(.missingArgument, "the outputs of blocks depend on the sequences", help: "give on: data.test")
      }
      let fitted = model.fitted(to: set)
      if let mismatch = fitted.known.mismatch(with: set, fitted.model.network) {
        throw call.error(.model, mismatch.message, argument: "on")
      }
      let similarity = try call.cancellable("comparing blocks") { Similarity.outputs(fitted.model, on: set, pool: $0) }
      return .object(SimilarityValue(similarity, of: part.rawValue))
    }
  }

  static let scores = Builtin(
    "scores",
    "Computes the scores of all items as candidates for the last item of every sequence, given the items before it. The result has one row per sequence and one column per item number; column 0 is the padding item. Save it as .npy to compare it with another program.",
    topic: "Evaluation", returns: .object(ScoresValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      save(scores(nextitnet(data, dim: 8), data.test), "out/scores.npy")
      """
  ) { d in
    let model = d.positional("model", .model, "a model, or a run")
    let data = d.positional("sequences", Kind<SequencesValue>.object, "the sequences, e.g. data.test")
    return { call in
      let set = (try call[data]).set
      let model = (try call[model]).fitted(to: set)
      if let mismatch = model.known.mismatch(with: set, model.model.network) {
        throw call.error(.model, mismatch.message, argument: "sequences")
      }
      let columns = model.model.network.output.rows
      let (count, tooMuch) = set.count.multipliedReportingOverflow(by: columns)
      guard !tooMuch else { throw call.error(.badValue, "\(set.count) x \(columns) scores are too many", argument: "sequences") }
      try call.engine { try MemoryBudget.check(4 * Double(count), "a table of \(set.count) x \(columns) scores") }
      let values = FloatBuffer(count: count)
      let out = Shared(values.base)
      try call.cancellable("computing scores") { pool in
        Ranking.forEachTile(model.model, on: set, pool: pool) { index, row in
          (out.pointer + index * columns).update(from: row, count: columns)
        }
      }
      return .object(ScoresValue(values, rows: set.count, columns: columns))
    }
  }
}
