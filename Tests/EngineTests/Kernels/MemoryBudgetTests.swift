import Foundation
import Testing

@testable import Kernels

/// The memory limits of a process, read from sample files.
@Suite struct MemoryBudgetTests {
  private func root(_ files: [String: String]) throws -> String {
    let root = NSTemporaryDirectory() + "stackrec-memory-\(UUID().uuidString)"
    for (path, text) in files {
      let file = URL(fileURLWithPath: root + path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return root
  }

  /// The limits of the group and its ancestors; `max` means no limit.
  @Test func groupsOfVersion2() throws {
    let root = try root([
      "/proc/self/cgroup": "0::/user/job\n", "/sys/fs/cgroup/user/job/memory.max": "max\n",
      "/sys/fs/cgroup/user/memory.max": "314572800\n", "/sys/fs/cgroup/memory.max": "1073741824\n",
    ])
    defer { try? FileManager.default.removeItem(atPath: root) }
    #expect(MemoryBudget.controlGroupLimits(root: root).sorted() == [314_572_800, 1_073_741_824])
  }

  @Test func groupsOfVersion1() throws {
    let root = try root([
      "/proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/docker/x\n",
      "/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "209715200\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    ])
    defer { try? FileManager.default.removeItem(atPath: root) }
    #expect(MemoryBudget.controlGroupLimits(root: root).min() == 209_715_200)
  }

  /// In a container the group's own path does not exist; the limit of the mounted root applies.
  @Test func groupsOfContainers() throws {
    let root = try root(["/proc/self/cgroup": "0::/../../job\n", "/sys/fs/cgroup/memory.max": "104857600\n"])
    defer { try? FileManager.default.removeItem(atPath: root) }
    #expect(MemoryBudget.controlGroupLimits(root: root).contains(104_857_600))
    #expect(MemoryBudget.controlGroupLimits(root: "/nowhere").isEmpty)
  }

  @Test func exceedingTheLimitIsAnError() throws {
    let limit = MemoryBudget.limit()
    try MemoryBudget.check(0.5 * limit.bytes, "half")
    #expect(throws: MemoryBudget.Exceeded.self) { try MemoryBudget.check(2 * limit.bytes, "twice") }
  }
}
