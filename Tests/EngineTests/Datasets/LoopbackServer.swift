import Foundation
import Synchronization

/// An HTTP server on loopback with scripted answers, including faulty ones. Each connection gets the next answer; after the
/// last one, it is repeated.
final class LoopbackServer: Sendable {
  enum Answer: Sendable {
    /// The requested bytes; ranges are supported.
    case whole
    /// The header announces all bytes. After this number of bytes, the server closes the connection.
    case cut(Int)
    case status(Int)
    /// All bytes; ranges are ignored.
    case fromTheStart
  }

  let port: UInt16
  private let socketNumber: Int32
  private let state: Mutex<(answers: [Answer], requests: [String])>

  init(_ content: [UInt8], _ answers: [Answer]) throws {
    state = Mutex((answers, []))
    socketNumber = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let number = socketNumber
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, size) == 0 && listen(number, 8) == 0 && getsockname(number, $0, &size) == 0
      }
    }
    guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(number, nil, nil)
        guard connection >= 0 else { return }
        serve(connection, content)
        close(connection)
      }
    }
  }

  deinit { close(socketNumber) }

  func stop() { shutdown(socketNumber, Int32(SHUT_RDWR)) }

  var address: String { "http://127.0.0.1:\(port)" }
  /// The offset of each request.
  var starts: [Int] {
    state.withLock { $0.requests }.map { request in
      guard let range = request.range(of: "range: bytes=", options: .caseInsensitive) else { return 0 }
      return Int(request[range.upperBound...].prefix { $0.isNumber }) ?? 0
    }
  }

  private func serve(_ connection: Int32, _ content: [UInt8]) {
    var request = ""
    var bytes = [UInt8](repeating: 0, count: 4096)
    while !request.contains("\r\n\r\n") {
      let count = read(connection, &bytes, bytes.count)
      guard count > 0 else { return }
      request += String(decoding: bytes.prefix(count), as: UTF8.self)
    }
    let answer = state.withLock { state in
      state.requests.append(request)
      return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
    }
    let start = starts.last ?? 0
    func send(_ head: String, _ body: ArraySlice<UInt8> = []) {
      let all = Array(head.utf8) + body
      var sent = 0
      while sent < all.count {
        let count = all.withUnsafeBytes { Foundation.send(connection, $0.baseAddress! + sent, all.count - sent, Int32(MSG_NOSIGNAL)) }
        guard count > 0 else { return }
        sent += count
      }
    }
    func head(_ length: Int, partial: Bool) -> String {
      (partial
        ? "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes \(start)-\(content.count - 1)/\(content.count)\r\n" : "HTTP/1.1 200 OK\r\n")
        + "Content-Length: \(length)\r\nConnection: close\r\n\r\n"
    }
    switch answer {
    case .whole where start >= content.count && start > 0:
      send("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    case .whole: send(head(content.count - start, partial: start > 0), content[start...])
    case .cut(let count): send(head(content.count - start, partial: start > 0), content[start...].prefix(count))
    case .status(let status): send("HTTP/1.1 \(status) Trouble\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    case .fromTheStart: send(head(content.count, partial: false), content[...])
    }
  }
}
