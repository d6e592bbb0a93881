import Foundation
import Kernels
import Synchronization

/// A file that is mapped into memory. The checksum of a block is verified when the block is first used.
///
/// Pages are released from time to time, so that the resident memory does not grow with the file.
final class MappedFile: Sendable {
  /// The size of a block with a checksum, in bytes.
  static let blockSize = 1 << 20
  /// The pages are released after about this many bytes have been read.
  private static let residentBytes = 64 << 20
  /// About how many bytes the system reads around an address.
  private static let readAhead = 64 << 10

  let path: String
  let size: Int
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer
  /// Detects whether another program changes the file.
  private let watch: FileWatch
  private let state = Mutex(State())

  private struct State {
    /// The part of the file that has checksums.
    var range = 0..<0
    /// The checksum of each block.
    var sums: [UInt64] = []
    var isChecked: [Bool] = []
    /// About how many bytes have been read since the pages were released.
    var touched = 0
    /// By kind of access, the part of the file that the last access read.
    var last = [Int](repeating: -1, count: 16)
    var fault: DataError?
  }

  /// - Throws: `DataError` if the file does not exist, is empty or cannot be mapped.
  init(_ path: String) throws(DataError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw DataError("\(path) cannot be read: \(String(cString: strerror(errno)))", argument: "file")
    }
    watch = FileWatch(descriptor)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw DataError("\(path) is not a regular file", argument: "file")
    }
    guard status.st_size > 0 else { throw DataError("\(path) is empty", argument: "file") }
    size = Int(status.st_size)
    guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
      throw DataError("\(path) cannot be mapped into memory: \(String(cString: strerror(errno)))", argument: "file")
    }
    self.base = base
  }

  deinit { munmap(base, size) }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: size) }

  /// Sets the checksums of the blocks of a range.
  func check(_ range: Range<Int>, sums: [UInt64]) {
    state.withLock {
      $0.range = range
      $0.sums = sums
      $0.isChecked = [Bool](repeating: false, count: sums.count)
    }
  }

  /// The checksum of a block.
  static func sum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = WordHash()
    hash.add(bytes)
    return hash.value
  }

  /// Checks the blocks of a range. Must be called before the bytes of the range are read.
  ///
  /// - Parameter kind: the kind of access, from 0 to 15. Accesses of one kind are often sequential, which makes the estimate
  ///   of the bytes that were read more exact.
  func use(_ range: Range<Int>, kind: Int) {
    guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= size else { return }
    state.withLock { state in
      let start = state.range.lowerBound
      for block in ((range.lowerBound - start) / Self.blockSize)...((range.upperBound - 1 - start) / Self.blockSize)
      where state.sums.indices.contains(block) && !state.isChecked[block] {
        check(block, &state)
      }
      let last = (range.upperBound - 1) / Self.readAhead
      if state.last[kind] == last { return }
      state.last[kind] = last
      state.touched += max(range.count, Self.readAhead)
      if state.touched > Self.residentBytes {
        state.touched = 0
        madvise(base, size, MADV_DONTNEED)
      }
    }
  }

  private func check(_ block: Int, _ state: inout State) {
    let start = state.range.lowerBound + block * Self.blockSize
    let bytes = UnsafeRawBufferPointer(rebasing: bytes[start..<min(state.range.upperBound, start + Self.blockSize)])
    state.isChecked[block] = true
    if Self.sum(bytes) != state.sums[block], state.fault == nil {
      state.fault = damaged("the checksum of its bytes \(start) to \(start + bytes.count) is wrong")
    }
    state.touched += bytes.count
  }

  /// Releases the pages that were read.
  func release() { madvise(base, size, MADV_DONTNEED) }

  /// Checks all blocks that have not been checked yet.
  func checkAll() throws(DataError) {
    let range = state.withLock { $0.range }
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.blockSize) {
      use(start..<min(range.upperBound, start + Self.blockSize), kind: 15)
    }
    if let fault { throw fault }
  }

  /// The first damage that was found, or a change by another program; nil if there is none. After a fault, values that were
  /// read from the file are not reliable.
  var fault: DataError? {
    if let fault = state.withLock({ $0.fault }) { return fault }
    guard watch.isChanged else { return nil }
    return DataError(
      "\(path) was changed by another program while it was in use",
      help: "load it again; to replace such a file, write a new one and rename it", argument: "file")
  }

  /// Records damage, unless a fault has been recorded before.
  func report(_ what: String) {
    state.withLock { if $0.fault == nil { $0.fault = damaged(what) } }
  }

  /// The error for damage to this file.
  func damaged(_ what: String) -> DataError {
    DataError("\(path) is damaged: \(what)", help: "create it again from its original data", argument: "file")
  }
}

/// An open file with its size and modification time.
///
/// The bytes of a mapped file change when another program writes to the file, even after their checksum was verified. Such a
/// change can cause a trap, e.g. an index out of range. The signal handler for traps therefore checks the watched files, and
/// reports a changed file instead of a crash.
private final class FileWatch: Sendable {
  private struct Entry {
    var descriptor: Int32 = -1
    var size: Int = 0
    var changed = timespec()

    /// Calls only functions that are allowed in a signal handler.
    var isChanged: Bool {
      var status = stat()
      guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return false }
      return Int(status.st_size) != size || status.st_mtim.tv_sec != changed.tv_sec || status.st_mtim.tv_nsec != changed.tv_nsec
    }
  }

  /// The largest number of files that the signal handler can check.
  private static let capacity = 256
  /// The files that the signal handler checks. The memory is never freed, because a signal can arrive at any time.
  nonisolated(unsafe) private static let entries: UnsafeMutablePointer<Entry> = {
    let entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
    entries.initialize(repeating: Entry(), count: capacity)
    install()
    return entries
  }()
  private static let lock = Mutex(())

  private let entry: Entry
  /// The index in `entries`; nil if they were full.
  private let index: Int?

  /// Takes ownership of the descriptor.
  init(_ descriptor: Int32) {
    var status = stat()
    fstat(descriptor, &status)
    let entry = Entry(descriptor: descriptor, size: Int(status.st_size), changed: status.st_mtim)
    self.entry = entry
    index = Self.lock.withLock { _ in
      let index = (0..<Self.capacity).first { Self.entries[$0].descriptor < 0 }
      if let index { Self.entries[index] = entry }
      return index
    }
  }

  deinit {
    if let index { Self.lock.withLock { _ in Self.entries[index].descriptor = -1 } }
    close(entry.descriptor)
  }

  var isChanged: Bool { entry.isChanged }

  private static func install() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { signal in
      for index in 0..<FileWatch.capacity where FileWatch.entries[index].isChanged {
        let text: StaticString = "error[E0501]: a .srsd file was changed by another program while it was in use\n"
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        _exit(1)
      }
      Foundation.signal(signal, SIG_DFL)
      raise(signal)
    }
    sigemptyset(&action.sa_mask)
    // The signals that Swift raises when a check fails, e.g. for an index out of range.
    for signal in [SIGILL, SIGTRAP] { sigaction(signal, &action, nil) }
  }
}
