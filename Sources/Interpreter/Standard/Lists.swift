import Foundation
import Syntax

// The basic functions of lists and ranges.
extension Builtin {
  static let lists: [Builtin] = [
    len, range, map, sort, maxBy, minBy, zip, unique, flatten, reverse, reduce, contains,
  ]

  static let len = Builtin(
    "len", "The number of elements of a list, range or record, or of characters of a text.", topic: "Lists", returns: .number,
    example: "print(len([4, 5, 6]))  #> 3"
  ) { d in
    let value = d.positional("value", .countable, "the elements")
    return { call in
      let counted = try call[value]
      if case .text(let text) = counted { return .number(Double(text.count)) }
      if case .range(let low, let high) = counted { return .number(max(0, Double(high) - Double(low) + 1)) }
      guard let elements = counted.sequence else {
        throw call.error(.wrongType, "`len` counts elements, and \(counted.described) has none", argument: "value")
      }
      return .number(Double(elements.count))
    }
  }

  static let range = Builtin(
    "range", "The numbers from one to another in steps of `by`, both ends included.", topic: "Lists",
    returns: .list(.number), example: "print(range(0, 10, by: 5))  #> [0, 5, 10]"
  ) { d in
    let low = d.positional("from", .number, "the first")
    let high = d.positional("to", .number, "the last, if it is a whole number of steps from the first")
    let step = d.named("by", .number, default: 1, "1", "the step")
    return { call in
      let (from, to, by) = (try call[low], try call[high], try call[step])
      guard by != 0, (to - from) / by < 1e7 else {
        throw call.error(
          .badValue, "a step of \(NumberFormat.text(by)) would give an empty or endless list, or more than 10,000,000 elements",
          argument: "by")
      }
      // The tolerance allows for rounding, for example of steps of 0.1.
      let count = ((to - from) / by + 1e-9).rounded(.down)
      return .list(count < 0 ? [] : (0...Int(count)).map { .number(from + Double($0) * by) })
    }
  }

  static let map = Builtin(
    "map", "The list of the results of a function for every element.", topic: "Lists", returns: .list(.any),
    example: "print([1, 2, 3] |> map(x => x * x))  #> [1, 4, 9]"
  ) { d in
    let list = d.positional("list", .sequence, "the elements")
    let function = d.positional("function", .function, "called with each element")
    return { call in
      let body = try call[function]
      return .list(try call.map(try call[list]) { try call.interpreter.call(body, [$0], at: call.span(of: "function")) })
    }
  }

  static let sort = Builtin(
    "sort", "The elements in ascending order: numbers, quantities of one dimension, texts or dates. The sort is stable.", topic: "Lists",
    returns: .list(.any),
    example: "print(sort([3, 1, 2]), sort([\"bb\", \"a\"], by: x => len(x)))  #> [1, 2, 3] [\"a\", \"bb\"]"
  ) { d in
    let list = d.positional("list", .sequence, "what to sort")
    let key = d.optional("by", .function, "gives the value to sort an element by")
    let descending = d.named("descending", .bool, default: false, "false", "the largest first")
    return { call in
      let elements = try call[list]
      let keys = try sortKeys(call, elements, try call[key])
      return .list(try order(call, keys, descending: try call[descending]).map { elements[$0] })
    }
  }

  private static func sortKeys(_ call: Call, _ elements: [Value], _ key: FunctionValue?) throws -> [Value] {
    guard let key else { return elements }
    return try call.map(elements) { try call.interpreter.call(key, [$0], at: call.span(of: "by")) }
  }

  /// The indices of the elements sorted by their keys. The sort is stable.
  private static func order(_ call: Call, _ keys: [Value], descending: Bool = false) throws -> [Int] {
    for (a, b) in Swift.zip(keys, keys.dropFirst()) where Operators.compare(a, b) == nil {
      throw call.error(.badOperands, "\(a.described) and \(b.described) have no order", argument: "list")
    }
    let work = call.work
    return try keys.indices.sorted { a, b in
      try work.step()
      return switch Operators.compare(keys[a], keys[b]) {
      case .orderedAscending: !descending
      case .orderedDescending: descending
      default: a < b
      }
    }
  }

  static let maxBy = Builtin(
    "max_by", "The element for which a function gives the largest value.", topic: "Lists", returns: .any,
    example: "print(max_by([\"a\", \"ccc\", \"bb\"], x => len(x)))  #> ccc"
  ) { d in extreme(&d, last: true) }

