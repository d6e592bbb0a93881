import Foundation

/// Refuses work that does not fit into the machine's memory, before any of it is done.
public enum MemoryLimit {
  public static func check(_ bytes: Double, _ what: String) throws {
    let present = Double(ProcessInfo.processInfo.physicalMemory)
    guard bytes > 0.95 * present else { return }
    throw TrainingError(
      "\(what) needs about \(gigabytes(bytes)), this machine has \(gigabytes(present))", argument: "data",
      help: "make the model less deep or less wide, or the sequences shorter")
  }

  private static func gigabytes(_ bytes: Double) -> String { "\((bytes / 1_073_741_824 * 10).rounded() / 10) GB" }
}
