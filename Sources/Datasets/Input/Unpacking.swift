import Archives
import Foundation

/// Bytes that are unpacked while they are read.
protocol Unpacking: AnyObject {
  /// Fills a buffer with unpacked bytes.
  ///
  /// - Returns: the number of bytes; less than the size of the buffer only at the end of the data.
  /// - Throws: `DataError` if the data is cut off, damaged, or followed by other bytes; `ReadingStopped`.
  func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws -> Int
}

extension Decompression: Unpacking {}

/// One member of an archive, or the content of a file packed by xz, bzip2, zstd or lz4.
final class ArchiveMember: Unpacking {
  /// The name of the member; nil if the file has one without a name.
  let name: String?
  /// What was chosen, for a note; nil if there was no choice.
  let note: String?
  private let source: ByteSource
  private let archive: Archive
  private let kind: Archive.Kind
  private let wanted: String?
  private let tail: Tail

  /// The last bytes of an archive in a pipe. A zip archive ends with its directory.
  private final class Tail {
    /// The mark of the end of the directory, and the largest size of what follows it.
    static let mark: [UInt8] = [0x50, 0x4b, 5, 6], size = 22 + 65_535
    private(set) var bytes: [UInt8] = []

    func add(_ new: some Collection<UInt8>) {
      bytes += new
      if bytes.count > 4 * Self.size { bytes.removeFirst(bytes.count - Self.size) }
    }

    var hasEnd: Bool { bytes.suffix(Self.size).indices.contains { bytes[$0...].starts(with: Self.mark) } }
  }
  private var isAtEnd = false

  /// - Parameter wanted: the name of the member; nil: the only file, or the only one whose name fits.
  /// - Throws: `DataError`, `ReadingStopped`.
  init(_ source: ByteSource, _ kind: Archive.Kind, wanted: String?) throws {
    self.source = source
    self.kind = kind
    self.wanted = wanted
    let tail = Tail()
    if kind == .packed, wanted != nil {
      throw DataError("\(source.path) has one file only, without a name", help: "leave `member` out", argument: "member")
    }
    let isFile = source.size != nil
    func open() throws(DataError) -> Archive {
      do throws(Archive.Failure) {
        return try Archive(kind, descriptor: kind == .zip ? source.rewound() : nil) { buffer in
          let got = try source.fill(buffer.bindMemory(to: UInt8.self))
          if kind == .zip { tail.add(buffer[..<got]) }
          return got
        }
      } catch {
        throw DataError("\(source.path) needs libarchive, which is not installed", help: "apt-get install libarchive13", argument: "file")
      }
    }
    guard kind == .zip else {
      self.tail = tail
      (archive, name, note) = (try open(), nil, nil)
      guard try Self.guarded(source, { [archive] in try archive.next() }) != nil else { throw Self.empty(source) }
      return
    }
    var chosen = wanted
    var note: String?
    self.tail = tail
    if isFile {
      guard source.hasEnd(Tail.mark, within: Tail.size) else {
        throw DataError(
          "\(source.path) is damaged or cut off: it has no directory at its end", help: "fetch or pack it again", argument: "file")
      }
      let files = try Self.files(try open(), source)
      if let wanted {
        guard files.contains(wanted) else {
          throw DataError("\(source.path) has no file \(Self.shown(wanted))", help: "it has: \(Self.list(files))", argument: "member")
        }
      } else {
        let found = try Self.choice(files, source)
        chosen = found
        if files.count > 1 { note = "\(source.path): read \(Self.shown(found)) of \(files.count) files; member: chooses another" }
      }
    }
    let archive = try open()
    var member: Archive.Member?
    repeat {
      member = try Self.guarded(source) { try archive.next() }
    } while member.map { !$0.isFile || chosen != nil && $0.name != chosen } ?? false
    guard let member else {
      if let wanted { throw DataError("\(source.path) has no file \(Self.shown(wanted))", argument: "member") }
      throw Self.empty(source)
    }
    guard !member.isEncrypted else {
      throw DataError("\(Self.shown(member.name)) in \(source.path) is encrypted", help: "unpack it first", argument: "file")
    }
    (self.archive, name, self.note) = (archive, member.name, note)
  }

