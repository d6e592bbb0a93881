/// Times as data files write them: Unix times, with or without a fraction, or ISO 8601 dates.
enum Moments {
  /// Seconds since 1970 (or whatever number stands there); nil for what is no time.
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    if let whole = whole(bytes) { return whole }
    let text = String(decoding: bytes, as: UTF8.self)
    // 1112486027.0, as pandas writes columns with gaps.
    if let number = Double(text), let seconds = Int64(exactly: number.rounded()) { return seconds }
    return date(bytes)
  }

  @inline(__always)
  private static func whole(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard let first = bytes.first else { return nil }
    let isNegative = first == 0x2d
    let digits = bytes[(isNegative ? 1 : 0)...]
    guard !digits.isEmpty, digits.count <= 18 else { return nil }
    var value: Int64 = 0
    for byte in digits {
      let digit = byte &- 0x30
      if digit > 9 { return nil }
      value = value &* 10 &+ Int64(digit)
    }
    return isNegative ? -value : value
  }

  /// `2026-11-25`, `2026-11-25 10:30[:15[.5]]`, with `T` for the blank, and `Z` or `+02:00` behind.
  private static func date(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var place = 0
    func number(_ digits: Int) -> Int? {
      guard place + digits <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[place..<(place + digits)] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      place += digits
      return value
    }
    func accept(_ characters: StaticString) -> UInt8? {
      guard place < bytes.count else { return nil }
      let byte = bytes[place]
      let isOne = characters.withUTF8Buffer { $0.contains(byte) }
      if isOne { place += 1 }
      return isOne ? byte : nil
    }
    guard let year = number(4), accept("-/") != nil, let month = number(2), accept("-/") != nil, let day = number(2), year > 0,
      (1...12).contains(month), (1...daysOf(month, year)).contains(day)
    else { return nil }
    var seconds = days(year, month, day) * 86400
    if place == bytes.count { return Int64(seconds) }
    guard accept("T ") != nil, let hour = number(2), accept(":") != nil, let minute = number(2), hour < 24, minute < 60 else { return nil }
    seconds += hour * 3600 + minute * 60
    if accept(":") != nil {
      guard let second = number(2), second <= 60 else { return nil }
      seconds += second
      if accept(".,") != nil { while number(1) != nil {} }
    }
    if let sign = accept("+-") {
      guard let hours = number(2) else { return nil }
      _ = accept(":")
      guard let minutes = number(2) else { return nil }
      seconds -= (sign == 0x2d ? -1 : 1) * (hours * 3600 + minutes * 60)
    } else {
      _ = accept("Z")
    }
    return place == bytes.count ? Int64(seconds) : nil
  }

  private static func daysOf(_ month: Int, _ year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 of the Gregorian calendar: years begin in March, so that the leap day is the last.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let (y, m) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468
  }
}
