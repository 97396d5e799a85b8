// adjtimex(2), which Glibc's Swift overlay leaves out.
#ifndef POSTERN_CTIMEX_SHIM_H
#define POSTERN_CTIMEX_SHIM_H
#include <sys/timex.h>

// Asks only: 1 when somebody keeps the kernel's clock right, 0 when nobody does, -1 when it cannot be asked (errno).
static inline int postern_clock_is_kept(void) {
    struct timex state = { .modes = 0 };
    if (adjtimex(&state) < 0) return -1;
    return (state.status & STA_UNSYNC) ? 0 : 1;
}
#endif
