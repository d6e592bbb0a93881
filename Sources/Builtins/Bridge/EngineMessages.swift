import Growth
import Interpreter
import Kernels
import ModelFiles
import Models
import Syntax
import Training

/// An engine error as the language reports it.
struct EngineMessage {
  let code: Diagnostic.Code
  let message: String
  /// The argument at fault.
  var argument: String?
  /// The argument to mark in functions that have no `argument` of that name.
  var fallbackArgument: String?
  var help: String?
}

/// An error that can be reported to the author of a script.
protocol HasEngineMessage: Error {
  var engineMessage: EngineMessage { get }
}

extension ModelError: HasEngineMessage {
  var engineMessage: EngineMessage { EngineMessage(code: .model, message: message, argument: option, fallbackArgument: "to") }
}

extension GrowthError: HasEngineMessage {
  var engineMessage: EngineMessage {
    func growth(_ argument: String, _ message: String, help: String? = nil) -> EngineMessage {
      EngineMessage(code: .growth, message: message, argument: argument, help: help)
    }
    switch self {
    case .noBlocks: return growth("by", "a model without blocks has none to copy", help: "by: random, to: 2 adds new blocks")
    case .notDeeper(let old, let new):
      return growth(
        "to", "growth to \(new) blocks needs more than the \(old) blocks of the model",
        help: "growth only adds blocks: give `to:` above \(old)")
    case .notWholePatterns(let period, let old, let new):
      return growth(
        "to",
        "dilation-aware stacking copies whole dilation patterns of \(period) blocks; the depths \(old) and \(new) must be multiples of \(period)",
        help: "use multiples of \(period) for `to:` and for the model's blocks, or by: adjacent")
    case .noSeam(let old, let new):
      return growth(
        "to",
        old < 3
          ? "a trimmed seam needs at least 3 blocks, the model has \(old)"
          : "a trimmed seam drops the same number of blocks on both sides: from \(old) blocks to an even number above \(old) and up to \(2 * old - 2), not \(new)",
        help: "use by: cross, or another `to:`")
    case .moreThanTwice(let operation, let old, let new):
      return growth(
        "to", "by: \(operation.rawValue) at most doubles the depth: from \(old) to at most \(2 * old) blocks, not \(new)",
        help: "stack twice, or use by: adjacent")
    case .cannotPreserve(let block, let signature):
      return growth(
        "carry",
        "this growth cannot preserve the scores: the new model has no copy of old block \(block) (\(signature)) at a position with the same dilation",
        help: "use by: cross, or by: dilation_aware with a depth that is a multiple of the old one, or carry: all")
    case .neverSilent(let signature):
      return growth(
        "carry", "these blocks (\(signature)) cannot be the identity, so a deeper model cannot have the same scores",
        help: "use carry: all")
    case .inPhase(let number, let error):
      let inner = error.engineMessage
      return growth("phases", "phase \(number): \(inner.message)", help: inner.help)
    }
  }
}

