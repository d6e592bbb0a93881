import Foundation
import Kernels
import Synchronization

/// A file mapped into memory, checked block by block when a block is first used.
///
/// Pages that were read are given back now and then, so that the memory of a long reading does not grow with the file.
final class MappedFile: Sendable {
  static let blockSize = 1 << 20
  /// Pages are given back when so many bytes may have come in.
  private static let keptBytes = 64 << 20
  /// What the system brings in around a place that is asked for.
  private static let broughtAround = 64 << 10

  let path: String
  let size: Int
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer
  /// Open as long as the file is mapped, to see whether someone changes it.
  private let watch: FileWatch
  private let state = Mutex(State())

  private struct State {
    /// What is checked, and what its blocks add up to.
    var range = 0..<0
    var sums: [UInt64] = []
    var isChecked: [Bool] = []
    var touched = 0
    /// By kind of reading, where the last one was.
    var last = [Int](repeating: -1, count: 16)
    var fault: DataError?
  }

  /// - Throws: `DataError` for a file that is not there, is empty or cannot be mapped.
  init(_ path: String) throws(DataError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw DataError("\(path) cannot be read: \(String(cString: strerror(errno)))", argument: "file")
    }
    watch = FileWatch(descriptor)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw DataError("\(path) is no ordinary file", argument: "file")
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

  /// Every `blockSize` bytes of a range have one of these sums.
  func check(_ range: Range<Int>, sums: [UInt64]) {
    state.withLock {
      $0.range = range
      $0.sums = sums
      $0.isChecked = [Bool](repeating: false, count: sums.count)
    }
  }

  static func sum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = WordHash()
    hash.add(bytes)
    return hash.value
  }

  /// To be called before the bytes of a range are read.
  ///
  /// - Parameter kind: readings of one kind, numbered from 0, often follow each other in the file.
  func use(_ range: Range<Int>, kind: Int) {
    guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= size else { return }
    state.withLock { state in
      let start = state.range.lowerBound
      for block in ((range.lowerBound - start) / Self.blockSize)...((range.upperBound - 1 - start) / Self.blockSize)
      where state.sums.indices.contains(block) && !state.isChecked[block] {
        check(block, &state)
      }
      let last = (range.upperBound - 1) / Self.broughtAround
      if state.last[kind] == last { return }
      state.last[kind] = last
      state.touched += max(range.count, Self.broughtAround)
      if state.touched > Self.keptBytes {
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
      state.fault = damaged("its bytes \(start) to \(start + bytes.count) are not those that were written")
    }
    state.touched += bytes.count
  }

  /// Gives back the pages that were read.
  func release() { madvise(base, size, MADV_DONTNEED) }

  /// Checks all that is not checked yet.
  func checkAll() throws(DataError) {
    let range = state.withLock { $0.range }
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.blockSize) {
      use(start..<min(range.upperBound, start + Self.blockSize), kind: 15)
    }
    if let fault { throw fault }
  }

  /// What was found wrong; what is read is not to be relied on then.
  var fault: DataError? {
    if let fault = state.withLock({ $0.fault }) { return fault }
    guard watch.isChanged else { return nil }
    return DataError(
      "\(path) was changed by someone while it was in use", help: "load it again; to replace such a file, write a new one and rename it",
      argument: "file")
  }

  func report(_ what: String) {
    state.withLock { if $0.fault == nil { $0.fault = damaged(what) } }
  }

  func damaged(_ what: String) -> DataError {
    DataError("\(path) is damaged: \(what)", help: "make it again from what it was made of", argument: "file")
  }
}

/// A file that is held open, and when it was last changed.
///
/// What is read of a mapped file changes with the file, after it was checked too, so any trap that comes meanwhile may be
/// another program's doing. The handler of traps asks the files that are watched, and says so.
private final class FileWatch: Sendable {
  private struct Entry {
    var descriptor: Int32 = -1
    var size: Int = 0
    var changed = timespec()

    /// Usable in a handler of signals.
    var isChanged: Bool {
      var status = stat()
      guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return false }
      return Int(status.st_size) != size || status.st_mtim.tv_sec != changed.tv_sec || status.st_mtim.tv_nsec != changed.tv_nsec
    }
  }

  /// Files that the handler looks at; of more than these it knows nothing. Memory that lives for ever.
  private static let room = 256
  nonisolated(unsafe) private static let entries: UnsafeMutablePointer<Entry> = {
    let entries = UnsafeMutablePointer<Entry>.allocate(capacity: room)
    entries.initialize(repeating: Entry(), count: room)
    install()
    return entries
  }()
  private static let turn = Mutex(())

  private let entry: Entry
  private let place: Int?

  /// Takes the descriptor over.
  init(_ descriptor: Int32) {
    var status = stat()
    fstat(descriptor, &status)
    let entry = Entry(descriptor: descriptor, size: Int(status.st_size), changed: status.st_mtim)
    self.entry = entry
    place = Self.turn.withLock { _ in
      let place = (0..<Self.room).first { Self.entries[$0].descriptor < 0 }
      if let place { Self.entries[place] = entry }
      return place
    }
  }

  deinit {
    if let place { Self.turn.withLock { _ in Self.entries[place].descriptor = -1 } }
    close(entry.descriptor)
  }

  var isChanged: Bool { entry.isChanged }

  private static func install() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { signal in
      for place in 0..<FileWatch.room where FileWatch.entries[place].isChanged {
        let text: StaticString = "error[E0501]: a .srsd file was changed by someone while it was in use\n"
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        _exit(1)
      }
      Foundation.signal(signal, SIG_DFL)
      raise(signal)
    }
    sigemptyset(&action.sa_mask)
    // What Swift does at an index outside of an array.
    for signal in [SIGILL, SIGTRAP] { sigaction(signal, &action, nil) }
  }
}
