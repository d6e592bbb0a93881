import Foundation

/// The header of a safetensors file: type, shape and offsets of each tensor, and metadata.
///
/// A file consists of the length of the header (8 bytes, little-endian), the header (JSON), and the bytes of the tensors
/// without gaps (https://github.com/huggingface/safetensors, format of 2022).
struct TensorHeader {
  struct Entry: Codable {
    let dtype: String
    let shape: [Int]
    /// The offset of the first byte and the offset after the last byte, from the end of the header.
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }

    /// The number of values. The shape has been checked, so this does not overflow.
    var count: Int { shape.reduce(1, *) }
  }

  /// A violation of the format. The message continues a sentence that begins with the file.
  struct FormatError: Error, Equatable {
    let message: String
  }

  private enum Value: Codable {
    case entry(Entry)
    case texts([String: String])

    init(from decoder: any Decoder) throws {
      if let entry = try? Entry(from: decoder) {
        self = .entry(entry)
      } else {
        self = .texts(try [String: String](from: decoder))
      }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .entry(let entry): try entry.encode(to: encoder)
      case .texts(let texts): try texts.encode(to: encoder)
      }
    }
  }

  var entries: [String: Entry] = [:]
  var metadata: [String: String] = [:]

  /// The name in the header of what is not a tensor.
  static let metadataName = "__metadata__"

  /// The largest length of a header in bytes, which is that of the safetensors library: a header is read into memory as a
  /// whole, also where it is not a real one.
  static let longest = 100_000_000

  /// The supported types and their sizes in bytes.
  static let sizes = ["F32": 4, "F64": 8, "I64": 8]

  init(entries: [String: Entry], metadata: [String: String]) {
    self.entries = entries
    self.metadata = metadata
  }

  // MARK: Reading

  /// The length of the header in bytes, from the first 8 bytes of the file.
  ///
  /// - Throws: `FormatError` if the header would be longer than the file or than `longest`.
  static func length(_ first: Data, of fileSize: Int) throws -> Int {
    guard first.count >= 8 else { throw FormatError(message: "shorter than the 8 bytes of its header's length") }
    let length = first.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length < 1 << 40, 8 + Int(length) <= fileSize else {
      throw FormatError(message: "says its header has \(length) bytes, the file has \(fileSize)")
    }
    guard length <= longest else {
      throw FormatError(message: "its header has \(length) bytes; a safetensors file may have at most \(longest) there")
    }
    return Int(length)
  }

  /// - Parameters:
  ///   - json: the bytes of the header.
  ///   - size: the number of bytes after the header.
  /// - Throws: `FormatError` for a tensor of an unsupported type or an impossible shape, and unless the tensors fill the file
  ///   without gaps and overlaps. So the tensors together cannot be larger than the file.
  init(_ json: Data, size: Int) throws {
    let values: [String: Value]
    do {
      values = try JSONDecoder().decode([String: Value].self, from: json)
    } catch {
      throw FormatError(message: "its header is not the JSON that safetensors prescribe")
    }
    // In the order of the names, so that a file with several errors always gives the same one.
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      switch value {
      case .texts(let texts):
        guard name == Self.metadataName else {
          throw FormatError(
            message: "its header has a map of texts called \(name); a tensor was expected, or the name \(Self.metadataName)")
        }
        metadata = texts
      case .entry(let entry):
        guard name != Self.metadataName else { throw FormatError(message: "\(name) is a tensor; a map of texts was expected") }
        try Self.check(name, entry)
        entries[name] = entry
      }
    }
    var end = 0
    for (name, entry) in entries.sorted(by: { ($0.value.offsets[0], $0.value.offsets[1]) < ($1.value.offsets[0], $1.value.offsets[1]) }) {
      guard entry.offsets[0] == end else {
        throw FormatError(message: "tensor \(name) begins at byte \(entry.offsets[0]), the one before it ends at \(end)")
      }
      end = entry.offsets[1]
      guard end <= size else { throw FormatError(message: "tensor \(name): its bytes \(entry.offsets) are outside of the file") }
    }
    guard end == size else { throw FormatError(message: "\(size - end) bytes follow its last tensor") }
  }

  private static func check(_ name: String, _ entry: Entry) throws {
    func bad(_ message: String) -> FormatError { FormatError(message: "tensor \(name): \(message)") }
    guard let size = sizes[entry.dtype] else { throw bad("type \(entry.dtype) is not supported; expected F32, F64 or I64") }
    guard entry.offsets.count == 2, entry.offsets[0] >= 0, entry.offsets[0] <= entry.offsets[1] else {
      throw bad("its byte range \(entry.offsets) is not valid")
    }
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
  }

  // MARK: Writing

  /// The length and the header. The header is padded with blanks to a multiple of 8 bytes.
  ///
  /// - Throws: `LongHeader` for a header longer than `longest`, which could not be read again.
  func data() throws -> Data {
    var values: [String: Value] = metadata.isEmpty ? [:] : [Self.metadataName: .texts(metadata)]
    for (name, entry) in entries { values[name] = .entry(entry) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var json = try encoder.encode(values)
    while json.count % 8 != 0 { json.append(0x20) }
    guard json.count <= Self.longest else { throw LongHeader(length: json.count) }
    var result = Data()
    withUnsafeBytes(of: UInt64(json.count).littleEndian) { result.append(contentsOf: $0) }
    result.append(json)
    return result
  }
}

/// A file cannot be written, because its header would be longer than safetensors allows.
public struct LongHeader: Error, Equatable {
  /// In bytes.
  public let length: Int
  public static let longest = TensorHeader.longest
}
