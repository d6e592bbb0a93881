import Foundation
import Kernels
import Layers

/// The contents of a safetensors file to be written: references to tensors in memory, and metadata. Writing does not copy
/// the tensors.
public struct StoredTensors {
  struct Tensor {
    let name: String
    let shape: [Int]
    let buffer: FloatBuffer
    let offset: Int

    var bytes: UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(UnsafeBufferPointer(start: buffer.base + offset, count: shape.reduce(1, *)))
    }
  }

  private(set) var tensors: [Tensor] = []
  public var metadata: [String: String]

  public init(metadata: [String: String] = [:]) { self.metadata = metadata }

  /// Adds all parameters of a layout with their values, under the names `prefix` + parameter name.
  public mutating func add(_ layout: ParameterLayout, _ values: FloatBuffer, prefix: String = "") {
    tensors += layout.parameters.map { Tensor(name: prefix + $0.name, shape: $0.shape, buffer: values, offset: $0.offset) }
  }

  /// The bytes of the whole file, for small files.
  public func data() throws -> Data {
    var data = Data()
    try write { data.append(contentsOf: $0) }
    return data
  }

  /// Calls `put` with successive parts of the file: the header, which includes the checksum, then the tensors in order.
  public func write(_ put: (UnsafeRawBufferPointer) throws -> Void) throws {
    var header = TensorHeader(entries: [:], metadata: metadata)
    var checksum = TensorChecksum(metadata)
    for tensor in tensors.sorted(by: { $0.name < $1.name }) {
      checksum.begin(tensor.name, tensor.shape)
      checksum.add(tensor.bytes)
    }
    header.metadata["checksum"] = checksum.text
    var end = 0
    for tensor in tensors {
      let start = end
      end += tensor.bytes.count
      header.entries[tensor.name] = .init(dtype: "F32", shape: tensor.shape, offsets: [start, end])
    }
    try header.data().withUnsafeBytes(put)
    for tensor in tensors { try put(tensor.bytes) }
  }
}

/// The checksum of a model's file: FNV-1a, 64 bit, over the metadata and the tensors in the order of their names. See
/// docs/models.md.
struct TensorChecksum {
  private var value: UInt64 = 0xcbf2_9ce4_8422_2325

  init(_ metadata: [String: String]) {
    for (key, text) in metadata.sorted(by: { $0.key < $1.key }) where key != "checksum" {
      for part in [key, text] {
        add(part)
        value = value &* 0x100_0000_01b3
      }
    }
  }

  private mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
  }

  mutating func begin(_ name: String, _ shape: [Int]) { add("\(name) \(shape)") }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    var hash = value
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    value = hash
  }

  /// The value as hexadecimal digits without leading zeros.
  var text: String { String(value, radix: 16) }
}
