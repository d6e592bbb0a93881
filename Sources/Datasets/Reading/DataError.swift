/// An error in data: where it is, what was found and expected, and what to do.
public struct DataError: Error, Equatable, Sendable {
  public let message: String
  /// What the user can do.
  public let help: String?
  /// The path of the file, if known.
  public let file: String?
  /// The line, from 1, if known.
  public let line: Int?
  /// The column in bytes, from 1, if known.
  public let column: Int?
  /// The argument of the language that caused the error, if there is one.
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
  public var location: String? {
    guard let file else { return nil }
    return [file, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":")
  }
}
