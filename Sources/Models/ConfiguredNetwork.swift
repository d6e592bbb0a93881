import Foundation
import Layers

/// All hyperparameters that a network is built from. A file stores the configuration, and the network is built from it.
public protocol ModelConfiguration: Codable, Equatable, Sendable {
  /// The number of blocks of each stack.
  var blocks: Int { get set }
  /// Whether the blocks have residual weights.
  var alpha: Bool { get set }
  /// The items that the network scores.
  var head: Head { get set }
  /// What exists before the first item of a sequence.
  var pads: Pads { get set }
}

/// A network that is built from a configuration. To change its depth, residual weights or head, a new network is built from
/// a changed configuration.
public protocol ConfiguredNetwork: Network {
  associatedtype Configuration: ModelConfiguration
  var configuration: Configuration { get }
  /// - Throws: `ModelError` for a configuration that is not valid.
  init(_ configuration: Configuration) throws
}

extension ConfiguredNetwork {
  public var pads: Pads { configuration.pads }

  public func withBlocks(_ count: Int) throws -> any Network { try changed { $0.blocks = count } }
  public func withAlpha() throws -> any Network { try changed { $0.alpha = true } }
  public func withTargets(_ count: Int) throws -> any Network { try changed { $0.head = .targets(count) } }

  private func changed(_ change: (inout Configuration) -> Void) throws -> any Network {
    var configuration = configuration
    change(&configuration)
    return try Self(configuration)
  }

  /// The configuration as JSON with sorted keys.
  public func encodedConfiguration() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return try encoder.encode(configuration)
  }
}
