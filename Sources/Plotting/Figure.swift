/// A figure as a value: what it shows, independent of how gnuplot draws it.
public struct Figure: Sendable, Equatable {
  /// Width and height in centimetres.
  public var size: Size
  public var title: String?
  public var palette: Palette
  public var theme: Theme
  /// The name of a font of the system; nil for the default.
  public var font: String?
  /// The font size in points; nil for the theme's.
  public var fontSize: Double?
  /// The axes that the panels share.
  public var shared: SharedAxes
  /// Rows and columns of panels.
  public var rows: Int
  public var columns: Int
  public var panels: [Panel]

  public struct Size: Sendable, Equatable {
    public var width: Double
    public var height: Double
    public init(width: Double, height: Double) {
      self.width = width
      self.height = height
    }
  }

  public init(
    size: Size? = nil, title: String? = nil, palette: Palette = .okabeIto, rows: Int = 1, columns: Int = 1,
    theme: Theme = .paper, font: String? = nil, fontSize: Double? = nil, shared: SharedAxes = .none
  ) {
    self.size = size ?? theme.size
    self.title = title
    self.palette = palette
    self.theme = theme
    self.font = font
    self.fontSize = fontSize
    self.shared = shared
    self.rows = rows
    self.columns = columns
    panels = []
  }
}

/// The axes that panels share. A shared axis has the same range in all panels and labels only at the outer ones. If the legends
/// of the panels are the same, only the first panel has one.
public enum SharedAxes: String, Sendable, CaseIterable {
  case none, x, y, both

  var x: Bool { self == .x || self == .both }
  var y: Bool { self == .y || self == .both }
}

/// The use of a figure, which determines its font size, line width and background.
public enum Theme: String, Sendable, CaseIterable {
  /// For a paper: black on white, with text in the size of captions.
  case paper
  /// For slides: large text and heavy lines.
  case slides
  /// For a dark page.
  case dark

  var size: Figure.Size { self == .slides ? .init(width: 25.4, height: 14.3) : .init(width: 8.4, height: 5.6) }
  var fontSize: Double { self == .slides ? 20 : 8 }
  /// A factor for line widths and point sizes.
  var weight: Double { self == .slides ? 2.2 : 1 }
  var background: String? { self == .dark ? "#1B1E23" : nil }
  var ink: String { self == .dark ? "#E6E6E6" : "#222222" }
  var faint: String { self == .dark ? "#A0A4AA" : "#777777" }
  var grid: String { self == .dark ? "#3A3F46" : "#DDDDDD" }
}

/// Palettes whose colours people with any colour vision can distinguish.
public enum Palette: String, Sendable, CaseIterable {
  /// Okabe and Ito (2008).
  case okabeIto = "okabe_ito"
  case grey
  /// Paul Tol's bright scheme (2021).
  case tol

  public var colours: [String] {
    switch self {
    case .okabeIto: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000"]
    case .grey: ["#000000", "#666666", "#999999", "#333333"]
    case .tol: ["#4477AA", "#EE6677", "#228833", "#CCBB44", "#66CCEE", "#AA3377", "#BBBBBB"]
    }
  }

  /// The colours for a theme. On a dark background, dark colours are replaced by lighter ones.
  func colours(on theme: Theme) -> [String] {
    guard theme == .dark else { return colours }
    let lighter = [
      "#0072B2": "#3FA7E4", "#000000": "#F2F2F2", "#333333": "#D0D0D0", "#666666": "#B0B0B0", "#4477AA": "#77AADD", "#228833": "#44AA55",
      "#AA3377": "#DD66AA", "#D55E00": "#F07E26",
    ]
    return colours.map { lighter[$0] ?? $0 }
  }
}

/// A set of axes and its contents.
public struct Panel: Sendable, Equatable {
  public var title: String?
  public var layers: [Layer] = []
  public var marks: [Marks] = []
  public var spans: [Span] = []
  public var notes: [Note] = []
  public var insets: [Inset] = []
  public var x = Axis()
  public var y = Axis()
  /// The axis on the right, for lines with `onRight`.
  public var right = Axis()
  public var legend = Legend.automatic
  /// The quantity on the x axis, if the caller knows it, so that marks use the same one.
  public var xUnit: String?

  /// Is x a time in seconds?
  var isTimed: Bool { xUnit == "seconds" || xUnit == "cpu_seconds" || x.unit == .seconds }

  public init() {}
}

/// A smaller panel inside of another one.
public struct Inset: Sendable, Equatable {
  public let panel: Panel
  /// The lower left corner and the size including the axes, as fractions of the axes of the outer panel.
  public let x, y, width, height: Double

