import Datasets
import Kernels
import Layers

/// A name for what a training starts from: model, data, options and phases. Two trainings of the same fingerprint come
/// to the same result, to the bit, on one machine; for phases that end by the clock, in kind.
public struct Fingerprint: Sendable, Equatable {
  /// 16 hexadecimal digits.
  public let text: String

  /// One that was written down.
  public init(text: String) { self.text = text }

  public init(_ model: Model, _ data: Split, _ options: TrainingOptions, _ phases: [Phase]) throws {
    var hash = WordHash()
    hash.add("stackrec training 1 \(model.network.kind) \(model.seed)")
    hash.add(String(decoding: try model.network.encodedConfiguration(), as: UTF8.self))
    hash.add(UnsafeRawBufferPointer(model.values.values))
    for set in [data.train, data.valid] { set.addIdentity(to: &hash) }
    hash.add("\(options.batch) \(options.loss.name) \(options.optimizer) \(options.padsInLoss) \(options.evaluateEvery)")
    hash.add("\(options.watch.name) \(options.patience ?? 0) \(options.metrics.map(\.name)) \(options.seed) \(options.candidates)")
    hash.add("\(options.spikeGuard ?? 0)")
    for phase in phases {
      hash.add("\(String(describing: phase.run)) \(phase.to ?? 0) \(phase.by?.rawValue ?? "") \(phase.carry.name)")
      hash.add("\(phase.dataShare) \(String(describing: phase.when)) \(String(describing: phase.freezeOld))")
    }
    text = hash.text
  }

  /// Of a data set alone, its test part included.
  public static func of(_ data: Split) -> String {
    var hash = WordHash()
    for set in [data.train, data.valid, data.test] { set.addIdentity(to: &hash) }
    return hash.text
  }

  /// Of any bytes.
  public static func of(_ bytes: [UInt8]) -> String {
    var hash = WordHash()
    bytes.withUnsafeBytes { hash.add($0) }
    return hash.text
  }
}
