// Fetching and unpacking: libcurl, minizip and libmd behind fixed signatures.
#ifndef SRS_CDOWNLOADS_H
#define SRS_CDOWNLOADS_H
#include <stddef.h>
#include <stdint.h>

/// Told the bytes so far and in all (0: not known); anything but 0 ends the transfer.
typedef int (*srs_transfer_watch)(void *context, int64_t now, int64_t total);

enum {
  SRS_FETCHED = 0,
  SRS_FETCH_STOPPED = 1,
  /// Worth another try: the connection was lost, or the server has a trouble of its own.
  SRS_FETCH_BROKEN = 2,
  SRS_FETCH_REFUSED = 3,
  /// There is no libcurl.
  SRS_FETCH_MISSING = 4,
  SRS_FETCH_DISK = 5,
};

/// Appends what `url` gives from byte `from` on to an open file. Only http and https, redirections included.
/// `message` gets why it failed.
int srs_fetch(const char *url, int descriptor, int64_t from, srs_transfer_watch watch, void *context, char *message,
              size_t size);

/// Lets `put` have the bytes of a file of a zip archive, piece by piece; what it returns but 0 ends it. Returns 0, 1 for
/// an archive without that file, 2 for a damaged one, or what `put` returned plus 16. Damage is known only at the end.
int srs_unzip(const char *archive, const char *name, int (*put)(void *context, const void *bytes, size_t count),
              void *context);

/// MD5 of a file (RFC 1321) as 32 hexadecimal digits and a zero; 0, or -1 if it cannot be read.
int srs_md5(const char *path, char digits[33]);
#endif
