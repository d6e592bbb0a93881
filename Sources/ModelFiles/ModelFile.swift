import Datasets
import Foundation
import Kernels
import Layers
import Models

/// A model in a file: safetensors, one float32 tensor a parameter under its readable name, and as metadata (texts)
///
/// - `format`: `stackrec-model`, `version`: `1`
/// - `kind` and `configuration` (JSON): the network; `seed`: what it was drawn from
/// - `items`, and where there are any `users` and `targets` (JSON lists): names by number, item 0 being the pad
/// - `checksum`: FNV-1a, 64 bit, over all of the above and the tensors
///
/// docs/models.md says how to compute scores from it.
public enum ModelFile {
  public static let version = "1"
  public static let modelFormat = "stackrec-model"
  public static let checkpointFormat = "stackrec-checkpoint"

  /// What is wrong with a file.
  public struct Failure: Error, Equatable {
    public enum Problem: Sendable, Equatable {
      /// There is no such file.
      case missing
      case unreadable(String)
      /// Not a whole safetensors file: why.
      case notTensors(String)
      /// A safetensors file, but no model.
      case notAModel
      /// Of a version that is not known here.
      case version(String)
      /// Its checksum is wrong.
      case damaged
      /// Another thing that is wrong with its contents.
      case contents(String)
    }

    public let path: String
    public let problem: Problem

    public init(_ path: String, _ problem: Problem) {
      self.path = path
      self.problem = problem
    }
  }

  // MARK: Writing

  /// What the file of a model holds.
  public static func contents(_ model: Model, _ known: Vocabularies) throws -> StoredTensors {
    var file = StoredTensors(metadata: [
      "format": modelFormat, "version": version, "kind": model.network.kind, "seed": "\(model.seed)",
      "configuration": String(decoding: try model.network.encodedConfiguration(), as: UTF8.self),
      "items": try json(known.items.names),
    ])
    if let users = known.users, model.network.embedsUsers { file.metadata["users"] = try json(users.names) }
    if let targets = known.targets { file.metadata["targets"] = try json(targets.names) }
    file.add(model.network.layout, model.values)
    return file
  }

  private static func json(_ names: [String]) throws -> String { String(decoding: try JSONEncoder().encode(names), as: UTF8.self) }

  // MARK: Reading

  /// Reads a model back: one that was saved, or the best one of a checkpoint.
  ///
  /// - Throws: `Failure` for anything that is not the file of a model, whole and unchanged.
  public static func read(_ path: String) throws -> (model: Model, known: Vocabularies) {
    let reader = try ModelReader(path)
    return (reader.model, reader.known)
  }

  /// The texts of a file, its tensors unread and unchecked; nil for what is no safetensors file.
  public static func metadata(_ path: String) -> [String: String]? { (try? TensorFile(path))?.header.metadata }
}

/// The file of a model or of a checkpoint while it is read.
public final class ModelReader {
  public let path: String
  public let model: Model
  public let known: Vocabularies
  public var metadata: [String: String] { file.header.metadata }
  private let file: TensorFile

