#include "CZlib.h"

#include <zlib.h>

srs_gzip *srs_gzip_open(int descriptor) {
  gzFile file = gzdopen(descriptor, "rb");
  if (file) gzbuffer(file, 1 << 18);
  return (srs_gzip *)file;
}

long srs_gzip_read(srs_gzip *file, uint8_t *bytes, size_t size) {
  int got = gzread((gzFile)file, bytes, (unsigned)(size > 1u << 30 ? 1u << 30 : size));
  int code = Z_OK;
  gzerror((gzFile)file, &code);
  if (code == Z_BUF_ERROR) return -2;
  if (got < 0 || code < 0) return -1;
  return got;
}

long srs_gzip_position(srs_gzip *file) { return (long)gzoffset((gzFile)file); }

void srs_gzip_close(srs_gzip *file) { gzclose((gzFile)file); }
