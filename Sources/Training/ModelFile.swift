import Datasets
import Foundation
import Kernels
import Layers

/// A model in a file: safetensors, one float32 tensor a parameter under its readable name, and as metadata (strings)
///
/// - `format`: `stackrec-model`, `version`: `1`
/// - `kind` and `configuration` (JSON): the network; `seed`: what it was drawn from
/// - `items`, and where there are any `users` and `targets` (JSON lists): names by number, item 0 being the pad
/// - `checksum`: FNV-1a, 64 bit, over all of the above and the tensors
///
/// docs/models.md tells how to compute scores from it.
public enum ModelFile {
  static let version = "1"

  /// What is wrong with a file.
  public struct Failure: Error, Equatable {
    public let message: String
    public let help: String?

    public init(_ message: String, help: String? = nil) {
      self.message = message
      self.help = help
    }
  }

  static let modelFormat = "stackrec-model"
  static let checkpointFormat = "stackrec-checkpoint"

  /// The bytes of a file.
  public static func data(_ model: Model, _ known: Vocabularies) throws -> Data {
    try sealed(try contents(model, known)).data()
  }

  /// A model's tensors and metadata, the checksum not yet among them.
  static func contents(_ model: Model, _ known: Vocabularies) throws -> SafeTensors {
    var metadata = [
      "format": modelFormat, "version": version, "kind": model.network.kind, "seed": "\(model.seed)",
      "configuration": String(decoding: try model.network.encodedConfiguration(), as: UTF8.self),
      "items": try json(known.items.names),
    ]
    if let users = known.users, model.network.rowTables.contains(where: { !$0.perPosition }) {
      metadata["users"] = try json(users.names)
    }
    if let targets = known.targets { metadata["targets"] = try json(targets.names) }
    return SafeTensors(tensors: tensors(model.network.layout, model.values), metadata: metadata)
  }

  static func tensors(_ layout: ParameterLayout, _ values: FloatBuffer) -> [(name: String, tensor: SafeTensors.Tensor)] {
    layout.parameters.map { ($0.name, SafeTensors.Tensor(shape: $0.shape, Array(values.values[$0.range]))) }
  }

  /// With the checksum of all the rest.
  static func sealed(_ file: SafeTensors) -> SafeTensors {
    var file = file
    file.metadata["checksum"] = checksum(file.metadata, file.tensors)
    return file
  }

  /// Reads a model back: one that was saved, or the best one of a checkpoint.
  ///
  /// - Parameters:
  ///   - path: of the file.
  ///   - make: builds the network of a kind from its configuration.
  ///   - describe: says in words why `make` failed.
  /// - Throws: `Failure` for anything that is not the file of a model, whole and unchanged.
  public static func read(
    _ path: String, describe: (any Error) -> String, make: (_ kind: String, _ configuration: Data) throws -> any Network
  ) throws -> (model: Model, known: Vocabularies) {
    let (_, model, known) = try readWhole(path, describe: describe, make: make)
    return (model, known)
  }

