// CommonMark by the cmark library.
#ifndef SRS_CMARKDOWN_H
#define SRS_CMARKDOWN_H
#include <stddef.h>

/// The text as HTML, to be freed with srs_markdown_free; raw HTML and links that run scripts are left out. NULL when
/// memory is short.
char *srs_markdown_html(const char *text, size_t length);

void srs_markdown_free(char *html);
#endif
