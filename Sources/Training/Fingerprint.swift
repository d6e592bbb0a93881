import Datasets
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
    for set in [data.train, data.valid] { hash.add(set) }
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
    for set in [data.train, data.valid, data.test] { hash.add(set) }
    return hash.text
  }

  /// Of any bytes.
  public static func of(_ bytes: [UInt8]) -> String {
    var hash = WordHash()
    bytes.withUnsafeBytes { hash.add($0) }
    return hash.text
  }
}

/// A 64-bit hash over words of eight bytes: fast, and the same everywhere; against accidents, not against attacks.
struct WordHash {
  private(set) var value: UInt64 = 0x9ae1_6a3b_2f90_404f

  mutating func add(_ word: UInt64) {
    value = (value ^ word) &* 0x9e37_79b9_7f4a_7c15
    value ^= value >> 32
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    add(UInt64(bytes.count))
    let words = bytes.count / 8
    for i in 0..<words { add(bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)) }
    for i in (8 * words)..<bytes.count { add(UInt64(bytes[i])) }
  }

  mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  mutating func add(_ set: SequenceSet) {
    add(UInt64(set.length))
    set.tokens.withUnsafeBytes { add($0) }
    set.users.withUnsafeBytes { add($0) }
    for names in [set.items, set.userNames, set.targetItems ?? Vocabulary([])] {
      add(UInt64(names.count))
      for name in names.names { add(name) }
    }
  }

  /// 16 hexadecimal digits.
  var text: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
