// gzip data, unpacked in pieces: zlib's inflate behind fixed signatures.
#ifndef SRS_CZLIB_H
#define SRS_CZLIB_H
#include <stddef.h>
#include <stdint.h>

typedef struct srs_inflate srs_inflate;

enum {
  /// More input or more room is needed.
  SRS_INFLATE_MORE = 0,
  /// A gzip member has ended, and its checksum and length are right.
  SRS_INFLATE_END = 1,
  /// The data is damaged.
  SRS_INFLATE_DAMAGED = -1,
  /// There is no memory.
  SRS_INFLATE_MEMORY = -2
};

/// At the beginning of a gzip member; NULL when memory is short.
srs_inflate *srs_inflate_open(void);

/// Unpacks from `*size` bytes of input into `*room` bytes; both come back as what is left of them.
int srs_inflate_run(srs_inflate *state, const uint8_t *input, size_t *size, uint8_t *bytes, size_t *room);

/// To be called before the next member of a file.
void srs_inflate_restart(srs_inflate *state);

void srs_inflate_close(srs_inflate *state);
#endif
