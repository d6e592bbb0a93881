#include "CGnuplot.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <spawn.h>
#include <memory>
#include <new>
#include <string>
#include <vector>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// gnuplot-iostream uses functions that boost has deprecated; we cannot change that.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#include <gnuplot-iostream.h>
#pragma clang diagnostic pop

extern char **environ;

namespace {

// While it exists, a broken pipe does not kill the process: it blocks SIGPIPE on this thread. Its destructor discards a
// pending SIGPIPE before it restores the signal mask.
class PipeGuard {
public:
  PipeGuard() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    already_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~PipeGuard() {
    if (!already_) {
      struct timespec none = {0, 0};
      while (sigtimedwait(&pipe_, nullptr, &none) == -1 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

private:
  sigset_t pipe_, before_;
  bool already_;
};

char *copy_of(const std::string &text, size_t *length) {
  *length = text.size();
  char *copy = static_cast<char *>(malloc(text.size() + 1));
  if (copy != nullptr) memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

void report(srs_gnuplot_result *result, int status, const std::string &errors) {
  result->status = status;
  free(result->errors);
  result->errors = copy_of(errors, &result->errors_length);
}

// The contents of a file, at most `most` bytes. A picture drawn in characters has a few kilobytes, one of many lines some
// megabytes.
std::string contents(int descriptor, off_t most = 1 << 30) {
  std::string text;
  char buffer[65536];
  off_t offset = 0;
  while (offset < most) {
    ssize_t count = pread(descriptor, buffer, sizeof buffer, offset);
    if (count <= 0) break;
    text.append(buffer, static_cast<size_t>(count));
    offset += count;
  }
  return text;
}

struct Descriptor {
  int value = -1;
  ~Descriptor() { reset(); }
  void reset() {
    if (value >= 0) close(value);
    value = -1;
  }
};

// Why the wait for a child ended.
enum class End { own, timeout, cancelled };

// Waits for the child at most `seconds`, and until the work is cancelled, then kills it.
End wait_for(pid_t child, double seconds, int *status, bool (*is_cancelled)(void *) = nullptr, void *context = nullptr) {
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    pid_t found = waitpid(child, status, WNOHANG);
    if (found == child) return End::own;
    if (found < 0 && errno != EINTR) return End::own;
    bool cancelled = is_cancelled != nullptr && is_cancelled(context);
    if (cancelled || std::chrono::steady_clock::now() >= end) {
      kill(child, SIGKILL);
      while (waitpid(child, status, 0) < 0 && errno == EINTR) {
      }
      return cancelled ? End::cancelled : End::timeout;
    }
    usleep(2000);
  }
}

// Replaces the contents of a file in memory (memfd). Returns false when memory is short or a limit on the size of files is
// reached.
bool fill(int descriptor, const char *data, size_t length) {
  if (ftruncate(descriptor, 0) != 0) return false;
  off_t offset = 0;
  while (length > 0) {
    ssize_t count = pwrite(descriptor, data, length, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    data += count;
    offset += count;
    length -= static_cast<size_t>(count);
  }
  return true;
}

// Moves a descriptor to a number from 16 on, because `start` assigns the low numbers in the child one after the other and
// would overwrite it.
bool lift(Descriptor &descriptor) {
  int lifted = fcntl(descriptor.value, F_DUPFD_CLOEXEC, 16);
  if (lifted < 0) return false;
  descriptor.reset();
  descriptor.value = lifted;
  return true;
}

// Starts gnuplot with the given descriptors as its descriptors 0, 1, 2 and so on; -1 leaves one out. Returns 0 or an errno.
int start(const char *program, const std::vector<int> &given, pid_t *child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  for (size_t i = 0; i < given.size(); i++)
    if (given[i] >= 0) posix_spawn_file_actions_adddup2(&actions, given[i], static_cast<int>(i));
  // gnuplot gets a process group of its own, so that Ctrl-C interrupts the session but not a half-drawn figure.
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  sigaddset(&defaults, SIGINT);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  char *arguments[] = {const_cast<char *>("gnuplot"), const_cast<char *>("-d"), nullptr};
  int failed = posix_spawn(child, program, &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return failed;
}

void run(const char *program, const char *script, size_t length, const char *data, size_t data_length, int folder,
         double seconds, bool (*is_cancelled)(void *), void *context, srs_gnuplot_result *result) {
  Descriptor output, errors, table, picture, beside, reading, writing;
  output.value = memfd_create("gnuplot-output", MFD_CLOEXEC);
  errors.value = memfd_create("gnuplot-errors", MFD_CLOEXEC);
  table.value = memfd_create("gnuplot-data", MFD_CLOEXEC);
  picture.value = memfd_create("gnuplot-picture", MFD_CLOEXEC);
  int ends[2];
  if (output.value < 0 || errors.value < 0 || table.value < 0 || picture.value < 0 || pipe2(ends, O_CLOEXEC) != 0) {
    report(result, SRS_GNUPLOT_SYSTEM, strerror(errno));
    return;
  }
  reading.value = ends[0];
  writing.value = ends[1];
  if (folder >= 0) beside.value = fcntl(folder, F_DUPFD_CLOEXEC, 16);
  if (!lift(output) || !lift(errors) || !lift(table) || !lift(picture) || !lift(reading) || !lift(writing) ||
      (folder >= 0 && beside.value < 0) || !fill(table.value, data, data_length)) {
    report(result, SRS_GNUPLOT_SYSTEM, strerror(errno));
    return;
  }
  // The pipe must be large enough for the whole script, so that a child that does not read cannot block this process.
  if (length >= 65536 && fcntl(writing.value, F_SETPIPE_SZ, static_cast<int>(length + 4096)) < 0) {
    report(result, SRS_GNUPLOT_SYSTEM, "the script is too long for a pipe");
    return;
  }

  pid_t child = 0;
  int failed = start(
      program, {reading.value, output.value, errors.value, table.value, picture.value, beside.value}, &child);
  reading.reset();
  if (failed != 0) {
    report(result, failed == ENOENT ? SRS_GNUPLOT_MISSING : SRS_GNUPLOT_SYSTEM, strerror(failed));
    return;
  }

  std::FILE *file = fdopen(writing.value, "w");
  if (file != nullptr) {
    writing.value = -1; // the stream owns it now
    try {
      gnuplotio::Gnuplot gnuplot(file);
      gnuplot.write(script, static_cast<std::streamsize>(length));
      gnuplot.flush();
    } catch (const std::exception &) {
      // The child has ended early; its exit status, read below, says more.
    }
  }
  writing.reset();

  int status = 0;
  End end = wait_for(child, seconds, &status, is_cancelled, context);
  if (end == End::cancelled) {
    report(result, SRS_GNUPLOT_CANCELLED, "");
    return;
  }
  result->output = copy_of(contents(output.value), &result->output_length);
  result->picture = copy_of(contents(picture.value), &result->picture_length);
  std::string said = contents(errors.value, 16 << 20);
  if (end == End::timeout) {
    report(result, SRS_GNUPLOT_TIMEOUT, said);
  } else if (WIFSIGNALED(status)) {
    report(result, SRS_GNUPLOT_CRASHED, said);
  } else if (WEXITSTATUS(status) == 127 && said.empty()) {
    report(result, SRS_GNUPLOT_MISSING, said);
  } else {
    report(result, WEXITSTATUS(status) == 0 ? SRS_GNUPLOT_OK : SRS_GNUPLOT_FAILED, said);
  }
}

} // namespace

struct srs_gnuplot_window {
  // Its destructor closes the pipe, at which gnuplot ends.
  std::unique_ptr<gnuplotio::Gnuplot> stream;
  // The reading end of the pipe, kept open to find out how much gnuplot has not read yet.
  Descriptor reading;
  // The data of the picture. gnuplot reads it when it comes to the plot command.
  Descriptor table;
  pid_t child = 0;
};

extern "C" srs_gnuplot_window *srs_gnuplot_open(const char *program) {
  PipeGuard guard;
  Descriptor nowhere;
  nowhere.value = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere.value < 0 || !lift(nowhere)) return nullptr;
  int ends[2];
  if (nowhere.value < 0 || pipe2(ends, O_CLOEXEC) != 0) return nullptr;
  auto *window = new (std::nothrow) srs_gnuplot_window;
  Descriptor writing;
  writing.value = ends[1];
  if (window == nullptr) {
    close(ends[0]);
    return nullptr;
  }
  window->reading.value = ends[0];
  window->table.value = memfd_create("gnuplot-data", MFD_CLOEXEC);
  std::FILE *file = nullptr;
  if (window->table.value < 0 || !lift(window->table) || !lift(window->reading) || !lift(writing) ||
      start(program, {window->reading.value, nowhere.value, nowhere.value, window->table.value}, &window->child) != 0 ||
      (file = fdopen(writing.value, "w")) == nullptr) {
    delete window;
    return nullptr;
  }
  writing.value = -1;
  try {
    window->stream = std::make_unique<gnuplotio::Gnuplot>(file);
  } catch (const std::exception &) {
    fclose(file);
    delete window;
    return nullptr;
  }
  return window;
}

extern "C" int srs_gnuplot_draw(srs_gnuplot_window *window, const char *script, size_t length, const char *data,
                                size_t data_length) {
  PipeGuard guard;
  int unread = 0, status = 0;
  if (waitpid(window->child, &status, WNOHANG) == window->child) {
    window->child = 0;
    return -1;
  }
  // gnuplot is still busy with the last picture; this one is skipped instead of waiting.
  if (length > 60000 || ioctl(window->reading.value, FIONREAD, &unread) != 0 || unread > 0) return 1;
  if (!fill(window->table.value, data, data_length)) return 1;
  try {
    window->stream->write(script, static_cast<std::streamsize>(length));
    window->stream->flush();
  } catch (const std::exception &) {
    return -1;
  }
  return 0;
}

extern "C" void srs_gnuplot_close(srs_gnuplot_window *window) {
  PipeGuard guard;
  window->reading.reset();
  window->stream.reset();
  int status = 0;
  // A window that stays open is a process of its own, so gnuplot itself ends soon.
  if (window->child > 0) wait_for(window->child, 3, &status);
  delete window;
}

extern "C" void srs_gnuplot_run(const char *program, const char *script, size_t length, const char *data,
                                size_t data_length, int folder, double seconds, bool (*is_cancelled)(void *),
                                void *context, srs_gnuplot_result *result) {
  memset(result, 0, sizeof *result);
  PipeGuard guard;
  try {
    run(program, script, length, data, data_length, folder, seconds, is_cancelled, context, result);
  } catch (const std::exception &error) {
    result->status = SRS_GNUPLOT_SYSTEM;
    free(result->errors);
    result->errors = strdup(error.what());
    result->errors_length = result->errors == nullptr ? 0 : strlen(result->errors);
  } catch (...) {
    result->status = SRS_GNUPLOT_SYSTEM;
  }
}

extern "C" void srs_gnuplot_free(srs_gnuplot_result *result) {
  free(result->output);
  free(result->errors);
  free(result->picture);
  memset(result, 0, sizeof *result);
}
