// libedit's native interface behind calls without variable arguments.
#ifndef SRS_CEDITLINE_H
#define SRS_CEDITLINE_H
#include <stddef.h>

typedef struct srs_editline srs_editline;

enum { SRS_LINE = 0, SRS_END = 1, SRS_INTERRUPTED = 2 };

/// Words for the text before the cursor: called with the line and the cursor's byte place; writes at most `capacity`
/// bytes of what is to be inserted into `insert`, and returns a list of choices to show (malloc'd, one a line), or NULL.
typedef char *(*srs_completer)(void *context, const char *line, size_t cursor, char *insert, size_t capacity);

/// A line editor on the standard streams; NULL when the terminal cannot be set up. Reads the user's ~/.editrc.
srs_editline *srs_editline_new(const char *program, int history_size);
void srs_editline_free(srs_editline *editor);
void srs_editline_set_completer(srs_editline *editor, srs_completer completer, void *context);

/// Reads a line, without its line break, into memory the caller frees; *status says how it ended.
char *srs_editline_read(srs_editline *editor, const char *prompt, const char *indent, int *status);

/// Adds an entry to the history of the session.
void srs_editline_remember(srs_editline *editor, const char *entry);
#endif
