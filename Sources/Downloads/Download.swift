import Archives
import CDownloads
import Foundation

/// A data set could not be downloaded.
public struct DownloadError: Error, Sendable {
  public let message: String
  public let help: String?

  init(_ message: String, help: String? = nil) {
    self.message = message
    self.help = help
  }
}

/// `Download.Watch` returned false.
public struct DownloadStopped: Error {}

/// Downloads a public data set into a folder. A data set that is already there is not downloaded again, an interrupted
/// download continues, and the archive's MD5 sum is compared with the publisher's.
public struct Download {
  /// Called during the transfer with the bytes so far and the total (0: unknown). False stops the transfer; the next download
  /// continues from there.
  public typealias Watch = (_ now: Int, _ total: Int) -> Bool

  let data: PublicData
  let folder: String
  /// The address of a mirror to use instead of the publisher's server, without the archive's name.
  let mirror: String?
  /// The seconds to wait before each further attempt.
  let pauses: [Double]

  public init(_ data: PublicData, into folder: String, mirror: String? = nil, pauses: [Double] = [1, 3, 10]) {
    self.data = data
    self.folder = folder
    self.mirror = mirror
    self.pauses = pauses
  }

  /// The path of the file with the interactions, whether or not it exists.
  public var file: String { "\(folder)/\(data.file)" }
  public var isDownloaded: Bool { FileManager.default.fileExists(atPath: file) }

  /// The address of the archive.
  public var address: String { mirror.map { "\($0)/\(data.name).zip" } ?? data.address }

