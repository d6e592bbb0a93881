import Interpreter
import Syntax
import Testing

@testable import Builtins

/// What people from Python, R, Julia and MATLAB type, and the form of this language that the help line of the error shows.
@Suite struct ForeignFormsTests {
  private static let before = """
    let data = synthetic(users: 50, items: 80, seed: 7) |> window(length: 10) |> split(seed: 1)
    let m = nextitnet(data, dim: 4, blocks: 1)
    let xs = [1, 2, 3, 4]
    let x = 5
    let rec = { a: 1 }
    let h = 1
    let r = m

    """

  static let forms: [(entry: String, help: String)] = [
    ("nextitnet(data, dim=8)", "arguments are named with a colon: dim: 8"),
    ("xs[1:3]", "a part of a list is xs[1..2], with both ends"),
    ("xs[:3]", "a part of a list is xs[1..2], with both ends"),
    ("xs[1:]", "a part of a list is xs[1..2], with both ends"),
    ("xs[::-1]", "a part of a list is xs[1..2], with both ends"),
    ("xs[0..-1]", "all from the first on: slice(xs, 0); the las"),
    ("x += 1", "a name is bound anew: let x = x + 1"),
    ("x++", "a name is bound anew: let x = x + 1"),
    ("xs[0] = 5", "lists do not change; a new one is made: let "),
    ("rec.a = 2", "records do not change; a new one is made: le"),
    ("rec[\"a\"] = 2", "records do not change; a new one is made: le"),
    ("True", "write true"),
    ("None", "the value of nothing is nil"),
    ("NULL", "the value of nothing is nil"),
    ("nan", "there is no literal for it; is_nan(x) tells "),
    ("inf", "there is no literal for it; the largest numb"),
    ("print \"x\"", "write print(\"x\"), with parentheses"),
    ("f\"{x}\"", "no letter stands before a text"),
    ("'x'", "strings are written in double quotes: \"text\""),
    ("def f():", "a function is written fn f(x) = x * 2, or fn"),
    ("function f(x)", "a function is written fn f(x) = x * 2, or fn"),
    ("lambda x: x", "a function without a name is written x => x "),
    ("x -> x*2", "a function without a name is written x => x "),
    ("\\(x) x*2", "a function without a name is written x => x "),
    ("[i*2 for i in xs]", "a list is made by map: xs |> map(i => i * 2)"),
    ("xs.append(5)", "[..xs, 5] is a list with one element more"),
    ("xs.map(x => x)", "`map` is a function: value |> map(...)"),
    ("7 // 2", "a whole quotient is floor(7 / 2); a comment "),
    ("// c", "a comment begins with #"),
    ("/* c */", "a comment begins with #"),
    ("2 ** 3", "a power is written 2 ^ 3"),
    ("7 % 2", "a remainder is mod(a, b); shares are written"),
    ("7 mod 2", "a remainder is mod(a, b); shares are written"),
    ("true && false", "write `and`"),
    ("true || false", "write `or`"),
    ("\"{x:.3f}\"", "digits are given by format: \"{format(x, digi"),
    ("\"%.3f\" % x", "values stand in braces: \"{x}\"; with digits: "),
    ("train(m, data, run: 10 steps)", "a unit follows its number without a blank: 1"),
    ("patience(8, on: mrr)", "a metric has a cut-off: mrr@5"),
    ("hit@10", "a metric has a cut-off: hr@10"),
    ("recall", "a metric has a cut-off: recall@10"),
    ("h.mrr@5", "a metric of an evaluation is in brackets: e["),
    ("data.test[0]", "sequence(data.test, 0) is the first one"),
    ("for i in range(10):", "a loop is written for i in 0..9 { ... }"),
    ("if x:", "a body stands in braces: if x > 0 { ... } el"),
    ("train(m, data, lr: 0.01)", "the rate belongs to the optimizer: optimizer"),
    ("train(m, data, epochs: 3)", "the length is given by run: 3epochs"),
    ("train(m, data, batch_size: 3)", "the argument is called `batch`"),
    ("x <- 5", "a name is bound with `let name = value`"),
    ("xs | sum", "values are passed on by |>: xs |> sum; for c"),
    ("xs %>% sum", "values are passed on by |>: xs |> sum"),
    ("print([1, 2)", "the `[` of line 8, column 7 is open"),
    ("import pandas as pd", "no packages are needed, all functions are th"),
    ("pd.read_csv(\"x\")", "no packages are needed: read_csv(\"x.csv\"), m"),
    ("str(5)", "text(5) makes a text"),
    ("type(x)", "describe(x) shows what a value is"),
    ("c(1,2,3)", "a list is written [1, 2, 3]"),
    ("1:10", "a range is written 1..10, with both ends"),
    ("x in xs", "contains(xs, x) tells whether x is in xs"),
    ("x is None", "write ==, or != for its opposite; the value "),
    ("x === 5", "write == or !="),
    ("x <> 5", "inequality is written !="),
    ("a if c else b", "a choice is written if x > 3 { 1 } else { 2 "),
    ("c ? a : b", "a choice is written if x > 3 { 1 } else { 2 "),
    ("elif", "a further condition is written else if x > 0"),
    ("let a, b = [1, 2]", "several names stand in parentheses: let (a, "),
    ("var z = 5", "a name is bound with `let name = value`"),
    ("let x: int = 5", "kinds of values are not written: let x = 5"),
    ("f(x) = x", "a function is written fn f(x) = x * 2"),
    ("raise", "an error is made by assert false, \"what is w"),
    ("pass", "an empty body is written { }"),
    ("xs[xs > 2]", "the elements that fit: filter(xs, x => x > 2"),
    ("\"\"\"doc\"\"\"", "a text stands between two quotes on one line"),
    ("[1 2 3]", "elements are separated by commas: [1, 2, 3]"),
    ("1,000", "digits are grouped by _: 1_000"),
    (".5", "a number has a digit before its point: 0.5"),
    ("1.", "a number has a digit behind its point: 1.0"),
    ("0x10", "numbers are decimal"),
    ("1k", "digits are grouped by _: 1_000, or written 1"),
    ("sasrec(data, hidden_size: 8)", "the argument is called `dim`"),
    ("sasrec(data, num_heads: 8)", "the argument is called `heads`"),
    ("fit(m)", "train(model, data, run: 10epochs) trains"),
    ("plot(m)", "a curve is drawn by figure() |> line(run, x:"),
    ("seed(1)", "randomness is given by seed: 1 of a function"),
    ("evaluate(m, k: 10)", "pass it as on: a set of sequences"),
    ("evaluate(m, device: \"cuda\")", "pass it as on: a set of sequences"),
    ("sort(xs, reverse: true)", "the order is given by descending: true"),
    ("join(xs, sep: \",\")", "the argument is called `with`"),
    ("exit()", "a script ends at its end; exit leaves the pr"),
    ("predict(m)", "recommend(model, data.test, k: 10) gives the"),
    ("any(xs)", "some(xs, x => x > 1) asks whether one fits"),
    ("linspace(0, 1)", "range(0, 1, by: 0.25)"),
    ("x is not None", "write ==, or != for its opposite; the value "),
    ("x not in xs", "contains(xs, x) tells whether x is in xs"),
    ("while True:", "a body stands in braces: while x < 9 { ... }"),
    ("throw", "an error is made by assert false, \"what is w"),
    ("printf(\"x\")", "print(\"{x}\")"),
    ("let z: number = 5", "kinds of values are not written: let x = 5"),
    ("class A:", "there are no classes; a record { name: value"),
    ("with open(\"f\") as f:", "a file is read by read(\"file.txt\") and writt"),
    ("del x", "values need not be deleted; at the prompt %r"),
    ("`x`", "texts stand in double quotes, names in none"),
    ("$x", "names are written without $"),
    ("for (i = 0; i < 3; i++) {", "a loop is written for i in 0..9 { ... }"),
    ("for i, v in xs {", "two variables stand in parentheses: for (i, "),
    ("map(x -> x, xs)", "a function without a name is written x => x "),
    ("\"a\" ++ \"b\"", "texts are joined by +, or written \"{a}{b}\""),
    ("7 %% 2", "a remainder is mod(a, b); shares are written"),
    ("train(m, data, patience: 3)", "early stopping is stop: patience(5, on: ndcg"),
    ("train(m, data, device: \"cpu\")", "everything runs on the processors; srs run -"),
    ("window(xs, maxlen: 3)", "pass it as length: a number"),
    ("split(xs, ratio: 3)", "the shares are train: 80%, valid: 10%, test:"),
    ("evaluate(m, on: data.test, topk: 10)", "a metric names its k: metrics: [hr@10]"),
    ("hr", "a metric has a cut-off: hr@10"),
    ("sgd(lr: 1)", "the optimizers are adam, adamw and adagrad"),
    ("np.mean(xs)", "no packages are needed: read_csv(\"x.csv\"), m"),
    ("undefined", "the value of nothing is nil"),
    ("rnorm(5)", "randomness is given by seed: 1 of a function"),
    ("len(xs) == 4 ? 1 : 2", "a choice is written if x > 3 { 1 } else { 2 "),
    ("if x = 5 {", "equality is written ==: if x == 5 { ... }"),
    ("switch x {", "cases are written if x == 1 { ... } else if "),
    ("1..<10", "a range has both ends: 1..9; with steps: ran"),
    ("try: x", "errors are caught by try { ... } else e => {"),
    ("raise \"x\"", "an error is made by assert false, \"what is w"),
    ("print(\"a\", end=\"\")", "print has no such arguments; it writes its v"),
    ("0.5 .. 1 by 2", "a range has both ends: 1..9; with steps: ran"),
    ("int(\"5\")", "number(\"5\") reads a number from a text, floo"),
    ("NaN", "there is no literal for it; is_nan(x) tells "),
    ("m.fit(data)", "train(model, data, run: 10epochs) trains"),
    ("xs.length", "len(xs)"),
    ("\"a\".upper()", "`upper` is a function: value |> upper(...)"),
    ("xs.forEach(print)", "for x in xs { ... }"),
    ("data.head()", "head(x, 5) is its beginning"),
    ("paste0(\"a\", \"b\")", "texts are joined by"), ("sapply(xs, len)", "xs |> map(x => x * 2)"),
    ("source(\"x.srs\")", "import \"helpers.srs\""),
    ("math.sqrt(4)", "no packages are needed"), ("epochs(3)", "a length is 3epochs"), ("\"abc\"[0]", "a part of a text is slice"),
    ("df", "read_csv"),
    ("compare(r, on: data.test)", "the methods have names: compare({ A: run"), ("len(data)", "sizes of data are data.items"),
    ("evaluate(m, on: data)", "a part of a data set is meant"), ("train(data, m, run: 2)", "the model comes first"),
    ("evaluate(m, on: data.test, metrics: hr@10)", "a list of metrics without quotes"),
    ("let [a, b] = xs", "several names stand in parentheses"),
    ("adam(learning_rate: 0.1)", "the argument is called `lr`"),
    ("max(1, 2)", "the numbers stand in a list: max([1, 2])"),
  ]

