import Layers

/// The output layer of a network.
public enum Head: Sendable, Equatable, Codable {
  /// Scores the items that the network reads, by an output layer with a bias. It is not tied to the item embedding.
  case items
  /// Scores this number of items of another vocabulary, by the dot product of their embeddings and the last hidden state.
  /// This is the head of the transfer task. The number includes the pad.
  case targets(Int)

  func check() throws {
    guard case .targets(let count) = self else { return }
    try ModelError.require(count >= 1 && count < 1 << 31, "targets", "must be from 1 to 2 147 483 647")
  }

  func table(items: Int, width: Int, weight: Initializer, bias: Initializer?, in builder: LayoutBuilder) -> OutputTable {
    switch self {
    case .items: OutputTable(rows: items, width: width, weight: weight, bias: bias, in: builder)
    case .targets(let count):
      OutputTable("target_embedding", rows: count, width: width, weight: .truncatedNormal(0.02), in: builder)
    }
  }

  private enum CodingKeys: String, CodingKey { case targets }

  /// Decodes `{}` as `items` and `{"targets": 200}` as `targets(200)`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self = try container.decodeIfPresent(Int.self, forKey: .targets).map { .targets($0) } ?? .items
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if case .targets(let count) = self { try container.encode(count, forKey: .targets) }
  }
}
