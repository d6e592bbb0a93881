import Foundation

/// A safetensors file: named tensors and a few strings (https://github.com/huggingface/safetensors, format of 2022).
///
/// Layout: 8 bytes little-endian length of the header, the header as JSON, then the tensors' bytes, back to back.
public struct SafeTensors {
  public struct Tensor: Equatable {
    public let shape: [Int]
    public let values: Values

    public enum Values: Equatable {
      case float([Float])
      case double([Double])
      case integer([Int64])
    }

    public init(shape: [Int], _ values: [Float]) {
      self.shape = shape
      self.values = .float(values)
    }

    public init(shape: [Int], integers: [Int64]) {
      self.shape = shape
      values = .integer(integers)
    }

    init(shape: [Int], values: Values) {
      self.shape = shape
      self.values = values
    }

    public var floats: [Float] {
      switch values {
      case .float(let v): v
      case .double(let v): v.map { Float($0) }
      case .integer(let v): v.map { Float($0) }
      }
    }

    public var integers: [Int64]? {
      if case .integer(let v) = values { return v }
      return nil
    }
  }

  public var tensors: [(name: String, tensor: Tensor)]
  public var metadata: [String: String]

  public init(tensors: [(name: String, tensor: Tensor)] = [], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  public subscript(name: String) -> Tensor? { tensors.first { $0.name == name }?.tensor }

  public struct FormatError: Error, Equatable {
    public let message: String
  }

  private struct Entry: Codable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]
    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  private enum HeaderValue: Codable {
    case entry(Entry)
    case strings([String: String])

    init(from decoder: any Decoder) throws {
      if let entry = try? Entry(from: decoder) {
        self = .entry(entry)
      } else {
        self = .strings(try [String: String](from: decoder))
      }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .entry(let entry): try entry.encode(to: encoder)
      case .strings(let strings): try strings.encode(to: encoder)
      }
    }
  }

  // MARK: Reading

  public init(contentsOf path: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    try self.init(data)
  }

  public init(_ data: Data) throws {
    func bad(_ message: String) -> FormatError { FormatError(message: message) }
    guard data.count >= 8 else { throw bad("shorter than the 8 bytes of its header's length") }
    let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length < 1 << 40, 8 + Int(length) <= data.count else {
      throw bad("says its header has \(length) bytes, the file has \(data.count)")
    }
    let start = data.startIndex + 8 + Int(length)
    let header: [String: HeaderValue]
    do {
      header = try JSONDecoder().decode(
        [String: HeaderValue].self, from: data[(data.startIndex + 8)..<start])
    } catch {
      throw bad("its header is not the JSON that safetensors prescribe")
    }
    tensors = []
    metadata = [:]
    for (name, value) in header {
      switch value {
      case .strings(let strings): metadata = strings
      case .entry(let entry):
        tensors.append((name, try Self.tensor(name, entry, data[start...])))
      }
    }
    tensors.sort { $0.name < $1.name }
  }

  private static func tensor(_ name: String, _ entry: Entry, _ data: Data) throws -> Tensor {
    func bad(_ message: String) -> FormatError { FormatError(message: "tensor \(name): \(message)") }
    guard let size = ["F32": 4, "F64": 8, "I64": 8][entry.dtype] else {
      throw bad("type \(entry.dtype) is not read here; expected F32, F64 or I64")
    }
    guard entry.offsets.count == 2, entry.offsets[0] >= 0, entry.offsets[0] <= entry.offsets[1],
      entry.offsets[1] <= data.count
    else { throw bad("its bytes \(entry.offsets) are outside of the file") }
    var count = 1
    for side in entry.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: side)
      guard side >= 0, !overflow else { throw bad("its shape \(entry.shape) is impossible") }
      count = product
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
    guard !overflow, bytes == entry.offsets[1] - entry.offsets[0] else {
      throw bad("shape \(entry.shape) of \(entry.dtype) does not fill its \(entry.offsets[1] - entry.offsets[0]) bytes")
    }
    let slice = data[(data.startIndex + entry.offsets[0])..<(data.startIndex + entry.offsets[1])]
    return slice.withUnsafeBytes { raw in
      switch entry.dtype {
      case "F32":
        Tensor(shape: entry.shape, values: .float((0..<count).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }))
      case "F64":
        Tensor(shape: entry.shape, values: .double((0..<count).map { raw.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }))
      default:
        Tensor(shape: entry.shape, values: .integer((0..<count).map { raw.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) }))
      }
    }
  }

  // MARK: Writing

  /// The whole file. Tensors keep their order; the header is padded with blanks to a multiple of 8.
  public func data() throws -> Data {
    var header: [String: HeaderValue] = metadata.isEmpty ? [:] : ["__metadata__": .strings(metadata)]
    var body = Data()
    for (name, tensor) in tensors {
      let start = body.count
      let type: String
      switch tensor.values {
      case .float(let values):
        type = "F32"
        values.withUnsafeBytes { body.append(contentsOf: $0) }
      case .double(let values):
        type = "F64"
        values.withUnsafeBytes { body.append(contentsOf: $0) }
      case .integer(let values):
        type = "I64"
        values.withUnsafeBytes { body.append(contentsOf: $0) }
      }
      header[name] = .entry(Entry(dtype: type, shape: tensor.shape, offsets: [start, body.count]))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var json = try encoder.encode(header)
    while json.count % 8 != 0 { json.append(0x20) }
    var result = Data()
    withUnsafeBytes(of: UInt64(json.count).littleEndian) { result.append(contentsOf: $0) }
    result.append(json)
    result.append(body)
    return result
  }
}
