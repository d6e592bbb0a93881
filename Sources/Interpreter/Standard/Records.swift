import Syntax

// Functions of records.
extension Builtin {
  static let records: [Builtin] = [keys, values, update, has, get, pick, without, record]

  static let keys = Builtin(
    "keys", "The names of a record's fields.", topic: "Records", returns: .list(.text),
    example: "print(keys({ a: 1, b: 2 }))  #> [\"a\", \"b\"]"
  ) { d in
    let record = d.positional("record", .record, "the record")
    return { call in .list((try call[record]).keys.map { .text($0) }) }
  }

  static let values = Builtin(
    "values", "The values of a record's fields.", topic: "Records", returns: .list(.any),
    example: "print(values({ a: 1, b: 2 }))  #> [1, 2]"
  ) { d in
    let record = d.positional("record", .record, "the record")
    return { call in .list((try call[record]).fields.map(\.value)) }
  }

  static let update = Builtin(
    "update", "A copy of a record with one field changed, or added at the end.", topic: "Records", returns: .record(nil),
    example: "print(update({ a: 1 }, \"b\", 2))  #> { a: 1, b: 2 }"
  ) { d in
    let record = d.positional("record", .record, "the record, which is not changed")
    let name = d.positional("name", .text, "the name of the field")
    let value = d.positional("value", .any, "its new value")
    return { call in
      var changed = try call[record]
      changed[try call[name]] = try call[value]
      return .record(changed)
    }
  }

  static let has = Builtin(
    "has", "Does a record have a field of this name?", topic: "Records", returns: .bool,
    example: "print(has({ lr: 0.1 }, \"lr\"))  #> true"
  ) { d in
    let record = d.positional("record", .record, "the record")
    let name = d.positional("name", .text, "the name of the field")
    return { call in .bool((try call[record])[try call[name]] != nil) }
  }

  static let get = Builtin(
    "get", "A field of a record, or a default if the record has no such field.", topic: "Records", returns: .any,
    example: "print(get({ lr: 0.1 }, \"batch\", or: 256))  #> 256"
  ) { d in
    let record = d.positional("record", .record, "the record")
    let name = d.positional("name", .text, "the name of the field")
    let other = d.optional("or", .any, "the default")
    return { call in try (try call[record])[try call[name]] ?? (try call[other] ?? .nothing) }
  }

  static let pick = Builtin(
    "pick", "A copy of a record with only the named fields, in the order of the names.", topic: "Records", returns: .record(nil),
    example: "print(pick({ a: 1, b: 2, c: 3 }, [\"c\", \"a\"]))  #> { c: 3, a: 1 }"
  ) { d in
    let record = d.positional("record", .record, "the record, which is not changed")
    let names = d.positional("names", Kind<String>.text.list, "the names of the fields")
    return { call in
      let whole = try call[record]
      return .record(
        Record(
          try (try call[names]).map { name in
            guard let value = whole[name] else { throw call.missing(name, in: whole, argument: "names") }
            return (name, value)
          }))
    }
  }

  static let without = Builtin(
    "without", "A copy of a record without the named fields.", topic: "Records", returns: .record(nil),
    example: "print(without({ a: 1, b: 2, c: 3 }, [\"b\"]))  #> { a: 1, c: 3 }"
  ) { d in
    let record = d.positional("record", .record, "the record, which is not changed")
    let names = d.positional("names", Kind<String>.text.list, "the names of the fields")
    return { call in
      let whole = try call[record]
      let removed = try call[names]
      for name in removed where whole[name] == nil { throw call.missing(name, in: whole, argument: "names") }
      let removedSet = Set(removed)
      return .record(Record(whole.fields.filter { !removedSet.contains($0.key) }.map { ($0.key, $0.value) }))
    }
  }

  static let record = Builtin(
    "record", "Makes a record from pairs of a name and a value, the reverse of what `for` and `map` make of a record.",
    topic: "Records", returns: .record(nil),
    example: "print(record({ a: 1, b: 2 } |> map(f => [f[0], f[1] * 10])))  #> { a: 10, b: 20 }"
  ) { d in
    let pairs = d.positional("pairs", .sequence, "a list of [name, value]")
    return { call in
      var result = Record()
      for pair in try call[pairs] {
        guard let parts = pair.sequence, parts.count == 2, let name = parts[0].asText else {
          throw call.error(
            .badValue, "`pairs` of record needs [name, value] for every element, not \(pair.described)", argument: "pairs")
        }
        guard result[name] == nil else { throw call.error(.badValue, "the name \"\(name)\" is given twice", argument: "pairs") }
        result[name] = parts[1]
      }
      return .record(result)
    }
  }
}

extension Value {
  /// The text of a text or word; nil for other values.
  var asText: String? {
    switch self {
    case .text(let text), .word(let text): text
    default: nil
    }
  }
}

extension Builtin.Call {
  func missing(_ name: String, in record: Record, argument: String) -> Diagnostic {
    error(
      .missingKey, "the record has no field \"\(name)\"", argument: argument,
      help: Spelling.suggestion(name, in: record.keys) ?? (record.count == 0 ? nil : "it has: \(Spelling.list(record.keys))"))
  }
}
