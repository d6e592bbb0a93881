import Foundation

/// The memory that this process may use, and the check that rejects work that is too large before it starts.
public enum MemoryBudget {
  /// What sets the limit: the memory of the machine, a control group (cgroup), or `ulimit -v`.
  public enum Source: Sendable, Equatable { case machine, controlGroup, processLimit }

  /// The error for work that does not fit into memory.
  public struct Exceeded: Error, Equatable {
    /// Bytes that the work needs.
    public let needed: Double
    /// Bytes that the process may use.
    public let available: Double
    public let source: Source
    /// What needs the memory, e.g. "training 16 blocks".
    public let work: String
  }

  /// The share of the limit that work may take. The program and the system need the rest.
  private static let share = 0.95

  /// Checks that the work fits.
  ///
  /// - Parameters:
  ///   - bytes: the most memory that the work takes at any time.
  ///   - work: a description of the work for the error message.
  /// - Throws: `Exceeded` if the process may not use that much memory.
  public static func check(_ bytes: Double, _ work: String) throws {
    let limit = limit()
    guard bytes > share * limit.bytes else { return }
    throw Exceeded(needed: bytes, available: limit.bytes, source: limit.source, work: work)
  }

  /// The smallest limit in bytes, and its source: the machine's memory, the limits of the process's control group and of
  /// the groups that contain it, and `ulimit -v`.
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

  /// The memory limits of the process's control groups (cgroup versions 1 and 2) in bytes. In a container, the path of a
  /// group may be the path on the host. The group's folder is then the mount point, so this reads every folder from the
  /// path up to the mount point.
  ///
  /// - Parameter root: the folder that contains `proc` and `sys`; tests pass a folder of their own.
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
