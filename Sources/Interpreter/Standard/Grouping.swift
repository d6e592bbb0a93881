import Syntax

// Functions that select elements of lists or rearrange them.
extension Builtin {
  static let grouping: [Builtin] = [
    group, slice, take, drop, first, last, find, indexOf, count, some, every, enumerate, chunks, `repeat`, transpose,
  ]

  static let group = Builtin(
    "group",
    "Groups the elements of a list by the result of a function: pairs of a result and the list of its elements, in order of first occurrence.",
    topic: "Lists", returns: .list(.list(.any)),
    example: "for (parity, xs) in group(1..5, by: x => mod(x, 2)) { print(parity, xs) }\n#> 1 [1, 3, 5]\n#> 0 [2, 4]"
  ) { d in
    let list = d.positional("list", .sequence, "what to group")
    let key = d.named("by", .function, "gives the key of an element")
    return { call in
      let function = try call[key]
      var indices = ValueTable<Int>()
      var groups: [(key: Value, values: [Value])] = []
      try call.forEach(try call[list]) { element in
        let key = try call.interpreter.call(function, [element], at: call.span(of: "by"))
        let group = indices.find(key, orInsert: groups.count)
        if group.existed {
          groups[group.entry].values.append(element)
        } else {
          groups.append((key, [element]))
        }
      }
      return .list(groups.map { .list([$0.key, .list($0.values)]) })
    }
  }

  static let slice = Builtin(
    "slice", "The elements from one index to another, both included, or the characters of a text. Indices outside of the list are ignored.",
    topic: "Lists", returns: .any, example: "print(slice([1, 2, 3, 4], 1, 9), slice(\"stacking\", 0, 4))  #> [2, 3, 4] stack"
  ) { d in
    let list = d.positional("list", .countable, "a list or a text")
    let from = d.positional("from", .whole, "index of the first, from 0; negative ones count from the end")
    let to = d.optionalPositional("to", .whole, "index of the last; if omitted, the end")
    return { call in
      let value = try call[list]
      func bounds(_ count: Int) throws -> Range<Int> {
        func position(_ index: Int) -> Int { index < 0 ? count + index : index }
        let low = max(0, position(try call[from]))
        let last = position(try call[to] ?? (count - 1))
        return low..<max(low, last >= count ? count : last + 1)
      }
      if let text = value.asText {
        let characters = Array(text)
        let range = try bounds(characters.count)
        return .text(String(characters[range.clamped(to: 0..<characters.count)]))
      }
      guard let elements = value.sequence else {
        throw call.error(.wrongType, "`slice` takes a list or a text, not \(value.described)", argument: "list")
      }
      return .list(Array(elements[try bounds(elements.count).clamped(to: 0..<elements.count)]))
    }
  }

  static let take = Builtin(
    "take", "The first elements of a list; all if it has fewer.", topic: "Lists", returns: .list(.any),
    example: "print(take([5, 6, 7], 2))  #> [5, 6]"
  ) { d in
    let list = d.positional("list", .sequence, "the list")
    let count = d.positional("count", .whole(from: 0), "how many")
    return { call in .list(Array((try call[list]).prefix(try call[count]))) }
  }

  static let drop = Builtin(
    "drop", "A list without its first elements.", topic: "Lists", returns: .list(.any),
    example: "print(drop([5, 6, 7], 2))  #> [7]"
  ) { d in
    let list = d.positional("list", .sequence, "the list")
    let count = d.positional("count", .whole(from: 0), "how many to drop")
    return { call in .list(Array((try call[list]).dropFirst(try call[count]))) }
  }

  static let first = Builtin(
    "first", "The first element of a list.", topic: "Lists", returns: .any, example: "print(first([5, 6, 7]))  #> 5"
  ) { d in
    let list = d.positional("list", .sequence, "a list that is not empty")
    return { call in
      guard let value = (try call[list]).first else { throw call.error(.badValue, "the list is empty", argument: "list") }
      return value
    }
  }

  static let last = Builtin(
    "last", "The last element of a list.", topic: "Lists", returns: .any, example: "print(last([5, 6, 7]))  #> 7"
  ) { d in
    let list = d.positional("list", .sequence, "a list that is not empty")
    return { call in
      guard let value = (try call[list]).last else { throw call.error(.badValue, "the list is empty", argument: "list") }
      return value
    }
  }

  static let find = Builtin(
    "find", "The first element for which a function gives true; nil if there is none.", topic: "Lists", returns: .any,
    example: "print(find([1, 4, 6], x => x > 3))  #> 4"
  ) { d in
    let list = d.positional("list", .sequence, "where to search")
    let test = d.positional("test", .function, "gives true or false for an element")
    return { call in
      let elements = try call[list]
      return try firstIndex(call, elements, try call[test]).map { elements[$0] } ?? .nothing
    }
  }

  static let indexOf = Builtin(
    "index_of", "The index of the first element that equals a value, counted from 0; nil if there is none.", topic: "Lists", returns: .any,
    example: "print(index_of([\"a\", \"b\"], \"b\"))  #> 1"
  ) { d in
    let list = d.positional("list", .sequence, "where to search")
    let value = d.positional("value", .any, "what to search for")
    return { call in
      let wanted = try call[value]
      let work = call.work
      return try (try call[list]).firstIndex {
        try work.step()
        return Operators.equal($0, wanted)
      }.map { .number(Double($0)) } ?? .nothing
    }
  }

