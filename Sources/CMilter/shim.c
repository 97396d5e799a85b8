#define _GNU_SOURCE
#include "shim.h"
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

int postern_smfi_setmlreply(SMFICTX *ctx, const char *code, const char *enhanced, const char *const *lines, int count) {
    char *l[POSTERN_MAX_REPLY_LINES] = {0};
    for (int i = 0; i < count && i < POSTERN_MAX_REPLY_LINES; i++) l[i] = (char *)lines[i];
    // smfi_setmlreply makes up an enhanced code (5.0.0) where none is given; smfi_setreply does not.
    if (count == 1) return smfi_setreply(ctx, (char *)code, (char *)enhanced, l[0]);
    // The list ends at the first null, so the unused places cost nothing.
    return smfi_setmlreply(ctx, (char *)code, (char *)enhanced, l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7], l[8],
                           l[9], l[10], l[11], l[12], l[13], l[14], l[15], l[16], l[17], l[18], l[19], l[20], l[21],
                           l[22], l[23], l[24], l[25], l[26], l[27], l[28], l[29], l[30], l[31], (char *)0);
}

static bool is_libmilters_set(const sigset_t *set) {
    for (int signal = 1; signal < 32; signal++) {
        bool expected = signal == SIGHUP || signal == SIGTERM || signal == SIGINT;
        if ((sigismember(set, signal) == 1) != expected) return false;
    }
    return true;
}

// libmilter starts a thread that waits for HUP, TERM and INT and stops the whole milter when one comes. This program
// handles these signals itself (HUP reloads), and a burst of HUPs did stop the milter. libmilter offers no switch for
// it, so its call lands here, by ordinary symbol interposition, and that one set waits for ever. Any other set goes
// to the C library's own sigwait.
int sigwait(const sigset_t *set, int *signal) {
    if (is_libmilters_set(set)) {
        for (;;) pause();
    }
    int (*real)(const sigset_t *, int *) = (int (*)(const sigset_t *, int *))dlsym(RTLD_NEXT, "sigwait");
    return real ? real(set, signal) : ENOSYS;
}