  @Test(arguments: forms)
  func theHelpShowsTheForm(entry: String, help: String) throws {
    let interpreter = Interpreter(StackRecLibrary.library, host: CapturingHost())
    let (program, diagnostics) = interpreter.compile(SourceFile(name: "entry", text: Self.before + entry + "\n"))
    var found = diagnostics
    if let program, found.isEmpty {
      do { try interpreter.run(program) } catch let diagnostic as Diagnostic { found = [diagnostic] }
    }
    #expect(found.contains { $0.help?.contains(help) == true }, "\(entry): \(found.map { "\($0.message) / \($0.help ?? "")" })")
    // One error for one line, except for an argument that is missing besides.
    #expect(found.filter { $0.code != .missingArgument }.count <= 2, "\(entry): \(found.map(\.message))")
  }

  /// A small mistake of this language is not taken for a form of another one elsewhere in the line.
  @Test(arguments: [
    ("train(m data, run: 3)", "is a comma missing before `data`?"),
    ("nextitnet(data, blocks: 4 seed: 1)", "is a comma missing before `seed`?"),
    ("patience(8 on: mrr@5)", "is a comma missing before `on`?"),
    ("split(xs, train: 80% valid: 10%)", "is a comma missing before `valid`?"),
    ("train(m, data, run: 3hours)", "units are: steps"), ("figure(width: 8px)", "did you mean `pt`?"),
    ("[1, 2 3]", "is a comma missing before `3`?"),
    ("for i in 0..9 { print(i }", "column 22 is open"), ("for i in 1..10 print(i)", "a loop is written"), ("1 in [1,2]", "contains(xs, x)"),
    ("fn f(x) -> x + 1", "fn f(x) = x + 1"), ("[1,2] |> map(x = x + 1)", "x => x + 1"), ("let q = { a = 1 }", "{ a: 1 }"),
    ("\"a\" & \"b\"", "joined by +"),
    ("print(\"a {b\")", "a plain brace is written"), ("if x == 1: print(x)", "a body stands in braces"), ("x ?? 1", "get(rec, \"name\")"),
  ])
  func mistakesOfThisLanguage(entry: String, help: String) throws { try theHelpShowsTheForm(entry: entry, help: help) }

  /// Right code is never taken for another language.
  @Test(arguments: [
    "let y = x < -5", "print(x < 5, xs[0..1])", "let f = (a, b) => a + b", "let t = \"{x}: {format(x, digits: 1)}\"",
    "let u = if x > 3 { 1 } else { 2 }",
    "for (i, v) in enumerate(xs) { print(i, v) }", "let s = 20%", "print(\"a % b && c -> d // e\")  # x += 1; def f(): pass",
  ])
  func rightCodeHasNoError(entry: String) {
    let interpreter = Interpreter(StackRecLibrary.library, host: CapturingHost())
    #expect(interpreter.compile(SourceFile(name: "entry", text: Self.before + entry + "\n")).1.isEmpty)
  }

  /// These are errors at once, and not the beginning of a longer entry.
  @Test(arguments: ["x++", "let y = 1."])
  func someLinesCannotGoOn(entry: String) { #expect(!Parser.parse(SourceFile(name: "entry", text: entry)).isIncomplete) }
}
