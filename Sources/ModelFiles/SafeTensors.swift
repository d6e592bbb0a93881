import Foundation

/// A small safetensors file with all its tensors in memory. `StoredTensors` and `TensorFile` write and read large files.
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

    /// The values, converted to `Float`.
    public var floats: [Float] {
      switch values {
      case .float(let v): v
      case .double(let v): v.map { Float($0) }
      case .integer(let v): v.map { Float($0) }
      }
    }

    /// The values of an integer tensor; nil for other tensors.
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

  /// - Throws: an error of Foundation if the file cannot be read, or `TensorHeader.FormatError`.
  public init(contentsOf path: String) throws {
    try self.init(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// - Throws: `TensorHeader.FormatError` if the data is not a safetensors file.
  public init(_ data: Data) throws {
    let length = try TensorHeader.length(data.prefix(8), of: data.count)
    let start = data.startIndex + 8 + length
    let header = try TensorHeader(data[(data.startIndex + 8)..<start], size: data.count - 8 - length)
    metadata = header.metadata
    tensors = header.entries.sorted { $0.key < $1.key }.map { name, entry in
      let bytes = data[(start + entry.offsets[0])..<(start + entry.offsets[1])]
      func numbers<Number>(_: Number.Type) -> [Number] {
        bytes.withUnsafeBytes { raw in
          (0..<entry.count).map { raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Number>.size, as: Number.self) }
        }
      }
      let values: Tensor.Values =
        switch entry.dtype {
        case "F32": .float(numbers(Float.self))
        case "F64": .double(numbers(Double.self))
        default: .integer(numbers(Int64.self))
        }
      return (name, Tensor(shape: entry.shape, values: values))
    }
  }

  /// The bytes of the whole file. The tensors are written in their order.
  public func data() throws -> Data {
    var header = TensorHeader(entries: [:], metadata: metadata)
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
      header.entries[name] = .init(dtype: type, shape: tensor.shape, offsets: [start, body.count])
    }
    return try header.data() + body
  }
}
