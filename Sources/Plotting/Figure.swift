/// A figure as a value: what is to be seen, not how it is drawn. It knows nothing of gnuplot.
public struct Figure: Sendable, Equatable {
  /// Width and height in centimetres.
  public var size: Size
  public var title: String?
  public var palette: Palette
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
    size: Size = Size(width: 8.4, height: 5.6), title: String? = nil, palette: Palette = .okabeIto, rows: Int = 1,
    columns: Int = 1
  ) {
    self.size = size
    self.title = title
    self.palette = palette
    self.rows = rows
    self.columns = columns
    panels = []
  }
}

/// Colours that people with any colour vision can tell apart.
public enum Palette: String, Sendable, CaseIterable {
  /// Okabe and Ito (2008).
  case okabeIto = "okabe_ito"
  case grey

  public var colours: [String] {
    switch self {
    case .okabeIto: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000"]
    case .grey: ["#000000", "#666666", "#999999", "#333333"]
    }
  }
}

/// One set of axes and what is drawn in it.
public struct Panel: Sendable, Equatable {
  public var title: String?
  public var layers: [Layer] = []
  public var marks: [Marks] = []
  public var x = Axis()
  public var y = Axis()
  public var legend = Legend.automatic
  /// What the numbers on the x axis are, where the caller knows: so that marks are put in the same unit.
  public var xUnit: String?

  public init() {}
}

public struct Axis: Sendable, Equatable {
  public var label: String?
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

  public struct Point: Sendable, Equatable {
    public let x: Double
    public let y: Double
    /// Ends of the band around it.
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
    public let points: [Point]
    public let label: String?
    public init(_ points: [Point], label: String?) {
      self.points = points
      self.label = label
    }
  }

  public struct Bars: Sendable, Equatable {
    public let names: [String]
    public let values: [Double]
    public let errors: [Double]?
    public let label: String?
    public init(names: [String], values: [Double], errors: [Double]? = nil, label: String?) {
      self.names = names
      self.values = values
      self.errors = errors
      self.label = label
    }
  }

  /// `values[row][column]`, row 0 at the bottom.
  public struct Heatmap: Sendable, Equatable {
    public let values: [[Double]]
    public let range: ClosedRange<Double>?
    public init(_ values: [[Double]], range: ClosedRange<Double>?) {
      self.values = values
      self.range = range
    }
  }
}

/// Vertical lines at values of x.
public struct Marks: Sendable, Equatable {
  public let places: [Double]
  public let label: String?
  public init(_ places: [Double], label: String?) {
    self.places = places
    self.label = label
  }
}