  static let minBy = Builtin(
    "min_by", "The element for which a function gives the smallest value.", topic: "Lists", returns: .any,
    example: "print(min_by([3, -1, 2], x => x * x))  #> -1"
  ) { d in extreme(&d, last: false) }

  private static func extreme(_ d: inout Declaration, last: Bool) -> @Sendable (Call) throws -> Value {
    let list = d.positional("list", .sequence, "what to choose from")
    let function = d.positional("function", .function, "gives the value to compare")
    return { call in
      let elements = try call[list]
      guard !elements.isEmpty else { throw call.error(.badValue, "the list is empty", argument: "list") }
      let body = try call[function]
      let keys = try call.map(elements) { try call.interpreter.call(body, [$0], at: call.span(of: "function")) }
      return elements[try order(call, keys, descending: last)[0]]
    }
  }

  static let zip = Builtin(
    "zip", "Pairs of the elements of two lists.", topic: "Lists", returns: .list(.list(.any)),
    example: "print(zip([1, 2], [\"a\", \"b\"]))  #> [[1, \"a\"], [2, \"b\"]]"
  ) { d in
    let a = d.positional("a", .sequence, "the first of each pair")
    let b = d.positional("b", .sequence, "the second of each pair")
    return { call in
      let work = call.work
      return .list(
        try Swift.zip(try call[a], try call[b]).map {
          try work.step()
          return .list([$0, $1])
        })
    }
  }

  static let unique = Builtin(
    "unique", "The distinct elements of a list, in order of first occurrence.", topic: "Lists", returns: .list(.any),
    example: "print(unique([2, 1, 2]))  #> [2, 1]"
  ) { d in
    let list = d.positional("list", .sequence, "the elements")
    return { call in
      var kept: [Value] = []
      var seen = ValueTable<Bool>()
      try call.forEach(try call[list]) { value in
        if !seen.find(value, orInsert: true).existed { kept.append(value) }
      }
      return .list(kept)
    }
  }

  static let flatten = Builtin(
    "flatten", "Concatenates the lists in a list.", topic: "Lists", returns: .list(.any),
    example: "print(flatten([[1, 2], [3]]))  #> [1, 2, 3]"
  ) { d in
    let list = d.positional("list", .sequence, "a list of lists")
    return { call in
      let work = call.work
      var all: [Value] = []
      for element in try call[list] {
        try work.step()
        guard let parts = element.sequence else {
          all.append(element)
          continue
        }
        try work.checkList(elements: all.count + parts.count)
        try work.checkInterrupt()
        all += parts
      }
      return .list(all)
    }
  }

  static let reverse = Builtin(
    "reverse", "The elements from the last to the first.", topic: "Lists", returns: .list(.any),
    example: "print(reverse(1..3))  #> [3, 2, 1]"
  ) { d in
    let list = d.positional("list", .sequence, "what to reverse")
    return { call in .list((try call[list]).reversed()) }
  }

  static let reduce = Builtin(
    "reduce", "Folds a list into one value: calls function(accumulator, element) with each element in turn.", topic: "Lists",
    returns: .any, example: "print(reduce([1, 2, 3], (a, x) => a + x, from: 10))  #> 16"
  ) { d in
    let list = d.positional("list", .sequence, "what to fold")
    let function = d.positional("function", .function, "takes the value so far and an element, and gives the new value")
    let start = d.named("from", .any, "the initial value")
    return { call in
      let body = try call[function]
      let work = call.work
      return try (try call[list]).reduce(try call[start]) {
        try work.step()
        return try call.interpreter.call(body, [$0, $1], at: call.span(of: "function"))
      }
    }
  }

  static let contains = Builtin(
    "contains", "Does a list contain a value, or a text another text?", topic: "Lists", returns: .bool,
    example: "print(contains([1, 2], 2))  #> true"
  ) { d in
    let list = d.positional("list", .countable, "where to search")
    let value = d.positional("value", .any, "what to search for")
    return { call in
      let (container, wanted) = (try call[list], try call[value])
      if case .text(let text) = container, case .text(let part) = wanted {
        var isFound = part.isEmpty
        if !isFound {
          try TextSearch.matches(of: part, in: text, call.work) { _ in
            isFound = true
            return false
          }
        }
        return .bool(isFound)
      }
      guard let elements = container.sequence else {
        throw call.error(.wrongType, "\(container.described) contains nothing", argument: "list")
      }
      let work = call.work
      return .bool(
        try elements.contains {
          try work.step()
          return Operators.equal($0, wanted)
        })
    }
  }
}
