/// The unit of the numbers in a column of times. They count from 1970.
public enum TimeUnit: String, Sendable, CaseIterable {
  case seconds, milliseconds, microseconds, nanoseconds

  /// Units per second.
  var perSecond: Int64 {
    switch self {
    case .seconds: 1
    case .milliseconds: 1000
    case .microseconds: 1_000_000
    case .nanoseconds: 1_000_000_000
    }
  }

  /// Numbers above this are read in this unit. In the next coarser unit, they would be after the year 5000.
  fileprivate var least: UInt64 { self == .seconds ? 0 : UInt64(perSecond) * 100_000_000 }

  fileprivate init(magnitude: UInt64) {
    self = Self.allCases.last { magnitude > $0.least } ?? .seconds
  }
}

/// The times of a file's interactions, in the order of the file.
struct TimeColumn: Sendable {
  /// The whole parts, rounded down.
  private(set) var wholes: [Int64] = []
  /// The fractions in units of 10^-18; empty if all are 0.
  private(set) var fractions: [Int64] = []
  /// The number of times that are dates.
  private var dates = 0
  /// The largest magnitude of the times that are not dates.
  private var largest: UInt64 = 0

  var count: Int { wholes.count }

  mutating func reserve(_ count: Int) { wholes.reserveCapacity(count) }

  @inline(__always)
  mutating func append(_ moment: Moment) {
    if moment.fraction != 0 && fractions.isEmpty { fractions = [Int64](repeating: 0, count: wholes.count) }
    if moment.fraction != 0 || !fractions.isEmpty { fractions.append(moment.fraction) }
    wholes.append(moment.whole)
    if moment.isDate { dates += 1 } else { largest = max(largest, moment.whole.magnitude) }
  }

  mutating func append(_ other: TimeColumn) {
    if !other.fractions.isEmpty && fractions.isEmpty { fractions = [Int64](repeating: 0, count: wholes.count) }
    if !other.fractions.isEmpty {
      fractions += other.fractions
    } else if !fractions.isEmpty {
      fractions += repeatElement(0, count: other.count)
    }
    wholes += other.wholes
    dates += other.dates
    largest = max(largest, other.largest)
  }

  /// The unit of the numbers: the given one, or the one that their size suggests.
  ///
  /// - Throws: `DataError` if the sizes suggest different units, or if a unit is given for dates.
  func unit(_ given: TimeUnit?, file: String) throws(DataError) -> TimeUnit {
    if let given {
      guard dates == 0 else {
        throw DataError(
          "\(dates == count ? "the times are dates" : "\(dates) of the times are dates"), so time_unit: \(given.rawValue) has no effect",
          help: dates == count ? "leave it out" : "write all times of the file in one way", file: file, argument: "time_unit")
      }
      return given
    }
    let unit = TimeUnit(magnitude: largest)
    if dates == 0, fractions.isEmpty, let first = wholes.first, wholes.allSatisfy(Self.looksLikeDate) {
      throw DataError(
        "the times look like dates that are written as numbers, such as \(first), not like times since 1970",
        help: "write them as 2020-01-31 or 2020-01-31T10:30:00; if they are times since 1970, give time_unit: \(unit.rawValue)",
        file: file)
    }
    if unit == .seconds { return unit }
    guard dates == 0 else {
      throw DataError(
        "some times are dates and others are numbers as large as \(largest)", help: "write all times of the file in one way", file: file)
    }
    // A time of 0 usually means that the time is unknown, so its size is no evidence of a unit.
    guard let small = wholes.first(where: { $0 != 0 && TimeUnit(magnitude: $0.magnitude) != unit }) else { return unit }
    throw DataError(
      "the times are of different sizes, \(small) and \(largest), so their unit is not clear",
      help: "give it: time_unit: \(unit.rawValue), or seconds", file: file)
  }

  /// Whether a number reads as a date from 1950 to 2100, written as 20200131 or as 20200131103000.
  private static func looksLikeDate(_ value: Int64) -> Bool {
    guard value >= 19_500_101 else { return false }
    var day = value
    if value > 100_000_000 {
      guard value >= 19_500_101_000_000, value % 100 < 60, value / 100 % 100 < 60, value / 10_000 % 100 < 24 else { return false }
      day = value / 1_000_000
    }
    return (1950...2100).contains(day / 10_000) && (1...12).contains(day / 100 % 100) && (1...31).contains(day % 100)
  }

