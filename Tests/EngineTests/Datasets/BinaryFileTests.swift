import Foundation
import Kernels
import Testing

@testable import Datasets
@testable import Evaluation
@testable import ModelFiles
@testable import Training

/// `.srsd` files: reading, windows, damage and the cache.
@Suite struct BinaryFileTests {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "srsd-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func write(_ histories: Histories, _ name: String = "a.srsd") throws -> String {
    var bytes = Data()
    try histories.writeBinary { bytes.append(contentsOf: $0) }
    let path = folder + "/" + name
    try bytes.write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Histories of 0 to 60 items with times and ratings.
  private func sample(_ count: Int = 300) -> Histories {
    var numbers = RandomStream(seed: 3, "test").numbers()
    let lists = (0..<count).map { _ in (0..<numbers.below(61)).map { _ in Int32(1 + numbers.below(499)) } }
    var histories = ProcessingTests.histories(lists, items: 500)
    histories.items = Vocabulary((0..<500).map { $0 % 7 == 0 ? "Ünïcode, \"\($0)\"" : "i\($0)" })
    histories.times = Column((0..<histories.events.count).map { Int64($0) * 1_000_003 - 5 })
    histories.ratings = Column((0..<histories.events.count).map { Float($0 % 10) / 2 })
    return histories
  }

  @Test func writtenHistoriesAreReadBackUnchanged() throws {
    let histories = sample()
    let back = try Histories.read(write(histories)).histories
    #expect(back.events == histories.events && back.offsets == histories.offsets && back.owners == histories.owners)
    #expect(back.times == histories.times && back.ratings == histories.ratings)
    #expect(back.items == histories.items && back.users == histories.users && back.items.name(7) == "Ünïcode, \"7\"")
    #expect(back.source == histories.source && back.hasUsers == histories.hasUsers && back.lineLength == nil)
    _ = try back.checked()
    let again = try Data(contentsOf: URL(fileURLWithPath: write(back, "b.srsd")))
    #expect(try again == Data(contentsOf: URL(fileURLWithPath: folder + "/a.srsd")))
  }

