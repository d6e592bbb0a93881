import Interpreter
import ModelFiles

extension OutputFile {
  /// Writes tensors directly from their memory, without a copy of the whole file.
  static func write(_ tensors: StoredTensors, to path: String) throws {
    try write(to: path) { sink in try tensors.write { try sink.put($0) } }
  }
}
