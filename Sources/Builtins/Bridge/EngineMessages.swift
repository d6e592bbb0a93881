import Growth
import Interpreter
import Kernels
import ModelFiles
import Models
import Syntax
import Training

/// An error of the engine in the words of the language.
struct EngineMessage {
  let code: Diagnostic.Code
  let message: String
  /// The argument at fault, and the one to point at in a function that has no such argument.
  var argument: String?
  var other: String?
  var help: String?
}

/// An error that the language has words for.
protocol HasEngineMessage: Error {
  var engineMessage: EngineMessage { get }
}

extension ModelError: HasEngineMessage {
  var engineMessage: EngineMessage { EngineMessage(code: .model, message: message, argument: option, other: "to") }
}

extension GrowthError: HasEngineMessage {
  var engineMessage: EngineMessage {
    func growth(_ argument: String, _ message: String, help: String? = nil) -> EngineMessage {
      EngineMessage(code: .growth, message: message, argument: argument, help: help)
    }
    switch self {
    case .noBlocks: return growth("to", "a model without blocks cannot be stacked")
    case .notDeeper(let old, let new):
      return growth(
        "to", "\(new) blocks are not more than the \(old) there are", help: "growth only adds blocks: give `to:` above \(old)")
    case .notWholePatterns(let period, let old, let new):
      return growth(
        "to", "dilation-aware stacking copies whole patterns of \(period), and \(old) -> \(new) blocks is not whole patterns",
        help: "give `to:` and the model a multiple of \(period) blocks, or use by: adjacent")
    case .noSeam(let old, let new):
      return growth(
        "to",
        old < 3
          ? "a seam can be trimmed from 3 blocks on, not \(old)"
          : "a trimmed seam leaves out as many blocks on both sides: \(old) blocks give an even number above \(old) and up to \(2 * old - 2), not \(new)",
        help: "use by: cross, or another `to:`")
    case .moreThanTwice(let operation, let old, let new):
      return growth(
        "to", "by: \(operation.rawValue) adds at most as many blocks as there are: from \(old) to at most \(2 * old), not \(new)",
        help: "stack twice, or use by: adjacent")
    case .cannotPreserve(let block, let signature):
      return growth(
        "carry",
        "this growth cannot preserve the scores: no block of the new model does the work of old block \(block) (\(signature)) in its place",
        help: "use by: cross, or by: dilation_aware with a depth that is a multiple of the old one, or carry: all")
    case .inPhase(let number, let error):
      let inner = error.engineMessage
      return growth("phases", "phase \(number): \(inner.message)", help: inner.help)
    }
  }
}

extension TrainingError: HasEngineMessage {
  var engineMessage: EngineMessage {
    func training(_ argument: String, _ message: String, help: String? = nil) -> EngineMessage {
      EngineMessage(code: .training, message: message, argument: argument, other: "target", help: help)
    }
    let sameData = "build the model with the same data it is trained on"
    switch self {
    case .noPhases: return training("phases", "there is no phase to run")
    case .emptyBatch: return training("batch", "batch must be at least 1")
    case .otherItems(let model, let data):
      return training("data", "the model was built for \(model) items, this data has \(data)", help: sameData)
    case .otherRows(let what, let model, let data):
      return training("data", "the model embeds \(model) \(what), this data has \(data)", help: sameData)
    case .firstPhaseWaits:
      return training(
        "phases", "`when` says when the phase before ends, and there is none before the first", help: "leave it out of the first phase")
    case .freezesWithoutGrowth(let phase):
      return training("phases", "phase \(phase) freezes old blocks, but no growth makes any new", help: "give it `to:` or `by:` too")
    case .tooLong(let model, let data):
      return training("data", "the model reads sequences of \(model) items, this data has \(data)")
    }
  }
}

extension MemoryBudget.Exceeded: HasEngineMessage {
  var engineMessage: EngineMessage {
    let has =
      switch source {
      case .machine: "this machine has"
      case .controlGroup: "this process's control group allows"
      case .processLimit: "this process's limit (ulimit -v) allows"
      }
    return EngineMessage(
      code: .training, message: "\(work) needs about \(Self.gigabytes(needed)), \(has) \(Self.gigabytes(available))", argument: "data",
      other: "blocks", help: "make the model less deep or less wide, or the sequences shorter")
  }

  private static func gigabytes(_ bytes: Double) -> String { "\((bytes / 1_073_741_824 * 10).rounded() / 10) GB" }
}

extension VocabularyMismatch: HasEngineMessage {
  var engineMessage: EngineMessage { EngineMessage(code: .model, message: message, argument: "data") }

  var message: String {
    switch self {
    case .length(let model, let data): "the model reads sequences of at most \(model) items, these have \(data)"
    case .items(let model, let data): "the model was built on \(model) other items than the \(data) of these sequences"
    case .targetsUnknown: "these sequences ask for items of a target vocabulary, which this model does not know"
    case .targetsOfAnother: "this model was fine-tuned on a target data set, and these sequences are of another vocabulary"
    case .users: "the model embeds other users than those of these sequences"
    }
  }
}

extension ModelFile.Failure: HasEngineMessage {
  var engineMessage: EngineMessage {
    let (text, help): (String, String?) =
      switch problem {
      case .missing: ("there is no file \(path)", "a model is saved by save(model, \"x.safetensors\")")
      case .unreadable(let reason):
        ("\(path) cannot be read: \(reason)", "a model is saved by save(model, \"x.safetensors\")")
      case .notTensors(let reason): ("\(path) is not a whole safetensors file: \(reason)", nil)
      case .notAModel:
        ("\(path) is a safetensors file, but not of a model saved here", "models are saved by save(model, \"x.safetensors\")")
      case .version(let version):
        ("\(path) was written by a newer version (format \(version), this reads \(ModelFile.version))", "update srs")
      case .damaged:
        ("\(path) was changed or damaged after it was saved: its checksum is wrong", "save the model again, or take another copy")
      case .contents(let message): ("\(path) \(message)", nil)
      }
    return EngineMessage(code: .file, message: text, argument: "file", help: help)
  }
}
