#ifndef POSTERN_CARCHIVE_SHIM_H
#define POSTERN_CARCHIVE_SHIM_H
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

// File names become text by the calling thread's locale; without this, 'C' would lose all that is not ASCII.
// Returns the locale to go back to.
static inline locale_t postern_utf8_locale(void) {
    static locale_t utf8 = (locale_t)0;
    if (utf8 == (locale_t)0) {
        // Two threads may make one each: the loser's is a few kilobytes, once.
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    }
    return utf8 == (locale_t)0 ? uselocale((locale_t)0) : uselocale(utf8);
}
static inline void postern_restore_locale(locale_t earlier) { uselocale(earlier); }
#endif
