// What Swift cannot call of libssl: macros, and functions that OpenSSL declares as macros over `ctrl`.
#ifndef POSTERN_COPENSSL_TLS_H
#define POSTERN_COPENSSL_TLS_H
#include <openssl/ssl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

static inline int postern_SSL_CTX_set_min_proto_version(SSL_CTX *ctx, int version) { return (int)SSL_CTX_set_min_proto_version(ctx, version); }
static inline void postern_SSL_CTX_set_mode(SSL_CTX *ctx) {
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}
static inline void postern_SSL_CTX_session_cache_off(SSL_CTX *ctx) { SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); }
static inline void postern_SSL_CTX_dh_auto(SSL_CTX *ctx) { SSL_CTX_set_dh_auto(ctx, 1); }
static inline int postern_SSL_CTX_set_groups(SSL_CTX *ctx, const char *list) { return (int)SSL_CTX_set1_groups_list(ctx, list); }
static inline void postern_SSL_CTX_set_servername(SSL_CTX *ctx, int (*callback)(SSL *, int *, void *), void *argument) {
    SSL_CTX_set_tlsext_servername_callback(ctx, callback);
    SSL_CTX_set_tlsext_servername_arg(ctx, argument);
}
static inline void postern_SSL_CTX_safe_options(SSL_CTX *ctx) {
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}
static inline long postern_SSL_set_servername(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }

static inline _Bool postern_SSL_has_extended_master_secret(SSL *ssl) { return SSL_get_extms_support(ssl) == 1; }

// Memory BIOs.
static inline size_t postern_BIO_pending(BIO *bio) { return (size_t)BIO_pending(bio); }
static inline size_t postern_BIO_contents(BIO *bio, const char **data) {
    char *start = NULL;
    long count = BIO_get_mem_data(bio, &start);
    *data = start;
    return count > 0 ? (size_t)count : 0;
}
static inline void postern_BIO_empty(BIO *bio) { (void)BIO_reset(bio); }
// An empty memory BIO says "come again", not "end of file".
static inline void postern_BIO_never_ends(BIO *bio) { BIO_set_mem_eof_return(bio, -1); }

// Chains: macros over SSL_CTX_ctrl.
static inline int postern_SSL_CTX_add1_chain_cert(SSL_CTX *ctx, X509 *cert) { return (int)SSL_CTX_add1_chain_cert(ctx, cert); }
static inline int postern_SSL_CTX_clear_chain_certs(SSL_CTX *ctx) { return (int)SSL_CTX_clear_chain_certs(ctx); }

// Names of a certificate: STACK_OF functions are macros.
static inline GENERAL_NAMES *postern_X509_names(X509 *cert) { return (GENERAL_NAMES *)X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL); }
static inline void postern_names_free(GENERAL_NAMES *names) { GENERAL_NAMES_free(names); }
static inline int postern_names_count(GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
// The octets of a DNS name (kind 2) or an address (kind 7); other kinds are NULL.
static inline const unsigned char *postern_names_value(GENERAL_NAMES *names, int index, int *kind, int *count) {
    GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    *kind = name->type;
    if (name->type != GEN_DNS && name->type != GEN_IPADD) return NULL;
    ASN1_STRING *text = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    *count = ASN1_STRING_length(text);
    return ASN1_STRING_get0_data(text);
}

static inline EVP_PKEY *postern_EVP_P256_generate(void) { return EVP_EC_gen("P-256"); }
#endif
