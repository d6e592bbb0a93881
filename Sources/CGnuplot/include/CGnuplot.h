// gnuplot through gnuplot-iostream, behind C functions that catch every C++ exception and every SIGPIPE.
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
  /// The program does not exist.
  SRS_GNUPLOT_MISSING = 1,
  /// It ended with an error; `errors` contains its messages.
  SRS_GNUPLOT_FAILED = 2,
  /// It did not end in time and was killed.
  SRS_GNUPLOT_TIMEOUT = 3,
  /// It was killed by a signal.
  SRS_GNUPLOT_CRASHED = 4,
  /// The system refused a pipe, a process or memory; `errors` contains the reason.
  SRS_GNUPLOT_SYSTEM = 5,
  /// It was killed because the caller no longer wants the picture.
  SRS_GNUPLOT_CANCELLED = 6,
};

typedef struct {
  int status;
  /// What gnuplot wrote to stdout and stderr. srs_gnuplot_free frees all three texts.
  char *output;
  size_t output_length;
  char *errors;
  size_t errors_length;
  /// What gnuplot wrote to SRS_GNUPLOT_PICTURE.
  char *picture;
  size_t picture_length;
} srs_gnuplot_result;

/// The names of gnuplot's input and output files. They are descriptors that gnuplot inherits, so that no other program can
/// replace the files.
#define SRS_GNUPLOT_DATA "/proc/self/fd/3"
#define SRS_GNUPLOT_PICTURE "/proc/self/fd/4"
#define SRS_GNUPLOT_FOLDER "/proc/self/fd/5"

/// Starts `program` (a path) without a shell, sends it the script, and waits at most `seconds` for it to end. gnuplot does
/// not read the user's own settings. The script reads `data` from SRS_GNUPLOT_DATA. `folder` is the descriptor of a folder
/// that becomes SRS_GNUPLOT_FOLDER, or -1. `is_cancelled`, if not NULL, is called with `context` every few milliseconds while
/// gnuplot runs; once it returns true, gnuplot is killed.
void srs_gnuplot_run(const char *program, const char *script, size_t length, const char *data, size_t data_length,
                     int folder, double seconds, bool (*is_cancelled)(void *context), void *context,
                     srs_gnuplot_result *result);
void srs_gnuplot_free(srs_gnuplot_result *result);

/// A gnuplot process that keeps running and shows a window, for pictures that change.
typedef struct srs_gnuplot_window srs_gnuplot_window;
/// Starts gnuplot; NULL when that fails.
srs_gnuplot_window *srs_gnuplot_open(const char *program);
/// Sends a script, and the data that the script reads from SRS_GNUPLOT_DATA, without waiting. Returns 0; 1 when gnuplot is
/// still busy with the last picture, in which case this one is skipped; -1 when gnuplot has ended.
int srs_gnuplot_draw(srs_gnuplot_window *window, const char *script, size_t length, const char *data,
                     size_t data_length);
/// Ends gnuplot; its window may stay open.
void srs_gnuplot_close(srs_gnuplot_window *window);

/// Sets has[i] to whether any installed font contains letters[i]. Returns false when fontconfig, which gnuplot uses for fonts,
/// cannot be loaded.
bool srs_fonts_have(const uint32_t *letters, size_t count, bool *has);
/// Is a font family of this name installed? True when fontconfig cannot be loaded.
bool srs_fonts_know(const char *family);

#ifdef __cplusplus
}
#endif
#endif
