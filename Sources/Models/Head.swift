import Layers

/// What a network scores.
public enum Head: Sendable, Equatable, Codable {
  /// The items it reads: an output layer with a bias, not tied to the embedding.
  case items
  /// The items of another vocabulary, by the product of its last hidden state with their embeddings: the transfer task.
  case targets(Int)

  func check() throws {
    guard case .targets(let count) = self else { return }
    try ModelError.require(count >= 1 && count < 1 << 31, "targets", "must be from 1 to 2 147 483 647")
  }

  func table(items: Int, width: Int, weight: Initializer, bias: Initializer, in builder: LayoutBuilder) -> OutputTable {
    switch self {
    case .items: OutputTable(rows: items, width: width, weight: weight, bias: bias, in: builder)
    case .targets(let count):
      OutputTable("target_embedding", rows: count, width: width, weight: .truncatedNormal(0.02), in: builder)
    }
  }

  private enum CodingKeys: String, CodingKey { case targets }

  /// `{}` for the items themselves, `{"targets": 200}` for another vocabulary.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self = try container.decodeIfPresent(Int.self, forKey: .targets).map { .targets($0) } ?? .items
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if case .targets(let count) = self { try container.encode(count, forKey: .targets) }
  }
}
