#include "CDownloads.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <md5.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// libcurl depends on twenty more libraries. It is loaded at the first download, not at the start of the program, which
// would take twice as long.
typedef struct {
  CURL *(*easy_init)(void);
  CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
  CURLcode (*easy_perform)(CURL *);
  CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
  void (*easy_cleanup)(CURL *);
} curl_functions;

static int open_curl(curl_functions *curl) {
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!library) return 0;
  curl->easy_init = (CURL * (*)(void)) dlsym(library, "curl_easy_init");
  curl->easy_setopt = (CURLcode(*)(CURL *, CURLoption, ...))dlsym(library, "curl_easy_setopt");
  curl->easy_perform = (CURLcode(*)(CURL *))dlsym(library, "curl_easy_perform");
  curl->easy_getinfo = (CURLcode(*)(CURL *, CURLINFO, ...))dlsym(library, "curl_easy_getinfo");
  curl->easy_cleanup = (void (*)(CURL *))dlsym(library, "curl_easy_cleanup");
  return curl->easy_init && curl->easy_setopt && curl->easy_perform && curl->easy_getinfo && curl->easy_cleanup;
}

typedef struct {
  int descriptor;
  int failed;
  srs_transfer_watch watch;
  void *context;
  int64_t from;
} transfer;

static size_t take(char *bytes, size_t size, size_t count, void *context) {
  transfer *t = context;
  size_t left = size * count;
  while (left > 0) {
    ssize_t written = write(t->descriptor, bytes, left);
    if (written <= 0) {
      t->failed = 1;
      return 0;
    }
    bytes += written;
    left -= (size_t)written;
  }
  return size * count;
}

static int watch(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now) {
  (void)up_total;
  (void)up_now;
  transfer *t = context;
  return t->watch(t->context, t->from + now, total > 0 ? t->from + total : 0);
}

int srs_fetch(const char *url, int descriptor, int64_t from, srs_transfer_watch watcher, void *context, char *message,
              size_t size) {
  curl_functions curl;
  if (!open_curl(&curl)) return SRS_FETCH_MISSING;
  CURL *easy = curl.easy_init();
  if (!easy) return SRS_FETCH_MISSING;
  transfer t = {descriptor, 0, watcher, context, from};
  char reason[CURL_ERROR_SIZE] = "";
  curl.easy_setopt(easy, CURLOPT_URL, url);
  curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl.easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl.easy_setopt(easy, CURLOPT_MAXREDIRS, 5L);
  curl.easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
  curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 20L);
  // Without any data for 30 seconds, a transfer counts as broken.
  curl.easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl.easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, 30L);
  curl.easy_setopt(easy, CURLOPT_USERAGENT, "srs (StackRec)");
  curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
  curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
  curl.easy_setopt(easy, CURLOPT_WRITEDATA, &t);
  curl.easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl.easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, watch);
  curl.easy_setopt(easy, CURLOPT_XFERINFODATA, &t);
  if (from > 0) curl.easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)from);
  CURLcode code = curl.easy_perform(easy);
  long status = 0;
  curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl.easy_cleanup(easy);
  if (code == CURLE_OK) return SRS_FETCHED;
  snprintf(message, size, "%s", reason[0] ? reason : "the transfer failed");
  if (t.failed) return SRS_FETCH_DISK;
  switch (code) {
  case CURLE_ABORTED_BY_CALLBACK: return SRS_FETCH_STOPPED;
  case CURLE_HTTP_RETURNED_ERROR: return status >= 500 || status == 429 ? SRS_FETCH_BROKEN : SRS_FETCH_REFUSED;
  case CURLE_URL_MALFORMAT:
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_RANGE_ERROR:
  case CURLE_TOO_MANY_REDIRECTS: return SRS_FETCH_REFUSED;
  default: return SRS_FETCH_BROKEN;
  }
}

int srs_md5(const char *path, char digits[33]) { return MD5File(path, digits) ? 0 : -1; }