  /// Reads the model and checks all of the file.
  ///
  /// - Throws: `ModelFile.Failure`.
  public init(_ path: String) throws {
    self.path = path
    func failure(_ problem: ModelFile.Failure.Problem) -> ModelFile.Failure { .init(path, problem) }
    func bad(_ message: String) -> ModelFile.Failure { failure(.contents(message)) }
    do {
      file = try TensorFile(path)
    } catch let error as TensorHeader.FormatError {
      throw failure(.notTensors(error.message))
    } catch TensorFile.Failure.missing {
      throw failure(.missing)
    } catch TensorFile.Failure.unreadable(let reason) {
      throw failure(.unreadable(reason))
    }
    let header = file.header
    let metadata = header.metadata
    let isModel = metadata["format"] == ModelFile.modelFormat
    guard isModel || metadata["format"] == ModelFile.checkpointFormat else { throw failure(.notAModel) }
    guard metadata["version"] == ModelFile.version else { throw failure(.version(metadata["version"] ?? "?")) }
    guard let kind = metadata["kind"], let configuration = metadata["configuration"],
      let seed = metadata["seed"].flatMap(UInt64.init), let items = try Self.names(metadata["items"], path)
    else { throw bad("lacks what a model needs: kind, configuration, seed and items") }
    let network = try Self.network(kind, configuration, path)
    let known = Vocabularies(
      items: items, users: try Self.names(metadata["users"], path), targets: try Self.names(metadata["targets"], path))
    guard network.output.rows == (known.targets ?? items).count else {
      throw bad("names \((known.targets ?? items).count) items for an output of \(network.output.rows)")
    }
    for table in network.rowTables {
      let names = table.rowsAre == .items ? items : known.users
      guard table.rows == names?.count else {
        throw bad("names \(names?.count ?? 0) \(table.rowsAre.rawValue) for \(table.name) of \(table.rows) rows")
      }
    }
    self.known = known
    if let extra = header.entries.keys.sorted().first(where: {
      network.layout[$0] == nil && (isModel || !$0.hasPrefix("training/"))
    }) {
      throw bad("has a tensor \(extra) that this model has no place for")
    }
    // Sizes are held against the file before anything of the size they claim is allocated.
    try Self.check(network.layout, header, path, prefix: "")
    let values = FloatBuffer(count: network.layout.count)
    var checksum = TensorChecksum(metadata)
    do {
      for (name, entry) in header.entries.sorted(by: { $0.key < $1.key }) {
        checksum.begin(name, entry.shape)
        if let parameter = network.layout[name] {
          let memory = UnsafeMutableRawBufferPointer(
            UnsafeMutableBufferPointer(start: values.base + parameter.offset, count: parameter.count))
          try file.read(entry, into: memory)
          checksum.add(UnsafeRawBufferPointer(memory))
        } else {
          try file.forEachPiece(entry) { checksum.add($0) }
        }
      }
    } catch let error as TensorHeader.FormatError {
      throw failure(.notTensors(error.message))
    }
    guard metadata["checksum"] == checksum.text else { throw failure(.damaged) }
    model = Model(network, values: values, seed: seed)
  }

  /// Builds a network that the file describes.
  public static func network(_ kind: String, _ configuration: String, _ path: String) throws -> any Network {
    do {
      return try Registry.network(kind, Data(configuration.utf8))
    } catch {
      let reason = (error as? ModelError)?.message ?? "its configuration is damaged"
      throw ModelFile.Failure(path, .contents("describes a model that cannot be built: \(reason)"))
    }
  }

  /// Is there a tensor of this name?
  public func has(_ name: String) -> Bool { file.header.entries[name] != nil }

  /// The values of all parameters of a layout, from the tensors whose names begin with `prefix`.
  public func values(_ layout: ParameterLayout, prefix: String) throws -> FloatBuffer {
    try Self.check(layout, file.header, path, prefix: prefix)
    let values = FloatBuffer(count: layout.count)
    do {
      for parameter in layout.parameters {
        guard let entry = file.header.entries[prefix + parameter.name] else { continue }
        try file.read(
          entry,
          into: UnsafeMutableRawBufferPointer(
            UnsafeMutableBufferPointer(start: values.base + parameter.offset, count: parameter.count)))
      }
    } catch let error as TensorHeader.FormatError {
      throw ModelFile.Failure(path, .notTensors(error.message))
    }
    return values
  }

  private static func check(_ layout: ParameterLayout, _ header: TensorHeader, _ path: String, prefix: String) throws {
    for parameter in layout.parameters {
      let name = prefix + parameter.name
      guard let entry = header.entries[name] else { throw ModelFile.Failure(path, .contents("lacks the parameter \(name)")) }
      guard entry.shape == parameter.shape, entry.dtype == "F32" else {
        throw ModelFile.Failure(
          path, .contents("has \(name) as \(entry.dtype) of \(entry.shape), expected F32 of \(parameter.shape)"))
      }
    }
  }

  private static func names(_ text: String?, _ path: String) throws -> Vocabulary? {
    guard let text else { return nil }
    guard let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
      throw ModelFile.Failure(path, .contents("has names that are not a JSON list of texts"))
    }
    // The pad's name, which comes first, is nobody's; an item may be called so too.
    let real = names.dropFirst()
    guard Set(real).count == real.count else {
      let twice = Dictionary(grouping: real, by: { $0 }).filter { $0.value.count > 1 }.keys.min() ?? ""
      throw ModelFile.Failure(path, .contents("names \"\(twice)\" twice"))
    }
    return Vocabulary(names)
  }
}
