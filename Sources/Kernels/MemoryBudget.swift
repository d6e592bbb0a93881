import Foundation

/// What this process may have of memory, and the one rule by which work that does not fit is refused before any of it is
/// done.
public enum MemoryBudget {
  /// What sets the limit.
  public enum Source: Sendable, Equatable { case machine, controlGroup, processLimit }

  /// Work that does not fit.
  public struct Exceeded: Error, Equatable {
    /// Bytes.
    public let needed: Double
    /// Bytes.
    public let available: Double
    public let source: Source
    /// What would take them, e.g. "training 16 blocks".
    public let work: String
  }

  /// Of what there is, so much may be asked for: the rest is the program's own and the system's.
  private static let share = 0.95

  /// - Parameters:
  ///   - bytes: what the work takes at its most.
  ///   - work: what it is, for the message.
  /// - Throws: `Exceeded` where there is less.
  public static func check(_ bytes: Double, _ work: String) throws {
    let limit = limit()
    guard bytes > share * limit.bytes else { return }
    throw Exceeded(needed: bytes, available: limit.bytes, source: limit.source, work: work)
  }

  /// The least of the machine's memory, the limits of the process's control group and of all above it, and what
  /// `ulimit -v` allows.
  public static func limit() -> (bytes: Double, source: Source) {
    var least = (bytes: Double(ProcessInfo.processInfo.physicalMemory), source: Source.machine)
    for bytes in controlGroupLimits(root: "") where bytes < least.bytes { least = (bytes, .controlGroup) }
    var address = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &address) == 0, address.rlim_cur != rlim_t.max,
      Double(address.rlim_cur) < least.bytes
    {
      least = (Double(address.rlim_cur), .processLimit)
    }
    return least
  }

  /// The limits of the process's control groups, of version 1 and 2, in bytes. In a container the path of a group may be
  /// that of the host; then the group's own folder is the mount itself.
  ///
  /// - Parameter root: what /proc and /sys are looked for under, for tests.
  static func controlGroupLimits(root: String) -> [Double] {
    guard let text = try? String(contentsOfFile: root + "/proc/self/cgroup", encoding: .utf8) else { return [] }
    var limits: [Double] = []
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isSecond = fields[1].isEmpty
      guard isSecond || fields[1].split(separator: ",").contains("memory") else { continue }
      let mount = root + (isSecond ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory")
      let file = isSecond ? "memory.max" : "memory.limit_in_bytes"
      var path = fields[2].split(separator: "/").map(String.init)
      while true {
        let folder = ([mount] + path).joined(separator: "/")
        if let limit = (try? String(contentsOfFile: folder + "/" + file, encoding: .utf8))
          .flatMap({ Double($0.trimmingCharacters(in: .whitespacesAndNewlines)) })
        {
          limits.append(limit)
        }
        if path.isEmpty { break }
        path.removeLast()
      }
    }
    return limits
  }
}
