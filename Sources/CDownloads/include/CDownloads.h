// Downloading: libcurl and libmd behind fixed signatures.
#ifndef SRS_CDOWNLOADS_H
#define SRS_CDOWNLOADS_H
#include <stddef.h>
#include <stdint.h>

/// Called during a transfer with the bytes received so far and the total (0: unknown). A result other than 0 stops it.
typedef int (*srs_transfer_watch)(void *context, int64_t now, int64_t total);

enum {
  SRS_FETCHED = 0,
  SRS_FETCH_STOPPED = 1,
  /// Another attempt may succeed: the connection was lost, or the server reported an error of its own.
  SRS_FETCH_BROKEN = 2,
  /// The server or libcurl refused; another attempt will not help.
  SRS_FETCH_REFUSED = 3,
  /// libcurl is not installed.
  SRS_FETCH_MISSING = 4,
  /// Writing the file failed.
  SRS_FETCH_DISK = 5,
};

/// Downloads `url` from byte `from` on and appends it to an open file. Only http and https are allowed, for redirections
/// too. Returns one of SRS_FETCH*; on failure, `message` (of `size` bytes) contains the reason.
int srs_fetch(const char *url, int descriptor, int64_t from, srs_transfer_watch watch, void *context, char *message,
              size_t size);

/// Writes the MD5 sum of a file (RFC 1321) to `digits`, as 32 hexadecimal digits and a terminating zero. Returns 0, or -1 if
/// the file cannot be read.
int srs_md5(const char *path, char digits[33]);
#endif
