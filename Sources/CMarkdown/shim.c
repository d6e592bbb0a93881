#include "CMarkdown.h"

#include <cmark.h>
#include <stdlib.h>

// CMARK_OPT_UNSAFE is not set, so that a notebook from the web cannot put scripts into the page.
char *srs_markdown_html(const char *text, size_t length) {
  return cmark_markdown_to_html(text, length, CMARK_OPT_DEFAULT | CMARK_OPT_VALIDATE_UTF8 | CMARK_OPT_SMART);
}

void srs_markdown_free(char *html) { free(html); }
