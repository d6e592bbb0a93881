import Foundation

/// The user's own editor: `$VISUAL`, `$EDITOR`, or vi.
enum ExternalEditor {
  /// Opens a file. Returns whether the editor ended without an error.
  static func open(_ file: String) -> Bool {
    let environment = ProcessInfo.processInfo.environment
    let editor = environment["VISUAL"] ?? environment["EDITOR"] ?? "vi"
    let quoted = file.unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }.joined()
    return Shell.run("\(editor) '\(quoted)'") == 0
  }

  /// The text after the user has changed it, without line breaks at its end; nil if the editor failed.
  static func change(_ text: String) -> String? {
    // mkstemps chooses an unpredictable name and creates the file, so that it cannot be a link of another user.
    var name = Array((NSTemporaryDirectory() + "srs-entry-XXXXXX.srs").utf8CString)
    let descriptor = mkstemps(&name, 4)
    guard descriptor >= 0 else { return nil }
    let file = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(file) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard (try? handle.write(contentsOf: Data((text.isEmpty ? "" : text + "\n").utf8))) != nil, open(file),
      let data = FileManager.default.contents(atPath: file)
    else { return nil }
    var changed = String(decoding: data, as: UTF8.self)
    while changed.last == "\n" || changed.last == "\r\n" { changed.removeLast() }
    return changed
  }
}
