import Datasets
import Foundation
import Interpreter
import Syntax

extension Builtin {
  /// Writes a file piece by piece. The file appears only when all of it is written.
  ///
  /// - Throws: E0801 at a piece after an interrupt, and what `body` throws.
  static func put(to path: String, _ call: Call, _ body: (_ put: (UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
    let work = call.work
    try OutputFile.write(to: path) { sink in
      try body { bytes in
        try work.checkInterrupt()
        try sink.put(bytes)
      }
    }
  }

  /// The same for pieces of text.
  static func putText(to path: String, _ call: Call, _ body: (_ put: ([UInt8]) throws -> Void) throws -> Void) throws {
    let work = call.work
    try OutputFile.write(to: path) { sink in
      try body { bytes in
        try work.checkInterrupt()
        try bytes.withUnsafeBytes { try sink.put($0) }
      }
    }
  }

  /// Saves histories or a data set.
  ///
  /// - Returns: the paths of the files written.
  /// - Throws: E0501 for an ending that has no format, or a file that cannot be written.
  static func saveData(_ object: any ObjectValue, _ path: String, _ call: Call) throws -> [String] {
    let ending = (path as NSString).pathExtension.lowercased()
    if let histories = (object as? HistoriesValue)?.histories {
      let format: DataWriter.Format
      switch ending {
      case "csv": format = .table(0x2c)
      case "tsv": format = .table(0x09)
      case "inter": format = .inter
      case "srsd":
        try put(to: path, call) { put in try histories.writeBinary(put: put) }
        return [path]
      default:
        throw call.error(
          .file, "histories cannot be saved as .\(ending)", argument: "file", help: "supported endings: .csv, .tsv, .inter, .srsd")
      }
      try putText(to: path, call) { try DataWriter.write(histories, format, put: $0) }
      return [path]
    }
    guard let split = (object as? SplitValue)?.split else { return [] }
    guard ending == "inter" else {
      throw call.error(
        .file, "a data set cannot be saved as .\(ending)", argument: "file",
        help: "name it *.inter for RecBole's benchmark files, or save its parts: save(data.train, \"train.csv\")")
    }
    let stem = path.dropLast(6)
    var written: [String] = []
    for (name, set) in [("train", split.train), ("valid", split.valid), ("test", split.test)] {
      let file = "\(stem).\(name).inter"
      try putText(to: file, call) { try DataWriter.writeInter(set, put: $0) }
      written.append(file)
    }
    return written
  }
}
