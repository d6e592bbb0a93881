#define _GNU_SOURCE
#include "CEditline.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

struct srs_editline {
  EditLine *el;
  History *history;
  char prompt[64];
  srs_completer completer;
  void *context;
  /// Pasted text of several lines, which is returned as one entry; NULL when there is none.
  char *pasted;
};

static char *prompt_of(EditLine *el) {
  struct srs_editline *editor = NULL;
  el_get(el, EL_CLIENTDATA, &editor);
  return editor->prompt;
}

static unsigned char complete(EditLine *el, int key) {
  (void)key;
  struct srs_editline *editor = NULL;
  el_get(el, EL_CLIENTDATA, &editor);
  if (editor == NULL || editor->completer == NULL) return CC_ERROR;
  const LineInfo *info = el_line(el);
  size_t cursor = (size_t)(info->cursor - info->buffer), length = (size_t)(info->lastchar - info->buffer);
  char *line = strndup(info->buffer, length);
  if (line == NULL) return CC_ERROR;
  char insert[512] = "";
  char *choices = editor->completer(editor->context, line, cursor, insert, sizeof insert);
  free(line);
  unsigned char result = CC_ERROR;
  if (insert[0] != 0 && el_insertstr(el, insert) == 0) result = CC_REFRESH;
  if (choices != NULL) {
    fputc('\n', stdout);
    fputs(choices, stdout);
    fflush(stdout);
    free(choices);
    result = CC_REDISPLAY;
  }
  return result;
}

// Reads the user's own settings, ~/.editrc or $EDITRC. libedit parses a line in buffers of 1024 characters and can crash on
// longer ones, so a file with such a line is not read.
static void source(EditLine *el) {
  const char *home = getenv("HOME"), *named = getenv("EDITRC");
  char path[4096];
  if (named != NULL && named[0] != 0)
    snprintf(path, sizeof path, "%s", named);
  else if (home == NULL || snprintf(path, sizeof path, "%s/.editrc", home) >= (int)sizeof path)
    return;
  struct stat status;
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return;
  FILE *file = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) ? fdopen(descriptor, "r") : NULL;
  if (file == NULL) {
    close(descriptor);
    return;
  }
  size_t length = 0;
  bool isLong = false;
  for (int c; !isLong && (c = getc(file)) != EOF;) {
    length = c == '\n' ? 0 : length + 1;
    isLong = length > 1000;
  }
  fclose(file);
  if (isLong)
    fprintf(stderr, "note: %s is not read: it has a line of more than 1000 characters\n", path);
  else
    el_source(el, path);
}

// Reads pasted text (bracketed paste). The terminal puts \e[200~ before it and \e[201~ after it, so that its line ends
// are not mistaken for the Enter key.
static unsigned char paste(EditLine *el, int key) {
  (void)key;
  struct srs_editline *editor = NULL;
  el_get(el, EL_CLIENTDATA, &editor);
  static const char end[] = "\033[201~";
  size_t size = 0, room = 4096;
  char *text = malloc(room);
  bool lines = false;
  wchar_t wide;
  while (text != NULL && el_wgetc(el, &wide) == 1) {
    if (size + MB_CUR_MAX + 1 > room) {
      room *= 2;
      char *larger = room <= (64u << 20) ? realloc(text, room) : NULL;
      if (larger == NULL) {
        free(text);
        return CC_ERROR;
      }
      text = larger;
    }
    if (wide == L'\r') wide = L'\n';
    if (wide == L'\n') lines = true;
    mbstate_t state;
    memset(&state, 0, sizeof state);
    size_t count = wcrtomb(text + size, wide, &state);
    if (count == (size_t)-1) continue;
    size += count;
    if (size >= sizeof end - 1 && memcmp(text + size - (sizeof end - 1), end, sizeof end - 1) == 0) {
      size -= sizeof end - 1;
      break;
    }
  }
  if (text == NULL) return CC_ERROR;
  text[size] = 0;
  while (size > 0 && text[size - 1] == '\n') text[--size] = 0;
  if (!lines || strchr(text, '\n') == NULL) {
    int failed = el_insertstr(el, text);
    free(text);
    return failed ? CC_ERROR : CC_REFRESH;
  }
  // Text that was typed before the paste stays in front. el_gets returns an empty line; srs_editline_read returns `pasted`
  // instead of it.
  const LineInfo *info = el_line(el);
  size_t before = (size_t)(info->cursor - info->buffer);
  free(editor->pasted);
  editor->pasted = malloc(before + size + 1);
  if (editor->pasted != NULL) {
    memcpy(editor->pasted, info->buffer, before);
    memcpy(editor->pasted + before, text, size + 1);
  }
  fputs(text, stdout);
  fputc('\n', stdout);
  fflush(stdout);
  free(text);
  return CC_NEWLINE;
}

