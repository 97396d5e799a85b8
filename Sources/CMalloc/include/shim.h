// malloc(3)'s knobs, which Glibc's Swift overlay leaves out. Elsewhere than with glibc these do nothing.
#ifndef POSTERN_CMALLOC_SHIM_H
#define POSTERN_CMALLOC_SHIM_H
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// At most so many arenas (mallopt(3), M_ARENA_MAX). Before the first thread is made.
static inline void postern_limit_arenas(int count) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, count);
#else
    (void)count;
#endif
}

// Gives free pages back to the system (malloc_trim(3)): 1 when there were any.
static inline int postern_trim_memory(void) {
#ifdef __GLIBC__
    return malloc_trim(0);
#else
    return 0;
#endif
}
#endif
