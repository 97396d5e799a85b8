#ifndef POSTERN_COPENDKIM_SHIM_H
#define POSTERN_COPENDKIM_SHIM_H
#include <stdint.h>
#include <sys/types.h>
#include <opendkim/dkim.h>

/// `dkim_eom`, with public keys that were decoded before taken from memory: see keys.c.
DKIM_STAT postern_dkim_eom_with_known_keys(DKIM *dkim);

/// How many public keys of signatures were taken from memory since the process began, and how many decoded.
void postern_known_keys_count(uint64_t *found, uint64_t *decoded);
#endif
