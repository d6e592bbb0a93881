/// A name and its location.
public struct Name: Sendable {
  public let text: String
  public let span: Span

  public init(text: String, span: Span) {
    self.text = text
    self.span = span
  }
}

/// The left side of `let` and `for`: one name, or names for the elements of a list.
public struct Pattern: Sendable {
  public let names: [Name]
  /// Is it `(a, b)`, which binds the elements of a list?
  public let isTuple: Bool
  public let span: Span
}

public struct Expression: Sendable {
  public indirect enum Kind: Sendable {
    case number(Double)
    case quantity(Double, Unit)
    case metric(String, Int)
    case string([StringPart])
    case bool(Bool)
    case `nil`
    case name(String)
    case list([Element])
    case record([Field])
    case range(Expression, Expression)
    case unary(UnaryOperator, Expression)
    case binary(BinaryOperator, Expression, Expression, operatorSpan: Span)
    case member(Expression, Name)
    case index(Expression, Expression)
    case call(Expression, [Argument])
    /// `value |> call`
    case pipe(Expression, Expression)
    case lambda(FunctionBody)
    case conditional([(condition: Expression, then: Block)], otherwise: Block?)
    case attempt(Block, Name?, Block)
    case timed(Block)
    /// `(expression)`. Where a parameter takes bare words, the parentheses make a name mean the variable.
    case group(Expression)
    /// Text that could not be parsed; the error is already reported.
    case broken
  }

  public enum StringPart: Sendable {
    case text(String)
    case code(Expression)
  }

  public struct Element: Sendable {
    public let value: Expression
    public let isSpread: Bool
  }

  public struct Field: Sendable {
    /// Nil for `..other`, which spreads a record.
    public let key: Name?
    public let value: Expression
  }

  public struct Argument: Sendable {
    public let label: Name?
    public let value: Expression
    public let isSpread: Bool
  }

  public let kind: Kind
  public let span: Span

  public init(_ kind: Kind, _ span: Span) {
    self.kind = kind
    self.span = span
  }
}

public enum UnaryOperator: String, Sendable {
  case minus = "-"
  case not
}

public enum BinaryOperator: String, Sendable {
  case or, and
  case equal = "=="
  case unequal = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case plus = "+"
  case minus = "-"
  case times = "*"
  case divide = "/"
  case power = "^"
}

public struct FunctionParameter: Sendable {
  public let name: Name
  public let defaultValue: Expression?
}

public struct FunctionBody: Sendable {
  public let parameters: [FunctionParameter]
  public let body: Block
  public let span: Span
}

/// Statements in braces, or a single expression.
public struct Block: Sendable {
  public let statements: [Statement]
  public let span: Span
}

public struct Statement: Sendable {
  public indirect enum Kind: Sendable {
    case expression(Expression)
    case bind(Pattern, Expression)
    /// `param name = value  # what it is`
    case parameter(Name, Expression, comment: String?)
    case function(Name, FunctionBody)
    case loop(Pattern, in: Expression, Block)
    case whileLoop(Expression, Block)
    case `return`(Expression?)
    case `break`
    case `continue`
    case `import`(Expression)
    case assert(Expression, Expression?)
  }

  public let kind: Kind
  public let span: Span
}

/// A parsed text: its statements and its errors.
public struct SyntaxTree: Sendable {
  public let file: SourceFile
  public let statements: [Statement]
  public let comments: [Comment]
  public let cells: [CellMark]
  public let diagnostics: [Diagnostic]
  /// Does the text end inside brackets, inside a block or after an operator, so that more lines could complete it?
  public let isIncomplete: Bool
}
