// Reading archives and compressed files: libarchive, loaded on demand, behind fixed signatures.
#ifndef SRS_CARCHIVE_H
#define SRS_CARCHIVE_H
#include <stddef.h>
#include <stdint.h>

typedef struct srs_archive srs_archive;

/// Provides the next bytes: writes up to `room` bytes to `bytes` and returns their number, 0 at the end, -1 to stop.
typedef int64_t (*srs_archive_source)(void *context, void *bytes, size_t room);

enum {
  SRS_ARCHIVE_END = 0,
  SRS_ARCHIVE_MEMBER = 1,
  SRS_ARCHIVE_DAMAGED = -1,
};

/// Opens a zip archive (`is_zip`) or a file packed by xz, bzip2, zstd or lz4, which has one member. With a descriptor of 0 or
/// more, it is read from there and may be moved to any place; otherwise `source` provides the bytes in order. NULL when memory is
/// short or libarchive is not installed. Free it with srs_archive_close.
srs_archive *srs_archive_open(int is_zip, int descriptor, srs_archive_source source, void *context);

/// Goes to the next member. Returns SRS_ARCHIVE_MEMBER, with its name (valid until the next call), whether it is a file and
/// whether it is encrypted; SRS_ARCHIVE_END; or SRS_ARCHIVE_DAMAGED.
int srs_archive_next(srs_archive *archive, const char **name, int *is_file, int *is_encrypted);

/// Reads up to `room` bytes of the member. Returns their number, 0 at its end, or SRS_ARCHIVE_DAMAGED. Checksums are compared
/// at the end of a member.
int64_t srs_archive_read(srs_archive *archive, void *bytes, size_t room);

/// The number of bytes of the archive that have been used.
int64_t srs_archive_used(srs_archive *archive);

/// What is wrong; empty if nothing is known.
const char *srs_archive_problem(srs_archive *archive);

void srs_archive_close(srs_archive *archive);
#endif
