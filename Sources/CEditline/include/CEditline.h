// libedit's native interface behind functions without variable arguments, because Swift cannot call those with them.
#ifndef SRS_CEDITLINE_H
#define SRS_CEDITLINE_H
#include <stddef.h>

typedef struct srs_editline srs_editline;

/// SRS_SESSION: a line that was pasted from a session, with prompts, which are left out.
enum { SRS_LINE = 0, SRS_END = 1, SRS_INTERRUPTED = 2, SRS_SESSION = 3 };

/// Completes the text before the cursor. It is called with the line and the byte offset of the cursor. It writes the text to
/// insert, at most `capacity` bytes, into `insert`, and returns a list of choices to show, one per line, that the caller
/// frees with `free`, or NULL.
typedef char *(*srs_completer)(void *context, const char *line, size_t cursor, char *insert, size_t capacity);

/// Functions that the editor calls, all with the same context.
struct srs_editline_calls {
  srs_completer complete;
  /// Whether Ctrl-C has been typed. It is called at least five times per second while a key is awaited.
  int (*is_interrupted)(void *context);
  /// Lets the user change a text in an editor of their own; returns it in memory that the caller frees, or NULL.
  char *(*edit)(void *context, const char *text);
  /// The line with terminal codes for colours, which take no columns; in memory that the caller frees, or NULL for no colours.
  char *(*colour)(void *context, const char *line);
  /// What the line may be continued with, as the user typed it before; in memory that the caller frees, or NULL.
  char *(*suggest)(void *context, const char *line);
};

/// A line editor on the standard streams; NULL when the terminal cannot be set up. Reads the user's ~/.editrc.
srs_editline *srs_editline_new(const char *program, int history_size);
void srs_editline_free(srs_editline *editor);
void srs_editline_set_calls(srs_editline *editor, struct srs_editline_calls calls, void *context);

/// Reads a line and returns it without its line break, in memory that the caller frees, or NULL at the end or on Ctrl-C. A line
/// that was pasted, recalled or typed with Alt-Enter has line breaks inside.
/// `indent` is text that the line begins with, or NULL. *status becomes SRS_LINE, SRS_SESSION, SRS_END or SRS_INTERRUPTED.
char *srs_editline_read(srs_editline *editor, const char *prompt, const char *indent, int *status);

/// Adds an entry to the history of the session.
void srs_editline_remember(srs_editline *editor, const char *entry);
#endif
