/// Why a training cannot start.
public enum TrainingError: Error, Equatable, Sendable {
  case noPhases
  case emptyBatch
  /// The output layer has other items than the data. Counts without the pad.
  case otherItems(model: Int, data: Int)
  /// An embedding table has other rows than the data: `what` is items or users.
  case otherRows(what: String, model: Int, data: Int)
  /// The first phase says when the one before it ends.
  case firstPhaseWaits
  /// A phase, from 1, freezes old blocks without a growth.
  case freezesWithoutGrowth(phase: Int)
  /// The data's sequences are longer than the model reads.
  case tooLong(model: Int, data: Int)
}
