#ifndef POSTERN_COPENSSL_TLS_H
#define POSTERN_COPENSSL_TLS_H
#include <openssl/ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* Macros and variadics of OpenSSL that Swift cannot call. */

/* TLS 1.2 or newer; the modes a memory-BIO user needs; tickets, but no session cache in this process. */
static inline int postern_ssl_ctx_defaults(SSL_CTX *ctx) {
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
}

static inline int postern_ssl_set_host_name(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }

static inline EVP_PKEY *postern_p256_key(void) { return EVP_EC_gen("P-256"); }

/* A self-signed server certificate; names is a subjectAltName value: "DNS:a,DNS:b". */
static inline X509 *postern_self_signed(EVP_PKEY *key, const char *common_name, const char *names, long days, long serial) {
    X509 *x = X509_new();
    if (x == NULL) return NULL;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), days * 86400L);
    X509_set_pubkey(x, key);
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509V3_CTX v3;
    X509V3_set_ctx_nodb(&v3);
    X509V3_set_ctx(&v3, x, x, NULL, NULL, 0);
    const struct { int nid; const char *value; } extensions[] = {
        { NID_subject_alt_name, names }, { NID_basic_constraints, "critical,CA:FALSE" }, { NID_ext_key_usage, "serverAuth" },
    };
    for (int i = 0; i < 3; i++) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &v3, extensions[i].nid, extensions[i].value);
        if (e == NULL) { X509_free(x); return NULL; }
        X509_add_ext(x, e, -1);
        X509_EXTENSION_free(e);
    }
    if (X509_sign(x, key, EVP_sha256()) == 0) { X509_free(x); return NULL; }
    return x;
}

/* Bytes of a memory BIO, borrowed. */
static inline long postern_bio_data(BIO *bio, char **out) { return BIO_get_mem_data(bio, out); }
#endif
