#define _GNU_SOURCE
#include "CEditline.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

// Keys that have no character are passed to libedit as control characters from 0x80 on, which no keyboard sends in UTF-8. Those
// that Alt with a letter stands for in libedit are left out.
enum {
  KEY_UP = 0x81,
  KEY_DOWN = 0x82,
  KEY_DELETE = 0x84,
  KEY_DELETE_WORD = 0x85,
  KEY_PASTE = 0x86,
  KEY_NEWLINE = 0x87,
};

struct snapshot {
  wchar_t *text;
  size_t length, cursor;
};

enum { SNAPSHOTS = 200 };

struct srs_editline {
  EditLine *el;
  History *history;
  char prompt[64];
  struct srs_editline_calls calls;
  void *context;
  /// Keys that are passed on before others are read.
  wchar_t queue[16];
  size_t queued;
  /// The text of a paste that KEY_PASTE inserts.
  char *pasted;
  /// Why reading ended.
  bool interrupted, ended;
  /// The line has text that was pasted from a session, with prompts.
  bool is_session;
  /// The column behind a suggestion is not empty.
  bool suggests;
  /// Earlier states of the line, for undo.
  struct snapshot snapshots[SNAPSHOTS];
  size_t snapshot_count;
};

static volatile sig_atomic_t resized, continued;
static void note_resize(int signal) { (void)signal; resized = 1; }
static void note_continue(int signal) { (void)signal; continued = 1; }

static struct srs_editline *own(EditLine *el) {
  struct srs_editline *editor = NULL;
  el_get(el, EL_CLIENTDATA, &editor);
  return editor;
}

static char *prompt_of(EditLine *el) { return own(el)->prompt; }

// MARK: The text of the line

static char *line_text(EditLine *el) {
  const LineInfo *info = el_line(el);
  return strndup(info->buffer, (size_t)(info->lastchar - info->buffer));
}

static void replace_line(EditLine *el, const wchar_t *text, size_t length, size_t cursor) {
  const LineInfoW *info = el_wline(el);
  el_cursor(el, (int)(info->lastchar - info->cursor));
  info = el_wline(el);
  el_deletestr(el, (int)(info->lastchar - info->buffer));
  wchar_t *copy = calloc(length + 1, sizeof *copy);
  if (copy == NULL) return;
  memcpy(copy, text, length * sizeof *copy);
  el_winsertstr(el, copy);
  free(copy);
  el_cursor(el, (int)cursor - (int)length);
}

static void forget_snapshots(struct srs_editline *editor) {
  for (size_t i = 0; i < editor->snapshot_count; i++) free(editor->snapshots[i].text);
  editor->snapshot_count = 0;
}

// Keeps the line as it is before the next key, if it has changed.
static void keep_snapshot(struct srs_editline *editor) {
  const LineInfoW *info = el_wline(editor->el);
  size_t length = (size_t)(info->lastchar - info->buffer), cursor = (size_t)(info->cursor - info->buffer);
  if (editor->snapshot_count > 0) {
    struct snapshot *last = &editor->snapshots[editor->snapshot_count - 1];
    if (last->length == length && memcmp(last->text, info->buffer, length * sizeof(wchar_t)) == 0) {
      last->cursor = cursor;
      return;
    }
  }
  wchar_t *copy = malloc((length + 1) * sizeof *copy);
  if (copy == NULL) return;
  memcpy(copy, info->buffer, length * sizeof *copy);
  if (editor->snapshot_count == SNAPSHOTS) {
    free(editor->snapshots[0].text);
    memmove(editor->snapshots, editor->snapshots + 1, (SNAPSHOTS - 1) * sizeof *editor->snapshots);
    editor->snapshot_count--;
  }
  editor->snapshots[editor->snapshot_count++] = (struct snapshot){copy, length, cursor};
}

// Whether a character continues the one before it on the screen: combining marks, joiners and skin tones.
static bool continues(const wchar_t *start, const wchar_t *at) {
  if (at == start) return false;
  return wcwidth(*at) == 0 || at[-1] == 0x200d || (*at >= 0x1f3fb && *at <= 0x1f3ff);
}

