/// What is wrong with data: where it stands, what was expected, what to do.
public struct DataError: Error, Equatable, Sendable {
  public let message: String
  public let help: String?
  /// The file, with line and column (both from 1) where they are known.
  public let file: String?
  public let line: Int?
  public let column: Int?
  /// The argument of the language it belongs to, where it is one's fault.
  public let argument: String?

  public init(
    _ message: String, help: String? = nil, file: String? = nil, line: Int? = nil, column: Int? = nil,
    argument: String? = nil
  ) {
    self.message = message
    self.help = help
    self.file = file
    self.line = line
    self.column = column
    self.argument = argument
  }

  /// `file:line:column`, as far as known.
  public var place: String? {
    guard let file else { return nil }
    return [file, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":")
  }
}
