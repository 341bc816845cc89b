/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sealed key is: format byte | salt | nonce | XChaCha20-Poly1305 of the Ed25519 secret key | zeros. Format
 * byte and salt are authenticated with the key, so that a changed byte anywhere opens nothing. The costs of
 * Argon2id are pinned by format (cost.h) and not taken from libsodium's defaults: an upgrade of the library
 * must not close old keys.
 */
#include "controller/seal/seal.h"

#include <sodium.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/seal/cost.h"

enum {
    KEY_FORMAT_AT = 0,
    KEY_SALT_AT = 1,
    KEY_NONCE_AT = KEY_SALT_AT + crypto_pwhash_argon2id_SALTBYTES,
    KEY_CIPHER_AT = KEY_NONCE_AT + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    KEY_CIPHER_BYTES = crypto_sign_SECRETKEYBYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
    KEY_END = KEY_CIPHER_AT + KEY_CIPHER_BYTES,
};

_Static_assert(SEAL_HASH_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert((int)SEAL_PASSWORD_TEXT_BYTES == (int)crypto_pwhash_argon2id_STRBYTES, "Argon2id text");
_Static_assert((int)SEAL_PUBLIC_BYTES == (int)crypto_sign_PUBLICKEYBYTES, "Ed25519 public key");
_Static_assert((int)SEAL_SIGNATURE_BYTES == (int)crypto_sign_BYTES, "Ed25519 signature");
_Static_assert((int)KEY_END <= (int)SEAL_SECRET_BYTES, "a sealed key fits");

struct seal_key {
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
};

int seal_init(struct error *err)
{
    if (sodium_init() < 0)
        return error_set(err, E_SYSTEM, "no randomness from the system: signing and passwords cannot work");
    return 0;
}

void seal_hash(const void *data, size_t len, uint8_t ret_hash[SEAL_HASH_BYTES])
{
    (void)crypto_generichash(ret_hash, SEAL_HASH_BYTES, data, len, NULL,
                             0); /* fails only for wrong lengths of hash or key */
}

void seal_hash_text(const uint8_t hash[SEAL_HASH_BYTES], char ret_text[SEAL_HASH_TEXT_BYTES])
{
    (void)sodium_bin2hex(ret_text, SEAL_HASH_TEXT_BYTES, hash, SEAL_HASH_BYTES); /* returns ret_text */
}

bool seal_hash_parse(const char *text, uint8_t ret_hash[SEAL_HASH_BYTES])
{
    uint8_t hash[SEAL_HASH_BYTES];
    size_t len = strlen(text);
    size_t used = 0;
    if (len != SEAL_HASH_TEXT_BYTES - 1 ||
        sodium_hex2bin(hash, sizeof hash, text, len, NULL, &used, NULL) != 0 || used != sizeof hash)
        return false;
    memcpy(ret_hash, hash, sizeof hash);
    return true;
}

bool seal_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

void seal_random(void *data, size_t len)
{
    randombytes_buf(data, len);
}

void seal_wipe(void *data, size_t len)
{
    sodium_memzero(data, len);
}

static int password_check(const char *password, struct error *err)
{
    size_t len = strnlen(password, SEAL_PASSWORD_MAX + 1);
    if (len < SEAL_PASSWORD_MIN)
        return error_set(err, E_INPUT, "password is too short: give at least %d characters",
                         SEAL_PASSWORD_MIN);
    if (len > SEAL_PASSWORD_MAX)
        return error_set(err, E_INPUT, "password is too long: give at most %d characters", SEAL_PASSWORD_MAX);
    return 0;
}

int seal_password_hash(const char *password, char ret_text[SEAL_PASSWORD_TEXT_BYTES], struct error *err)
{
    int rc = password_check(password, err);
    if (rc)
        return rc;
    if (crypto_pwhash_argon2id_str(ret_text, password, strlen(password), seal_cost.passes,
                                   seal_cost.memory) != 0)
        return error_set(err, E_MEMORY, "not enough memory to hash a password (%zu MiB are needed)",
                         seal_cost.memory >> 20);
    return 0;
}

bool seal_password_matches(const char *text, const char *password)
{
    size_t len = strnlen(password, SEAL_PASSWORD_MAX + 1);
    char padded[SEAL_PASSWORD_TEXT_BYTES] = {0}; /* libsodium asks for an array of this length */
    if (len > SEAL_PASSWORD_MAX || strlen(text) >= sizeof padded)
        return false;
    memcpy(padded, text, strlen(text));
    return crypto_pwhash_argon2id_str_verify(padded, password, len) == 0;
}

void seal_password_waste(const char *password)
{
    static const uint8_t salt[crypto_pwhash_argon2id_SALTBYTES];
    uint8_t key[SEAL_HASH_BYTES];
    int rc =
        crypto_pwhash_argon2id(key, sizeof key, password, strnlen(password, SEAL_PASSWORD_MAX), salt,
                               seal_cost.passes, seal_cost.memory, crypto_pwhash_argon2id_ALG_ARGON2ID13);
    (void)rc; /* only its time counts */
    sodium_memzero(key, sizeof key);
}

/* The key that a password gives with the salt of a sealed key. */
static int password_to_key(const uint8_t secret[SEAL_SECRET_BYTES], const char *password,
                           uint8_t ret_key[crypto_aead_xchacha20poly1305_ietf_KEYBYTES], struct error *err)
{
    if (crypto_pwhash_argon2id(ret_key, crypto_aead_xchacha20poly1305_ietf_KEYBYTES, password,
                               strlen(password), secret + KEY_SALT_AT, seal_cost.passes, seal_cost.memory,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return error_set(err, E_MEMORY, "not enough memory to open a key (%zu MiB are needed)",
                         seal_cost.memory >> 20);
    return 0;
}

static int key_seal(const uint8_t key[crypto_sign_SECRETKEYBYTES], const char *password,
                    uint8_t ret_secret[SEAL_SECRET_BYTES], struct error *err)
{
    uint8_t secret[SEAL_SECRET_BYTES] = {[KEY_FORMAT_AT] = seal_cost.key_format};
    uint8_t wrap[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    randombytes_buf(secret + KEY_SALT_AT, KEY_CIPHER_AT - KEY_SALT_AT);
    int rc = password_to_key(secret, password, wrap, err);
    if (rc == 0) {
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(secret + KEY_CIPHER_AT, NULL, key,
                                                         crypto_sign_SECRETKEYBYTES, secret, KEY_NONCE_AT,
                                                         NULL, secret + KEY_NONCE_AT, wrap); /* cannot fail */
        memcpy(ret_secret, secret, sizeof secret);
    }
    sodium_memzero(wrap, sizeof wrap);
    return rc;
}

int seal_key_create(const char *password, uint8_t ret_public[SEAL_PUBLIC_BYTES],
                    uint8_t ret_secret[SEAL_SECRET_BYTES], struct error *err)
{
    int rc = password_check(password, err);
    if (rc)
        return rc;
    uint8_t key[crypto_sign_SECRETKEYBYTES];
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    (void)crypto_sign_keypair(public_key, key); /* cannot fail */
    rc = key_seal(key, password, ret_secret, err);
    if (rc == 0)
        memcpy(ret_public, public_key, sizeof public_key);
    sodium_memzero(key, sizeof key);
    return rc;
}

int seal_key_open(const uint8_t secret[SEAL_SECRET_BYTES], const char *password, struct seal_key **ret_key,
                  struct error *err)
{
    static const char denied[] = "the password does not open the signing key";
    if (secret[KEY_FORMAT_AT] != seal_cost.key_format ||
        !sodium_is_zero(secret + KEY_END, (size_t)SEAL_SECRET_BYTES - KEY_END) ||
        strnlen(password, SEAL_PASSWORD_MAX + 1) > SEAL_PASSWORD_MAX)
        return error_set(err, E_DENIED, "%s", denied);
    uint8_t wrap[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
    int rc = password_to_key(secret, password, wrap, err);
    if (rc)
        return rc;
    struct seal_key *key = sodium_malloc(sizeof *key);
    if (!key)
        rc = error_set(err, E_MEMORY, "not enough guarded memory for a signing key");
    else if (crypto_aead_xchacha20poly1305_ietf_decrypt(key->secret, NULL, NULL, secret + KEY_CIPHER_AT,
                                                        KEY_CIPHER_BYTES, secret, KEY_NONCE_AT,
                                                        secret + KEY_NONCE_AT, wrap) != 0)
        rc = error_set(err, E_DENIED, "%s", denied);
    sodium_memzero(wrap, sizeof wrap);
    if (rc) {
        sodium_free(key);
        return rc;
    }
    *ret_key = key;
    return 0;
}

void seal_key_close(struct seal_key *key)
{
    sodium_free(key); /* wipes first */
}

void seal_key_sign(const struct seal_key *key, const void *data, size_t len,
                   uint8_t ret_signature[SEAL_SIGNATURE_BYTES])
{
    (void)crypto_sign_detached(ret_signature, NULL, data, len, key->secret); /* cannot fail */
}

void seal_key_public(const struct seal_key *key, uint8_t ret_public[SEAL_PUBLIC_BYTES])
{
    (void)crypto_sign_ed25519_sk_to_pk(ret_public, key->secret); /* cannot fail */
}

int seal_key_reseal(const uint8_t secret[SEAL_SECRET_BYTES], const char *password, const char *new_password,
                    uint8_t ret_secret[SEAL_SECRET_BYTES], struct error *err)
{
    int rc = password_check(new_password, err);
    if (rc)
        return rc;
    struct seal_key *key = NULL;
    rc = seal_key_open(secret, password, &key, err);
    if (rc)
        return rc;
    rc = key_seal(key->secret, new_password, ret_secret, err);
    seal_key_close(key);
    return rc;
}

int seal_sign(const uint8_t secret[SEAL_SECRET_BYTES], const char *password, const void *data, size_t len,
              uint8_t ret_signature[SEAL_SIGNATURE_BYTES], struct error *err)
{
    struct seal_key *key = NULL;
    int rc = seal_key_open(secret, password, &key, err);
    if (rc)
        return rc;
    seal_key_sign(key, data, len, ret_signature);
    seal_key_close(key);
    return 0;
}

bool seal_verify(const uint8_t public_key[SEAL_PUBLIC_BYTES], const void *data, size_t len,
                 const uint8_t signature[SEAL_SIGNATURE_BYTES])
{
    return crypto_sign_verify_detached(signature, data, len, public_key) == 0;
}