  /// The bytes are those of the table in docs/data.md, which is followed here without the program's reader.
  @Test(arguments: [("user,item,time,rating\nu,a,3.5,2\nv,é,1,1\nu,c,2,4\n", 2), ("user,item\nu,a\nv,é\nu,c\n", 1)])
  func layoutIsThatOfThePage(text: String, version: Int) throws {
    let histories = try withFile(text) { try Histories.read($0).histories }
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: write(histories))))
    func numbers<Number: FixedWidthInteger>(_ offset: Int, _ count: Int, _: Number.Type) -> [Number] {
      (0..<count).map { index in
        bytes[(offset + index * MemoryLayout<Number>.size)...].prefix(MemoryLayout<Number>.size).reversed()
          .reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
      }
    }
    func checksum(_ part: ArraySlice<UInt8>) -> UInt64 {
      var state: UInt64 = 0x9ae1_6a3b_2f90_404f
      func add(_ value: UInt64) {
        state = (state ^ value) &* 0x9e37_79b9_7f4a_7c15
        state ^= state >> 32
      }
      add(UInt64(part.count))
      var rest = part
      while rest.count >= 8 {
        add(rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
        rest = rest.dropFirst(8)
      }
      for byte in rest { add(UInt64(byte)) }
      return state
    }
    #expect(Array(bytes[..<8]) == Array("SRSDATA\n".utf8))
    let head = numbers(8, 4, UInt64.self).map { Int($0) }
    #expect(head[0] == version && head[2] % 64 == 0)
    let header = bytes[48..<(48 + head[1])]
    let body = bytes[head[2]..<(head[2] + head[3])]
    #expect(numbers(40, 1, UInt64.self) == [checksum(header)])
    // One MiB at most, so one checksum, and the one over it.
    let sums = bytes[body.endIndex...]
    #expect(numbers(body.endIndex, 2, UInt64.self) == [checksum(body), checksum(sums.prefix(8))] && sums.count == 16)
    let json = try #require(try JSONSerialization.jsonObject(with: Data(header)) as? [String: Any])
    #expect(json["hasUsers"] as? Bool == true && json["source"] is String)
    #expect(json["ticksPerSecond"] as? Int == (version == 2 ? 1000 : nil))
    let sections = try #require(json["sections"] as? [String: [Int]])
    func place(_ name: String) throws -> (offset: Int, count: Int) {
      let section = try #require(sections[name])
      #expect(section[0] % 64 == 0 && body.indices.contains(section[0]))
      return (section[0], section[1])
    }
    func values<Number: FixedWidthInteger>(_ name: String, _ type: Number.Type) throws -> [Int64] {
      let (offset, count) = try place(name)
      return numbers(offset, count, type).map { Int64(truncatingIfNeeded: $0) }
    }
    func names(_ name: String) throws -> String {
      let (offset, count) = try place(name)
      return String(decoding: bytes[offset..<(offset + count)], as: UTF8.self)
    }
    let expected: Set = ["item_ends", "user_ends", "item_names", "user_names", "owners", "offsets", "events"]
    #expect(Set(sections.keys) == expected.union(version == 2 ? ["times", "ratings"] : []))
    #expect(try names("item_names") == "<pad>aéc" && names("user_names") == "uv")
    #expect(try values("item_ends", UInt64.self) == [5, 6, 8, 9] && values("user_ends", UInt64.self) == [1, 2])
    #expect(try values("owners", UInt32.self) == [0, 1] && values("offsets", UInt64.self) == [0, 2, 3])
    #expect(try values("events", UInt32.self) == (version == 2 ? [3, 1, 2] : [1, 3, 2]))
    if version == 2 {
      #expect(try values("times", Int64.self) == [2000, 3500, 1000])
      #expect(try values("ratings", UInt32.self).map { Float(bitPattern: UInt32($0)) } == [4, 2, 1])
    }
  }

  /// Windows of a mapped file equal windows that are copied in memory, for all options.
  @Test func windowsOfAMappedFileEqualWindowsInMemory() throws {
    let histories = sample()
    let mapped = try Histories.read(write(histories)).histories
    for length in [2, 5, 20] {
      for stride in [nil, 1, 3, length, length + 4] {
        for minimum in [2, length] {
          for from in WindowOptions.Anchor.allCases {
            let options = WindowOptions(length: length, stride: stride, minimum: minimum, from: from)
            let (a, b) = (try histories.windows(options), try mapped.windows(options))
            #expect(a.tokens == b.tokens && a.users == b.users && a.times == b.times && a.overlaps == b.overlaps, "\(options)")
            #expect(a.interactions == b.interactions && a.uses() == b.uses() && a.hasSameSequences(as: b))
          }
        }
      }
    }
    let options = WindowOptions(length: 20)
    func same(_ a: Split, _ b: Split) -> Bool {
      zip([a.train, a.valid, a.test], [b.train, b.valid, b.test]).allSatisfy { $0.tokens == $1.tokens && $0.users == $1.users }
        && a.rule == b.rule
    }
    #expect(same(try histories.leaveLastOut(options), try mapped.leaveLastOut(options)))
    let (a, b) = (try histories.windows(options), try mapped.windows(options))
    #expect(same(try a.split(train: 0.8, valid: 0.1, test: 0.1, seed: 1), try b.split(train: 0.8, valid: 0.1, test: 0.1, seed: 1)))
    #expect(same(try a.splitByTime(train: 0.8, valid: 0.1, test: 0.1), try b.splitByTime(train: 0.8, valid: 0.1, test: 0.1)))
    #expect(a.fraction(0.3).tokens == b.fraction(0.3).tokens)
    #expect(try histories.filtered(minUser: 5, minItem: 10).events == mapped.filtered(minUser: 5, minItem: 10).events)
  }

  /// A flipped byte in the header or the checksums is detected on opening, one in the body on use.
  @Test func everyFlippedByteIsDetected() throws {
    let path = try write(sample(40))
    let good = try Data(contentsOf: URL(fileURLWithPath: path))
    for offset in Swift.stride(from: 0, to: good.count, by: 37) {
      var bad = good
      bad[offset] ^= 1 << UInt8(offset % 8)
      try bad.write(to: URL(fileURLWithPath: path))
      // The bytes between the header and the body are not used.
      var isGap = false
      let error = #expect(
        throws: DataError.self, "byte \(offset)",
        performing: {
          let histories = try BinaryFile(path).histories()
          let set = try histories.windows(length: 5)
          for index in 0..<set.count { _ = set.sequence(index) }
          isGap = try histories.checked().events == sample(40).events && offset < 4096
          if isGap { throw DataError("gap") }
        })
      #expect(isGap || error?.message.isEmpty == false)
    }
    for size in [0, 7, 47, 100, good.count / 2, good.count - 1] {
      try good.prefix(size).write(to: URL(fileURLWithPath: path))
      #expect(throws: DataError.self) { try Histories.read(path, ReadingOptions(format: .srsd)) }
    }
  }

  /// Numbers out of range are detected even if all checksums are right.
  @Test func numbersOutOfRangeAreDetected() throws {
    var histories = sample(40)
    histories.events = Column(histories.events.map { $0 == 7 ? 9_999 : $0 })
    let set = try Histories.read(write(histories)).histories.windows(length: 20)
    for index in 0..<set.count { #expect(set.sequence(index).allSatisfy { $0 >= 0 && $0 < 500 }) }
    #expect(set.fault?.message.contains("damaged") == true)
    histories = sample(40)
    histories.offsets = Column(histories.offsets.map { $0 == 0 ? 0 : $0 * 3 })
    let broken = try Histories.read(write(histories)).histories
    #expect(throws: DataError.self) { try broken.windows(length: 20) }
    #expect(throws: DataError.self) { try broken.checked() }
  }

  @Test(arguments: [1, 2, 3, 10, 1000, 1 << 16, 100_003])
  func keyedPermutationsArePermutations(count: Int) {
    let permutation = KeyedPermutation(count, key: 5)
    #expect(Set((0..<count).map { permutation[$0] }) == Set(0..<count))
    if count > 100 { #expect((0..<count).count { permutation[$0] == KeyedPermutation(count, key: 6)[$0] } < 20) }
  }

  /// The parts of many sequences are disjoint and complete. An epoch has every sequence once; each epoch has a different order.
  @Test func manySequencesAreSplitAndShuffledByBlocks() throws {
    let count = BlockSample.minimumRows + 12_345
    let set = SequenceSet.fixed(length: 2, tokens: (0..<(2 * count)).map { Int32($0 / 2 + 1) }, items: count + 1)
    let split = try set.split(train: 0.8, valid: 0.1, test: 0.1, seed: 1)
    let parts = [split.train, split.valid, split.test].map { Set($0.tokens) }
    #expect(parts.map(\.count).reduce(0, +) == count && parts[0].union(parts[1]).union(parts[2]).count == count)
    #expect(abs(Double(split.train.count) / Double(count) - 0.8) < 1e-3 && abs(Double(split.test.count) / Double(count) - 0.1) < 1e-3)
    let batches = Batches(set, size: 1000, seed: 1, phase: 0)
    let perEpoch = Batches.perEpoch(count, 1000)
    let epochs = [0, 1].map { e in (0..<perEpoch).flatMap { batches.indices(step: e * perEpoch + $0) } }
    for epoch in epochs { #expect(epoch.count == count && Set(epoch).count == count) }
    #expect(epochs[0] != epochs[1] && Array(epochs[0].prefix(1000)) != epochs[0].prefix(1000).sorted())
    #expect(batches.indices(step: 7) == Batches(set, size: 1000, seed: 1, phase: 0).indices(step: 7))
  }

  /// Even with very small shares, no part is empty and the parts are disjoint.
  @Test(arguments: [[0.99999, 0.999995, 1], [0.9994, 0.99941, 0.9999], [0.00001, 0.00002, 0.00003], [0.8, 0.9, 1], [0.8, 1]])
  func sampledPartsAreDisjoint(cuts: [Double]) {
    for rows in [3 * BlockSample.block, 3 * BlockSample.block + 1, 2 * BlockSample.block + 7_777] {
      let parts = BlockSample.parts(rows: rows, key: 9, cuts: cuts).map { deal in (0..<deal.count).map { deal.row($0) } }
      #expect(parts.allSatisfy { !$0.isEmpty })
      let all = parts.flatMap { $0 }
      #expect(Set(all).count == all.count && all.allSatisfy { $0 >= 0 && $0 < rows }, "\(cuts), \(rows) rows")
      if cuts.last == 1 { #expect(all.count == rows) }
    }
  }

  /// The key of a cached file depends on the contents and the options.
  @Test func cacheKeysDependOnContentsAndOptions() throws {
    let path = folder + "/a.csv"
    try "u,i\na,1\nb,2\n".write(toFile: path, atomically: true, encoding: .utf8)
    let one = try Histories.cacheKey(path, ReadingOptions())
    #expect(try Histories.cacheKey(path, ReadingOptions()) == one)
    #expect(try Histories.cacheKey(path, ReadingOptions(user: "i", item: "u")) != one)
    try "u,i\na,1\nb,3\n".write(toFile: path, atomically: true, encoding: .utf8)
    #expect(try Histories.cacheKey(path, ReadingOptions()) != one)
    // The name of the file counts, since it can tell the format; its folder does not.
    let keys = try ["x/a.csv", "y/a.csv", "x/u.data"].map { name in
      let path = "\(folder)/\(name)"
      try FileManager.default.createDirectory(
        atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
      try "u,i\na,1\nb,2\n".write(toFile: path, atomically: true, encoding: .utf8)
      return try Histories.cacheKey(path, ReadingOptions())
    }
    #expect(keys[0] == one && keys[1] == one && keys[2] != one)
  }
}