  /// The times in whole ticks, in the order of the file. The ticks are as coarse as possible without rounding. If even
  /// nanoseconds would round some times, `ranks` has their exact order.
  func ticks(_ unit: TimeUnit) -> (ticks: [Int64], perSecond: Int64, ranks: [Int64]?) {
    let scales = TimeUnit.allCases.map(\.perSecond)
    if fractions.isEmpty {
      let coarse = scales.first { scale in
        let step = unit.perSecond / max(1, scale)
        return scale >= unit.perSecond || wholes.allSatisfy { $0 % step == 0 }
      }
      let scale = coarse ?? unit.perSecond
      if scale == unit.perSecond { return (wholes, scale, nil) }
      let step = unit.perSecond / scale
      return (wholes.map { $0 / step }, scale, nil)
    }
    // The largest power of ten that divides all fractions.
    var grain = Moment.parts
    while grain > 1 && fractions.contains(where: { $0 % grain != 0 }) { grain /= 10 }
    let (low, high) = (wholes.min() ?? 0, wholes.max() ?? 0)
    func fits(_ factor: Int64) -> Bool {
      [low, high].allSatisfy { value in
        let (product, isLarge) = value.multipliedReportingOverflow(by: factor)
        return !isLarge && !product.addingReportingOverflow(factor).overflow
      }
    }
    func scaled(_ factor: Int64) -> [Int64] {
      let part = Moment.parts / factor
      return zip(wholes, fractions).map { $0 * factor + $1 / part }
    }
    let possible = scales.filter { $0 >= unit.perSecond && fits($0 / unit.perSecond) }
    if let scale = possible.first(where: { $0 / unit.perSecond >= Moment.parts / grain }) {
      return (scaled(scale / unit.perSecond), scale, nil)
    }
    // The times are too fine or too large for exact ticks. Their order still follows the exact decimals of the file.
    let order = wholes.indices.sorted { (wholes[$0], fractions[$0], $0) < (wholes[$1], fractions[$1], $1) }
    var ranks = [Int64](repeating: 0, count: count)
    for (index, row) in order.enumerated() {
      let before = order[max(0, index - 1)]
      let isEqual = index > 0 && wholes[before] == wholes[row] && fractions[before] == fractions[row]
      ranks[row] = isEqual ? ranks[before] : Int64(index)
    }
    let scale = possible.last ?? unit.perSecond
    return (scaled(scale / unit.perSecond), scale, ranks)
  }
}

/// Formats times as text.
enum TimeText {
  /// Seconds since 1970, such as `1609459200.25`, without trailing zeros.
  static func seconds(_ ticks: Int64, perSecond: Int64) -> String {
    if perSecond == 1 { return String(ticks) }
    let magnitude = ticks.magnitude
    let (whole, rest) = magnitude.quotientAndRemainder(dividingBy: UInt64(perSecond))
    let sign = ticks < 0 ? "-" : ""
    if rest == 0 { return "\(sign)\(whole)" }
    // Adding `perSecond` puts a 1 in front, which keeps the zeros after the decimal point.
    var digits = String(UInt64(perSecond) + rest).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "\(sign)\(whole).\(digits)"
  }

  /// An ISO date such as `2021-01-01` or `2021-01-01 10:30:15.5`; outside of the years 1 to 9999, seconds since 1970.
  static func date(_ ticks: Int64, perSecond: Int64) -> String {
    let perDay = 86400 * perSecond
    var (day, rest) = ticks.quotientAndRemainder(dividingBy: perDay)
    if rest < 0 { (day, rest) = (day - 1, rest + perDay) }
    // The days of the years 1 to 9999.
    guard (-719_162..<2_932_897).contains(day) else { return "\(seconds(ticks, perSecond: perSecond)) seconds" }
    // Howard Hinnant's algorithm civil_from_days. It lets years begin in March, so that the leap day is the last day.
    let shifted = Int(day) + 719_468
    let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let index = (5 * dayOfYear + 2) / 153
    let month = index < 10 ? index + 3 : index - 9
    func padded(_ number: Int, _ width: Int = 2) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let date =
      "\(padded(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), 4))-\(padded(month))-\(padded(dayOfYear - (153 * index + 2) / 5 + 1))"
    if rest == 0 { return date }
    let second = Int(rest / perSecond)
    let fraction = seconds(perSecond + rest % perSecond, perSecond: perSecond).dropFirst()
    return "\(date) \(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))\(fraction)"
  }
}
