import Foundation
import Layers

/// All models. A new one is a file of its own and a line here: files of models, growth, tests and benchmarks of samples
/// go over this list.
public enum Registry {
  public static let kinds: [ModelKind] = [.nextItNet, .grec, .sasRec, .ssePT]

  /// Builds the network of a file again.
  ///
  /// - Parameters:
  ///   - kind: as `Network.kind` says.
  ///   - configuration: as `Network.encodedConfiguration` wrote it.
  /// - Throws: `ModelError` for one that cannot be; decoding errors for what is no configuration.
  public static func network(_ kind: String, _ configuration: Data) throws -> any Network {
    guard let found = kinds.first(where: { $0.name == kind }) else {
      throw ModelError(option: "kind", message: "there is no model \"\(kind)\"")
    }
    return try found.decode(configuration)
  }

  /// Small networks of every kind, for whatever must hold for all of them.
  public static func samples(_ shape: SampleShape) -> [ModelSample] { kinds.flatMap { $0.samples(shape) } }
}

/// A model as the rest of the program knows it: its name, how it is built again, and small samples of itself.
public struct ModelKind: Sendable {
  /// The word of the language, e.g. `nextitnet`.
  public let name: String
  let decode: @Sendable (Data) throws -> any Network
  let samples: @Sendable (SampleShape) -> [ModelSample]

  /// - Parameters:
  ///   - name: the word of the language.
  ///   - type: what is built.
  ///   - samples: configurations of about the given shape that together use all that the model can do, each with a name.
  ///     Depth and residual weights are set by those who ask.
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

/// The data that a sample is made for.
public struct SampleShape: Sendable {
  /// Items, the pad included.
  public var items: Int
  /// Items of a sequence.
  public var length: Int
  public var users: Int
  /// Width of the hidden states, a multiple of 4.
  public var width: Int

  public init(items: Int, length: Int, users: Int, width: Int) {
    self.items = items
    self.length = length
    self.users = users
    self.width = width
  }
}

/// A small network of a kind.
public struct ModelSample: Sendable, CustomStringConvertible {
  public let kind: String
  /// The kind, and what is special about this sample of it.
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
