import Foundation

/// Exports runs to formats of other programs.
public enum RunExport {
  /// A JSON list with all columns. Columns that contain JSON texts become JSON values.
  public static func json(_ rows: [RunRow]) -> String {
    let objects = rows.map { row -> [String: Any] in
      func value(_ text: String) -> Any {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) ?? NSNull()
      }
      return [
        "id": row.id ?? 0, "name": row.name, "kind": row.kind, "state": row.state.rawValue, "started": row.started, "updated": row.updated,
        "fingerprint": row.fingerprint, "script": row.script, "script_hash": row.scriptHash, "data": row.data,
        "data_fingerprint": row.dataFingerprint, "model": row.model, "parameters": value(row.parameters), "seed": row.seed,
        "threads": row.threads, "machine": row.machine, "version": row.version, "blocks": row.blocks, "steps": row.steps,
        "seconds": row.seconds, "cpu_seconds": row.cpuSeconds, "evaluation_seconds": row.evaluationSeconds, "metric": row.metric,
        "best": row.best ?? NSNull(), "best_step": row.bestStep ?? NSNull(), "stop": row.stop, "metrics": value(row.metrics),
        "history": value(row.history), "growths": value(row.growths), "checkpoint": row.checkpoint,
      ]
    }
    let data = try? JSONSerialization.data(withJSONObject: objects, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data ?? Data("[]".utf8), as: UTF8.self) + "\n"
  }

  /// A TensorBoard event file: every number of the evaluation history as a scalar over the training steps.
  public static func tensorBoard(_ row: RunRow) -> Data {
    var file = Data()
    append(&file, event(time: row.started, step: 0, fileVersion: "brain.Event:2", scalar: nil))
    let points = ((try? JSONSerialization.jsonObject(with: Data(row.history.utf8))) as? [[String: Double]]) ?? []
    for point in points {
      // A database from elsewhere may contain any number.
      guard let step = Int64(exactly: (point["step"] ?? 0).rounded()) else { continue }
      let time = row.started + (point["seconds"] ?? 0)
      for (name, value) in point.sorted(by: { $0.key < $1.key }) where name != "step" {
        append(
          &file, event(time: time, step: step, fileVersion: nil, scalar: (name.replacingOccurrences(of: "@", with: "_at_"), Float(value))))
      }
    }
    return file
  }

  // MARK: Protocol buffers: Event { 1: wall_time, 2: step, 3: file_version, 5: summary { 1: value { 1: tag, 2: simple_value } } }

  private static func event(time: Double, step: Int64, fileVersion: String?, scalar: (tag: String, value: Float)?) -> Data {
    var event = Data([0x09])
    withUnsafeBytes(of: time.bitPattern.littleEndian) { event.append(contentsOf: $0) }
    event.append(0x10)
    event.append(variable(UInt64(bitPattern: step)))
    if let fileVersion { field(&event, 3, Data(fileVersion.utf8)) }
    if let scalar {
      var value = Data()
      field(&value, 1, Data(scalar.tag.utf8))
      value.append(0x15)
      withUnsafeBytes(of: scalar.value.bitPattern.littleEndian) { value.append(contentsOf: $0) }
      var summary = Data()
      field(&summary, 1, value)
      field(&event, 5, summary)
    }
    return event
  }

  private static func field(_ data: inout Data, _ number: UInt8, _ content: Data) {
    data.append(number << 3 | 2)
    data.append(variable(UInt64(content.count)))
    data.append(content)
  }

  private static func variable(_ value: UInt64) -> Data {
    var value = value
    var data = Data()
    while value >= 0x80 {
      data.append(UInt8(value & 0x7f) | 0x80)
      value >>= 7
    }
    data.append(UInt8(value))
    return data
  }

  // MARK: TFRecord: the length, its masked checksum, the content, its masked checksum

  private static func append(_ file: inout Data, _ record: Data) {
    var length = Data()
    withUnsafeBytes(of: UInt64(record.count).littleEndian) { length.append(contentsOf: $0) }
    for part in [length, record] {
      file.append(part)
      let crc = checksum(part)
      withUnsafeBytes(of: ((crc >> 15 | crc << 17) &+ 0xa282_ead8).littleEndian) { file.append(contentsOf: $0) }
    }
  }

  /// CRC-32C (Castagnoli).
  static func checksum(_ data: Data) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    for byte in data { crc = table[Int((crc ^ UInt32(byte)) & 255)] ^ (crc >> 8) }
    return crc ^ 0xffff_ffff
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? 0x82f6_3b78 ^ (crc >> 1) : crc >> 1 }
  }
}
