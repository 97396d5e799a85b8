// Public keys of signatures, decoded once.
//
// libopendkim decodes the key of every signature of every message with d2i_PUBKEY_bio(). OpenSSL 3 builds a chain of decoders
// for each call (1,600 allocations for one RSA key), which costs more than the verification that follows, and it is mostly
// the same few domains that write. libopendkim has no way to hand it a key in another form, so this file defines the function
// that it calls: the program's own definition goes before libcrypto's. It behaves like libcrypto's for everybody, and looks
// into a table of known keys only inside postern_dkim_eom_with_known_keys(), on that thread.
//
// Keys are compared by all their octets. EVP_PKEY is counted by reference, and libopendkim only reads it (its type and size,
// EVP_PKEY_get1_RSA, which OpenSSL locks, and verification).
#include "shim.h"
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 256, LARGEST = 1024 };

struct place {
    uint64_t hash;
    EVP_PKEY *key;
    int length;
    unsigned char octets[LARGEST];
};

// A place for each hash: a newcomer takes it from the key before. At most 256 KiB, and the keys (a few KiB each).
static struct place *places[PLACES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t found_count, decoded_count;
static _Thread_local bool is_verifying;

static uint64_t hash_of(const unsigned char *octets, int length) {
    uint64_t hash = 14695981039346656037u; // FNV-1a
    for (int i = 0; i < length; i++) hash = (hash ^ octets[i]) * 1099511628211u;
    return hash ^ hash >> 32;
}

static EVP_PKEY *known(uint64_t hash, const unsigned char *octets, int length) {
    EVP_PKEY *key = NULL;
    pthread_mutex_lock(&lock);
    const struct place *place = places[hash % PLACES];
    if (place && place->key && place->hash == hash && place->length == length && memcmp(place->octets, octets, (size_t)length) == 0
        && EVP_PKEY_up_ref(place->key) == 1) key = place->key;
    pthread_mutex_unlock(&lock);
    return key;
}

static void keep(uint64_t hash, const unsigned char *octets, int length, EVP_PKEY *key) {
    EVP_PKEY *former = NULL;
    pthread_mutex_lock(&lock);
    struct place **place = &places[hash % PLACES];
    if (!*place) *place = calloc(1, sizeof **place);
    if (*place && EVP_PKEY_up_ref(key) == 1) {
        former = (*place)->key;
        (*place)->hash = hash;
        (*place)->key = key;
        (*place)->length = length;
        memcpy((*place)->octets, octets, (size_t)length);
    }
    pthread_mutex_unlock(&lock);
    EVP_PKEY_free(former);
}

/// As libcrypto defines it, but for keys that are known while a message is verified.
EVP_PKEY *d2i_PUBKEY_bio(BIO *bio, EVP_PKEY **into) {
    unsigned char *octets = NULL;
    const long length = is_verifying && !into && BIO_method_type(bio) == BIO_TYPE_MEM ? BIO_get_mem_data(bio, &octets) : 0;
    const bool fits = octets && length > 0 && length <= LARGEST;
    const uint64_t hash = fits ? hash_of(octets, (int)length) : 0;
    EVP_PKEY *key = fits ? known(hash, octets, (int)length) : NULL;
    if (key) {
        atomic_fetch_add_explicit(&found_count, 1, memory_order_relaxed);
        return key;
    }
    // This is what libcrypto's function does (crypto/x509/x_pubkey.c). The octets are copied first: it reads them out of the BIO.
    unsigned char copy[LARGEST];
    if (fits) memcpy(copy, octets, (size_t)length);
    key = ASN1_d2i_bio_of(EVP_PKEY, EVP_PKEY_new, d2i_PUBKEY, bio, into);
    if (key && fits) {
        atomic_fetch_add_explicit(&decoded_count, 1, memory_order_relaxed);
        keep(hash, copy, (int)length, key);
    }
    return key;
}

DKIM_STAT postern_dkim_eom_with_known_keys(DKIM *dkim) {
    is_verifying = true;
    const DKIM_STAT status = dkim_eom(dkim, NULL);
    is_verifying = false;
    return status;
}

void postern_known_keys_count(uint64_t *found, uint64_t *decoded) {
    *found = atomic_load_explicit(&found_count, memory_order_relaxed);
    *decoded = atomic_load_explicit(&decoded_count, memory_order_relaxed);
}