  /// The same with all that the file holds.
  static func readWhole(
    _ path: String, describe: (any Error) -> String, make: (_ kind: String, _ configuration: Data) throws -> any Network
  ) throws -> (file: SafeTensors, model: Model, known: Vocabularies) {
    let file: SafeTensors
    do {
      file = try SafeTensors(contentsOf: path)
    } catch let error as SafeTensors.FormatError {
      throw Failure("\(path) is not a whole safetensors file: \(error.message)")
    } catch {
      throw Failure(
        FileManager.default.fileExists(atPath: path) ? "\(path) cannot be read" : "there is no file \(path)",
        help: "a model is saved by save(model, \"x.safetensors\")")
    }
    let metadata = file.metadata
    guard metadata["format"] == modelFormat || metadata["format"] == checkpointFormat else {
      throw Failure(
        "\(path) is a safetensors file, but not of a model saved here", help: "models are saved by save(model, \"x.safetensors\")")
    }
    guard metadata["version"] == version else {
      throw Failure(
        "\(path) was written by a newer version (format \(metadata["version"] ?? "?"), this reads \(version))", help: "update srs")
    }
    guard metadata["checksum"] == checksum(metadata, file.tensors) else {
      throw Failure(
        "\(path) was changed or damaged after it was saved: its checksum is wrong", help: "save the model again, or take another copy")
    }
    guard let kind = metadata["kind"], let configuration = metadata["configuration"],
      let seed = metadata["seed"].flatMap(UInt64.init), let items = try names(metadata["items"])
    else { throw Failure("\(path) lacks what a model needs: kind, configuration, seed and items") }
    let network = try network(kind, configuration, path, describe: describe, make: make)
    let known = Vocabularies(
      items: items, users: try names(metadata["users"]), targets: try names(metadata["targets"]))
    guard network.output.rows == (known.targets ?? items).count else {
      throw Failure("\(path) names \((known.targets ?? items).count) items for an output of \(network.output.rows)")
    }
    for table in network.rowTables {
      let names = table.perPosition ? items : known.users
      guard table.rows == names?.count else {
        throw Failure("\(path) names \(names?.count ?? 0) \(table.perPosition ? "items" : "users") for \(table.name) of \(table.rows) rows")
      }
    }
    let isModel = metadata["format"] == modelFormat
    if let extra = file.tensors.first(where: { network.layout[$0.name] == nil && (isModel || !$0.name.hasPrefix("training/")) }) {
      throw Failure("\(path) has a tensor \(extra.name) that this model has no place for")
    }
    let values = try values(network.layout, file, path, prefix: "")
    return (file, Model(network, values: values, seed: seed), known)
  }

  static func network(
    _ kind: String, _ configuration: String, _ path: String, describe: (any Error) -> String,
    make: (_ kind: String, _ configuration: Data) throws -> any Network
  ) throws -> any Network {
    do {
      return try make(kind, Data(configuration.utf8))
    } catch {
      throw Failure("\(path) describes a model that cannot be built: \(describe(error))")
    }
  }

  /// The values of all parameters of a layout, from tensors whose names begin with `prefix`.
  static func values(_ layout: ParameterLayout, _ file: SafeTensors, _ path: String, prefix: String) throws -> FloatBuffer {
    let tensors = Dictionary(file.tensors.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    // Sizes are held against the file before anything of the size it claims is allocated.
    for parameter in layout.parameters {
      let name = prefix + parameter.name
      guard let tensor = tensors[name] else { throw Failure("\(path) lacks the parameter \(name)") }
      guard tensor.shape == parameter.shape, case .float = tensor.values else {
        throw Failure("\(path): \(name) is \(tensor.shape), expected float32 of \(parameter.shape)")
      }
    }
    let values = FloatBuffer(count: layout.count)
    for parameter in layout.parameters {
      guard case .float(let numbers)? = tensors[prefix + parameter.name]?.values else { continue }
      numbers.withUnsafeBufferPointer { source in
        if let base = source.baseAddress { (values.base + parameter.offset).update(from: base, count: numbers.count) }
      }
    }
    return values
  }

  private static func names(_ text: String?) throws -> Vocabulary? {
    guard let text else { return nil }
    do {
      return Vocabulary(try JSONDecoder().decode([String].self, from: Data(text.utf8)))
    } catch {
      throw Failure("the names in the file are not a JSON list of strings")
    }
  }

  private static func json(_ names: [String]) throws -> String { String(decoding: try JSONEncoder().encode(names), as: UTF8.self) }

  private static func checksum(_ metadata: [String: String], _ tensors: [(name: String, tensor: SafeTensors.Tensor)]) -> String {
    var hash = Hash()
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) where key != "checksum" {
      hash.add(key.utf8)
      hash.add([0])
      hash.add(value.utf8)
      hash.add([0])
    }
    for (name, tensor) in tensors.sorted(by: { $0.name < $1.name }) {
      hash.add("\(name) \(tensor.shape)".utf8)
      if case .float(let values) = tensor.values { values.withUnsafeBytes { hash.add($0) } }
    }
    return String(hash.value, radix: 16)
  }

  private struct Hash {
    var value: UInt64 = 0xcbf2_9ce4_8422_2325
    mutating func add(_ bytes: some Sequence<UInt8>) {
      var hash = value
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      value = hash
    }
  }
}
