import Foundation

/// Runs shell commands for the prompt: `!ls`, the editor, the pager. Scripts cannot run shell commands.
enum Shell {
  /// Runs a command on the terminal, waits for it, and returns its exit status, or 128 plus the signal that ended it, or -1 if
  /// it cannot be started. Ctrl-C ends the command, not the prompt.
  @discardableResult
  static func run(_ command: String, input: String? = nil) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var pipes: [Int32] = [-1, -1]
    if input != nil {
      guard pipe(&pipes) == 0 else { return -1 }
      posix_spawn_file_actions_adddup2(&actions, pipes[0], STDIN_FILENO)
      posix_spawn_file_actions_addclose(&actions, pipes[0])
      posix_spawn_file_actions_addclose(&actions, pipes[1])
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for signal in [SIGINT, SIGQUIT, SIGPIPE, SIGTERM] { sigaddset(&defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    let words: [String] = ["/bin/sh", "-c", command]
    let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var process: pid_t = 0
    let failed = posix_spawn(&process, "/bin/sh", &actions, &attributes, arguments, environ)
    if input != nil { close(pipes[0]) }
    guard failed == 0 else {
      if input != nil { close(pipes[1]) }
      return -1
    }
    if let input {
      var rest = ArraySlice(Array(input.utf8))
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(pipes[1], $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        // A pager that the user leaves closes the pipe.
        if count <= 0 { break }
        rest = rest.dropFirst(count)
      }
      close(pipes[1])
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
  }
}
