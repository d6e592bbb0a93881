import CArchive

/// Reads an archive or a compressed file by libarchive, member by member.
public final class Archive {
  public enum Kind: Sendable {
    /// Members with names.
    case zip
    /// One member without a name, packed by xz, bzip2, zstd or lz4.
    case packed

    /// The kind of a file with these first bytes; nil for other files.
    public static func of(_ head: [UInt8]) -> Kind? {
      if head.starts(with: [0x50, 0x4b, 3, 4]) || head.starts(with: [0x50, 0x4b, 5, 6]) { return .zip }
      let packed: [[UInt8]] = [
        Array("BZh".utf8), [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], [0x28, 0xb5, 0x2f, 0xfd], [0x04, 0x22, 0x4d, 0x18],
      ]
      // Files of zstd and lz4 may begin with a frame that is skipped.
      let isSkipped = head.count >= 4 && (0x50...0x5f).contains(head[0]) && Array(head[1...3]) == [0x2a, 0x4d, 0x18]
      return isSkipped || packed.contains { head.starts(with: $0) } ? .packed : nil
    }
  }

  public struct Member: Sendable, Equatable {
    public let name: String
    public let isFile: Bool
    public let isEncrypted: Bool
  }

  /// An archive that cannot be read.
  public enum Failure: Error, Equatable, Sendable {
    /// libarchive is not installed.
    case missing
    /// The archive is damaged or cut off. The text is libarchive's.
    case damaged(String)
  }

  /// Provides the next bytes of the archive; 0 bytes at its end.
  public typealias Source = (UnsafeMutableRawBufferPointer) throws -> Int

  private let archive: OpaquePointer
  private let bytes: Bytes

  private final class Bytes {
    let source: Source
    /// What the source threw; libarchive then reports a damaged archive.
    var problem: (any Error)?
    var given = 0
    var isAtEnd = false

    init(_ source: @escaping Source) { self.source = source }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int64 {
      do {
        let got = try source(buffer)
        given += got
        isAtEnd = got == 0
        return Int64(got)
      } catch {
        problem = error
        return -1
      }
    }
  }

  /// - Parameters:
  ///   - descriptor: the open file to read from, at its beginning; nil: `source` provides the bytes. A zip archive is read by its
  ///     directory only from a file.
  ///   - source: provides the bytes where there is no descriptor.
  /// - Throws: `Failure.missing`.
  public init(_ kind: Kind, descriptor: Int32? = nil, source: @escaping Source) throws(Failure) {
    bytes = Bytes(source)
    let context = Unmanaged.passUnretained(bytes).toOpaque()
    let opened = srs_archive_open(
      kind == .zip ? 1 : 0, descriptor ?? -1,
      { context, buffer, room in
        guard let context, let buffer else { return -1 }
        return Unmanaged<Bytes>.fromOpaque(context).takeUnretainedValue().fill(.init(start: buffer, count: room))
      }, context)
    guard let opened else { throw .missing }
    archive = opened
  }

  deinit { srs_archive_close(archive) }

  /// Goes to the next member; nil at the end.
  ///
  /// - Throws: `Failure.damaged`, or what the source threw.
  public func next() throws -> Member? {
    var name: UnsafePointer<CChar>?
    var (isFile, isEncrypted): (Int32, Int32) = (0, 0)
    switch Int(srs_archive_next(archive, &name, &isFile, &isEncrypted)) {
    case SRS_ARCHIVE_END: return nil
    case SRS_ARCHIVE_MEMBER:
      return Member(name: name.map { String(cString: $0) } ?? "", isFile: isFile != 0, isEncrypted: isEncrypted != 0)
    default: throw failure
    }
  }

  /// Fills a buffer with bytes of the current member.
  ///
  /// - Returns: the number of bytes; less than the size of the buffer only at the end of the member.
  /// - Throws: `Failure.damaged`, or what the source threw.
  public func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let got = srs_archive_read(archive, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
      if got < 0 { throw failure }
      if got == 0 { break }
      filled += Int(got)
    }
    return filled
  }

  /// After the last member: whether the source has bytes that do not belong to the archive.
  public func hasMore() throws -> Bool {
    if Int(srs_archive_used(archive)) < bytes.given { return true }
    if bytes.isAtEnd { return false }
    let more = try withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { try bytes.source($0) }
    return more > 0
  }

  private var failure: any Error { bytes.problem ?? Failure.damaged(String(cString: srs_archive_problem(archive))) }
}
