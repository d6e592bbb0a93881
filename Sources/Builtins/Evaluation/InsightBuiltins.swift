import Datasets
import Evaluation
import Foundation
import Interpreter
import Kernels
import Layers
import Syntax
import Training

/// How alike the blocks of a model are.
final class SimilarityValue: ObjectValue {
  static let type = ObjectType(
    "a similarity",
    members: [
      ("matrix", .list(.list(.number)), "cosines, a list for every block"),
      ("neighbours", .number, "mean over pairs of blocks that follow each other"),
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

/// Scores of all items for every sequence of a set.
final class ScoresValue: ObjectValue {
  static let type = ObjectType(
    "a table of scores",
    members: [("sequences", .number, "how many rows it has"), ("items", .number, "how many columns, the pad's first")])

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

  func npy() -> Data { NumPy.file(values.values, shape: [rows, columns]) }
}

/// NumPy's file format 1.0: little-endian, C order.
enum NumPy {
  static func file(_ values: some Collection<Float>, shape: [Int]) -> Data { file(values, "<f4", shape) }
  static func file(_ values: some Collection<Int32>, shape: [Int]) -> Data { file(values, "<i4", shape) }

  private static func file<T>(_ values: some Collection<T>, _ type: String, _ shape: [Int]) -> Data {
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape.map { "\($0)," }.joined(separator: " "))), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
    data.append(Data(header.utf8))
    Array(values).withUnsafeBytes { data.append(contentsOf: $0) }
    return data
  }
}

extension Builtin {
  /// What of a block is compared.
  enum BlockPart: String, Sendable, CaseIterable { case outputs, parameters }

  static let similarity = Builtin(
    "similarity",
    "Cosine similarity of every pair of a model's blocks: of their outputs, flattened and averaged over sequences, or of their weights. The paper finds neighbours above 0.9, which is why a block can be started from a copy of the one below.",
    topic: "Judging", returns: .object(SimilarityValue.type),
    example: """
      let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 20) |> split(seed: 1)
      print(similarity(nextitnet(data, dim: 8, blocks: 3), on: data.test).neighbours)  #> 1
      """
  ) { d in
    let model = d.positional("model", .model, "a model, or a run")
    let on = d.optional("on", Kind<SequencesValue>.object, "the sequences that outputs are taken for, e.g. data.test")
    let part = d.named("of", Kind<BlockPart>.word, default: .outputs, "outputs", "what is compared")
    return { call in
      let model = try call[model]
      let part = try call[part]
      guard model.model.network.depth >= 2 else {
        throw call.error(.badValue, "a model of one block has no pair of blocks to compare", argument: "model")
      }
      guard part == .outputs else {
        if call.given(on) {
          throw call.error(.badValue, "parameters are the same on any sequences", argument: "on", help: "leave it out")
        }
        return .object(SimilarityValue(Similarity.parameters(model.model), of: part.rawValue))
      }
      guard let set = try call[on]?.set else {
        throw call.error(.missingArgument, "outputs are those for some sequences", help: "give on: data.test")
      }
      let fitted = model.fitted(to: set)
      if let mismatch = fitted.known.mismatch(with: set, fitted.model.network) {
        throw call.error(.model, mismatch.message, argument: "on")
      }
      let similarity = try call.cancellable { Similarity.outputs(fitted.model, on: set, pool: $0) }
      return .object(SimilarityValue(similarity, of: part.rawValue))
    }
  }

  static let scores = Builtin(
    "scores",
    "The scores a model gives all items as the last of every sequence, given those before: a row a sequence, a column an item number, the pad's first. Saved as .npy they can be held against another program's.",
    topic: "Judging", returns: .object(ScoresValue.type),
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
      // Their text or file is as large again.
      try call.engine { try MemoryBudget.check(8 * Double(count), "a table of \(set.count) x \(columns) scores") }
      let values = FloatBuffer(count: count)
      let out = Shared(values.base)
      try call.cancellable { pool in
        Ranking.forEachTile(model.model, on: set, pool: pool) { index, row in
          (out.pointer + index * columns).update(from: row, count: columns)
        }
      }
      return .object(ScoresValue(values, rows: set.count, columns: columns))
    }
  }
}