  static let count = Builtin(
    "count", "The number of elements for which a function gives true.", topic: "Lists", returns: .number,
    example: "print(count([1, 4, 6], x => x > 3))  #> 2"
  ) { d in
    let list = d.positional("list", .sequence, "the elements")
    let test = d.positional("test", .function, "gives true or false for an element")
    return { call in
      let function = try call[test]
      var count = 0
      try call.forEach(try call[list]) { count += try satisfies(call, function, $0) ? 1 : 0 }
      return .number(Double(count))
    }
  }

  static let some = Builtin(
    "some", "Does a function give true for at least one element?", topic: "Lists", returns: .bool,
    example: "print(some([1, 4], x => x > 3))  #> true"
  ) { d in
    let list = d.positional("list", .sequence, "the elements")
    let test = d.positional("test", .function, "gives true or false for an element")
    return { call in .bool(try firstIndex(call, try call[list], try call[test]) != nil) }
  }

  static let every = Builtin(
    "every", "Does a function give true for every element?", topic: "Lists", returns: .bool,
    example: "print(every([1, 4], x => x > 3))  #> false"
  ) { d in
    let list = d.positional("list", .sequence, "the elements")
    let test = d.positional("test", .function, "gives true or false for an element")
    return { call in
      let function = try call[test]
      let work = call.work
      return .bool(
        try (try call[list]).allSatisfy {
          try work.step()
          return try satisfies(call, function, $0)
        })
    }
  }

  private static func firstIndex(_ call: Call, _ elements: [Value], _ test: FunctionValue) throws -> Int? {
    let work = call.work
    return try elements.firstIndex {
      try work.step()
      return try satisfies(call, test, $0)
    }
  }

  private static func satisfies(_ call: Call, _ test: FunctionValue, _ element: Value) throws -> Bool {
    guard case .bool(let result) = try call.interpreter.call(test, [element], at: call.span(of: "test")) else {
      throw call.error(.wrongType, "`test` of \(call.builtin.name) must give true or false", argument: "test")
    }
    return result
  }

  static let enumerate = Builtin(
    "enumerate", "Pairs of an index, counted from 0, and an element of a list.", topic: "Lists", returns: .list(.list(.any)),
    example: "print(enumerate([\"a\", \"b\"]))  #> [[0, \"a\"], [1, \"b\"]]"
  ) { d in
    let list = d.positional("list", .sequence, "the elements")
    return { call in
      var index = -1.0
      return .list(
        try call.map(try call[list]) { element in
          index += 1
          return .list([.number(index), element])
        })
    }
  }

  static let chunks = Builtin(
    "chunks", "Splits a list into lists of `size` elements; the last may be shorter.", topic: "Lists",
    returns: .list(.list(.any)), example: "print(chunks([1, 2, 3, 4, 5], 2))  #> [[1, 2], [3, 4], [5]]"
  ) { d in
    let list = d.positional("list", .sequence, "what to split")
    let size = d.positional("size", .whole(from: 1), "elements in each")
    return { call in
      let elements = try call[list]
      let size = try call[size]
      return .list(stride(from: 0, to: elements.count, by: size).map { .list(Array(elements[$0..<min($0 + size, elements.count)])) })
    }
  }

  static let `repeat` = Builtin(
    "repeat", "A list that contains a value `times` times.", topic: "Lists", returns: .list(.any),
    example: "print(repeat(0, 3), join(repeat(\"-\", 5), with: \"\"))  #> [0, 0, 0] -----"
  ) { d in
    let value = d.positional("value", .any, "the value")
    let times = d.positional("times", .whole(from: 0, to: 10_000_000), "how often")
    return { call in .list([Value](repeating: try call[value], count: try call[times])) }
  }

  static let transpose = Builtin(
    "transpose", "The list of columns of a list of rows.", topic: "Lists", returns: .list(.list(.any)),
    example: "print(transpose([[1, 2], [3, 4], [5, 6]]))  #> [[1, 3, 5], [2, 4, 6]]"
  ) { d in
    let rows = d.positional("rows", .sequence, "lists of the same length")
    return { call in
      let work = call.work
      var total = 0
      let rows = try call.map(try call[rows]) { row in
        guard let elements = row.sequence else {
          throw call.error(.badValue, "`rows` of transpose needs a list for every element, not \(row.described)", argument: "rows")
        }
        // The rows may be the same list many times, which needs little memory; the columns need all of theirs.
        total += elements.count
        try work.checkList(elements: total)
        return elements
      }
      guard let width = rows.first?.count else { return .list([]) }
      guard let other = rows.first(where: { $0.count != width }) else {
        return .list(
          try (0..<width).map { column in
            .list(
              try rows.map { row in
                try work.step()
                return row[column]
              })
          })
      }
      throw call.error(.badValue, "these rows have \(width) and \(other.count) elements", argument: "rows")
    }
  }
}
