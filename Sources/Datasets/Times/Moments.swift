/// A time from a data file: a number in the unit of its column, or the seconds since 1970 of an ISO 8601 date.
struct Moment: Equatable {
  /// The unit of `fraction` is 1 / `parts`.
  static let parts: Int64 = 1_000_000_000_000_000_000

  /// The whole part, rounded down.
  var whole: Int64
  /// The rest, in units of 10^-18. Further digits are cut off.
  var fraction: Int64 = 0
  /// Whether the time was written as a date, so that its unit is seconds.
  var isDate = false
}

/// Parses times in data files: Unix times, with or without a fraction, and ISO 8601 dates.
enum Moments {
  /// The time that a text is; nil if it is not a time.
  @inline(__always)
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Moment? {
    if let whole = whole(bytes) { return Moment(whole: whole) }
    return decimal(bytes) ?? date(bytes)
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

  /// Parses a decimal number such as `1609459200.25` or `1.60945920025e9`, or a whole number of more than 18 digits.
  private static func decimal(_ bytes: UnsafeBufferPointer<UInt8>) -> Moment? {
    var position = 0
    let isNegative = bytes.first == 0x2d
    if isNegative || bytes.first == 0x2b { position = 1 }
    // The digits, with at most one decimal point between them.
    let start = position
    var point: Int?
    while position < bytes.count, bytes[position] &- 0x30 <= 9 || bytes[position] == 0x2e && point == nil {
      if bytes[position] == 0x2e { point = position }
      position += 1
    }
    let end = position
    let digitCount = end - start - (point == nil ? 0 : 1)
    guard digitCount > 0 else { return nil }
    var exponent = 0
    if position < bytes.count, bytes[position] | 0x20 == 0x65 {
      position += 1
      let sign: Int = position < bytes.count && bytes[position] == 0x2d ? -1 : 1
      if position < bytes.count, bytes[position] == 0x2d || bytes[position] == 0x2b { position += 1 }
      guard position < bytes.count, bytes.count - position <= 4 else { return nil }
      while position < bytes.count {
        let digit = bytes[position] &- 0x30
        if digit > 9 { return nil }
        exponent = exponent * 10 + Int(digit)
        position += 1
      }
      exponent *= sign
    }
    guard position == bytes.count else { return nil }
    /// Digit `k` of the number, from 0, without the point. Digits outside of the text are 0.
    let pointAt = (point ?? end) - start
    func digit(_ k: Int) -> Int64 {
      guard k >= 0, k < digitCount else { return 0 }
      return Int64(bytes[start + k + (point != nil && k >= pointAt ? 1 : 0)] - 0x30)
    }
    let before = pointAt + exponent
    var whole: Int64 = 0
    for k in 0..<max(0, before) {
      let (product, isLarge) = whole.multipliedReportingOverflow(by: 10)
      let (sum, isLarger) = product.addingReportingOverflow(digit(k))
      if isLarge || isLarger { return nil }
      whole = sum
    }
    var fraction: Int64 = 0
    for k in before..<(before + 18) { fraction = fraction * 10 + digit(k) }
    if isNegative {
      whole = -whole
      if fraction > 0 { (whole, fraction) = (whole - 1, Moment.parts - fraction) }
    }
    return Moment(whole: whole, fraction: fraction)
  }

  /// Parses `2026-11-25` or `2026-11-25 10:30[:15[.5]]`. `T` can replace the blank, and `Z` or `+02:00` can follow.
  private static func date(_ bytes: UnsafeBufferPointer<UInt8>) -> Moment? {
    var position = 0
    func number(_ digits: Int) -> Int? {
      guard position + digits <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[position..<(position + digits)] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      position += digits
      return value
    }
    func accept(_ characters: StaticString) -> UInt8? {
      guard position < bytes.count else { return nil }
      let byte = bytes[position]
      let isOne = characters.withUTF8Buffer { $0.contains(byte) }
      if isOne { position += 1 }
      return isOne ? byte : nil
    }
    guard let year = number(4), accept("-/") != nil, let month = number(2), accept("-/") != nil, let day = number(2), year > 0,
      (1...12).contains(month), (1...daysOf(month, year)).contains(day)
    else { return nil }
    var seconds = days(year, month, day) * 86400
    if position == bytes.count { return Moment(whole: Int64(seconds), isDate: true) }
    guard accept("T ") != nil, let hour = number(2), accept(":") != nil, let minute = number(2), hour < 24, minute < 60 else { return nil }
    seconds += hour * 3600 + minute * 60
    var fraction: Int64 = 0
    if accept(":") != nil {
      guard let second = number(2), second <= 60 else { return nil }
      seconds += second
      if accept(".,") != nil {
        var worth = Moment.parts / 10
        while let digit = number(1) {
          fraction += Int64(digit) * worth
          worth /= 10
        }
      }
    }
    if let sign = accept("+-") {
      guard let hours = number(2) else { return nil }
      _ = accept(":")
      guard let minutes = number(2) else { return nil }
      seconds -= (sign == 0x2d ? -1 : 1) * (hours * 3600 + minutes * 60)
    } else {
      _ = accept("Z")
    }
    return position == bytes.count ? Moment(whole: Int64(seconds), fraction: fraction, isDate: true) : nil
  }

  private static func daysOf(_ month: Int, _ year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01 in the Gregorian calendar. The computation lets years begin in March, so that the leap day is the
  /// last day of a year.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let (y, m) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468
  }
}
