import Foundation
import Syntax
import Testing

/// The editors' grammars contain all keywords of the lexer and classify its tokens correctly.
@Suite struct EditorTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
  static let units = Set(Unit.allCases.map(\.rawValue) + ["step", "epoch", "sec"])

  private func words(_ text: String) -> Set<String> { Set(text.split { " |()".contains($0) }.map(String.init)) }

  @Test func vimHasTheKeywords() throws {
    let lines = try String(contentsOfFile: Self.root + "/editors/vim/syntax/srs.vim", encoding: .utf8).split(separator: "\n")
    func rest(_ head: String) -> String { lines.first { $0.hasPrefix(head) }.map { String($0.dropFirst(head.count)) } ?? "" }
    let all = words(rest("syntax keyword srsKeyword")).union(words(rest("syntax keyword srsConstant")))
    #expect(all == Set(Token.Keyword.allCases.map(\.rawValue)))
    for unit in Self.units { #expect(rest("syntax match srsNumber").contains(unit == "%" ? "\\%" : unit), "\(unit)") }
  }

  /// The rules of the TextMate grammar in their order, applied as an editor applies them.
  private struct Grammar {
    var rules: [(name: String, pattern: Regex<AnyRegexOutput>)] = []

    init() throws {
      let data = try Data(contentsOf: URL(fileURLWithPath: EditorTests.root + "/editors/vscode/syntaxes/srs.tmLanguage.json"))
      let whole = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
      let code = try #require((whole["repository"] as? [String: Any])?["code"] as? [String: Any])
      for rule in try #require(code["patterns"] as? [[String: Any]]) {
        guard let name = rule["name"] as? String, let match = rule["match"] as? String, !match.hasPrefix("(?<=") else { continue }
        rules.append((name, try Regex(match.replacingOccurrences(of: "(?<!\\.)", with: ""))))
      }
    }

    /// The name that the first matching rule gives to a token.
    func name(of text: Substring) -> String? {
      for rule in rules {
        if let match = text.prefixMatch(of: rule.pattern), match.range.upperBound == text.endIndex { return rule.name }
      }
      return nil
    }
  }

  @Test func textMateClassifiesTokens() throws {
    let grammar = try Grammar()
    var seen = 0
    for folder in ["scripts", "notebooks"] {
      for file in try FileManager.default.contentsOfDirectory(atPath: Self.root + "/" + folder) where file.hasSuffix(".srs") {
        let bytes = [UInt8](try #require(FileManager.default.contents(atPath: Self.root + "/\(folder)/\(file)")))
        let source = SourceFile(name: file, bytes: bytes)
        for token in Lexer(source).tokens {
          let text = source.text(token.range)
          let wanted: String
          switch token.kind {
          case .number: wanted = "constant.numeric.srs"
          case .quantity: wanted = "constant.numeric.quantity.srs"
          case .metric: wanted = "constant.other.metric.srs"
          case .keyword(.true), .keyword(.false), .keyword(.nil): wanted = "constant.language.srs"
          case .keyword: wanted = "keyword.control.srs"
          case .symbol(let symbol) where !"()[]{}.,:;".contains(symbol.rawValue): wanted = "keyword.operator.srs"
          default: continue
          }
          #expect(grammar.name(of: Substring(text)) == wanted, "\(file): \(text)")
          seen += 1
        }
      }
    }
    #expect(seen > 2000)
    for keyword in Token.Keyword.allCases { #expect(grammar.name(of: Substring(keyword.rawValue)) != nil, "\(keyword.rawValue)") }
    for unit in Self.units { #expect(grammar.name(of: Substring("3" + unit)) == "constant.numeric.quantity.srs", "\(unit)") }
  }
}