// A closing bracket typed as the first character of an indented line reduces the indentation by two blanks.
static unsigned char close_brace(EditLine *el, int key) {
  const LineInfo *info = el_line(el);
  bool blank = info->cursor > info->buffer;
  for (const char *c = info->buffer; c < info->cursor; c++) blank = blank && *c == ' ';
  if (blank && info->cursor == info->lastchar && info->cursor - info->buffer >= 2) el_deletestr(el, 2);
  char text[2] = {(char)key, 0};
  return el_insertstr(el, text) ? CC_ERROR : CC_REFRESH;
}

srs_editline *srs_editline_new(const char *program, int history_size) {
  // libedit reads wide characters only in a locale with a multi-byte encoding.
  if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
  struct srs_editline *editor = calloc(1, sizeof *editor);
  if (editor == NULL) return NULL;
  editor->el = el_init(program, stdin, stdout, stderr);
  editor->history = history_init();
  if (editor->el == NULL || editor->history == NULL) {
    srs_editline_free(editor);
    return NULL;
  }
  HistEvent event;
  history(editor->history, &event, H_SETSIZE, history_size);
  history(editor->history, &event, H_SETUNIQUE, 1);
  el_set(editor->el, EL_CLIENTDATA, editor);
  el_set(editor->el, EL_PROMPT, prompt_of);
  el_set(editor->el, EL_EDITOR, "emacs");
  el_set(editor->el, EL_HIST, history, editor->history);
  el_set(editor->el, EL_ADDFN, "srs-complete", "Complete the text before the cursor", complete);
  el_set(editor->el, EL_BIND, "^I", "srs-complete", NULL);
  el_set(editor->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
  el_set(editor->el, EL_ADDFN, "srs-close", "Close a block", close_brace);
  el_set(editor->el, EL_BIND, "}", "srs-close", NULL);
  el_set(editor->el, EL_BIND, ")", "srs-close", NULL);
  el_set(editor->el, EL_BIND, "]", "srs-close", NULL);
  el_set(editor->el, EL_ADDFN, "srs-paste", "Take pasted text as one entry", paste);
  el_set(editor->el, EL_BIND, "\033[200~", "srs-paste", NULL);
  source(editor->el);
  return editor;
}

void srs_editline_free(srs_editline *editor) {
  if (editor == NULL) return;
  if (editor->el != NULL) el_end(editor->el);
  if (editor->history != NULL) history_end(editor->history);
  free(editor->pasted);
  free(editor);
}

void srs_editline_set_completer(srs_editline *editor, srs_completer completer, void *context) {
  editor->completer = completer;
  editor->context = context;
}

char *srs_editline_read(srs_editline *editor, const char *prompt, const char *indent, int *status) {
  snprintf(editor->prompt, sizeof editor->prompt, "%s", prompt);
  int count = 0;
  errno = 0;
  fputs("\033[?2004h", stdout);
  fflush(stdout);
  if (indent != NULL && indent[0] != 0) el_push(editor->el, indent);
  const char *line = el_gets(editor->el, &count);
  int reason = errno;
  fputs("\033[?2004l", stdout);
  fflush(stdout);
  errno = reason;
  if (editor->pasted != NULL) {
    char *pasted = editor->pasted;
    editor->pasted = NULL;
    *status = SRS_LINE;
    return pasted;
  }
  if (line == NULL || count <= 0) {
    if (count < 0 && errno == EINTR) {
      *status = SRS_INTERRUPTED;
      el_reset(editor->el);
    } else {
      *status = SRS_END;
    }
    return NULL;
  }
  *status = SRS_LINE;
  size_t length = strlen(line);
  while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) length--;
  return strndup(line, length);
}

void srs_editline_remember(srs_editline *editor, const char *entry) {
  HistEvent event;
  history(editor->history, &event, H_ENTER, entry);
}
