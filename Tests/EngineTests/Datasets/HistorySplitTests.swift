import Foundation
import Testing

@testable import Datasets

/// Splits of histories into parts by their last items and by time.
@Suite struct HistorySplitTests {
  /// Two users; the time of an event is its item.
  private static let data: Histories = {
    var data = ProcessingTests.histories([[1, 3, 4, 6, 7, 9], [2, 5, 8]], items: 10)
    data.times = Column(data.events.map { Int64($0) })
    return data
  }()

  private func rows(_ set: SequenceSet) -> [[String]] { (0..<set.count).map { set.events($0).map { set.items.name($0) } } }

  @Test func leaveTwoOut() throws {
    let split = try Self.data.leaveLastOut(WindowOptions(length: 4), hold: 2)
    #expect(rows(split.train) == [["1", "3"], ["2", "5", "8"]])
    #expect(rows(split.valid) == [["1", "3", "4"], ["1", "3", "4", "6"]])
    #expect(rows(split.test) == [["3", "4", "6", "7"], ["4", "6", "7", "9"]])
    #expect((0..<2).map { Array(split.test.earlier($0)) } == [[1], [1, 3]])
    #expect(throws: DataError.self) { try Self.data.leaveLastOut(WindowOptions(length: 4), hold: 3) }
  }

  /// Items after the moments are the targets; what happened before a target is its input, also in its own part.
  @Test(arguments: [
    (TargetChoice.last, [["1", "3", "4", "6"]], [["4", "6", "7", "9"], ["2", "5", "8"]]),
    (.first, [["1", "3", "4"]], [["3", "4", "6", "7"], ["2", "5", "8"]]),
    (.all, [["1", "3", "4"], ["1", "3", "4", "6"]], [["3", "4", "6", "7"], ["4", "6", "7", "9"], ["2", "5", "8"]]),
  ])
  func globalTime(targets: TargetChoice, valid: [[String]], test: [[String]]) throws {
    // The second user has an event at 5, which is in the validation part.
    let split = try Self.data.globalTime(WindowOptions(length: 4), .moments(valid: 4, test: 7), targets: targets)
    #expect(rows(split.train) == [["1", "3"]])
    #expect(rows(split.valid) == valid + [["2", "5"]])
    #expect(rows(split.test) == test)
    // No training event is as late as the first moment, and no target is earlier than that of its part.
    #expect((0..<split.train.count).allSatisfy { split.train.eventTimes($0)?.allSatisfy { $0 < 4 } == true })
    #expect((0..<split.valid.count).allSatisfy { (4..<7).contains(split.valid.time($0) ?? 0) })
    #expect((0..<split.test.count).allSatisfy { split.test.time($0) ?? 0 >= 7 })
  }

  @Test func sharesOfTimeAndFaults() throws {
    let histories = try SyntheticProcess.histories(users: 80, items: 60, seed: 3)
    var data = histories
    data.times = Column((0..<histories.events.count).map { Int64($0 % 50 * 1000 + $0) })
    var sorted: [Int64] = []
    for h in 0..<data.count { sorted += data.times.map { $0[data.offsets[h]..<data.offsets[h + 1]].sorted() } ?? [] }
    data.times = Column(sorted)
    let split = try data.globalTime(WindowOptions(length: 10), .shares(valid: 0.1, test: 0.2), targets: .all)
    let all = sorted.sorted()
    let (first, second) = (all[Int((Double(all.count) * 0.7).rounded())], all[Int((Double(all.count) * 0.8).rounded())])
    #expect(split.valid.times?.allSatisfy { (first..<second).contains($0) } == true)
    #expect(split.test.times?.allSatisfy { $0 >= second } == true)
    #expect(split.test.count > all.count / 6)
    var constant = data
    constant.times = Column(sorted.map { _ in Int64(5) })
    var none = data
    none.times = nil
    for (data, cuts) in [
      (constant, TimeCuts.shares(valid: 0.1, test: 0.1)), (none, .shares(valid: 0.1, test: 0.1)), (data, .moments(valid: 9, test: 9)),
      (data, .shares(valid: 0.5, test: 0.5)), (data, .moments(valid: 1e12, test: 2e12)), (data, .shares(valid: 0, test: 0.5)),
    ] {
      #expect(throws: DataError.self) { try data.globalTime(WindowOptions(length: 10), cuts) }
    }
  }