  /// - Parameter note: Called with a message for every failed attempt.
  /// - Returns: the path of the file with the interactions.
  /// - Throws: `DownloadError`, `DownloadStopped`.
  public func callAsFunction(watch: @escaping Watch, note: (String) -> Void) throws -> String {
    if isDownloaded { return file }
    let archive = "\(folder)/\(data.name).zip"
    do {
      try FileManager.default.createDirectory(
        atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    } catch {
      throw DownloadError("the folder \(folder) cannot be created: \(error.localizedDescription)")
    }
    try fetch(archive, watch, note)
    if isDownloaded { return file }
    try unpack(archive)
    unlink(archive)
    return file
  }

  // MARK: Fetching

  private func fetch(_ archive: String, _ watch: @escaping Watch, _ note: (String) -> Void) throws {
    // The lock below prevents two processes from writing to the same partial file.
    let partial = archive + ".part"
    let descriptor = open(partial, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw DownloadError("\(partial) cannot be written: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw DownloadError("another process is fetching \(data.name) into \(folder)", help: "wait for it, then try again")
    }
    // Another process may have finished the download between `open` and `flock`.
    var (opened, named) = (stat(), stat())
    guard fstat(descriptor, &opened) == 0, stat(partial, &named) == 0, opened.st_ino == named.st_ino else {
      if isDownloaded { return }
      throw DownloadError("another process has just fetched \(data.name) into \(folder)", help: "try again")
    }
    defer {
      var status = stat()
      // There is nothing to continue from in an empty partial file.
      if fstat(descriptor, &status) == 0, status.st_size == 0 { unlink(partial) }
    }
    let most = (2 * data.megabytes + 16) << 20
    let watch: Watch = { now, total in now <= most && watch(now, total) }
    var tries = 0
    var hasRestarted = false
    while true {
      var status = stat()
      fstat(descriptor, &status)
      let from = Int(status.st_size)
      if from > 0 && Self.md5(partial) == data.md5 { break }
      let (result, message) = Self.transfer(address, descriptor, from, watch)
      switch result {
      case SRS_FETCHED:
        let found = Self.md5(partial)
        if found == data.md5 { break }
        // The partial file that was continued may have come from elsewhere; if so, download it again.
        ftruncate(descriptor, 0)
        guard from > 0 else {
          throw DownloadError(
            "\(address) is not the publisher's \(data.name): its MD5 is \(found), not \(data.md5); it was deleted",
            help: "try again later, or download it by hand and load() the file")
        }
        note("the partial download of \(data.name) is damaged; downloading it again")
        continue
      case SRS_FETCH_STOPPED:
        fstat(descriptor, &status)
        if status.st_size > most {
          ftruncate(descriptor, 0)
          throw DownloadError("\(address) sends far more than the \(data.megabytes) MB that \(data.name) has; it was deleted")
        }
        throw DownloadStopped()
      case SRS_FETCH_MISSING: throw DownloadError("libcurl, which downloads need, is not installed", help: "apt-get install libcurl4")
      case SRS_FETCH_DISK:
        throw DownloadError(
          "\(partial) cannot be written: \(message)", help: "free some space, and try again: the download continues from there")
      case SRS_FETCH_REFUSED where from > 0 && !hasRestarted:
        // The server cannot continue a download from the middle.
        ftruncate(descriptor, 0)
        hasRestarted = true
        continue
      case SRS_FETCH_REFUSED: throw DownloadError("\(address) cannot be fetched: \(message)")
      default:
        guard tries < pauses.count else {
          throw DownloadError(
            "\(address) cannot be fetched, after \(tries + 1) attempts: \(message)", help: "try again: the download continues from there")
        }
        note("the download of \(data.name) was interrupted (\(message)); trying again")
        try pause(pauses[tries], watch)
        tries += 1
        continue
      }
      break
    }
    guard rename(partial, archive) == 0 else { throw DownloadError("\(archive) cannot be written: \(String(cString: strerror(errno)))") }
  }

  private func pause(_ seconds: Double, _ watch: Watch) throws {
    var left = seconds
    while left > 0 {
      guard watch(0, 0) else { throw DownloadStopped() }
      usleep(50_000)
      left -= 0.05
    }
  }

  private static func transfer(_ address: String, _ descriptor: Int32, _ from: Int, _ watch: @escaping Watch) -> (Int, String) {
    final class Box {
      let watch: Watch
      init(_ watch: @escaping Watch) { self.watch = watch }
    }
    let box = Box(watch)
    var message = [CChar](repeating: 0, count: 512)
    let result = withExtendedLifetime(box) {
      srs_fetch(
        address, descriptor, Int64(from),
        { context, now, total in
          guard let context else { return 1 }
          return Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().watch(Int(now), Int(total)) ? 0 : 1
        }, Unmanaged.passUnretained(box).toOpaque(), &message, message.count)
    }
    return (Int(result), message.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" })
  }

  static func md5(_ path: String) -> String {
    var digits = [CChar](repeating: 0, count: 33)
    guard srs_md5(path, &digits) == 0 else { return "" }
    return digits.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }

  // MARK: Unpacking

  private func unpack(_ archive: String) throws {
    // The name is random, not the process number, because processes of two containers may have the same number.
    let partial = file + ".part-" + String(UInt64.random(in: 0...UInt64.max), radix: 16)
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw DownloadError("\(partial) cannot be written: \(String(cString: strerror(errno)))") }
    let result = Self.unzip(archive, data.file, to: descriptor)
    let isSynced = fsync(descriptor) == 0
    close(descriptor)
    guard result == .done, isSynced, rename(partial, file) == 0 else {
      let reason = String(cString: strerror(errno))
      unlink(partial)
      switch result {
      case .noFile: throw DownloadError("\(archive) has no file \(data.file)")
      case .missing: throw DownloadError("libarchive, which unpacks archives, is not installed", help: "apt-get install libarchive13")
      case .damaged: throw DownloadError("\(archive) is damaged", help: "remove it, and try again")
      default: throw DownloadError("\(file) cannot be written: \(reason)", help: "free some space, and try again")
      }
    }
  }

  private enum Unzipped { case done, noFile, damaged, full, missing }

  /// Writes a member of a zip archive to an open file. Its checksum is compared at its end.
  private static func unzip(_ path: String, _ name: String, to descriptor: Int32) -> Unzipped {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return .damaged }
    defer { close(file) }
    guard let archive = try? Archive(.zip, descriptor: file, source: { _ in 0 }) else { return .missing }
    var buffer = [UInt8](repeating: 0, count: 1 << 17)
    do {
      while let member = try archive.next() {
        guard member.name == name, member.isFile else { continue }
        while true {
          let got = try buffer.withUnsafeMutableBufferPointer { try archive.fill($0) }
          var written = 0
          while written < got {
            let count = buffer.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + written }, got - written) }
            if count <= 0 { return .full }
            written += count
          }
          if got < buffer.count { return .done }
        }
      }
      return .noFile
    } catch {
      return .damaged
    }
  }
}
