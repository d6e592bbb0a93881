import Datasets
import Foundation
import Interpreter
import ModelFiles
import Training

/// The checkpoint folder of one training: `runs/NAME-FINGERPRINT`.
final class RunFolder: CheckpointKeeper {
  let every: Extent?
  /// Whether the script or a flag asked for checkpoints. If not, they are only a precaution in long runs.
  private let isRequested: Bool
  private let host: any InterpreterHost
  private let name: String
  /// The folder of all trainings, and the part of this folder's name before the fingerprint.
  private let runs: String
  private let prefix: String
  let path: String
  private let known: Vocabularies
  private let interpreter: Interpreter
  let identity: TrainingIdentity

  /// The default interval between checkpoints. A shorter training leaves no files.
  static let precaution = Extent.seconds(600)

  init(_ call: Builtin.Call, _ name: String, _ data: Split, _ identity: TrainingIdentity, every: Extent?, isRequested: Bool) throws {
    self.every = every ?? Self.precaution
    self.isRequested = isRequested
    self.identity = identity
    self.name = name
    interpreter = call.interpreter
    host = interpreter.host
    known = Vocabularies(data.train)
    let readable = name.unicodeScalars.map { Self.plain.contains($0) ? Character($0) : "-" }
    prefix = String(readable.prefix(60)) + "-"
    path = try call.outputPath("runs/\(prefix)\(identity.fingerprint)/\(Self.file)", isInternal: true)
    runs = FilePath.folder(of: FilePath.folder(of: path))
  }

  private static let file = "checkpoint.safetensors"
  private static let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")

  func save(_ record: TrainingRecord) {
    switch record {
    case .finished:
      // A run without any checkpoint was short: training again is cheaper than keeping an unrequested file.
      guard isRequested || FileManager.default.fileExists(atPath: path) else { return }
      write(record)
    case .underway(let checkpoint):
      guard isRequested || !host.isInterrupted || host.isBatch else { return }
      guard write(record), host.isInterrupted else { return }
      host.milestone("\(name): checkpoint of step \(checkpoint.step) saved in \(path); srs run --resume continues from there")
    }
  }

  func grew(_ checkpoint: TrainingCheckpoint) { if isRequested { write(.underway(checkpoint)) } }

  /// Writes the record. A failure, such as a full disk, is noted and does not stop the training.
  ///
  /// - Returns: whether the file was written.
  @discardableResult
  private func write(_ record: TrainingRecord) -> Bool {
    do {
      try OutputFile.write(try TrainingFile.contents(record, known, identity), to: path)
      return true
    } catch let error as OutputFile.Failure {
      host.note("\(name): checkpoint not saved, training continues: \(error.message)")
    } catch let error as any HasEngineMessage {
      host.note("\(name): checkpoint not saved, training continues: \(error.engineMessage.message)")
    } catch {
      host.note("\(name): checkpoint not saved, training continues: \(error)")
    }
    return false
  }

  /// Reads the checkpoint that an earlier process wrote for this training. With `--resume`, also that of the same training
  /// with fewer steps. nil: there is none.
  ///
  /// - Throws: `DamagedCheckpoint` for a file that is damaged or not a checkpoint; `RefusedCheckpoint` for one that a sandbox
  ///   does not let the script read.
  func found(_ recipe: Recipe) throws -> TrainingFile.Contents? {
    if let path = try existing() { return try read(path, recipe, shorter: nil) }
    guard host.resumes else { return nil }
    let others = try others()
    if let shorter = others.first(where: { $0.identity.map { identity.isLonger(than: $0) } ?? false }) {
      return try read(shorter.path, recipe, shorter: shorter.identity)
    }
    reportDifferences(others)
    return nil
  }

  private func read(_ path: String, _ recipe: Recipe, shorter: TrainingIdentity?) throws -> TrainingFile.Contents? {
    do {
      let contents = try TrainingFile.read(path, identity, recipe, shorter: shorter)
      switch contents {
      case .underway(let checkpoint):
        let what = shorter == nil ? "" : ", a shorter training with the same settings"
        if checkpoint.hasMeanRanks { noteTies() }
        host.milestone("\(name): continues from step \(checkpoint.step), phase \(checkpoint.phase), of \(path)\(what)")
      case .finished where shorter != nil:
        host.note("\(name): starts from the beginning; the shorter training in \(path) has no state to continue from")
        return nil
      case .finished(let finished):
        if finished.hasMeanRanks { noteTies() }
        host.milestone("\(name): already finished, read from \(path)")
      }
      return contents
    } catch let failure as ModelFile.Failure {
      throw DamagedCheckpoint(failure: failure)
    }
  }

  private func noteTies() {
    host.note("\(name): its evaluations by version 0.1 used the mean rank of tied items; new evaluations use the expectation over ties")
  }

  /// The checkpoint of this training, under its current fingerprint or that of version 0.1.
  private func existing() throws -> String? {
    let fingerprints = [identity.fingerprint] + [identity.legacyFingerprint].compactMap { $0 }
    let found = fingerprints.map { "\(runs)/\(prefix)\($0)/\(Self.file)" }.first { FileManager.default.fileExists(atPath: $0) }
    return try found.map(readable)
  }

  /// The path of a file that the script may read.
  private func readable(_ path: String) throws -> String {
    if let problem = interpreter.readingRefusal(path) { throw RefusedCheckpoint(message: problem) }
    return path
  }

  private typealias Other = (path: String, identity: TrainingIdentity?)

  /// The checkpoints of trainings of the same name.
  private func others() throws -> [Other] {
    let folders = ((try? FileManager.default.contentsOfDirectory(atPath: runs)) ?? []).filter { folder in
      folder.hasPrefix(prefix) && folder.count == prefix.count + 16 && folder.dropFirst(prefix.count).allSatisfy(\.isHexDigit)
    }
    return try folders.sorted().map { "\(runs)/\($0)/\(Self.file)" }.filter { FileManager.default.fileExists(atPath: $0) }
      .map { ($0, TrainingFile.identity(try readable($0))) }
  }

  /// Notes why a resumed training starts from the beginning although there is a checkpoint of the same name: what differs
  /// from the most similar one.
  private func reportDifferences(_ others: [Other]) {
    let others = others.map { (path: $0.path, differences: $0.identity.map { identity.differences(from: $0) }) }
    guard let nearest = others.min(by: { ($0.differences?.count ?? .max) < ($1.differences?.count ?? .max) }) else { return }
    let text: String
    if let differences = nearest.differences {
      text = differences.map { "\($0.name) \(Self.short($0.other)) there, \(Self.short($0.own)) here" }.joined(separator: "; ")
    } else {
      text = "it was written by version 0.1, and its model, data or settings differ"
    }
    host.note("\(name): starts from the beginning; the checkpoint \(nearest.path) belongs to another training: \(text)")
  }

  private static func short(_ value: String?) -> String {
    guard let value else { return "(default)" }
    return value.count > 40 ? value.prefix(40) + "…" : value
  }
}

/// A checkpoint that cannot be read.
struct DamagedCheckpoint: HasEngineMessage {
  let failure: ModelFile.Failure

  var engineMessage: EngineMessage {
    var message = failure.engineMessage
    message.help = "delete it to train this run again from its beginning"
    return message
  }
}

/// A checkpoint that the script must not read.
struct RefusedCheckpoint: HasEngineMessage {
  let message: String

  var engineMessage: EngineMessage {
    EngineMessage(code: .file, message: message, argument: "checkpoint", help: "delete it to train this run from its beginning")
  }
}
