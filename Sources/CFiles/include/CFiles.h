// System calls that glibc of Debian 12 has no function for, or none with fixed arguments.
#ifndef SRS_CFILES_H
#define SRS_CFILES_H
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Opens a path beneath a folder that is held open, close-on-exec. No part of the path may be a symbolic link or `..`,
/// whoever changes the folders meanwhile. Returns the descriptor, or -1 with errno: ELOOP for a link, EXDEV for a way out.
int srs_open_beneath(int folder, const char *path, int flags, unsigned mode);

/// The same by walking the parts, for systems without openat2.
int srs_walk_beneath(int folder, const char *path, int flags, unsigned mode);

/// Opens a file without a name in a folder, or -1 with errno where the file system has none.
int srs_open_unnamed(int folder, unsigned mode);

/// From here on this thread, and all threads and programs it starts, can change files only beneath `folder`, and read
/// only there and beneath `readable`; by Landlock. Returns 0, or -1 where the system has no Landlock or refuses.
int srs_confine(int folder, const char *const *readable, size_t count);

/// Does the path lead to a file of /proc, wherever that is mounted? False for what is not there.
bool srs_is_process_file(const char *path);
bool srs_is_process_descriptor(int descriptor);

#ifdef __cplusplus
}
#endif
#endif
