extension Diagnostic.Code {
  /// What the code stands for, in a sentence or two; docs/language.md has an example of each.
  public var explanation: String {
    switch self {
    case .strayCharacter:
      "A character that is not part of the language. Many come from other languages; the help says what to write instead."
    case .unclosedString:
      "A string, or a brace in a string, that is not closed on its line. A line break inside is written \\n, a brace \\{."
    case .badNumber: "A number that is too large, or a metric's cut-off that is not a whole number from 1 on."
    case .badEscape: "An escape that does not exist. There are \\n \\t \\\" \\\\ \\{ \\} and \\u{...}."
    case .unexpectedToken: "Something stands where something else is expected. The message says both."
    case .unclosedBracket: "A bracket that is not closed by the end of the text. The place is that of the bracket."
    case .tooDeep: "Text that is nested too deeply (200 levels), or a chain of more than 10,000 links. Cut it with `let`."
    case .unknownUnit: "Letters behind a number that are no unit. Units: steps, epochs, ms, s, min, h, d, mm, cm, in, pt, %."
    case .notText: "The file is not UTF-8 text, has a zero byte, or a character that turns the direction of text."
    case .misplaced: "A statement out of place: return outside of a function, break or continue outside of a loop, param inside a function."
    case .unknownName: "There is nothing of that name: no variable, no function, no metric; or a bare word where no word is read."
    case .unknownMember: "A value has no member of that name, or no members at all. ?name lists those of a variable."
    case .notSetYet: "A name that is bound somewhere has no value yet: further down, or in a branch that was not taken."
    case .importFailed: "An import that does not work: no such file, files that import each other, or not at the top level."
    case .unknownArgument: "The function has no argument of that name. ?function lists them."
    case .missingArgument: "An argument is missing that has no default; or nothing ends a training."
    case .surplusArgument: "An argument by place that the function does not take, or that stands behind one by name."
    case .wrongType: "A value of the wrong kind: in an argument, a condition, a spread, an index, or what `for` goes through."
    case .repeatedArgument: "Something is there twice: an argument, a parameter, a field of a record."
    case .unknownWord: "A word that the parameter does not know. Words are written without quotes; parentheses force a variable."
    case .wrongUnit: "A quantity of the wrong dimension, as a length where a time is asked for, or where a plain number is."
    case .notCallable: "A call of, or a pipe into, something that is no function."
    case .badOperands: "An operator that does not work on these values. Texts take values as \"{value}\"."
    case .outOfRange: "An index outside of a list or range. Elements are counted from 0, from -1 at the end."
    case .missingKey: "A record has no field of that name, or an object no such element."
    case .assertionFailed: "The condition of an assert does not hold."
    case .tooManyCalls: "Functions call each other too deeply, or values hold each other too deeply. Does the recursion end?"
    case .badValue: "A value of the right kind that is not allowed: out of bounds, not whole, empty, a division by zero."
    case .file: "A file that is not there, cannot be read or written, is not of its format, or lies outside of the sandbox."
    case .data: "Data that cannot be used: lines that do not fit, a column that is not there, filters that leave nothing."
    case .model: "A model that cannot be built so, or cannot be used on this data."
    case .training: "A training that cannot be done so."
    case .growth: "A growth that is not possible: a depth that no rule gives, or what would not be kept."
    case .figure: "A figure or table that cannot be drawn or saved so."
    case .badParameter: "A --set that the script does not take: no such param, or a value of another kind."
    case .interrupted: "Stopped by Ctrl-C, SIGTERM, SIGHUP or the end of --timeout. What was learnt is kept."
    }
  }
}
