import Datasets
import Foundation
import Kernels
import Layers
import Models

/// The file format of models: safetensors with one float32 tensor per parameter, under the parameter's name, and this
/// metadata:
///
/// - `format`: `stackrec-model`; `version`: `1`
/// - `kind` and `configuration` (JSON): the network; `seed`: the seed of its initialisation
/// - `items`, and if present `users` and `targets` (JSON lists): names by number, item 0 being the pad
/// - `checksum`: FNV-1a, 64 bit, over the metadata and the tensors
///
/// docs/models.md explains how to compute scores from such a file.
public enum ModelFile {
  public static let version = "1"
  public static let modelFormat = "stackrec-model"
  public static let checkpointFormat = "stackrec-checkpoint"

  /// Why a file cannot be read.
  public struct Failure: Error, Equatable {
    public enum Problem: Sendable, Equatable {
      /// The file does not exist.
      case missing
      /// The system cannot read the file, for this reason.
      case unreadable(String)
      /// The file is not a complete safetensors file, for this reason.
      case notTensors(String)
      /// The file is a safetensors file, but not a model.
      case notAModel
      /// The file has a version that this program does not support.
      case version(String)
      /// The checksum does not match.
      case damaged
      /// Something else is wrong with the contents. The text continues a sentence that begins with the file.
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

  /// The contents of a model's file. `known` names the items, users and targets of the model.
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

  /// Reads a model from its file, or the best model from a checkpoint.
  ///
  /// - Throws: `Failure` unless the file is a complete, undamaged model or checkpoint.
  public static func read(_ path: String) throws -> (model: Model, known: Vocabularies) {
    let reader = try ModelReader(path)
    return (reader.model, reader.known)
  }

  /// The metadata of a file. This does not read or check the tensors. nil if it is not a safetensors file.
  public static func metadata(_ path: String) -> [String: String]? { (try? TensorFile(path))?.header.metadata }
}

/// An open file of a model or of a checkpoint.
public final class ModelReader {
  public let path: String
  public let model: Model
  public let known: Vocabularies
  public var metadata: [String: String] { file.header.metadata }
  private let file: TensorFile

  /// Reads the model and verifies the checksum of the whole file.
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
    guard !metadata.isEmpty else {
      throw bad(
        "has no \(TensorHeader.metadataName): expected a map of texts of that name, with the format and the configuration of a model saved by srs"
      )
    }
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
      throw bad("has a tensor \(extra) that is not a parameter of this model")
    }
    // Check the shapes against the file before memory is allocated, so that a wrong configuration cannot ask for too much.
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

  /// Builds the network that a file describes.
  ///
  /// - Throws: `ModelFile.Failure` for the file at `path`.
  public static func network(_ kind: String, _ configuration: String, _ path: String) throws -> any Network {
    do {
      return try Registry.network(kind, Data(configuration.utf8))
    } catch {
      let reason = (error as? ModelError)?.message ?? "its configuration is damaged"
      throw ModelFile.Failure(path, .contents("describes a model that cannot be built: \(reason)"))
    }
  }

  /// Whether the file has a tensor of this name.
  public func has(_ name: String) -> Bool { file.header.entries[name] != nil }

  /// Reads the values of all parameters of a layout from the tensors named `prefix` + parameter name.
  ///
  /// - Throws: `ModelFile.Failure` if a tensor is missing or has another shape.
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
    // Entry 0 is the pad. Its name does not count, so an item may have the same name.
    let real = names.dropFirst()
    var seen = Set<ExactName>()
    if let twice = real.first(where: { !seen.insert(ExactName($0)).inserted }) {
      throw ModelFile.Failure(path, .contents("names \"\(twice)\" twice"))
    }
    return Vocabulary(names)
  }
}
