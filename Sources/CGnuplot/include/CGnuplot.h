// gnuplot through gnuplot-iostream, behind C: no C++ exception and no signal leaves these calls.
#ifndef SRS_CGNUPLOT_H
#define SRS_CGNUPLOT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  SRS_GNUPLOT_OK = 0,
  /// There is no such program.
  SRS_GNUPLOT_MISSING = 1,
  /// It ended with an error; its words are in `errors`.
  SRS_GNUPLOT_FAILED = 2,
  /// It did not end in time and was killed.
  SRS_GNUPLOT_TIMEOUT = 3,
  /// It was killed by a signal.
  SRS_GNUPLOT_CRASHED = 4,
  /// The system refused a pipe, a process or memory; why is in `errors`.
  SRS_GNUPLOT_SYSTEM = 5,
};

typedef struct {
  int status;
  /// What it wrote to its stdout and stderr; free with srs_gnuplot_free.
  char *output;
  size_t output_length;
  char *errors;
  size_t errors_length;
  /// What it wrote to SRS_GNUPLOT_PICTURE.
  char *picture;
  size_t picture_length;
} srs_gnuplot_result;

/// Names under which gnuplot has what it reads and writes: descriptors that it is started with, so that nobody else can
/// put a file of his own there.
#define SRS_GNUPLOT_DATA "/proc/self/fd/3"
#define SRS_GNUPLOT_PICTURE "/proc/self/fd/4"
#define SRS_GNUPLOT_FOLDER "/proc/self/fd/5"

/// Starts `program` (a path, without a shell), sends it the script, and waits at most `seconds` for its end. The user's
/// own gnuplot settings are not read. `data` is read from SRS_GNUPLOT_DATA; `folder` is an open folder that becomes
/// SRS_GNUPLOT_FOLDER, or -1.
void srs_gnuplot_run(const char *program, const char *script, size_t length, const char *data, size_t data_length,
                     int folder, double seconds, srs_gnuplot_result *result);
void srs_gnuplot_free(srs_gnuplot_result *result);

/// A gnuplot that stays, with a window on the display: for pictures that change.
typedef struct srs_gnuplot_window srs_gnuplot_window;
/// NULL when it cannot be started.
srs_gnuplot_window *srs_gnuplot_open(const char *program);
/// Sends it a script and what the script reads from SRS_GNUPLOT_DATA, without waiting for it: 0, 1 when it is still busy
/// with the last (this one is left out), -1 when it has ended.
int srs_gnuplot_draw(srs_gnuplot_window *window, const char *script, size_t length, const char *data,
                     size_t data_length);
/// Lets it go; its window may stay.
void srs_gnuplot_close(srs_gnuplot_window *window);

/// Says of each letter whether any font has it; false where fontconfig, which gnuplot draws by, cannot be opened.
bool srs_fonts_have(const uint32_t *letters, size_t count, bool *has);
/// Is there a font of that name? True where that cannot be found out.
bool srs_fonts_know(const char *family);

#ifdef __cplusplus
}
#endif
#endif
