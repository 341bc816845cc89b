/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal: the one place that knows libsodium. Hashes (BLAKE2b-256), passwords (Argon2id), signatures (Ed25519)
 * and a secret key that only its owner's password opens (Argon2id + XChaCha20-Poly1305).
 *
 * Pure but for randomness: the salts and keys of seal_password_hash and seal_key_create, and seal_random. Any
 * thread. Password functions take a tenth of a second or more on purpose. Secrets are wiped from memory
 * before the functions return.
 */
#ifndef CONTROLLER_SEAL_SEAL_H
#define CONTROLLER_SEAL_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum {
    SEAL_HASH_BYTES = 32,
    SEAL_HASH_TEXT_BYTES = 65,      /* 64 hex digits and the NUL */
    SEAL_PASSWORD_TEXT_BYTES = 128, /* Argon2id string with its NUL */
    SEAL_PASSWORD_MIN = 8,          /* characters of a password */
    SEAL_PASSWORD_MAX = 256,
    SEAL_PUBLIC_BYTES = 32,
    SEAL_SIGNATURE_BYTES = 64,
    SEAL_SECRET_BYTES = 128, /* format byte, salt, nonce and encrypted secret key, padded with zeros */
};

/* An opened secret key, in guarded memory that is never swapped out. */
struct seal_key;

/* Must be called once by main() before anything else here; E_SYSTEM when no randomness is to be had. */
int seal_init(struct error *err);

void seal_hash(const void *data, size_t len, uint8_t ret_hash[SEAL_HASH_BYTES]);
void seal_hash_text(const uint8_t hash[SEAL_HASH_BYTES], char ret_text[SEAL_HASH_TEXT_BYTES]);
bool seal_hash_parse(const char *text, uint8_t ret_hash[SEAL_HASH_BYTES]);
/* Compares in constant time. */
bool seal_equal(const void *a, const void *b, size_t len);

/* E_INPUT when the password is too short or too long. */
int seal_password_hash(const char *password, char ret_text[SEAL_PASSWORD_TEXT_BYTES], struct error *err);
bool seal_password_matches(const char *text, const char *password);
/* Takes as long as seal_password_matches, so that nobody learns from the time whether there is such a login.
 */
void seal_password_waste(const char *password);

/* A new key pair; the secret half comes back sealed under the password. */
int seal_key_create(const char *password, uint8_t ret_public[SEAL_PUBLIC_BYTES],
                    uint8_t ret_secret[SEAL_SECRET_BYTES], struct error *err);
/*
 * Opens a sealed key for a series of signatures. E_DENIED when the password does not open it or a byte of it
 * was changed. The key is the caller's until seal_key_close, which wipes it and takes NULL.
 */
int seal_key_open(const uint8_t secret[SEAL_SECRET_BYTES], const char *password, struct seal_key **ret_key,
                  struct error *err);
void seal_key_close(struct seal_key *key);
void seal_key_sign(const struct seal_key *key, const void *data, size_t len,
                   uint8_t ret_signature[SEAL_SIGNATURE_BYTES]);
/* The public half, so that a caller can see whose key this is. */
void seal_key_public(const struct seal_key *key, uint8_t ret_public[SEAL_PUBLIC_BYTES]);
/* The same secret half, sealed under another password. E_DENIED as seal_key_open, E_INPUT as
 * seal_password_hash. */
int seal_key_reseal(const uint8_t secret[SEAL_SECRET_BYTES], const char *password, const char *new_password,
                    uint8_t ret_secret[SEAL_SECRET_BYTES], struct error *err);
/* Opens, signs once and closes. E_DENIED when the password does not open the key. */
int seal_sign(const uint8_t secret[SEAL_SECRET_BYTES], const char *password, const void *data, size_t len,
              uint8_t ret_signature[SEAL_SIGNATURE_BYTES], struct error *err);
bool seal_verify(const uint8_t public_key[SEAL_PUBLIC_BYTES], const void *data, size_t len,
                 const uint8_t signature[SEAL_SIGNATURE_BYTES]);
/* Fills memory with random bytes, for a key that no person has to remember. */
void seal_random(void *data, size_t len);
/* Overwrites memory in a way that the compiler keeps. */
void seal_wipe(void *data, size_t len);

#endif
