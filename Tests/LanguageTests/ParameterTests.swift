import Syntax
import Testing

/// Values of `--set` are checked like values in a script.
@Suite struct ParameterTests {
  private static let script = """
    param share = 80%
    param growth = 150%
    param number = 3
    param width = 8cm
    param steps = 10steps
    param time = 90s
    param epochs = 2epochs
    param shares = [10%, 20%]
    param numbers = [1, 2]
    param texts = ["a"]
    param none = []
    param flag = true
    param metric = mrr@5
    """

  private func set(_ name: String, _ value: String) -> [Diagnostic] {
    runScript(SourceFile(name: "t", text: Self.script), parameters: [name: value]).diagnostics
  }

  @Test(arguments: [
    ("share", "0%"), ("share", "100%"), ("share", "0"), ("share", "1"), ("share", "0.5"), ("growth", "200%"), ("number", "-5"),
    ("number", "5steps"), ("width", "1mm"), ("width", "3in"), ("width", "20pt"), ("steps", "0"), ("steps", "3epochs"), ("steps", "2min"),
    ("time", "0s"), ("time", "5ms"), ("epochs", "1epoch"), ("shares", "[0%, 100%]"), ("shares", "[]"), ("shares", "[0.5, 1]"),
    ("numbers", "[-1]"), ("texts", "[\"b\", \"c\"]"), ("none", "[1, \"a\"]"), ("flag", "false"), ("metric", "hr@10"),
  ])
  func accepted(name: String, value: String) { #expect(set(name, value).isEmpty, "\(set(name, value).map(\.message))") }

  @Test(arguments: [
    ("share", "150%", "from 0% to 100%"), ("share", "100.1%", "from 0% to 100%"), ("share", "-1%", "from 0% to 100%"),
    ("share", "1.5", "from 0% to 100%"), ("share", "-0.1", "from 0% to 100%"), ("share", "5cm", "a share"), ("growth", "5s", "a share"),
    ("number", "5s", "a number"), ("width", "-3cm", "above 0"), ("width", "0mm", "above 0"), ("width", "-1in", "above 0"),
    ("width", "3", "a length"), ("steps", "-5steps", "not negative"), ("steps", "-5", "not negative"),
    ("steps", "-1epochs", "not negative"),
    ("steps", "-1s", "not negative"), ("time", "-1min", "not negative"), ("time", "-1ms", "not negative"),
    ("epochs", "-1epoch", "not negative"),
    ("shares", "[50%, 150%]", "from 0% to 100%"), ("shares", "[-0.5]", "from 0% to 100%"), ("shares", "[5s]", "a list"),
    ("numbers", "[1, \"a\"]", "a list of numbers"), ("texts", "[\"a\", 1]", "a list of texts"), ("numbers", "3", "a list of numbers"),
    ("flag", "1", "true or false"), ("metric", "mrr", "a metric"), ("metric", "nope@5", "a metric"),
  ])
  func refused(name: String, value: String, why: String) {
    let found = set(name, value)
    #expect(found.map(\.code) == [.badParameter])
    #expect(found.first?.message.contains(why) == true, "\(found.first?.message ?? "")")
  }
}
