/// How a model is judged, for captions: results of different protocols are not to be compared.
public enum EvaluationProtocol: String, Sendable, CaseIterable {
  /// Validation and test apart: no test sequence has a say in training.
  case heldOut = "held_out"
  /// As the reference code does it: 80 % training, 20 % test, and the test part also stops the training and chooses the
  /// best parameters; pads count in the loss.
  case stackrec
}

/// Training, validation and test sequences of one data set.
public final class Split: Sendable {
  public let train: SequenceSet
  public let valid: SequenceSet
  public let test: SequenceSet
  /// How it was made, for captions.
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

  /// The same with a share of the training sequences.
  public func fraction(_ share: Double, told: String) -> Split {
    Split(
      train: train.fraction(share), valid: valid, test: test, rule: "\(rule), \(told) of train", evaluation: evaluation)
  }
}
