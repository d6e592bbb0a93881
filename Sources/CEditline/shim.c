#define _GNU_SOURCE
#include "CEditline.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct srs_editline {
  EditLine *el;
  History *history;
  char prompt[64];
  srs_completer completer;
  void *context;
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

srs_editline *srs_editline_new(const char *program, int history_size) {
  // Wide characters need a locale that has them.
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
  el_set(editor->el, EL_ADDFN, "srs-complete", "Complete what stands before the cursor", complete);
  el_set(editor->el, EL_BIND, "^I", "srs-complete", NULL);
  el_set(editor->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
  el_source(editor->el, NULL);
  return editor;
}

void srs_editline_free(srs_editline *editor) {
  if (editor == NULL) return;
  if (editor->el != NULL) el_end(editor->el);
  if (editor->history != NULL) history_end(editor->history);
  free(editor);
}

void srs_editline_set_completer(srs_editline *editor, srs_completer completer, void *context) {
  editor->completer = completer;
  editor->context = context;
}

char *srs_editline_read(srs_editline *editor, const char *prompt, int *status) {
  snprintf(editor->prompt, sizeof editor->prompt, "%s", prompt);
  int count = 0;
  errno = 0;
  const char *line = el_gets(editor->el, &count);
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
