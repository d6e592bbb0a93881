#include "CZlib.h"

#include <stdlib.h>
#include <zlib.h>

struct srs_inflate {
  z_stream stream;
};

srs_inflate *srs_inflate_open(void) {
  srs_inflate *state = calloc(1, sizeof *state);
  // zlib takes the window size, 15 bits, plus 16 to ask for gzip's header and checksum.
  if (state && inflateInit2(&state->stream, 15 + 16) != Z_OK) {
    free(state);
    return NULL;
  }
  return state;
}

int srs_inflate_run(srs_inflate *state, const uint8_t *input, size_t *size, uint8_t *bytes, size_t *room) {
  z_stream *stream = &state->stream;
  uInt given = *size > 1u << 30 ? 1u << 30 : (uInt)*size;
  uInt space = *room > 1u << 30 ? 1u << 30 : (uInt)*room;
  stream->next_in = (Bytef *)input;
  stream->avail_in = given;
  stream->next_out = bytes;
  stream->avail_out = space;
  int code = inflate(stream, Z_NO_FLUSH);
  *size -= given - stream->avail_in;
  *room -= space - stream->avail_out;
  switch (code) {
  case Z_OK:
  case Z_BUF_ERROR: return SRS_INFLATE_MORE;
  case Z_STREAM_END: return SRS_INFLATE_END;
  case Z_MEM_ERROR: return SRS_INFLATE_MEMORY;
  default: return SRS_INFLATE_DAMAGED;
  }
}

void srs_inflate_restart(srs_inflate *state) { inflateReset(&state->stream); }

void srs_inflate_close(srs_inflate *state) {
  inflateEnd(&state->stream);
  free(state);
}
