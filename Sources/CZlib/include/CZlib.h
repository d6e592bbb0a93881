// gzip files, read in pieces: zlib's gz functions behind fixed signatures.
#ifndef SRS_CZLIB_H
#define SRS_CZLIB_H
#include <stddef.h>
#include <stdint.h>

typedef struct srs_gzip srs_gzip;

/// Takes over a file descriptor at its beginning; NULL when memory is short, and then the descriptor stays the caller's.
srs_gzip *srs_gzip_open(int descriptor);

/// Unpacks up to `size` bytes. Returns how many; fewer than asked for at the end; -1 for a damaged file, -2 for one that
/// is cut off.
long srs_gzip_read(srs_gzip *file, uint8_t *bytes, size_t size);

/// Bytes of the packed file that have been read so far.
long srs_gzip_position(srs_gzip *file);

void srs_gzip_close(srs_gzip *file);
#endif