  public init(_ panel: Panel, x: Double, y: Double, width: Double, height: Double) {
    self.panel = panel
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

public struct Axis: Sendable, Equatable {
  public enum Unit: String, Sendable, CaseIterable {
    case none
    /// Seconds, which are labelled as minutes and hours if the range is long.
    case seconds
  }

  public var label: String?
  public var unit = Unit.none
  public var range: ClosedRange<Double>?
  public var logarithmic = false
  public init() {}
}

public enum Legend: String, Sendable, CaseIterable {
  case automatic, none
  case topLeft = "top_left"
  case topRight = "top_right"
  case bottomLeft = "bottom_left"
  case bottomRight = "bottom_right"
  case outside
}

public enum Layer: Sendable, Equatable {
  case line(Line)
  case bars(Bars)
  case heatmap(Heatmap)
  case histogram(Histogram)
  case boxes(Boxes)
  case stacks(Stacks)

  public struct Point: Sendable, Equatable {
    public let x: Double
    public let y: Double
    /// The ends of the band around the point.
    public let low: Double?
    public let high: Double?

    public init(_ x: Double, _ y: Double, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }
  }

  public struct Line: Sendable, Equatable {
    public enum Style: String, Sendable, CaseIterable {
      case lines, points
      /// A step function, constant from each point to the next.
      case steps
    }

    public let points: [Point]
    public let label: String?
    public let style: Style
    /// Does it use the axis on the right?
    public let onRight: Bool
    public init(_ points: [Point], label: String?, style: Style = .lines, onRight: Bool = false) {
      self.points = points
      self.label = label
      self.style = style
      self.onRight = onRight
    }
  }

  /// The number of values in each of several bins of equal width.
  public struct Histogram: Sendable, Equatable {
    public let start: Double
    public let width: Double
    public let counts: [Double]
    public let label: String?
    public init(start: Double, width: Double, counts: [Double], label: String?) {
      self.start = start
      self.width = width
      self.counts = counts
      self.label = label
    }
  }

  /// Box plots. Each group has the ends of its whiskers, its quartiles, its median and its outliers.
  public struct Boxes: Sendable, Equatable {
    public struct Group: Sendable, Equatable {
      public let name: String
      public let low, first, median, third, high: Double
      public let outside: [Double]
      public init(name: String, low: Double, first: Double, median: Double, third: Double, high: Double, outside: [Double]) {
        self.name = name
        self.low = low
        self.first = first
        self.median = median
        self.third = third
        self.high = high
        self.outside = outside
      }
    }

    public let groups: [Group]
    public init(_ groups: [Group]) { self.groups = groups }
  }

  public struct Bars: Sendable, Equatable {
    public let names: [String]
    public let values: [Double]
    public let errors: [Double]?
    public let label: String?
    /// Are the bars stacked on those of earlier layers, instead of beside them?
    public let isStacked: Bool
    public init(names: [String], values: [Double], errors: [Double]? = nil, label: String?, isStacked: Bool = false) {
      self.names = names
      self.values = values
      self.errors = errors
      self.label = label
      self.isStacked = isStacked
    }
  }

  /// A growing model: for each depth, the source block in the previous depth of each of its blocks, from the input upwards; nil
  /// for a new block.
  public struct Stacks: Sendable, Equatable {
    public let names: [String]
    public let sources: [[Int?]]
    public init(names: [String], sources: [[Int?]]) {
      self.names = names
      self.sources = sources
    }
  }

  /// A heat map of `values[row][column]`, with row 0 at the bottom.
  public struct Heatmap: Sendable, Equatable {
    public let values: [[Double]]
    public let range: ClosedRange<Double>?
    /// The number of digits of the values written into the cells; nil for no values.
    public let digits: Int?
    public init(_ values: [[Double]], range: ClosedRange<Double>?, digits: Int? = nil) {
      self.values = values
      self.range = range
      self.digits = digits
    }
  }
}

/// Vertical lines at values of x.
public struct Marks: Sendable, Equatable {
  public let positions: [Double]
  public let label: String?
  public init(_ positions: [Double], label: String?) {
    self.positions = positions
    self.label = label
  }
}

/// A shaded range of the x axis.
public struct Span: Sendable, Equatable {
  public let from: Double
  public let to: Double
  public let label: String?

  public init(from: Double, to: Double, label: String?) {
    self.from = from
    self.to = to
    self.label = label
  }
}

/// A text at a position of the axes.
public struct Note: Sendable, Equatable {
  public let text: String
  public let x: Double
  public let y: Double

  public init(_ text: String, x: Double, y: Double) {
    self.text = text
    self.x = x
    self.y = y
  }
}