  func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws -> Int {
    if isAtEnd { return 0 }
    if source.stops { throw ReadingStopped() }
    let got = try Self.guarded(source) { try archive.fill(buffer) }
    if got < buffer.count {
      isAtEnd = true
      try Self.guarded(source) { try checkEnd() }
    }
    return got
  }

  /// Checks what follows the data. In a pipe it can be known only now whether an archive has several files.
  private func checkEnd() throws {
    if kind == .packed {
      guard try archive.next() == nil, try !archive.hasMore() else {
        throw DataError("\(source.path) is damaged: other bytes follow its packed data", help: "fetch or pack it again", argument: "file")
      }
      return
    }
    guard source.size == nil else { return }
    while let other = try archive.next() {
      guard wanted != nil || !other.isFile else {
        throw DataError(
          "\(source.path) has several files, and a pipe can be read only once", help: "name one: member: \"\(Self.shown(name ?? ""))\"",
          argument: "member")
      }
    }
    while true {
      let got = try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
        let got = try source.fill(buffer.bindMemory(to: UInt8.self))
        tail.add(buffer[..<got])
        return got
      }
      if got == 0 { break }
    }
    guard tail.hasEnd else { throw Archive.Failure.damaged("it has no directory at its end") }
  }

  private static func files(_ archive: Archive, _ source: ByteSource) throws -> [String] {
    var files: [String] = []
    while let member = try guarded(source, { try archive.next() }) {
      if source.stops { throw ReadingStopped() }
      if member.isFile { files.append(member.name) }
      guard files.count <= 100_000 else { throw DataError("\(source.path) has more than 100,000 files", argument: "file") }
    }
    guard !files.isEmpty else { throw empty(source) }
    return files
  }

  /// Files of interactions by their usual names, then by their endings.
  private static func choice(_ files: [String], _ source: ByteSource) throws(DataError) -> String {
    if files.count == 1 { return files[0] }
    func base(_ name: String) -> String { String(name.split(separator: "/").last ?? "").lowercased() }
    let visible = files.filter { !base($0).hasPrefix(".") && !$0.hasPrefix("__MACOSX/") }
    let usual = ["ratings.", "u.data", "interactions.", "events.", "clicks.", "transactions."]
    let endings = [".inter", ".csv", ".tsv", ".dat", ".data", ".jsonl", ".ndjson", ".json", ".txt"]
    let others = ["readme", "license", "licence", "changelog"]
    for isFitting in [
      { (name: String) in usual.contains { base(name).hasPrefix($0) } },
      { (name: String) in base(name).hasSuffix(".inter") },
      { (name: String) in endings.contains { base(name).hasSuffix($0) } && !others.contains { base(name).hasPrefix($0) } },
    ] {
      let fitting = visible.filter(isFitting)
      if fitting.count == 1 { return fitting[0] }
      if fitting.count > 1 { break }
    }
    throw DataError(
      "\(source.path) has several files: \(list(files))",
      help: "name one: load(\"\(source.path)\", member: \"\(shown(visible.first ?? files[0]))\")",
      argument: "member")
  }

  private static func empty(_ source: ByteSource) -> DataError { DataError("\(source.path) is an archive without files", argument: "file") }

  private static func list(_ files: [String]) -> String {
    files.prefix(8).map(shown).joined(separator: ", ") + (files.count > 8 ? ", ..." : "")
  }

  /// A name without control characters, for messages.
  private static func shown(_ name: String) -> String {
    String(String.UnicodeScalarView(name.unicodeScalars.map { $0.value < 32 || (127..<160).contains($0.value) ? "?" : $0 }))
  }

  private static func guarded<Result>(_ source: ByteSource, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let failure as Archive.Failure {
      let text = if case .damaged(let text) = failure, !text.isEmpty { ": \(shown(text))" } else { "" }
      throw DataError("\(source.path) is damaged or cut off\(text)", help: "fetch or pack it again", argument: "file")
    }
  }
}
