import Kernels

extension SequenceSet {
  /// Shuffles the sequences and cuts them into three parts by the given shares, which add up to at most 1.
  ///
  /// Parts are rounded to whole sequences; each share above 0 gets at least one. The validation part stops the
  /// training, the test part judges it: no sequence is in two parts.
  public func split(train: Double, valid: Double, test: Double, seed: UInt64) throws(DataError) -> Split {
    for (name, share) in [("train", train), ("valid", valid), ("test", test)] where !(share > 0 && share < 1) {
      throw DataError("must be above 0 % and below 100 %", argument: name)
    }
    guard train + valid + test <= 1 + 1e-9 else {
      throw DataError(
        "the shares add up to \(Self.percent(train + valid + test)), more than all there is",
        help: "make train, valid and test add up to 100% or less",
        argument: "train")
    }
    guard count >= 3 else {
      throw DataError("\(count) sequences cannot be split into three parts", help: "load more data, or filter less")
    }
    var numbers = RandomStream(seed: seed, "split").numbers()
    let order = numbers.permutation(count)
    let validCount = max(1, Int((Double(count) * valid).rounded()))
    let testCount = max(1, Int((Double(count) * test).rounded()))
    let trainCount =
      train + valid + test > 1 - 1e-9
      ? count - validCount - testCount : min(count - validCount - testCount, max(1, Int((Double(count) * train).rounded())))
    guard trainCount >= 1 else {
      throw DataError("\(count) sequences leave none to train on", help: "load more data, or filter less")
    }
    return Split(
      train: selecting(order[0..<trainCount]),
      valid: selecting(order[trainCount..<(trainCount + validCount)]),
      test: selecting(order[(trainCount + validCount)..<(trainCount + validCount + testCount)]),
      rule:
        "by sequence, \(Self.percent(train)) train, \(Self.percent(valid)) validation, \(Self.percent(test)) test, seed \(seed)")
  }

  private static func percent(_ share: Double) -> String {
    let value = (share * 1000).rounded() / 10
    return value == value.rounded() ? "\(Int(value)) %" : "\(value) %"
  }
}
