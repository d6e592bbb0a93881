#include "CArchive.h"

#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>

// libarchive depends on a dozen more libraries. It is loaded when an archive is read, not at the start of the program.
typedef struct {
  struct archive *(*read_new)(void);
  int (*support_zip)(struct archive *);
  int (*support_raw)(struct archive *);
  int (*support_xz)(struct archive *);
  int (*support_bzip2)(struct archive *);
  int (*support_zstd)(struct archive *);
  int (*support_lz4)(struct archive *);
  int (*open)(struct archive *, void *, archive_open_callback *, archive_read_callback *, archive_close_callback *);
  int (*open_fd)(struct archive *, int, size_t);
  int (*next_header)(struct archive *, struct archive_entry **);
  la_ssize_t (*read_data)(struct archive *, void *, size_t);
  la_int64_t (*filter_bytes)(struct archive *, int);
  int (*filter_code)(struct archive *, int);
  const char *(*error_string)(struct archive *);
  int (*read_free)(struct archive *);
  const char *(*pathname)(struct archive_entry *);
  const char *(*pathname_utf8)(struct archive_entry *);
  __LA_MODE_T (*filetype)(struct archive_entry *);
  int (*is_encrypted)(struct archive_entry *);
} functions;

struct srs_archive {
  functions f;
  struct archive *archive;
  srs_archive_source source;
  void *context;
  int is_zip;
  char buffer[1 << 17];
};

static int load(functions *f) {
  void *library = dlopen("libarchive.so.13", RTLD_NOW | RTLD_LOCAL);
  if (!library) return 0;
  struct {
    void **place;
    const char *name;
  } names[] = {
      {(void **)&f->read_new, "archive_read_new"},
      {(void **)&f->support_zip, "archive_read_support_format_zip"},
      {(void **)&f->support_raw, "archive_read_support_format_raw"},
      {(void **)&f->support_xz, "archive_read_support_filter_xz"},
      {(void **)&f->support_bzip2, "archive_read_support_filter_bzip2"},
      {(void **)&f->support_zstd, "archive_read_support_filter_zstd"},
      {(void **)&f->support_lz4, "archive_read_support_filter_lz4"},
      {(void **)&f->open, "archive_read_open"},
      {(void **)&f->open_fd, "archive_read_open_fd"},
      {(void **)&f->next_header, "archive_read_next_header"},
      {(void **)&f->read_data, "archive_read_data"},
      {(void **)&f->filter_bytes, "archive_filter_bytes"},
      {(void **)&f->filter_code, "archive_filter_code"},
      {(void **)&f->error_string, "archive_error_string"},
      {(void **)&f->read_free, "archive_read_free"},
      {(void **)&f->pathname, "archive_entry_pathname"},
      {(void **)&f->pathname_utf8, "archive_entry_pathname_utf8"},
      {(void **)&f->filetype, "archive_entry_filetype"},
      {(void **)&f->is_encrypted, "archive_entry_is_encrypted"},
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    *names[i].place = dlsym(library, names[i].name);
    if (!*names[i].place) return 0;
  }
  return 1;
}

static la_ssize_t provide(struct archive *archive, void *context, const void **bytes) {
  (void)archive;
  srs_archive *self = context;
  *bytes = self->buffer;
  return (la_ssize_t)self->source(self->context, self->buffer, sizeof self->buffer);
}

srs_archive *srs_archive_open(int is_zip, int descriptor, srs_archive_source source, void *context) {
  srs_archive *self = calloc(1, sizeof *self);
  if (!self || !load(&self->f) || !(self->archive = self->f.read_new())) {
    free(self);
    return NULL;
  }
  self->source = source;
  self->context = context;
  self->is_zip = is_zip;
  functions *f = &self->f;
  if (is_zip) {
    f->support_zip(self->archive);
  } else {
    f->support_raw(self->archive);
    f->support_xz(self->archive);
    f->support_bzip2(self->archive);
    f->support_zstd(self->archive);
    f->support_lz4(self->archive);
  }
  // A failure is reported by the first call that reads.
  if (descriptor >= 0) {
    f->open_fd(self->archive, descriptor, 1 << 17);
  } else {
    f->open(self->archive, self, NULL, provide, NULL);
  }
  return self;
}

static int srs_next_entry(srs_archive *self, struct archive_entry **entry, const char **name) {
  int code = self->f.next_header(self->archive, entry);
  if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return code;
  const char *text = self->f.pathname_utf8(*entry);
  if (!text) text = self->f.pathname(*entry);
  *name = text ? text : "";
  return code;
}

int srs_archive_next(srs_archive *self, const char **name, int *is_file, int *is_encrypted) {
  struct archive_entry *entry;
  // libarchive converts names by the locale of the thread. The program has the C locale, in which only ASCII can be converted.
  locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
  int code = srs_next_entry(self, &entry, name);
  if (utf8) {
    uselocale(before);
    freelocale(utf8);
  }
  if (code == ARCHIVE_EOF) return SRS_ARCHIVE_END;
  if (code != ARCHIVE_OK && code != ARCHIVE_WARN) return SRS_ARCHIVE_DAMAGED;
  // Where no filter recognises the data, libarchive would return it as it is.
  if (!self->is_zip && self->f.filter_code(self->archive, 0) == ARCHIVE_FILTER_NONE) return SRS_ARCHIVE_DAMAGED;
  *is_file = self->f.filetype(entry) == AE_IFREG;
  *is_encrypted = self->f.is_encrypted(entry) != 0;
  return SRS_ARCHIVE_MEMBER;
}

int64_t srs_archive_read(srs_archive *self, void *bytes, size_t room) {
  la_ssize_t got = self->f.read_data(self->archive, bytes, room);
  return got < 0 ? SRS_ARCHIVE_DAMAGED : (int64_t)got;
}

int64_t srs_archive_used(srs_archive *self) { return self->f.filter_bytes(self->archive, -1); }

const char *srs_archive_problem(srs_archive *self) {
  const char *text = self->f.error_string(self->archive);
  return text ? text : "";
}

void srs_archive_close(srs_archive *self) {
  self->f.read_free(self->archive);
  free(self);
}
