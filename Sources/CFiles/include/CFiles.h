// Opening files beneath a folder, and Landlock: system calls for which the glibc of Debian 12 has no function, or only one
// with variable arguments, which Swift cannot call.
#ifndef SRS_CFILES_H
#define SRS_CFILES_H
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Opens a path, relative to and beneath the folder of an open descriptor, with close-on-exec. No part of the path may be a
/// symbolic link or `..`; this is safe even when other programs change the folders meanwhile. Returns the descriptor, or
/// -1 with errno: ELOOP for a link, EXDEV for a path that leads out of the folder.
int srs_open_beneath(int folder, const char *path, int flags, unsigned mode);

/// Does the same as srs_open_beneath by opening one part of the path after the other, for systems without openat2.
int srs_walk_beneath(int folder, const char *path, int flags, unsigned mode);

/// Opens a new file without a name (O_TMPFILE) in a folder. Returns -1 with errno where the file system has no such files.
int srs_open_unnamed(int folder, unsigned mode);

/// Confines this thread, and all threads and programs that it starts from now on, by Landlock: they can change files only
/// beneath `folder`, and read only there and beneath the `count` paths in `readable`. Returns 0, or -1 where the system has
/// no Landlock or refuses.
int srs_confine(int folder, const char *const *readable, size_t count);

/// Is the file at this path, or of this descriptor, part of a proc file system, wherever that is mounted? False for a file
/// that does not exist.
bool srs_is_process_file(const char *path);
bool srs_is_process_descriptor(int descriptor);

#ifdef __cplusplus
}
#endif
#endif
