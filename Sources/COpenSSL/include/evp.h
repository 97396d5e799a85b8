#ifndef POSTERN_COPENSSL_EVP_H
#define POSTERN_COPENSSL_EVP_H
// What DKIM signing needs of libcrypto and Swift cannot call: macros. Complete in itself, because the package manager's
// module map is the whole folder and takes the headers in any order.
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

// BIO_get_mem_data is a macro over BIO_ctrl.
static inline long postern_bio_mem_data(BIO *bio, char **data) { return BIO_get_mem_data(bio, data); }

// OPENSSL_free is a macro that carries file and line.
static inline void postern_evp_free(void *block) { OPENSSL_free(block); }

// A password callback that has none: an encrypted key is an error, never a prompt on the terminal.
static inline int postern_no_password(char *buffer, int size, int writing, void *context) {
    (void)buffer; (void)size; (void)writing; (void)context;
    return -1;
}

static inline EVP_PKEY *postern_read_private_key(BIO *bio) { return PEM_read_bio_PrivateKey(bio, NULL, postern_no_password, NULL); }
#endif
