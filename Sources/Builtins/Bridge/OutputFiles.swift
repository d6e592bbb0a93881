import Interpreter
import ModelFiles

extension OutputFile {
  /// Writes tensors from where they lie in memory.
  static func write(_ tensors: StoredTensors, to path: String) throws {
    try write(to: path) { sink in try tensors.write { try sink.put($0) } }
  }
}
