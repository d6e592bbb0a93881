import Foundation
import Layers

/// The list of all models. To add a model, add a file with its type and a line here. Model files, growth, tests and
/// benchmarks use this list.
public enum Registry {
  public static let kinds: [ModelKind] = [.nextItNet, .grec, .sasRec, .ssePT, .eSASRec, .hstu, .bert4Rec, .gru4Rec]

  /// Builds the network that a file describes.
  ///
  /// - Parameters:
  ///   - kind: the value of `Network.kind`.
  ///   - configuration: the result of `Network.encodedConfiguration`.
  /// - Throws: `ModelError` for an unknown kind or a configuration that is not valid; `DecodingError` for other JSON.
  public static func network(_ kind: String, _ configuration: Data) throws -> any Network {
    guard let found = kinds.first(where: { $0.name == kind }) else {
      throw ModelError(option: "kind", message: "there is no model \"\(kind)\"")
    }
    return try found.decode(configuration)
  }

  /// Small networks of every kind, for tests that apply to all models.
  public static func samples(_ shape: SampleShape) -> [ModelSample] { kinds.flatMap { $0.samples(shape) } }
}

/// One kind of model: its name, how to build its network from a file, and small samples.
public struct ModelKind: Sendable {
  /// The name of the model in the language, e.g. `nextitnet`.
  public let name: String
  let decode: @Sendable (Data) throws -> any Network
  let samples: @Sendable (SampleShape) -> [ModelSample]

  /// - Parameters:
  ///   - name: the name of the model in the language.
  ///   - type: the type of the network.
  ///   - samples: named configurations of about the given shape that together use all features of the model. Callers set
  ///     their depth and residual weights.
  init<Built: ConfiguredNetwork>(
    _ name: String, _ type: Built.Type,
    samples: @escaping @Sendable (SampleShape) -> [(name: String, configuration: Built.Configuration)]
  ) {
    self.name = name
    decode = { try Built(try JSONDecoder().decode(Built.Configuration.self, from: $0)) }
    self.samples = { shape in
      samples(shape).map { sample in
        ModelSample(kind: name, name: sample.name) { blocks, alpha in
          var configuration = sample.configuration
          configuration.blocks = blocks
          configuration.alpha = alpha
          return try Built(configuration)
        }
      }
    }
  }
}

/// The dimensions of a sample network and of its data.
public struct SampleShape: Sendable {
  /// The number of items, the pad included.
  public var items: Int
  /// The number of items of a sequence.
  public var length: Int
  public var users: Int
  /// The width of the hidden states, a multiple of 4.
  public var width: Int

  public init(items: Int, length: Int, users: Int, width: Int) {
    self.items = items
    self.length = length
    self.users = users
    self.width = width
  }
}

/// A small network for tests.
public struct ModelSample: Sendable, CustomStringConvertible {
  public let kind: String
  /// The kind, with a suffix if there are several samples of it.
  public let name: String
  private let build: @Sendable (_ blocks: Int, _ alpha: Bool) throws -> any Network

  init(kind: String, name: String, _ build: @escaping @Sendable (_ blocks: Int, _ alpha: Bool) throws -> any Network) {
    self.kind = kind
    self.name = name
    self.build = build
  }

  public func network(blocks: Int = 2, alpha: Bool = true) throws -> any Network { try build(blocks, alpha) }
  public var description: String { name }
}
