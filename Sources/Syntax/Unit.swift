/// The units of quantities. A unit follows a number without a blank: `3000steps`, `90s`, `8.4cm`, `80%`.
public enum Unit: String, Sendable, CaseIterable {
  case steps, epochs
  case milliseconds = "ms"
  case seconds = "s"
  case minutes = "min"
  case hours = "h"
  case days = "d"
  case millimetres = "mm"
  case centimetres = "cm"
  case inches = "in"
  case points = "pt"
  case percent = "%"

  public enum Dimension: String, Sendable {
    case steps = "steps"
    case epochs = "epochs"
    case time = "a time"
    case length = "a length"
    case share = "a share"
  }

  public var dimension: Dimension {
    switch self {
    case .steps: .steps
    case .epochs: .epochs
    case .milliseconds, .seconds, .minutes, .hours, .days: .time
    case .millimetres, .centimetres, .inches, .points: .length
    case .percent: .share
    }
  }

  /// The unit as a multiple of the base unit of its dimension (step, epoch, second, centimetre, one).
  public var factor: Double {
    switch self {
    case .steps, .epochs, .seconds, .centimetres: 1
    case .milliseconds: 0.001
    case .minutes: 60
    case .hours: 3600
    case .days: 86400
    case .millimetres: 0.1
    case .inches: 2.54
    case .points: 2.54 / 72
    case .percent: 0.01
    }
  }

  /// The suffix that is written after an amount: `1step`, `2steps`.
  public func suffix(_ amount: Double) -> String {
    amount == 1 && (self == .steps || self == .epochs) ? String(rawValue.dropLast()) : rawValue
  }

  /// The unit with this suffix, which may be singular; nil if there is none.
  public init?(suffix: String) {
    switch suffix {
    case "step": self = .steps
    case "epoch": self = .epochs
    case "sec": self = .seconds
    default: self.init(rawValue: suffix)
    }
  }
}
