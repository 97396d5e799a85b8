#ifndef POSTERN_CCRYPT_SHIM_H
#define POSTERN_CCRYPT_SHIM_H
#include <crypt.h>
#include <stdlib.h>
#include <string.h>
/* crypt_data is 32 kB: Swift should not have it on a stack. Returns 0 and writes the NUL-terminated hash. */
static inline int postern_crypt(const char *phrase, const char *setting, char out[CRYPT_OUTPUT_SIZE]) {
    struct crypt_data *d = calloc(1, sizeof *d);
    if (d == NULL) return -1;
    const char *r = crypt_r(phrase, setting, d);
    int bad = r == NULL || r[0] == '*';
    if (!bad) { strncpy(out, r, CRYPT_OUTPUT_SIZE - 1); out[CRYPT_OUTPUT_SIZE - 1] = 0; }
    explicit_bzero(d, sizeof *d);
    free(d);
    return bad ? -1 : 0;
}
/* Whether libcrypt can check a hash of this form: 1 or 0. */
static inline int postern_crypt_is_known(const char *hash) {
    int r = crypt_checksalt(hash);
    return r == CRYPT_SALT_OK || r == CRYPT_SALT_METHOD_LEGACY || r == CRYPT_SALT_TOO_CHEAP;
}
static inline int postern_crypt_gensalt(const char *prefix, unsigned long cost, char out[CRYPT_GENSALT_OUTPUT_SIZE]) {
    return crypt_gensalt_rn(prefix, cost, NULL, 0, out, CRYPT_GENSALT_OUTPUT_SIZE) == NULL ? -1 : 0;
}
#endif
