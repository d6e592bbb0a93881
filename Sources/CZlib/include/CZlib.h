// Decompresses gzip data in pieces: zlib's inflate behind fixed signatures.
#ifndef SRS_CZLIB_H
#define SRS_CZLIB_H
#include <stddef.h>
#include <stdint.h>

typedef struct srs_inflate srs_inflate;

enum {
  /// More input or more space for output is needed.
  SRS_INFLATE_MORE = 0,
  /// A gzip member has ended, and its checksum and length are correct.
  SRS_INFLATE_END = 1,
  /// The data is damaged.
  SRS_INFLATE_DAMAGED = -1,
  /// Memory is short.
  SRS_INFLATE_MEMORY = -2
};

/// A new decompressor, before the first gzip member; NULL when memory is short. Free it with srs_inflate_close.
srs_inflate *srs_inflate_open(void);

/// Decompresses up to `*size` bytes of `input` into up to `*room` bytes at `bytes`. Afterwards `*size` is the number of input
/// bytes that were not read, and `*room` the number of output bytes that were not written. Returns one of SRS_INFLATE_*.
int srs_inflate_run(srs_inflate *state, const uint8_t *input, size_t *size, uint8_t *bytes, size_t *room);

/// Prepares for the next member of a file with several gzip members.
void srs_inflate_restart(srs_inflate *state);

void srs_inflate_close(srs_inflate *state);
#endif
