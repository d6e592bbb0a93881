/// The protocol of an evaluation, for captions. Results of different protocols must not be compared.
public enum EvaluationProtocol: String, Sendable, CaseIterable {
  /// The validation part and the test part are disjoint: no test sequence influences training.
  case heldOut = "held_out"
  /// The protocol of the authors' reference code: 80 % training, 20 % test. The test part is also the validation part, which
  /// selects the best parameters, and pads count in the loss.
  case stackrec
}

/// Training, validation and test sequences of one data set.
public final class Split: Sendable {
  public let train: SequenceSet
  public let valid: SequenceSet
  public let test: SequenceSet
  /// A description of the split for captions.
  public let rule: String
  public let evaluation: EvaluationProtocol

  public init(
    train: SequenceSet, valid: SequenceSet, test: SequenceSet, rule: String, evaluation: EvaluationProtocol = .heldOut
  ) {
    self.train = train
    self.valid = valid
    self.test = test
    self.rule = rule
    self.evaluation = evaluation
  }

  /// The same split with the training sequences sorted by time, if `oldestFirst`.
  ///
  /// - Throws: `DataError` for data without times.
  public func ordered(_ oldestFirst: Bool) throws(DataError) -> Split {
    guard oldestFirst else { return self }
    return Split(
      train: try train.ordered(oldestFirst), valid: valid, test: test, rule: rule + ", shares by time", evaluation: evaluation)
  }

  /// The same split with a share of the training sequences.
  ///
  /// - Parameters:
  ///   - share: from 0 to 1.
  ///   - label: the share as text, for captions.
  public func fraction(_ share: Double, label: String) -> Split {
    Split(
      train: train.fraction(share), valid: valid, test: test, rule: "\(rule), \(label) of train", evaluation: evaluation)
  }
}
