// OpenSSL's libcrypto for Swift: what it can't import, or only with many pointers, as inline functions.
#pragma once
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>

static inline EVP_PKEY *haul_public_key(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params && context && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return key;
}

/// An RSA key of a modulus and an exponent, big-endian; NULL where they make none. Free it with EVP_PKEY_free.
static inline EVP_PKEY *haul_rsa_key(const uint8_t *n, size_t n_size, const uint8_t *e, size_t e_size)
{
    BIGNUM *modulus = BN_bin2bn(n, (int)n_size, NULL), *exponent = BN_bin2bn(e, (int)e_size, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    // With an exponent of 1 whoever knows the text has the signature.
    if (modulus && exponent && build && BN_is_odd(modulus) && BN_is_odd(exponent) && !BN_is_one(exponent)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus)
        && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
        params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *key = haul_public_key("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(exponent);
    BN_free(modulus);
    return key;
}

/// A key on P-256 of an uncompressed point: 4, then x and y of 32 bytes each; NULL where it is not on the curve.
static inline EVP_PKEY *haul_p256_key(const uint8_t *point, size_t size)
{
    OSSL_PARAM params[3];
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"prime256v1", 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, size);
    params[2] = OSSL_PARAM_construct_end();
    return haul_public_key("EC", params);
}

/// Whether a signature over the SHA-256 of a message is the key's: PKCS #1 v1.5 of an RSA key, DER of one on a curve.
static inline bool haul_verify_sha256(
    EVP_PKEY *key, const uint8_t *signature, size_t signature_size, const uint8_t *message, size_t size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_right = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1
        && EVP_DigestVerify(context, signature, signature_size, message, size) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return is_right;
}

/// The DER of a raw signature on P-256 (RFC 7518, 3.4): r and s, of 32 bytes each.
/// Returns its size; `der` is to be freed with OPENSSL_free. 0 where there is no memory.
static inline int haul_p256_der(const uint8_t *raw, uint8_t **der)
{
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, 32, NULL), *s = BN_bin2bn(raw + 32, 32, NULL);
    int size = 0;
    *der = NULL;
    if (signature && r && s && ECDSA_SIG_set0(signature, r, s) == 1) {
        r = s = NULL; // the signature's now
        size = i2d_ECDSA_SIG(signature, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    ERR_clear_error();
    return size < 0 ? 0 : size;
}
