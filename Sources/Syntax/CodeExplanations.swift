extension Diagnostic.Code {
  /// The meaning of the code in one or two sentences. docs/language.md has an example of each.
  public var explanation: String {
    switch self {
    case .strayCharacter:
      "A character that is not part of the language. Many come from other languages; the help says what to write instead."
    case .unclosedString:
      "A string, or a brace in a string, that is not closed on its line. A line break inside is written \\n, a brace \\{."
    case .badNumber: "A number that is too large, or a metric's cut-off that is not a whole number from 1 on."
    case .badEscape: "An escape that does not exist. There are \\n \\t \\\" \\\\ \\{ \\} and \\u{...}."
    case .unexpectedToken: "The text does not fit the grammar. The message says what was found and what was expected."
    case .unclosedBracket: "A bracket that is not closed by the end of the text. The location is that of the bracket."
    case .tooDeep: "Text that is nested too deeply (200 levels), or a chain of more than 10,000 links. Split it with `let`."
    case .unknownUnit: "Letters after a number that are not a unit. Units: steps, epochs, ms, s, min, h, d, mm, cm, in, pt, %."
    case .notText: "The file is not UTF-8 text, has a zero byte, or a character that changes the direction of text."
    case .misplaced:
      "A statement where it is not allowed: return outside of a function, break or continue outside of a loop, param inside a function."
    case .unknownName: "Nothing has that name: no variable, no function, no metric; or a bare word is used where words are not allowed."
    case .unknownMember: "A value has no member of that name, or no members at all. ?name lists those of a variable."
    case .notSetYet: "A name has no value yet: it is bound further down, or in a branch that was not taken."
    case .importFailed: "An import that does not work: no such file, files that import each other, or not at the top level."
    case .unknownArgument: "The function has no argument of that name. ?function lists them."
    case .missingArgument: "A required argument is missing; or a training has no end."
    case .surplusArgument: "A positional argument that the function does not take, or that follows a named one."
    case .wrongType: "A value of the wrong kind: in an argument, a condition, a spread, an index, or the sequence of a `for`."
    case .repeatedArgument: "Something is given twice: an argument, a parameter, a field of a record."
    case .unknownWord: "A word that the parameter does not know. Words are written without quotes; parentheses force a variable."
    case .wrongUnit: "A quantity of the wrong dimension, for example a length where a time or a plain number is expected."
    case .notCallable: "A call of, or a pipe into, something that is not a function."
    case .badOperands: "An operator that does not work on these values. Texts take values as \"{value}\"."
    case .outOfRange: "An index outside of a list or range. Elements are counted from 0, from -1 at the end."
    case .missingKey: "A record has no field of that name, or an object no such element."
    case .assertionFailed: "The condition of an assert is false."
    case .tooManyCalls: "Functions call each other too deeply, or values are nested too deeply. Does the recursion end?"
    case .badValue: "A value of the right kind that is not allowed: out of bounds, not whole, empty, a division by zero."
    case .file: "A file that does not exist, cannot be read or written, is not of its format, or is outside of the sandbox."
    case .data: "Data that cannot be used: lines that do not fit the format, a missing column, filters that leave nothing."
    case .model: "A model that cannot be built with these options, or cannot be used on this data."
    case .training: "A training that cannot run with these options."
    case .growth: "A growth that is not possible: a depth that the operator cannot produce, or a function that cannot be preserved."
    case .figure: "A figure or table that cannot be drawn or saved with these options."
    case .badParameter: "A --set that the script does not take: no such param, or a value of another kind."
    case .interrupted: "Stopped by Ctrl-C, SIGTERM, SIGHUP or --timeout. The state of a training is kept in its checkpoint."
    }
  }
}
