#define _GNU_SOURCE
#include "CFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

int srs_walk_beneath(int folder, const char *path, int flags, unsigned mode) {
  if (path[0] == '/' || path[0] == 0) {
    errno = path[0] == 0 ? ENOENT : EXDEV;
    return -1;
  }
  int here = fcntl(folder, F_DUPFD_CLOEXEC, 0);
  while (here >= 0) {
    while (*path == '/') path++;
    size_t length = strcspn(path, "/");
    const char *rest = path + length;
    while (*rest == '/') rest++;
    char part[NAME_MAX + 1];
    if (length > NAME_MAX) {
      close(here);
      errno = ENAMETOOLONG;
      return -1;
    }
    memcpy(part, length == 0 ? "." : path, length == 0 ? 1 : length);
    part[length == 0 ? 1 : length] = 0;
    if (strcmp(part, "..") == 0) {
      close(here);
      errno = EXDEV;
      return -1;
    }
    int next = *rest == 0 ? openat(here, part, flags | O_NOFOLLOW | O_CLOEXEC, mode)
                          : openat(here, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int problem = errno;
    close(here);
    errno = problem;
    if (*rest == 0 || next < 0) return next;
    here = next;
    path = rest;
  }
  return -1;
}

int srs_open_beneath(int folder, const char *path, int flags, unsigned mode) {
  struct open_how how = {0};
  how.flags = (unsigned)flags | O_CLOEXEC;
  how.mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  // EAGAIN means that a folder of the path was renamed meanwhile; the call has to be repeated.
  for (int attempt = 0; attempt < 1000; attempt++) {
    long descriptor = syscall(SYS_openat2, folder, path, &how, sizeof how);
    if (descriptor >= 0) return (int)descriptor;
    if (errno == ENOSYS || errno == EPERM) return srs_walk_beneath(folder, path, flags, mode);
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return -1;
}

int srs_open_unnamed(int folder, unsigned mode) { return openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode); }

static int allow(int rules, int descriptor, unsigned long long rights) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return -1;
  // Landlock refuses a rule for a file that grants rights of folders, so only the rights of files remain.
  if (!S_ISDIR(status.st_mode))
    rights &= LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | 1ULL << 14;
  struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = descriptor};
  return (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

int srs_confine(int folder, const char *const *readable, size_t count) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return -1;
  // Version 1 of Landlock has 13 rights; version 2 adds moving between folders, version 3 truncating.
  unsigned long long all = (1ULL << 13) - 1;
  if (version >= 2) all |= 1ULL << 13;
  if (version >= 3) all |= 1ULL << 14;
  const unsigned long long read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  struct landlock_ruleset_attr attributes = {.handled_access_fs = all};
  int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0);
  if (rules < 0) return -1;
  int result = allow(rules, folder, all & ~(unsigned long long)LANDLOCK_ACCESS_FS_EXECUTE);
  for (size_t i = 0; i < count && result == 0; i++) {
    int descriptor = open(readable[i], O_PATH | O_CLOEXEC);
    if (descriptor < 0) continue;
    int isDevice = strncmp(readable[i], "/dev/", 5) == 0;
    unsigned long long rights = isDevice ? read | LANDLOCK_ACCESS_FS_WRITE_FILE : read | LANDLOCK_ACCESS_FS_EXECUTE;
    result = allow(rules, descriptor, rights);
    close(descriptor);
  }
  if (result == 0) result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (result == 0) result = (int)syscall(SYS_landlock_restrict_self, rules, 0);
  close(rules);
  return result;
}

// 0x9fa0 is PROC_SUPER_MAGIC of linux/magic.h, the file system type of /proc.
static bool is_process(const struct statfs *status) { return status->f_type == 0x9fa0; }

bool srs_is_process_file(const char *path) {
  struct statfs status;
  return statfs(path, &status) == 0 && is_process(&status);
}

bool srs_is_process_descriptor(int descriptor) {
  struct statfs status;
  return fstatfs(descriptor, &status) == 0 && is_process(&status);
}
