// What Swift cannot call of libcrypto when it looks into certificates: stacks and their macros. Complete in itself.
#ifndef POSTERN_COPENSSL_CERTIFICATE_H
#define POSTERN_COPENSSL_CERTIFICATE_H
#include <openssl/ssl.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline int postern_X509_stack_count(const STACK_OF(X509) *stack) { return stack ? sk_X509_num(stack) : 0; }
static inline X509 *postern_X509_stack_at(const STACK_OF(X509) *stack, int index) { return sk_X509_value(stack, index); }
static inline STACK_OF(X509) *postern_X509_stack_new(void) { return sk_X509_new_null(); }
static inline int postern_X509_stack_push(STACK_OF(X509) *stack, X509 *certificate) { return sk_X509_push(stack, certificate); }
static inline void postern_X509_stack_free(STACK_OF(X509) *stack) { sk_X509_free(stack); }

// OPENSSL_free is a macro that carries file and line.
static inline void postern_x509_free(void *block) { OPENSSL_free(block); }
#endif
