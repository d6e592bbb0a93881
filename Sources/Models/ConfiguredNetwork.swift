import Foundation
import Layers

/// What a model is built from, in whole: a file keeps nothing else of a network.
public protocol ModelConfiguration: Codable, Equatable, Sendable {
  /// How many blocks a stack has.
  var blocks: Int { get set }
  /// With residual weights.
  var alpha: Bool { get set }
  /// What it scores.
  var head: Head { get set }
}

/// A network that is built from a configuration. Depth, residual weights and what is scored are changed by building it
/// again from a changed one.
public protocol ConfiguredNetwork: Network {
  associatedtype Configuration: ModelConfiguration
  var configuration: Configuration { get }
  /// - Throws: `ModelError` for a configuration that cannot be.
  init(_ configuration: Configuration) throws
}

extension ConfiguredNetwork {
  public func withBlocks(_ count: Int) throws -> any Network { try changed { $0.blocks = count } }
  public func withAlpha() throws -> any Network { try changed { $0.alpha = true } }
  public func withTargets(_ count: Int) throws -> any Network { try changed { $0.head = .targets(count) } }

  private func changed(_ change: (inout Configuration) -> Void) throws -> any Network {
    var configuration = configuration
    change(&configuration)
    return try Self(configuration)
  }

  /// JSON with sorted keys.
  public func encodedConfiguration() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return try encoder.encode(configuration)
  }
}
