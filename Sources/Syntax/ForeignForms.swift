/// Forms of other languages that people type, each with what is written here. They are looked for only in lines with an error.
enum ForeignForms {
  private struct Form {
    let pattern: Regex<Substring>
    let help: String
    /// Whether a line that ends so is an error at the prompt, although it could go on in the next line.
    var isWhole = false

    init(_ pattern: Regex<Substring>, _ help: String, isWhole: Bool = false) {
      self.pattern = pattern
      self.help = help
      self.isWhole = isWhole
    }
  }

  /// The first form that occurs in a line where the error is: its help, and whether the line is an error even if it could go on.
  ///
  /// - Parameter offset: the offset of the error in the line, in bytes.
  static func find(in line: String, at offset: Int) -> (help: String, isWhole: Bool)? {
    // The patterns are meant for lines that are typed by hand.
    guard line.utf8.count <= 300 else { return nil }
    let found = forms.first { form in
      line.matches(of: form.pattern).contains { match in
        let start = line.utf8.distance(from: line.startIndex, to: match.range.lowerBound)
        let end = line.utf8.distance(from: line.startIndex, to: match.range.upperBound)
        return (start - 2...end + 2).contains(offset)
      }
    }
    return found.map { ($0.help, $0.isWhole) }
  }

  /// From the most to the least specific.
  nonisolated(unsafe) private static let forms: [Form] = [
    // Packages.
    Form(
      #/^\s*(?:from\s+[\w.]+\s+import|import\s+[\w.]+|using\s+\w|(?:library|require)\s*\()/#,
      "no packages are needed, all functions are there; import \"helpers.srs\" runs a script of yours"),
    // Functions.
    Form(#/^\s*(?:def|function|func|fun|sub|proc)\s+\w+\s*\(/#, "a function is written fn f(x) = x * 2, or fn f(x) { return x * 2 }"),
    Form(
      #/^\s*fn\s+\w+\s*\([^)]*\)\s*(?:->|:|[^={\s])|^\s*fn\s+\w+\s+\w/#,
      "a function is written fn f(x) = x + 1, or fn f(x) { return x + 1 }"),
    Form(
      #/\b(?:map|filter|reduce|sort|some|every|find|group)\s*\((?:.*,)?\s*\w+\s*=\s*[^=>]/#,
      "a function without a name is written x => x + 1"),
    Form(#/\{\s*\w+\s*=\s*[^=>]/#, "the fields of a record are written { a: 1 }"),
    Form(#/^\s*let\s+\w+\s*(?:==|:=)|^\s*\w+\s*:=/#, "a name is bound with `let name = value`"),
    Form(#/\?\?|\?\./#, "there is no such operator; if x == nil { 1 } else { x } chooses, get(rec, \"name\") asks for a field"),
    Form(#/"\s*&\s*["\w]/#, "texts are joined by +, or written \"{a}{b}\""),
    Form(#/^\s*let\s+\w+\s*\(.*\)\s*=|^\s*\w+\s*\([^"]*\)\s*=[^=>]/#, "a function is written fn f(x) = x * 2"),
    Form(
      #/\bfn\s*\(|\bfunction\s*\(|\bfunc\s*\(|\\\s*\(\w|\blambda\s+\w*\s*(?:,\s*\w+\s*)*:|\w\s*->|\)\s*->|\|\s*\w+\s*\|/#,
      "a function without a name is written x => x * 2, or (a, b) => a + b"),
    // Loops and conditions.
    Form(
      #/[\[(].*\bfor\s+\w+(?:\s*,\s*\w+)?\s+in\b/#,
      "a list is made by map: xs |> map(i => i * 2); with a condition: xs |> filter(i => i > 0)"),
    Form(#/\bfor\s+\w+\s*,\s*\w+\s+in\b/#, "two variables stand in parentheses: for (i, v) in enumerate(xs) { ... }"),
    Form(
      #/\bfor\s*\(.*;|\bfor\s*\(?\s*\w+\s*(?:=|<-)|\bfor\s*\(\s*\w+\s+in\b|^\s*for\b[^{]*:|^\s*for\s+\w+\s+in\s[^{]*$|^\s*for\s+\w+\s+of\b|\bforeach\b/#,
      "a loop is written for i in 0..9 { ... }"),
    Form(#/\belif\b|\belseif\b|\belsif\b/#, "a further condition is written else if x > 0 { ... }"),
    Form(#/\b(?:switch|match|case|when)\b.*[:{(]?\s*$/#, "cases are written if x == 1 { ... } else if x == 2 { ... } else { ... }"),
    Form(#/^\s*while\b[^{]*(?::|\bdo)/#, "a body stands in braces: while x < 9 { ... }"),
    Form(#/^\s*(?:try|except|finally)\s*:|\bcatch\b|\bexcept\b/#, "errors are caught by try { ... } else e => { print(e.message) }"),
    Form(
      #/^\s*(?:if|else)\b[^{]*(?::|\bthen|\bdo)|^\s*if\s*\(.*\)\s*\w|^\s*else\s*:|\bthen\b/#,
      "a body stands in braces: if x > 0 { ... } else { ... }"),
    Form(#/\bif\s+\w+\s*=\s*[^=]/#, "equality is written ==: if x == 5 { ... }"),
    Form(#/\S\s+if\s+.*\belse\b|\?[^"]*:/#, "a choice is written if x > 3 { 1 } else { 2 }"),
    Form(#/^\s*(?:end|endif|endfor|begin|do|fi|done)\s*;?\s*$/#, "bodies stand in braces and need no word at their end"),
    // Changes of values.
    Form(#/^\s*let\s+\w+\s*,|^\s*let\s+\[|^\s*\w+\s*,\s*\w+\s*=[^=>]/#, "several names stand in parentheses: let (a, b) = [1, 2]"),
    Form(#/\w\s*(?:\+\+|--)\s*;?\s*$/#, "a name is bound anew: let x = x + 1", isWhole: true),
    Form(#/\w\s*[-+*\/]=/#, "a name is bound anew: let x = x + 1"),
    Form(
      #/^\s*\w+\s*\[\s*"[^"]*"\s*\]\s*=[^=>]|^\s*\w+(?:\.\w+)+\s*=[^=>]/#,
      "records do not change; a new one is made: let rec = { ..rec, a: 2 }"),
    Form(
      #/^\s*\w+\s*\[.*\]\s*=[^=>]/#,
      "lists do not change; a new one is made: let xs = enumerate(xs) |> map(p => if p[0] == 2 { 9 } else { p[1] })"),
    Form(#/^\s*let\s+\w+\s*:\s*\w+(?:\[.*\])?\s*=/#, "kinds of values are not written: let x = 5"),
    Form(#/^\s*(?:var|const|local|auto|val|int|float|double|string|bool|mut|global)\s+\w+/#, "a name is bound with `let name = value`"),
    Form(#/\w\s*<-\s*\S|\S\s*->>?\s*\w+\s*$/#, "a name is bound with `let name = value`"),
    // Other statements.
    Form(#/^\s*print(?:ln|f)?\s+\S/#, "write print(\"x\"), with parentheses"),
    Form(
      #/\bprint\(.*\b(?:end|sep|file|flush)\s*[=:]/#,
      "print has no such arguments; it writes its values, with blanks between them, in a line"),
    Form(#/^\s*(?:raise|throw)\b/#, "an error is made by assert false, \"what is wrong\""),
    Form(#/^\s*pass\s*$/#, "an empty body is written { }"),
    Form(
      #/^\s*(?:class|struct|type|interface|enum)\s+\w+/#, "there are no classes; a record { name: value } and functions do what is needed"),
    Form(#/^\s*with\s+.*\bopen\b|^\s*with\s/#, "a file is read by read(\"file.txt\") and written by write(text, \"file.txt\")"),
    Form(#/^\s*(?:del|delete)\s+\w/#, "values need not be deleted; at the prompt %reset name forgets one"),
    Form(#/^\s*(?:async|await|yield|global|nonlocal)\b/#, "there is no counterpart here"),
    // Texts.
    Form(#/"\s*%\s*[\w(]/#, "values stand in braces: \"{x}\"; with digits: \"{format(x, digits: 3)}\""),
    Form(#/"[^"]*\{[^}"]*:[^}"]*\}/#, "digits are given by format: \"{format(x, digits: 3)}\""),
    Form(
      #/(?:^|[\s(=,\[])[frbuFRBU]{1,2}"[^"]*"/#,
      "no letter stands before a text: values stand in braces in every text, \"{x}\", and a backslash is written \\\\"),
    Form(#/"""/#, "a text stands between two quotes on one line, \"...\", and \\n breaks its lines; comments begin with #"),
    Form(#/"\s*\+\+|\+\+\s*"/#, "texts are joined by +, or written \"{a}{b}\""),
    Form(#/`/#, "texts stand in double quotes, names in none"),
    // Operators.
    Form(#/%>%|%\|%/#, "values are passed on by |>: xs |> sum"),
    Form(#/%in%/#, "contains(xs, x) tells whether x is in xs"),
    Form(#/%\/%/#, "a whole quotient is floor(7 / 2)"),
    Form(#/\d%%?\d|\w%%\w|\w\s+%%?\s+\w|\bmod\s+\w|\w\s+mod\b/#, "a remainder is mod(a, b); shares are written 80%"),
    Form(#/\bdiv\s+\w/#, "a whole quotient is floor(7 / 2)"),
    Form(#/^\s*\/\/|^\s*\/\*|\*\/\s*$|^\s*--\s|^\s*%\s*\w+.*%$/#, "a comment begins with #"),
    Form(#/\/\//#, "a whole quotient is floor(7 / 2); a comment begins with #"),
    Form(#/\*\*/#, "a power is written 2 ^ 3"),
    Form(#/&/#, "write `and`"),
    Form(#/\|\|/#, "write `or`"),
    Form(#/===|!==/#, "write == or !="),
    Form(#/<>|~=|\/=/#, "inequality is written !="),
    Form(#/\bis\s+not\b|\bis\s+\w/#, "write ==, or != for its opposite; the value of nothing is nil"),
    Form(#/(?:^|[\s(=])[!~]\w/#, "write `not`"),
    Form(#/[^|]\|[^>|]/#, "values are passed on by |>: xs |> sum; for conditions write `or`"),
    // Numbers, ranges, lists.
    Form(#/\bnot\s+in\b|\w\s+in\s+[\w\[]/#, "contains(xs, x) tells whether x is in xs"),
    Form(
      #/\d\s+(?:steps?|epochs?|ms|s|min|h|d|cm|mm|in|pt)\b/#,
      "a unit follows its number without a blank: 10steps; a computed one is n * 1steps"),
    Form(
      #/\[\s*-?[\w.]*\s*:\s*-?[\w.]*\s*(?::\s*-?[\w.]*\s*)?\]/#,
      "a part of a list is xs[1..2], with both ends; others are take(xs, 3), drop(xs, 1), slice(xs, -2), reverse(xs)"),
    Form(#/\.\.<|\.\.\.|\.\.\s*\w+\s+by\b/#, "a range has both ends: 1..9; with steps: range(0, 1, by: 0.25)"),
    Form(#/(?:^|[\s=(\[,])-?\d+\s*:\s*-?[\w.]+/#, "a range is written 1..10, with both ends"),
    Form(#/\b\d{1,3}(?:,\d{3})+\b/#, "digits are grouped by _: 1_000"),
    Form(#/(?:^|[^\w.])\.\d/#, "a number has a digit before its point: 0.5"),
    Form(#/\d\.\s*(?:$|[)\],])/#, "a number has a digit behind its point: 1.0", isWhole: true),
    Form(#/\b0[xob][0-9a-fA-F]/#, "numbers are decimal"),
    Form(#/\b\d+(?:\.\d+)?[kKMG]\b/#, "digits are grouped by _: 1_000, or written 1e3"),
    Form(#/\[[^,\]]*[\w"]\s+[\w"]/#, "elements are separated by commas: [1, 2, 3]"),
    // Calls.
    Form(#/[(,]\s*\w+\s*=[^=>]/#, "arguments are named with a colon: dim: 8"),
    Form(
      #/\.(?:mrr|hr|ndcg)@/#,
      "a metric of an evaluation is in brackets: e[mrr@5]; of a point of a history: last(run.history)[\"mrr@5\"]"),
    Form(#/^\s*@\w/#, "at the prompt %time runs an entry and shows its time"),
    Form(#/\$\w/#, "names are written without $"),
    Form(
      #/\.(?:mrr|hr|ndcg)@/#, "a metric of an evaluation is in brackets: e[mrr@5]; of a point of a history: last(run.history)[\"mrr@5\"]"),
    Form(#/^\s*\w+\s*=[^=>]/#, "a name is bound with `let name = value`"),
  ]
}
