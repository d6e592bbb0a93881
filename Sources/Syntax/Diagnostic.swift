/// An error as data: its code, message, location and help. The code that finds the error words the message;
/// `DiagnosticRenderer` renders it.
public struct Diagnostic: Error, Sendable {
  public struct Frame: Sendable {
    public let function: String
    public let span: Span
    public init(function: String, span: Span) {
      self.function = function
      self.span = span
    }
  }

  public let code: Code
  public let message: String
  public let span: Span?
  /// A short text under the carets.
  public let label: String?
  public let help: String?
  /// The calls of user functions that led to the error, innermost first.
  public var trace: [Frame] = []

  public init(_ code: Code, _ message: String, at span: Span?, label: String? = nil, help: String? = nil) {
    self.code = code
    // The message of an assertion is the script's own text and is not shortened.
    self.message = code == .assertionFailed ? message : Self.shortened(message)
    self.span = span
    self.label = label
    self.help = help.map(Self.shortened)
  }

  /// Shortens long messages, because a message may quote a name of any length.
  private static func shortened(_ text: String) -> String {
    text.utf8.count <= 4000 ? text : text.prefix(1000) + " ... " + text.suffix(200)
  }

  /// Error codes, which `srs explain` and docs/language.md describe. 01: syntax, 02: names, 03: calls, 04: values, 05: files
  /// and data, 06: engine, 07: the command line, 08: interruption.
  public enum Code: String, Sendable, CaseIterable {
    case strayCharacter = "E0101"
    case unclosedString = "E0102"
    case badNumber = "E0103"
    case badEscape = "E0104"
    case unexpectedToken = "E0105"
    case unclosedBracket = "E0106"
    case tooDeep = "E0107"
    case unknownUnit = "E0108"
    case notText = "E0109"
    case misplaced = "E0110"
    case unknownName = "E0201"
    case unknownMember = "E0202"
    case notSetYet = "E0203"
    case importFailed = "E0204"
    case unknownArgument = "E0301"
    case missingArgument = "E0302"
    case surplusArgument = "E0303"
    case wrongType = "E0304"
    case repeatedArgument = "E0305"
    case unknownWord = "E0306"
    case wrongUnit = "E0307"
    case notCallable = "E0308"
    case badOperands = "E0401"
    case outOfRange = "E0402"
    case missingKey = "E0403"
    case assertionFailed = "E0404"
    case tooManyCalls = "E0405"
    case badValue = "E0406"
    case file = "E0501"
    case data = "E0502"
    case model = "E0601"
    case training = "E0602"
    case growth = "E0603"
    case figure = "E0604"
    case badParameter = "E0701"
    case interrupted = "E0801"
  }
}
