// CommonMark to HTML, by the cmark library.
#ifndef SRS_CMARKDOWN_H
#define SRS_CMARKDOWN_H
#include <stddef.h>

/// Renders CommonMark as HTML without raw HTML and without links that run scripts. The caller frees the result with
/// srs_markdown_free. NULL when memory is short.
char *srs_markdown_html(const char *text, size_t length);

void srs_markdown_free(char *html);
#endif
