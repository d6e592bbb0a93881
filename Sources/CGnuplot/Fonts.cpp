#include "CGnuplot.h"

#include <dlfcn.h>
#include <strings.h>

// fontconfig is installed with every gnuplot that draws text. It is loaded on first use, not linked, because linking would
// slow down each start of the program. Its interface has not changed since 2002.
namespace {

struct FontSet {
  int count, room;
  void **fonts;
};

struct Fontconfig {
  void *library = dlopen("libfontconfig.so.1", RTLD_NOW | RTLD_LOCAL);
  FontSet *fonts = nullptr;
  int (*charset)(void *, const char *, int, void **) = nullptr;
  int (*has)(void *, uint32_t) = nullptr;
  int (*string)(void *, const char *, int, unsigned char **) = nullptr;

  Fontconfig() {
    if (library == nullptr) return;
    auto load = reinterpret_cast<void *(*)()>(dlsym(library, "FcInitLoadConfigAndFonts"));
    auto all = reinterpret_cast<FontSet *(*)(void *, int)>(dlsym(library, "FcConfigGetFonts"));
    charset = reinterpret_cast<decltype(charset)>(dlsym(library, "FcPatternGetCharSet"));
    has = reinterpret_cast<decltype(has)>(dlsym(library, "FcCharSetHasChar"));
    string = reinterpret_cast<decltype(string)>(dlsym(library, "FcPatternGetString"));
    if (load == nullptr || all == nullptr || charset == nullptr || has == nullptr || string == nullptr) return;
    void *configuration = load();
    // 0 is FcSetSystem: the fonts of the system, without fonts that a program has added.
    if (configuration != nullptr) fonts = all(configuration, 0);
  }
};

const Fontconfig &fontconfig() {
  static const Fontconfig one;
  return one;
}

} // namespace

extern "C" bool srs_fonts_have(const uint32_t *letters, size_t count, bool *has) {
  const Fontconfig &config = fontconfig();
  if (config.fonts == nullptr) return false;
  for (size_t i = 0; i < count; i++) {
    has[i] = false;
    for (int font = 0; font < config.fonts->count && !has[i]; font++) {
      void *set = nullptr;
      if (config.charset(config.fonts->fonts[font], "charset", 0, &set) == 0 && set != nullptr)
        has[i] = config.has(set, letters[i]) != 0;
    }
  }
  return true;
}

extern "C" bool srs_fonts_know(const char *family) {
  const Fontconfig &config = fontconfig();
  if (config.fonts == nullptr) return true;
  for (int font = 0; font < config.fonts->count; font++) {
    unsigned char *name = nullptr;
    for (int i = 0; config.string(config.fonts->fonts[font], "family", i, &name) == 0; i++)
      if (strcasecmp(reinterpret_cast<const char *>(name), family) == 0) return true;
  }
  return false;
}