extension TrainingError: HasEngineMessage {
  var engineMessage: EngineMessage {
    func training(_ argument: String, _ message: String, help: String? = nil) -> EngineMessage {
      EngineMessage(code: .training, message: message, argument: argument, fallbackArgument: "target", help: help)
    }
    let sameData = "build the model with the same data it is trained on"
    switch self {
    case .noPhases: return training("phases", "the list of phases is empty")
    case .emptyBatch: return training("batch", "batch must be at least 1")
    case .stepTooLarge(let batch, let accumulate):
      return training(
        "accumulate", "\(accumulate) batches of \(batch) are \(batch * accumulate) sequences a step, more than \(Recipe.largestStep)")
    case .otherItems(let model, let data):
      return training("data", "the model was built for \(model) items, but this data has \(data)", help: sameData)
    case .otherRows(let what, let model, let data):
      return training("data", "the model embeds \(model) \(what), but this data has \(data)", help: sameData)
    case .firstPhaseWaits:
      return training(
        "phases", "`when` ends the previous phase, and the first phase has none", help: "remove `when` from the first phase")
    case .freezesWithoutGrowth(let phase):
      return training(
        "phases", "phase \(phase) freezes the old blocks, but has no growth that adds new ones", help: "give it `to:` or `by:` too")
    case .scheduleNeedsLength(let schedule, let phase):
      return training(
        "schedule", "\(schedule) needs to know how many steps the training has, and phase \(phase) does not say",
        help: "give run: 1000steps or run: 20epochs; an early stop may still end it")
    case .padsInLoss:
      return training(
        "pads_in_loss", "this counts positions before the first item of a sequence, and the model reads none there",
        help: "leave it out, or build the model with pads: item")
    case .endsBeforePhase(let phase, let steps):
      return training(
        "run", "the training ends after \(steps) steps, before phase \(phase) begins", help: "make it longer, or the phases shorter")
    case .otherLength(let phases, let steps):
      return training(
        "run", "the phases have \(phases) steps together, and the training \(steps)", help: "leave out `run`, or that of the last phase")
    case .budgetWithoutLength(let phase):
      return training(
        "phases", "phase \(phase) begins after a share of the training, whose length is not given", help: "give stackrec run: 60epochs")
    case .phaseLength(let phase, let longest):
      return training("phases", "the length of phase \(phase) must be from 2 to that of the sequences, \(longest)")
    case .noTimes: return training("data", "the model reads the times of events, and this data has none")
    case .tooLong(let model, let data):
      return training("data", "the model reads sequences of \(model) items, but this data has \(data)")
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
      fallbackArgument: "blocks", help: "use fewer blocks, a smaller `dim`, or shorter sequences")
  }

  private static func gigabytes(_ bytes: Double) -> String { "\((bytes / 1_073_741_824 * 10).rounded() / 10) GB" }
}

extension VocabularyMismatch: HasEngineMessage {
  var engineMessage: EngineMessage { EngineMessage(code: .model, message: message, argument: "data") }

  var message: String {
    switch self {
    case .length(let model, let data): "the model reads sequences of at most \(model) items, these have \(data)"
    case .items(let model, let data): "the model has other items (\(model)) than these sequences (\(data))"
    case .targetsUnknown: "the targets of these sequences belong to a target vocabulary that this model does not have"
    case .targetsOfAnother: "this model was fine-tuned on a target data set, and these sequences have other targets"
    case .users: "the model has other users than these sequences"
    case .times: "the model reads the times of events, and these sequences have none"
    }
  }
}

extension ModelFile.Failure: HasEngineMessage {
  var engineMessage: EngineMessage {
    let (text, help): (String, String?) =
      switch problem {
      case .missing: ("there is no file \(path)", "save(model, \"x.safetensors\") writes a model")
      case .unreadable(let reason):
        ("\(path) cannot be read: \(reason)", "save(model, \"x.safetensors\") writes a model")
      case .notTensors(let reason): ("\(path) is not a complete safetensors file: \(reason)", nil)
      case .notAModel:
        ("\(path) is a safetensors file, but not a model saved by srs", "save(model, \"x.safetensors\") writes a model")
      case .version(let version):
        ("\(path) was written by a newer version (format \(version); this version reads up to \(ModelFile.version))", "update srs")
      case .damaged:
        ("\(path) was changed or damaged after it was saved: its checksum does not match", "save the model again, or use another copy")
      case .contents(let message): ("\(path) \(message)", nil)
      }
    return EngineMessage(code: .file, message: text, argument: "file", help: help)
  }
}

extension LongHeader: HasEngineMessage {
  var engineMessage: EngineMessage {
    EngineMessage(
      code: .file,
      message:
        "the header of the file, which has the names of all items and users, would have \(length) bytes; safetensors allows at most \(Self.longest)",
      argument: "value")
  }
}
