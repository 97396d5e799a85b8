// What Swift has no words for, or its overlay of the C library leaves out.
#ifndef POSTERN_CMEMORY_SHIM_H
#define POSTERN_CMEMORY_SHIM_H
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

// Has the processor fetch what is there, and does not wait for it. Any address will do.
static inline void postern_prefetch(const void *_Nullable address) { __builtin_prefetch(address); }

// At most so many arenas (mallopt(3), M_ARENA_MAX); musl has one. Before the first thread is made.
static inline void postern_limit_arenas(int count) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, count);
#else
    (void)count;
#endif
}

// Gives pages that the allocator keeps for later back to the system (malloc_trim(3)); musl does so by itself.
static inline void postern_give_back_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
#endif
