// GnuTLS for Swift, beside libmicrohttpd, which speaks TLS with it: the certificate that a server shows, and whether the
// one that a client shows is good.
#pragma once
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HAUL_TLS_CHAIN 16

/// A certificate with what signed it, and its key.
struct haul_tls_identity {
    gnutls_pcert_st chain[HAUL_TLS_CHAIN];
    unsigned int count;
    gnutls_privkey_t key;
};

static inline gnutls_datum_t haul_tls_datum(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)text, text ? (unsigned int)strlen(text) : 0};
}

static inline void haul_tls_identity_free(struct haul_tls_identity *identity)
{
    for (unsigned int i = 0; i < identity->count; i++)
        gnutls_pcert_deinit(&identity->chain[i]);
    if (identity->key)
        gnutls_privkey_deinit(identity->key);
    free(identity);
}

/// Reads both from PEM; the key has to be the certificate's. NULL with GnuTLS's error in `*error`.
static inline struct haul_tls_identity *haul_tls_identity_make(const char *certificate, const char *key, int *error)
{
    gnutls_datum_t certificate_pem = haul_tls_datum(certificate), key_pem = haul_tls_datum(key);
    gnutls_certificate_credentials_t check = NULL;
    *error = gnutls_certificate_allocate_credentials(&check);
    if (*error == 0) {
        *error = gnutls_certificate_set_x509_key_mem(check, &certificate_pem, &key_pem, GNUTLS_X509_FMT_PEM);
        gnutls_certificate_free_credentials(check);
    }
    if (*error < 0)
        return NULL;
    struct haul_tls_identity *identity = calloc(1, sizeof *identity);
    if (!identity) {
        *error = GNUTLS_E_MEMORY_ERROR;
        return NULL;
    }
    unsigned int count = HAUL_TLS_CHAIN;
    *error = gnutls_pcert_list_import_x509_raw(identity->chain, &count, &certificate_pem, GNUTLS_X509_FMT_PEM, 0);
    if (*error >= 0) {
        identity->count = count;
        *error = gnutls_privkey_init(&identity->key);
    }
    if (*error >= 0)
        *error = gnutls_privkey_import_x509_raw(identity->key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (*error >= 0)
        return identity;
    haul_tls_identity_free(identity);
    return NULL;
}

/// GnuTLS asks for the certificate of a handshake. It only borrows what it is given: that has to live until the session ends.
typedef int (*haul_tls_retrieve)(
    gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **chain, unsigned int *count,
    gnutls_ocsp_data_st **ocsp, unsigned int *ocsp_count, gnutls_privkey_t *key, unsigned int *flags);

static inline int haul_tls_lend(
    struct haul_tls_identity *identity, gnutls_pcert_st **chain, unsigned int *count, gnutls_ocsp_data_st **ocsp,
    unsigned int *ocsp_count, gnutls_privkey_t *key, unsigned int *flags)
{
    *chain = identity->chain;
    *count = identity->count;
    *ocsp = NULL;
    *ocsp_count = 0;
    *key = identity->key;
    *flags = 0;
    return 0;
}

/// Asks the client for whatever certificate it has, not for one of certain authorities: which they are may change.
static inline void haul_tls_name_no_authorities(void *session)
{
    gnutls_certificate_send_x509_rdn_sequence((gnutls_session_t)session, 1);
}

/// Authorities, and lists of certificates that they took back (may be NULL), both PEM.
/// NULL with GnuTLS's error in `*error`; 0 stands for a text without any authority.
static inline gnutls_x509_trust_list_t haul_tls_trust(const char *authorities, const char *revoked, int *error)
{
    gnutls_x509_trust_list_t list = NULL;
    *error = gnutls_x509_trust_list_init(&list, 0);
    if (*error < 0)
        return NULL;
    gnutls_datum_t pem = haul_tls_datum(authorities), crls = haul_tls_datum(revoked);
    *error = gnutls_x509_trust_list_add_trust_mem(list, &pem, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
    if (*error > 0 && revoked)
        *error = gnutls_x509_trust_list_add_trust_mem(
            list, NULL, &crls, GNUTLS_X509_FMT_PEM, GNUTLS_TL_VERIFY_CRL | GNUTLS_TL_FAIL_ON_INVALID_CRL, 0);
    if (*error > 0)
        return list;
    gnutls_x509_trust_list_deinit(list, 1);
    return NULL;
}

static inline void haul_tls_trust_free(gnutls_x509_trust_list_t list) { gnutls_x509_trust_list_deinit(list, 1); }

/// What a client's certificate is worth.
struct haul_tls_client {
    bool is_there;
    /// As GnuTLS has it; 0 is good.
    unsigned int status;
    time_t expires;
    /// RFC 4514, to be freed with gnutls_free; NULL where it can't be read.
    gnutls_datum_t subject;
};

/// Looks at the certificate that the client of a session showed, on that session's thread.
static inline struct haul_tls_client haul_tls_look(void *session, gnutls_x509_trust_list_t list)
{
    struct haul_tls_client client = {false, GNUTLS_CERT_INVALID, 0, {NULL, 0}};
    unsigned int size = 0, count = 0;
    const gnutls_datum_t *der = gnutls_certificate_get_peers((gnutls_session_t)session, &size);
    if (!der || size == 0)
        return client;
    client.is_there = true;
    gnutls_x509_crt_t chain[HAUL_TLS_CHAIN];
    for (; count < size && count < HAUL_TLS_CHAIN; count++) {
        if (gnutls_x509_crt_init(&chain[count]) < 0)
            break;
        if (gnutls_x509_crt_import(chain[count], &der[count], GNUTLS_X509_FMT_DER) < 0) {
            gnutls_x509_crt_deinit(chain[count]);
            break;
        }
    }
    if (count == size) {
        gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, 0};
        unsigned int status = GNUTLS_CERT_INVALID;
        if (gnutls_x509_trust_list_verify_crt2(list, chain, count, &purpose, 1, 0, &status, NULL) == 0)
            client.status = status;
        client.expires = gnutls_x509_crt_get_expiration_time(chain[0]);
        if (gnutls_x509_crt_get_dn3(chain[0], &client.subject, 0) < 0)
            client.subject.data = NULL;
    }
    while (count > 0)
        gnutls_x509_crt_deinit(chain[--count]);
    return client;
}

static inline void haul_tls_client_free(struct haul_tls_client *client)
{
    gnutls_free(client->subject.data);
    client->subject.data = NULL;
}
