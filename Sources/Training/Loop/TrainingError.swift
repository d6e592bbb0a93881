/// Why a training cannot start.
public enum TrainingError: Error, Equatable, Sendable {
  case noPhases
  case emptyBatch
  /// A step has more sequences than `Recipe.largestStep`.
  case stepTooLarge(batch: Int, accumulate: Int)
  /// The output layer has another number of items than the data. The counts exclude the pad.
  case otherItems(model: Int, data: Int)
  /// An embedding table has another number of rows than the data needs. `what` is "items" or "users".
  case otherRows(what: String, model: Int, data: Int)
  /// The first phase has a plateau condition, which would end a phase before it.
  case firstPhaseWaits
  /// The length of the training ends before a phase begins. `phase` counts from 1.
  case endsBeforePhase(phase: Int, steps: Int)
  /// All phases have lengths, which are not the length of the training.
  case otherLength(phases: Int, training: Int)
  /// A phase begins after a share of the training, whose length is not given. `phase` counts from 1.
  case budgetWithoutLength(phase: Int)
  /// A phase uses more items of a sequence than there are, or fewer than two. `phase` counts from 1.
  case phaseLength(phase: Int, longest: Int)
  /// A phase freezes old blocks but has no growth. `phase` counts from 1.
  case freezesWithoutGrowth(phase: Int)
  /// The schedule needs the number of steps of a phase that has none, or has a length in time. `phase` counts from 1.
  case scheduleNeedsLength(schedule: String, phase: Int)
  /// The loss is to include positions whose target is the pad, and the model reads no pads.
  case padsInLoss
  /// The sequences of the data are longer than the model can read. Both are numbers of items.
  case tooLong(model: Int, data: Int)
  /// The model reads the times of events, and the data has none.
  case noTimes
}
