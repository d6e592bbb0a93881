/// The first line of a file of sequences that `save` writes: `user,item_1,item_2,item_3`. It has no `user` if the data has no
/// users, and `item_1[pad=0]` if the pad is not called `<pad>`. With it, a file can be read without detection of its format.
struct SequenceHeader: Equatable {
  static let usualPad = "<pad>"
  /// Items that pad files of other programs.
  static let foreignPads = ["0", "-1"]

  let hasUsers: Bool
  let length: Int
  let pad: String

  init(hasUsers: Bool, length: Int, pad: String) {
    self.hasUsers = hasUsers
    self.length = length
    self.pad = pad
  }

  /// nil if the line is not such a header.
  init?(_ line: String) {
    var names = line.split(separator: ",", omittingEmptySubsequences: false)[...]
    hasUsers = names.first == "user"
    if hasUsers { names = names.dropFirst() }
    guard var first = names.first, names.dropFirst().enumerated().allSatisfy({ $1 == "item_\($0 + 2)" }) else { return nil }
    length = names.count
    if first.hasPrefix("item_1[pad="), first.hasSuffix("]") {
      pad = String(first.dropFirst(11).dropLast())
      first = "item_1"
    } else {
      pad = Self.usualPad
    }
    guard first == "item_1", length >= 2 else { return nil }
  }

  var line: String {
    let mark = pad == Self.usualPad ? "" : "[pad=\(pad)]"
    return ((hasUsers ? ["user"] : []) + (1...length).map { "item_\($0)" + ($0 == 1 ? mark : "") }).joined(separator: ",")
  }

  var format: DataFormat { hasUsers ? .userSequences : .sequences }
}