// The number of characters from the cursor to the next boundary in a direction.
static int whole(const LineInfoW *info, int direction) {
  const wchar_t *at = info->cursor;
  if (direction < 0) {
    if (at == info->buffer) return 0;
    do at--;
    while (continues(info->buffer, at));
  } else {
    if (at == info->lastchar) return 0;
    do at++;
    while (at < info->lastchar && continues(info->buffer, at));
  }
  return (int)(at - info->cursor);
}

// MARK: Colours and suggestions

static int columns(void) {
  struct winsize size;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static int width(const wchar_t *from, const wchar_t *to) {
  int sum = 0;
  for (; from < to; from++) {
    int own = wcwidth(*from);
    if (own < 0) return -1;
    sum += own;
  }
  return sum;
}

// Draws the line again in colours, and a suggestion behind it. libedit does not know of this: the characters are those that it
// has drawn. Lines that do not fit into one row stay as libedit draws them.
static void decorate(struct srs_editline *editor) {
  editor->suggests = false;
  if (editor->calls.colour == NULL) return;
  const LineInfoW *info = el_wline(editor->el);
  int before = width(info->buffer, info->cursor), all = width(info->buffer, info->lastchar), first = (int)strlen(editor->prompt);
  if (before < 0 || all <= 0 || first + all + 1 >= columns()) return;
  char *line = line_text(editor->el);
  if (line == NULL) return;
  char *coloured = editor->calls.colour(editor->context, line);
  char *rest = info->cursor == info->lastchar && editor->calls.suggest ? editor->calls.suggest(editor->context, line) : NULL;
  free(line);
  if (coloured != NULL) {
    fprintf(stdout, "\r\033[%dC%s", first, coloured);
    if (rest != NULL && *rest != 0) {
      // Only what fits into the row is shown.
      int room = columns() - first - all - 1;
      fputs("\033[90m", stdout);
      mbstate_t state;
      memset(&state, 0, sizeof state);
      for (const char *c = rest; *c != 0 && *c != '\n';) {
        wchar_t wide;
        size_t count = mbrtowc(&wide, c, MB_CUR_MAX, &state);
        if (count == 0 || count > MB_CUR_MAX) break;
        int own = wcwidth(wide);
        if (own < 0 || own > room) break;
        room -= own;
        fwrite(c, 1, count, stdout);
        c += count;
      }
      fputs("\033[0m", stdout);
      editor->suggests = true;
    }
    fprintf(stdout, "\r\033[%dC", first + before);
    fflush(stdout);
  }
  free(coloured);
  free(rest);
}

static void clear_suggestion(struct srs_editline *editor) {
  if (!editor->suggests) return;
  editor->suggests = false;
  fputs("\033[K", stdout);
  fflush(stdout);
}

// Inserts the suggestion. Returns whether there was one.
static bool accept_suggestion(EditLine *el) {
  struct srs_editline *editor = own(el);
  const LineInfoW *info = el_wline(el);
  if (info->cursor != info->lastchar || info->cursor == info->buffer || editor->calls.suggest == NULL || editor->calls.colour == NULL)
    return false;
  char *line = line_text(el), *rest = line == NULL ? NULL : editor->calls.suggest(editor->context, line);
  bool found = rest != NULL && *rest != 0 && el_insertstr(el, rest) == 0;
  free(line);
  free(rest);
  return found;
}

// MARK: Keys

enum { END_OF_INPUT = -2, NO_BYTE = -3, STOPPED = -1 };

// The next byte of the terminal. With a limit in milliseconds, NO_BYTE after it. While it waits, it looks for Ctrl-C, for a new
// size of the terminal, and for the shell's `fg`.
static int next_byte(struct srs_editline *editor, int limit) {
  for (;;) {
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    int found = poll(&ready, 1, limit < 0 ? 200 : limit);
    if (editor->calls.is_interrupted != NULL && editor->calls.is_interrupted(editor->context)) {
      editor->interrupted = true;
      return STOPPED;
    }
    if (continued) {
      // The shell has used the terminal meanwhile. libedit sets it up again only if it believes that it is not.
      continued = 0;
      el_set(editor->el, EL_PREP_TERM, 0);
      el_set(editor->el, EL_PREP_TERM, 1);
      fputs("\033[?2004h\r", stdout);
      fflush(stdout);
      el_set(editor->el, EL_REFRESH);
      decorate(editor);
    }
    if (resized) {
      resized = 0;
      fputs("\r\033[J", stdout);
      fflush(stdout);
      el_resize(editor->el);
      el_set(editor->el, EL_REFRESH);
      decorate(editor);
    }
    if (found < 0) continue;
    if (found == 0) {
      if (limit >= 0) return NO_BYTE;
      continue;
    }
    unsigned char byte;
    ssize_t count = read(STDIN_FILENO, &byte, 1);
    if (count == 1) return byte;
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    editor->ended = true;
    return END_OF_INPUT;
  }
}

static void put_back(struct srs_editline *editor, wchar_t key) {
  if (editor->queued < sizeof editor->queue / sizeof *editor->queue) editor->queue[editor->queued++] = key;
}

// Reads the text of a paste up to its end.
static void read_paste(struct srs_editline *editor) {
  static const char end[] = "\033[201~";
  size_t size = 0, room = 4096;
  char *text = malloc(room);
  int byte;
  while (text != NULL && (byte = next_byte(editor, -1)) >= 0) {
    if (size + 2 > room) {
      room *= 2;
      char *larger = room <= (64u << 20) ? realloc(text, room) : NULL;
      if (larger == NULL) {
        free(text);
        return;
      }
      text = larger;
    }
    text[size++] = (char)byte;
    if (size >= sizeof end - 1 && memcmp(text + size - (sizeof end - 1), end, sizeof end - 1) == 0) {
      size -= sizeof end - 1;
      break;
    }
  }
  if (text == NULL) return;
  text[size] = 0;
  free(editor->pasted);
  editor->pasted = text;
}

// Reads the rest of an escape sequence. Returns a key, or 0 for one that does nothing.
static wchar_t escape_key(struct srs_editline *editor) {
  enum { WAIT = 60 };
  int byte = next_byte(editor, WAIT);
  bool isAlt = false;
  if (byte == 0x1b) {
    // Some terminals send Alt with an arrow as two escapes.
    isAlt = true;
    byte = next_byte(editor, WAIT);
  }
  if (byte == NO_BYTE) return isAlt ? 0 : 0x1b;
  if (byte < 0) return 0;
  if (byte == '\r' || byte == '\n') return KEY_NEWLINE;
  // Alt-X would open a command line of libedit.
  if (byte == 'x' || byte == 'X') return 0;
  if (byte != '[' && byte != 'O') {
    put_back(editor, byte);
    return 0x1b;
  }
  char parameters[32];
  size_t count = 0;
  int final = 0;
  while ((byte = next_byte(editor, WAIT)) >= 0) {
    if (byte >= 0x40 && byte <= 0x7e) {
      final = byte;
      break;
    }
    if (count + 1 < sizeof parameters) parameters[count++] = (char)byte;
  }
  parameters[count] = 0;
  int number = atoi(parameters);
  const char *separator = strchr(parameters, ';');
  // 1 + shift 1 + alt 2 + ctrl 4.
  int modifiers = separator == NULL ? 0 : atoi(separator + 1) - 1;
  bool isByWord = isAlt || (modifiers > 0 && (modifiers & 6) != 0);
  switch (final) {
  case 'A': return KEY_UP;
  case 'B': return KEY_DOWN;
  case 'C':
  case 'c':
    if (!isByWord && final == 'C') return 0x06;
    put_back(editor, 'f');
    return 0x1b;
  case 'D':
  case 'd':
    if (!isByWord && final == 'D') return 0x02;
    put_back(editor, 'b');
    return 0x1b;
  case 'H': return 0x01;
  case 'F': return 0x05;
  case '~':
    switch (number) {
    case 1:
    case 7: return 0x01;
    case 4:
    case 8: return 0x05;
    case 3: return isByWord ? KEY_DELETE_WORD : KEY_DELETE;
    case 5: return KEY_UP;
    case 6: return KEY_DOWN;
    case 200: read_paste(editor); return editor->pasted == NULL ? 0 : KEY_PASTE;
    default: return 0;
    }
  default: return 0;
  }
}

// Reads a key for libedit: a character, or one of the keys above.
static int read_key(EditLine *el, wchar_t *key) {
  struct srs_editline *editor = own(el);
  if (editor->queued > 0) {
    *key = editor->queue[0];
    memmove(editor->queue, editor->queue + 1, --editor->queued * sizeof *editor->queue);
    return 1;
  }
  keep_snapshot(editor);
  decorate(editor);
  for (;;) {
    int byte = next_byte(editor, -1);
    if (byte < 0) {
      clear_suggestion(editor);
      errno = byte == STOPPED ? EINTR : 0;
      return byte == STOPPED ? -1 : 0;
    }
    wchar_t found = 0;
    if (byte == 0x1b) {
      found = escape_key(editor);
    } else if (byte < 0x80) {
      found = byte;
    } else {
      char bytes[8] = {(char)byte};
      int size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      for (int i = 1; i < size; i++) {
        int more = next_byte(editor, 60);
        if (more < 0) break;
        bytes[i] = (char)more;
      }
      mbstate_t state;
      memset(&state, 0, sizeof state);
      if (mbrtowc(&found, bytes, (size_t)size, &state) != (size_t)size || found < 0xa0) found = 0;
    }
    if (editor->interrupted) continue;
    if (found == 0) continue;
    clear_suggestion(editor);
    *key = found;
    return 1;
  }
}

static unsigned char complete(EditLine *el, int key) {
  (void)key;
  struct srs_editline *editor = own(el);
  if (editor == NULL || editor->calls.complete == NULL) return CC_ERROR;
  const LineInfo *info = el_line(el);
  size_t cursor = (size_t)(info->cursor - info->buffer);
  char *line = line_text(el);
  if (line == NULL) return CC_ERROR;
  char insert[512] = "";
  char *choices = editor->calls.complete(editor->context, line, cursor, insert, sizeof insert);
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

// The terminal turns CR into LF, so the line ends CR LF of a paste arrive as two. If all of them do, every second one is left out.
static void halve_line_ends(char *text) {
  size_t run = 0, ends = 0;
  for (const char *c = text;; c++) {
    if (*c == '\n') {
      run++;
      continue;
    }
    if (run % 2 == 1) return;
    ends += run;
    run = 0;
    if (*c == 0) break;
  }
  if (ends == 0) return;
  char *to = text;
  for (const char *c = text; *c != 0; c++) {
    *to++ = *c;
    if (*c == '\n') c++;
  }
  *to = 0;
}

// The length of a prompt at the beginning of a line: "srs 3> " or "...> "; 0 if there is none.
static size_t prompt_length(const char *line) {
  size_t dots = strspn(line, ".");
  if (dots >= 3 && line[dots] == '>' && (line[dots + 1] == ' ' || line[dots + 1] == 0)) return dots + (line[dots + 1] == ' ' ? 2 : 1);
  if (strncmp(line, "srs", 3) != 0) return 0;
  const char *rest = line + 3;
  while (*rest == ' ' || (*rest >= '0' && *rest <= '9')) rest++;
  return rest[0] == '>' && rest[1] == ' ' ? (size_t)(rest + 2 - line) : 0;
}

// Inserts pasted text, with its line breaks, and waits for Enter. Prompts that were copied with it are left out; if the first line
// has one, lines without one are the output of the session and left out too.
static unsigned char paste(EditLine *el, int key) {
  (void)key;
  struct srs_editline *editor = own(el);
  char *text = editor->pasted;
  editor->pasted = NULL;
  if (text == NULL) return CC_ERROR;
  halve_line_ends(text);
  char *to = text;
  bool begins = true, is_session = prompt_length(text) > 0;
  if (is_session) editor->is_session = true;
  for (const char *from = text; *from != 0; from++) {
    if (begins) {
      size_t length = prompt_length(from);
      if (is_session && length == 0) {
        from += strcspn(from, "\r\n");
        if (*from == 0) break;
        continue;
      }
      from += length;
      begins = false;
      if (*from == 0) break;
    }
    char byte = *from;
    // A line ends with CR, LF or both, in an order that depends on the terminal's settings.
    if (byte == '\r' || byte == '\n') {
      if (from[1] == (byte == '\r' ? '\n' : '\r')) from++;
      byte = '\n';
    }
    if (byte == '\n') begins = true;
    if ((unsigned char)byte >= 0x20 || byte == '\n' || byte == '\t') *to++ = byte == '\t' ? ' ' : byte;
  }
  while (to > text && to[-1] == '\n') to--;
  *to = 0;
  int failed = *text == 0 ? 0 : el_insertstr(el, text);
  free(text);
  return failed ? CC_ERROR : CC_REFRESH;
}

// Up and Down move between the lines of an entry, and from its first or last line to another entry.
static unsigned char vertical(EditLine *el, int direction) {
  const LineInfoW *info = el_wline(el);
  const wchar_t *start = info->cursor;
  while (start > info->buffer && start[-1] != L'\n') start--;
  const wchar_t *end = info->cursor;
  while (end < info->lastchar && *end != L'\n') end++;
  if (direction < 0 ? start == info->buffer : end == info->lastchar) {
    put_back(own(el), direction < 0 ? 0x10 : 0x0e);
    return CC_NORM;
  }
  ptrdiff_t column = info->cursor - start;
  const wchar_t *other = direction < 0 ? start - 1 : end + 1;
  const wchar_t *limit = other;
  if (direction < 0)
    while (other > info->buffer && other[-1] != L'\n') other--;
  else
    while (limit < info->lastchar && *limit != L'\n') limit++;
  const wchar_t *target = other + (column < limit - other ? column : limit - other);
  el_cursor(el, (int)(target - info->cursor));
  return CC_CURSOR;
}

static unsigned char up(EditLine *el, int key) { (void)key; return vertical(el, -1); }
static unsigned char down(EditLine *el, int key) { (void)key; return vertical(el, 1); }

static unsigned char left(EditLine *el, int key) {
  (void)key;
  int distance = whole(el_wline(el), -1);
  if (distance == 0) return CC_ERROR;
  el_cursor(el, distance);
  return CC_CURSOR;
}

static unsigned char right(EditLine *el, int key) {
  (void)key;
  int distance = whole(el_wline(el), 1);
  if (distance == 0) return accept_suggestion(el) ? CC_REFRESH : CC_ERROR;
  el_cursor(el, distance);
  return CC_CURSOR;
}

static unsigned char to_end(EditLine *el, int key) {
  (void)key;
  const LineInfoW *info = el_wline(el);
  if (info->cursor == info->lastchar) return accept_suggestion(el) ? CC_REFRESH : CC_CURSOR;
  const wchar_t *end = info->cursor;
  while (end < info->lastchar && *end != L'\n') end++;
  el_cursor(el, (int)(end - info->cursor));
  return CC_CURSOR;
}

static unsigned char to_start(EditLine *el, int key) {
  (void)key;
  const LineInfoW *info = el_wline(el);
  const wchar_t *start = info->cursor;
  while (start > info->buffer && start[-1] != L'\n') start--;
  el_cursor(el, (int)(start - info->cursor));
  return CC_CURSOR;
}

static unsigned char delete_before(EditLine *el, int key) {
  (void)key;
  int distance = whole(el_wline(el), -1);
  if (distance == 0) return CC_ERROR;
  el_deletestr(el, -distance);
  return CC_REFRESH;
}

static unsigned char delete_after(EditLine *el, int key) {
  (void)key;
  int distance = whole(el_wline(el), 1);
  if (distance == 0) return CC_ERROR;
  el_cursor(el, distance);
  el_deletestr(el, distance);
  return CC_REFRESH;
}

// Ctrl-D leaves an empty line, and deletes a character elsewhere.
static unsigned char delete_or_end(EditLine *el, int key) {
  const LineInfoW *info = el_wline(el);
  if (info->buffer == info->lastchar) {
    own(el)->ended = true;
    return CC_EOF;
  }
  return delete_after(el, key);
}

static unsigned char new_line(EditLine *el, int key) {
  (void)key;
  wchar_t text[2] = {L'\n', 0};
  return el_winsertstr(el, text) ? CC_ERROR : CC_REFRESH;
}

static unsigned char undo(EditLine *el, int key) {
  (void)key;
  struct srs_editline *editor = own(el);
  if (editor->snapshot_count < 2) return CC_ERROR;
  free(editor->snapshots[--editor->snapshot_count].text);
  struct snapshot *last = &editor->snapshots[editor->snapshot_count - 1];
  replace_line(el, last->text, last->length, last->cursor);
  return CC_REFRESH;
}

static unsigned char edit(EditLine *el, int key) {
  (void)key;
  struct srs_editline *editor = own(el);
  if (editor->calls.edit == NULL) return CC_ERROR;
  char *line = line_text(el);
  if (line == NULL) return CC_ERROR;
  el_set(el, EL_PREP_TERM, 0);
  char *changed = editor->calls.edit(editor->context, line);
  el_set(el, EL_PREP_TERM, 1);
  free(line);
  if (changed == NULL) return CC_REDISPLAY;
  replace_line(el, L"", 0, 0);
  if (*changed != 0) el_insertstr(el, changed);
  free(changed);
  return CC_REDISPLAY;
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
  EditLine *el = editor->el;
  el_set(el, EL_CLIENTDATA, editor);
  el_set(el, EL_PROMPT, prompt_of);
  el_set(el, EL_EDITOR, "emacs");
  el_set(el, EL_HIST, history, editor->history);
  el_set(el, EL_GETCFN, read_key);
  static const struct {
    const char *name, *help;
    unsigned char (*function)(EditLine *, int);
    const char *keys[4];
  } bindings[] = {
      {"srs-complete", "Complete the text before the cursor", complete, {"^I"}},
      {"srs-close", "Close a block", close_brace, {"}", ")", "]"}},
      {"srs-paste", "Insert pasted text", paste, {"\\206"}},
      {"srs-up", "The line above, or the entry before", up, {"\\201"}},
      {"srs-down", "The line below, or the entry after", down, {"\\202"}},
      {"srs-left", "The character before", left, {"^B"}},
      {"srs-right", "The character after, or the suggestion", right, {"^F"}},
      {"srs-to-start", "The beginning of the line", to_start, {"^A"}},
      {"srs-to-end", "The end of the line, or the suggestion", to_end, {"^E"}},
      {"srs-delete-before", "Delete the character before the cursor", delete_before, {"^H", "^?"}},
      {"srs-delete-after", "Delete the character at the cursor", delete_after, {"\\204"}},
      {"srs-delete-or-end", "Delete the character at the cursor, or leave", delete_or_end, {"^D"}},
      {"srs-new-line", "Begin a new line of the entry", new_line, {"\\207"}},
      {"srs-undo", "Undo the last change", undo, {"^_"}},
      {"srs-edit", "Change the entry in $EDITOR", edit, {"^X^E"}},
  };
  for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++) {
    el_set(el, EL_ADDFN, bindings[i].name, bindings[i].help, bindings[i].function);
    for (size_t k = 0; k < 4 && bindings[i].keys[k] != NULL; k++) el_set(el, EL_BIND, bindings[i].keys[k], bindings[i].name, NULL);
  }
  el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
  el_set(el, EL_BIND, "\\205", "em-delete-next-word", NULL);
  source(el);
  struct sigaction action = {.sa_handler = note_resize};
  sigaction(SIGWINCH, &action, NULL);
  action.sa_handler = note_continue;
  sigaction(SIGCONT, &action, NULL);
  return editor;
}

void srs_editline_free(srs_editline *editor) {
  if (editor == NULL) return;
  if (editor->el != NULL) el_end(editor->el);
  if (editor->history != NULL) history_end(editor->history);
  free(editor->pasted);
  forget_snapshots(editor);
  free(editor);
}

void srs_editline_set_calls(srs_editline *editor, struct srs_editline_calls calls, void *context) {
  editor->calls = calls;
  editor->context = context;
}

char *srs_editline_read(srs_editline *editor, const char *prompt, const char *indent, int *status) {
  snprintf(editor->prompt, sizeof editor->prompt, "%s", prompt);
  int count = 0;
  editor->interrupted = editor->ended = editor->is_session = false;
  editor->queued = 0;
  forget_snapshots(editor);
  resized = continued = 0;
  fputs("\033[?2004h", stdout);
  fflush(stdout);
  if (indent != NULL && indent[0] != 0) el_push(editor->el, indent);
  const char *line = el_gets(editor->el, &count);
  clear_suggestion(editor);
  fputs("\033[?2004l", stdout);
  fflush(stdout);
  if (line == NULL || count <= 0 || editor->interrupted) {
    *status = editor->interrupted ? SRS_INTERRUPTED : SRS_END;
    if (editor->interrupted) el_reset(editor->el);
    return NULL;
  }
  *status = editor->is_session ? SRS_SESSION : SRS_LINE;
  size_t length = strlen(line);
  while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) length--;
  return strndup(line, length);
}

void srs_editline_remember(srs_editline *editor, const char *entry) {
  HistEvent event;
  history(editor->history, &event, H_ENTER, entry);
}
