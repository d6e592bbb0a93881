import Datasets
import Foundation
import Interpreter
import Models
import Training

/// The folder of one training under `runs`, named after the run and its fingerprint.
final class RunFolder: CheckpointKeeper {
  let every: Extent?
  /// Checkpoints were asked for, not only taken as a precaution in long runs.
  private let isAsked: Bool
  private let host: any InterpreterHost
  private let name: String
  let path: String
  private let known: Vocabularies
  let fingerprint: Fingerprint

  /// Without being asked, a training is kept this often: a short one leaves nothing behind.
  static let precaution = Extent.seconds(600)

  init(_ call: Builtin.Call, _ options: TrainingOptions, _ data: Split, _ fingerprint: Fingerprint, every: Extent?, isAsked: Bool) throws {
    self.every = every ?? Self.precaution
    self.isAsked = isAsked
    self.fingerprint = fingerprint
    host = call.interpreter.host
    name = options.name
    known = Vocabularies(data.train)
    let readable = options.name.unicodeScalars.map { Self.plain.contains($0) ? Character($0) : "-" }
    path = try call.outputPath("runs/\(String(readable.prefix(60)))-\(fingerprint.text)/checkpoint.safetensors")
  }

  private static let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")

  func save(_ record: TrainingRecord) {
    switch record {
    case .finished:
      // A run that no checkpoint was taken of was short, and is trained again sooner than it is explained.
      guard isAsked || FileManager.default.fileExists(atPath: path) else { return }
      write(record)
    case .underway(let checkpoint):
      guard isAsked || !host.isInterrupted || host.isBatch else { return }
      guard write(record), host.isInterrupted else { return }
      host.milestone("\(name): kept at step \(checkpoint.step) in \(path); srs run --resume goes on from there")
    }
  }

  func grew(_ checkpoint: TrainingCheckpoint) { if isAsked { write(.underway(checkpoint)) } }

  /// A disk that is full is no reason to lose the training.
  @discardableResult
  private func write(_ record: TrainingRecord) -> Bool {
    do {
      try OutputFile.write(try TrainingFile.data(record, known, fingerprint: fingerprint.text), to: path)
      return true
    } catch let error as OutputFile.Failure {
      host.note("\(name): no checkpoint, the training goes on: \(error.message)")
    } catch {
      host.note("\(name): no checkpoint, the training goes on: \(error)")
    }
    return false
  }

  /// What an earlier process left of this training; nil: nothing.
  ///
  /// - Throws: `ModelFile.Failure` for a file that is damaged or of something else.
  func found() throws -> TrainingFile.Contents? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      let contents = try TrainingFile.read(
        path, fingerprint: fingerprint, describe: { ($0 as? ModelError)?.message ?? "its configuration is damaged" },
        make: Networks.make)
      switch contents {
      case .underway(let checkpoint): host.milestone("\(name): goes on from step \(checkpoint.step), phase \(checkpoint.phase), of \(path)")
      case .finished: host.milestone("\(name): was finished already, taken from \(path)")
      }
      return contents
    } catch let failure as ModelFile.Failure {
      throw ModelFile.Failure(failure.message, help: "delete it to train this run again from its beginning")
    }
  }
}
