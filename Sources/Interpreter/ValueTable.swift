/// A hash table whose keys are values of the language, compared by `==` of the language.
struct ValueTable<Entry> {
  private var buckets: [Int: [(value: Value, entry: Entry)]] = [:]
  private var hashes = ValueHashes()

  /// The entry of a value, which is inserted if there is none.
  ///
  /// - Returns: The entry, and whether it existed before.
  mutating func find(_ value: Value, orInsert entry: @autoclosure () -> Entry) -> (entry: Entry, existed: Bool) {
    let hash = hashes.hash(value)
    if let found = buckets[hash]?.first(where: { Operators.equal($0.value, value) }) { return (found.entry, true) }
    let made = entry()
    // NaN equals nothing, so its entry could never be found again.
    if !hashes.isNotANumber(value) { buckets[hash, default: []].append((value, made)) }
    return (made, false)
  }
}

/// Hashes of values. Equal values have equal hashes. The whole value is hashed, but shared parts only once.
private struct ValueHashes {
  /// The hashes of lists and records by their address. The values are retained, so that no other value can get their address.
  private var known: [UnsafeRawPointer: (hash: Int, value: Value)] = [:]

  mutating func hash(_ value: Value) -> Int {
    switch value {
    case .list(let values):
      guard let address = Operators.address(values), !values.isEmpty else { return values.isEmpty ? 1 : 2 }
      if let before = known[address] { return before.hash }
      var hasher = Hasher()
      hasher.combine(values.count)
      for value in values { hasher.combine(hash(value)) }
      // A list that contains NaN equals only itself, so its address is hashed as well.
      if values.contains(where: isNotANumber) { hasher.combine(address) }
      let hash = hasher.finalize()
      known[address] = (hash, value)
      return hash
    case .record(let record):
      guard let address = record.address, record.count > 0 else { return record.count == 0 ? 3 : 4 }
      if let before = known[address] { return before.hash }
      // The order of fields does not matter for equality, so the hashes of the fields are added.
      var sum = record.count
      for (key, value) in record.fields {
        var hasher = Hasher()
        hasher.combine(key)
        hasher.combine(hash(value))
        sum &+= hasher.finalize()
      }
      if record.fields.contains(where: { isNotANumber($0.value) }) { sum &+= address.hashValue }
      known[address] = (sum, value)
      return sum
    default:
      var hasher = Hasher()
      Self.add(value, to: &hasher)
      return hasher.finalize()
    }
  }

  func isNotANumber(_ value: Value) -> Bool {
    switch value {
    case .number(let number), .quantity(let number, _): number.isNaN
    default: false
    }
  }

  private static func add(_ value: Value, to hasher: inout Hasher) {
    switch value {
    case .nothing, .list, .record: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    // A percentage equals the number with the same value.
    case .number(let number): hasher.combine(cell(number))
    case .quantity(let amount, .percent): hasher.combine(cell(amount / 100))
    // Equal quantities may differ in their last bits.
    case .quantity(let amount, let unit):
      hasher.combine(unit.dimension)
      hasher.combine(Float(amount * unit.factor).bitPattern & ~0xf)
    case .text(let text), .word(let text): hasher.combine(text)
    case .metric(let metric): hasher.combine(metric)
    case .date(let seconds): hasher.combine(seconds)
    case .range(let low, let high):
      hasher.combine(low)
      hasher.combine(high)
    case .function(let function): hasher.combine(ObjectIdentifier(function))
    case .object(let object): hasher.combine(ObjectIdentifier(object))
    }
  }

  /// The number rounded to 40 binary digits, because equal percentages may differ in the digits after these.
  private static func cell(_ number: Double) -> UInt64 { number == 0 ? 0 : (number.bitPattern &+ 0x800) & ~0xfff }
}
