// What an ACME client needs of libcrypto and Swift cannot call: STACK_OF macros, and a signature's two numbers.
#ifndef POSTERN_COPENSSL_ACME_H
#define POSTERN_COPENSSL_ACME_H
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

// r and s, 32 octets each, of a DER signature by a P-256 key.
static inline int postern_ECDSA_raw(const unsigned char *der, size_t count, unsigned char *raw) {
    const unsigned char *at = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)count);
    if (signature == NULL) return 0;
    int done = BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, 32) == 32 && BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + 32, 32) == 32;
    ECDSA_SIG_free(signature);
    return done;
}

// A PKCS #10 request with these names ("DNS:a,DNS:b"), signed; the octets are freed with OPENSSL_free. 0 or less: it failed.
static inline int postern_request_der(EVP_PKEY *key, const char *names, unsigned char **octets) {
    X509_REQ *request = X509_REQ_new();
    X509_EXTENSION *piece = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    STACK_OF(X509_EXTENSION) *pieces = sk_X509_EXTENSION_new_null();
    int count = 0;
    if (request != NULL && piece != NULL && pieces != NULL && sk_X509_EXTENSION_push(pieces, piece) == 1) {
        piece = NULL;
        if (X509_REQ_set_version(request, 0) == 1 && X509_REQ_set_pubkey(request, key) == 1
            && X509_REQ_add_extensions(request, pieces) == 1 && X509_REQ_sign(request, key, EVP_sha256()) > 0) {
            *octets = NULL;
            count = i2d_X509_REQ(request, octets);
        }
    }
    X509_EXTENSION_free(piece);
    sk_X509_EXTENSION_pop_free(pieces, X509_EXTENSION_free);
    X509_REQ_free(request);
    return count;
}
#endif
