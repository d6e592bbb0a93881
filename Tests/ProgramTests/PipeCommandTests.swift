import Foundation
import Testing

/// Data from pipes of a shell.
@Suite struct PipeCommandTests {
  private static func shell(_ script: String, _ command: String) throws -> Srs {
    let folder = NSTemporaryDirectory() + "stackrec-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try script.write(toFile: folder + "/t.srs", atomically: true, encoding: .utf8)
    return try Srs(shell: "cd \(folder) && export PATH=$(dirname \(Srs.path)):$PATH && \(command)")
  }

  @Test func standardInputAndProcessSubstitution() throws {
    let whole = "let e = load(\"/dev/stdin\", user: 1, item: 2, time: 3)\nsave(e, \"o.csv\")\nprint(read(\"o.csv\"))"
    let rows = "user,item,time\n1000000001,a,1\n1000000002,b,2\n"
    for pack in ["cat", "gzip -c"] {
      let result = try Self.shell(whole, "printf '1000000001,a,1\\n1000000002,b,2\\n' | \(pack) | srs run t.srs")
      #expect(result.output.hasPrefix(rows), "\(result.errors)")
    }
    let guessed = "print(load(\"/dev/stdin\").interactions)"
    #expect(try Self.shell(guessed, "printf 'user,item\\n1,a\\n1,b\\n' | srs run t.srs").output == "2\n")
    #expect(try Self.shell(guessed, "printf 'user,item\\n1,a\\n' > f && srs run t.srs < f").output == "1\n")
    #expect(try Self.shell(guessed, "srs run t.srs < /dev/null").errors.contains("no interactions"))
    let substituted = try Self.shell(
      "load(\"named\").interactions |> print",
      "sed \"s|named|$(echo <(:) | sed 's/63/9/')|\" t.srs > u.srs; srs run u.srs 9< <(printf 'user,item\\n1,a\\n')")
    #expect(substituted.output == "1\n", "\(substituted.errors)")
    let mapped = "save(synthetic(users: 10, items: 20, seed: 1), \"e.srsd\")\nload(\"/dev/stdin\")"
    #expect(try Self.shell(mapped, "srs run t.srs < /dev/null; cat e.srsd | srs run t.srs").errors.contains("not a regular file"))
  }

  /// While the program waits for a pipe without a writer, signals and `--timeout` end it soon, with their exit status.
  @Test(arguments: ["named", "ff"]) func waitingEnds(_ name: String) throws {
    let script = "load(\"\(name)\")"
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
      let result = try Self.shell(
        script,
        "mkfifo \(name); srs run t.srs & pid=$!; sleep 1; kill -\(signal) $pid; timeout 5 tail --pid=$pid -f /dev/null || echo alive; wait $pid; echo $?"
      )
      #expect(
        result.output == "\(status)\n" && result.errors.contains("interrupted while reading"), "\(signal): \(result.output)\(result.errors)"
      )
    }
    let late = try Self.shell(script, "mkfifo \(name); timeout 10 srs run t.srs --timeout 1s; echo $?")
    #expect(late.output == "124\n" && late.errors.contains("stopped by --timeout"), "\(late.output)\(late.errors)")
    // A writer that stops in the middle of its data.
    let stuck = try Self.shell(
      script, "mkfifo \(name); (printf 'user,item\\n1,a\\n'; exec sleep 3) > \(name) & timeout 10 srs run t.srs --timeout 1s; echo $?")
    #expect(stuck.output == "124\n", "\(stuck.errors)")
    let cached = try Self.shell("load(\"\(name)\", cache: true)", "mkfifo \(name); timeout 10 srs run t.srs; echo $?")
    #expect(cached.errors.contains("can be read only once"))
  }

  @Test func timesAreShownAndUnitsReportedOrGiven() throws {
    let text = "user,item,time\n1,a,1609459200123456\n1,b,1609459201000000\n"
    let reported = try Self.shell("describe(load(\"d.csv\"))", "printf '\(text)' > d.csv; srs run t.srs")
    #expect(reported.output.contains("times from 2021-01-01 00:00:00.123456 to 2021-01-01 00:00:01"))
    #expect(reported.errors.contains("times are read as microseconds"))
    let given = try Self.shell("describe(load(\"d.csv\", time_unit: nanoseconds))", "printf '\(text)' > d.csv; srs run t.srs")
    #expect(given.output.contains("times from 1970-01-19 15:04:19.200123456 to 1970-01-19 15:04:19.201"), "\(given.output)")
    #expect(try Self.shell("load(\"d.csv\", time_unit: days)", "srs run t.srs").errors.contains("time_unit"))
    // An event at 10.5 s belongs to the part from 10.5 s on.
    let filtered = try Self.shell(
      "let e = load(\"d.csv\")\nprint((e |> filter(from: date(\"1970-01-01T00:00:10.5\"))).interactions)",
      "printf 'user,item,time\\n1,a,10.25\\n1,b,10.5\\n1,c,11\\n' > d.csv; srs run t.srs")
    #expect(filtered.output == "2\n", "\(filtered.errors)")
  }
}