  /// Items that nobody had before the first moment are neither read nor ranked nor targets.
  @Test func coldItemsAreDropped() throws {
    var data = ProcessingTests.histories([[1, 2, 1, 4, 2], [2, 1, 3, 2, 1], [1, 2, 4, 1, 5]], items: 6)
    data.times = Column([1, 2, 5, 6, 7, 1, 3, 5, 6, 8, 2, 3, 6, 7, 9])
    let kept = try data.globalTime(WindowOptions(length: 5), .moments(valid: 5, test: 7), targets: .all)
    let split = try data.globalTime(WindowOptions(length: 5), .moments(valid: 5, test: 7), targets: .all, cold: .drop)
    #expect(kept.train.items.count == 6 && split.train.items.names == ["0", "1", "2"])
    #expect(rows(split.train) == rows(kept.train))
    #expect(rows(split.valid) == [["1", "2", "1"], ["2", "1", "2"]])
    #expect(rows(split.test) == [["1", "2", "1", "2"], ["2", "1", "2", "1"], ["1", "2", "1"]])
    #expect(split.rule.contains("3 items without a training interaction left out, with 4 targets"))
    // The times are still those of the events.
    #expect(split.test.eventTimes(2).map { Array($0) } == [2, 3, 7])
    let last = try data.leaveLastOut(WindowOptions(length: 5), cold: .drop)
    #expect(last.train.items.names == ["0", "1", "2", "3", "4"] && last.test.count == 2)
  }

  /// An item whose only event is in a history too short for a window, or outside of the latest windows, is cold too.
  @Test func coldItemsAreThoseOfNoTrainingSequence() throws {
    let data = ProcessingTests.histories([[1, 2, 3, 1, 2], [4, 5, 6], [3, 1, 2, 3, 4], [2, 3, 1, 5, 3]], items: 7)
    let split = try data.leaveLastOut(WindowOptions(length: 3, minimum: 3), cold: .drop)
    #expect(split.train.items.names == ["0", "1", "2", "3"])
    #expect(rows(split.test).allSatisfy { $0.allSatisfy { ["1", "2", "3"].contains($0) } })
    let error = #expect(throws: DataError.self) { try data.leaveLastOut(WindowOptions(length: 3), hold: 4) }
    #expect(error?.message.contains("at least 10 items") == true)
  }

  /// An event in several windows is one event.
  @Test func eventsAreCountedOnce() throws {
    let data = ProcessingTests.histories([[1, 2, 3, 1, 2], [2, 3, 1]], items: 4)
    for stride in [1, 2, nil] {
      #expect(try data.windows(WindowOptions(length: 3, stride: stride)).eventUses() == [0, 3, 3, 2])
    }
    #expect(try data.windows(WindowOptions(length: 3, stride: 1)).uses() != [0, 3, 3, 2])
  }

  /// Windows, splits, selections and mapped files know the time of every event.
  @Test func timesOfEvents() throws {
    let split = try Self.data.leaveLastOut(WindowOptions(length: 4))
    for set in [split.train, split.valid, split.test, split.test.selecting([1]), split.test.selecting([1, 0]).selecting([1])] {
      for index in 0..<set.count {
        #expect(set.eventTimes(index).map { Array($0) } == set.events(index).map { Int64($0) })
        #expect(set.time(index) == set.eventTimes(index)?.last)
      }
    }
    let path = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString).srsd"
    var bytes = Data()
    try Self.data.writeBinary { bytes.append(contentsOf: $0) }
    try bytes.write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    let mapped = try Histories.read(path).histories.leaveLastOut(WindowOptions(length: 4))
    #expect((0..<2).map { mapped.test.eventTimes($0).map { Array($0) } } == (0..<2).map { split.test.eventTimes($0).map { Array($0) } })
  }
}
