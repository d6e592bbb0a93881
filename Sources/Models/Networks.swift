import Foundation
import Layers

/// All models by name: what a file of a model needs to build its network again.
public enum Networks {
  /// - Parameters:
  ///   - kind: as `Network.kind` says.
  ///   - configuration: as `Network.encodedConfiguration` wrote it.
  /// - Throws: `ModelError` for one that cannot be; decoding errors for what is no configuration.
  public static func make(_ kind: String, _ configuration: Data) throws -> any Network {
    let decoder = JSONDecoder()
    switch kind {
    case "nextitnet": return try NextItNet(try decoder.decode(NextItNet.Configuration.self, from: configuration))
    case "grec": return try GRec(try decoder.decode(GRec.Configuration.self, from: configuration))
    case "sasrec", "ssept": return try SASRec(try decoder.decode(SASRec.Configuration.self, from: configuration))
    default: throw ModelError(option: "kind", message: "there is no model \"\(kind)\"")
    }
  }

  static func encode(_ configuration: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return try encoder.encode(configuration)
  }
}
