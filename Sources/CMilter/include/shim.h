#ifndef POSTERN_CMILTER_SHIM_H
#define POSTERN_CMILTER_SHIM_H

#include <stdbool.h>
#include <libmilter/mfapi.h>

// libmilter's API takes `char *` where it only reads, and smfi_setmlreply is variadic: Swift can call neither
// as it is. Each wrapper below is the function of the same name with const strings.

/// The most lines smfi_setmlreply takes (libmilter's MAXREPLIES).
#define POSTERN_MAX_REPLY_LINES 32

static inline int postern_smfi_setconn(const char *spec) { return smfi_setconn((char *)spec); }

static inline const char *postern_smfi_getsymval(SMFICTX *ctx, const char *name) {
    return smfi_getsymval(ctx, (char *)name);
}

static inline int postern_smfi_setsymlist(SMFICTX *ctx, int where, const char *macros) {
    return smfi_setsymlist(ctx, where, (char *)macros);
}

static inline int postern_smfi_addheader(SMFICTX *ctx, const char *name, const char *value) {
    return smfi_addheader(ctx, (char *)name, (char *)value);
}

static inline int postern_smfi_insheader(SMFICTX *ctx, int index, const char *name, const char *value) {
    return smfi_insheader(ctx, index, (char *)name, (char *)value);
}

/// A null value deletes the field.
static inline int postern_smfi_chgheader(SMFICTX *ctx, const char *name, int occurrence, const char *value) {
    return smfi_chgheader(ctx, (char *)name, occurrence, (char *)value);
}

static inline int postern_smfi_chgfrom(SMFICTX *ctx, const char *sender, const char *args) {
    return smfi_chgfrom(ctx, (char *)sender, (char *)args);
}

static inline int postern_smfi_addrcpt(SMFICTX *ctx, const char *recipient) {
    return smfi_addrcpt(ctx, (char *)recipient);
}

static inline int postern_smfi_addrcpt_par(SMFICTX *ctx, const char *recipient, const char *args) {
    return smfi_addrcpt_par(ctx, (char *)recipient, (char *)args);
}

static inline int postern_smfi_delrcpt(SMFICTX *ctx, const char *recipient) {
    return smfi_delrcpt(ctx, (char *)recipient);
}

static inline int postern_smfi_replacebody(SMFICTX *ctx, const void *bytes, size_t count) {
    return smfi_replacebody(ctx, (unsigned char *)bytes, (int)count);
}

static inline int postern_smfi_quarantine(SMFICTX *ctx, const char *reason) {
    return smfi_quarantine(ctx, (char *)reason);
}

/// Sets a reply of `count` lines (at most POSTERN_MAX_REPLY_LINES); `enhanced` may be null.
int postern_smfi_setmlreply(SMFICTX *ctx, const char *code, const char *enhanced, const char *const *lines, int count);

#endif
