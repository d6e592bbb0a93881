import Downloads
import Foundation
import Interpreter
import Kernels
import Syntax
import Training

extension Kind where T == PublicData {
  /// A public data set by its name.
  static var publicData: Kind<PublicData> {
    let names = PublicData.all.map(\.name)
    return Kind(.text) { value throws(ConversionError) in
      guard case .text(let text) = value else { throw .type }
      guard let data = PublicData.all.first(where: { $0.name == text }) else {
        let near = Spelling.suggestion(text, in: names).map { "; \($0)" } ?? ""
        throw .value("is one of \(names.map { "\"\($0)\"" }.joined(separator: ", "))\(near)")
      }
      return data
    }
  }
}

extension Builtin {
  static let download = Builtin(
    "download",
    """
    Downloads a public data set from its publisher into the cache folder ($SRS_CACHE, or ~/.cache/srs) and returns the path of its interaction file: ml-100k, ml-1m, ml-20m or ml-25m (MovieLens). The publisher's terms are shown and must be accepted. An interrupted download continues where it stopped. A file that does not match the publisher's checksum is rejected. A data set that is already in the cache is not downloaded again.
    """,
    topic: "Data", returns: .text, effects: [.reads, .changes], example: "let events = download(\"ml-1m\", accept_licence: true) |> load"
  ) { d in
    let name = d.positional("name", .publicData, "which data set")
    let accepted = d.named("accept_licence", .bool, default: false, "false", "accept the publisher's terms without a prompt")
    return { call in
      let data = try call[name]
      let host = call.interpreter.host
      let folder = (try call.cachePath("downloads/\(data.name)", argument: "name") as NSString).deletingLastPathComponent
      let download = Download(data, into: folder, mirror: ProcessInfo.processInfo.environment["SRS_MIRROR"])
      if download.isDownloaded { return .text(download.file) }
      for line in data.terms.split(separator: "\n") { host.note(String(line)) }
      if !(try call[accepted]) {
        guard let answer = host.ask("Accept these terms and download about \(data.megabytes) MB from \(download.address)?") else {
          throw call.error(
            .badValue, "\(data.name) has terms that must be accepted first, and the input is not interactive", argument: "accept_licence",
            help: "if you accept them, write download(\"\(data.name)\", accept_licence: true)")
        }
        guard answer else {
          throw call.error(.badValue, "the terms of \(data.name) were not accepted; nothing was downloaded", argument: "accept_licence")
        }
      }
      let start = ProcessClock.wall()
      var shown = start
      defer { host.progress(nil) }
      do {
        let path = try download { now, total in
          let time = ProcessClock.wall()
          if time - shown > 0.1 {
            shown = time
            let share = total > 0 ? " of \(total >> 20) MB, \(100 * now / total) %" : " MB"
            host.progress("downloading \(data.name): \(now >> 20)\(share)")
          }
          return !host.isInterrupted
        } note: {
          host.note($0)
        }
        host.note("\(data.name) is in \(path)")
        return .text(path)
      } catch is DownloadStopped {
        throw Diagnostic(.interrupted, "interrupted while downloading \(data.name); the next call continues from there", at: call.span)
      } catch let error as DownloadError {
        throw call.error(.file, error.message, argument: "name", help: error.help)
      }
    }
  }
}
