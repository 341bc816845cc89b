/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/seal/cost.h"
#include "controller/seal/seal.h"

static const char password[] = "correct horse battery";
static const char message[] = "pouch 1 2026-11-23 08:00 morning 1/1";

static void unhex(const char *text, uint8_t *ret_bytes, size_t len)
{
    assert_int_equal(strlen(text), 2 * len);
    for (size_t i = 0; i < len; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        ret_bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

static void assert_hash(const char *text, const char *expected)
{
    uint8_t hash[SEAL_HASH_BYTES];
    char hex[SEAL_HASH_TEXT_BYTES];
    seal_hash(text, strlen(text), hash);
    seal_hash_text(hash, hex);
    assert_string_equal(hex, expected);
}

/* Figures from b2sum -l 256 (coreutils), another implementation. */
static void hash_is_blake2b_256(void **state)
{
    (void)state;
    assert_hash("", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    assert_hash("abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static void hash_text_reads_back_and_nothing_else_reads(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a",
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a80",
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3ag",
        " e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a80",
    };
    uint8_t hash[SEAL_HASH_BYTES];
    uint8_t again[SEAL_HASH_BYTES];
    char text[SEAL_HASH_TEXT_BYTES];
    seal_hash(message, strlen(message), hash);
    seal_hash_text(hash, text);
    assert_true(seal_hash_parse(text, again));
    assert_true(seal_equal(hash, again, sizeof hash));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(seal_hash_parse(bad[i], again));
    again[31] ^= 1;
    assert_false(seal_equal(hash, again, sizeof hash));
}

/* RFC 8032, section 7.1, test 2. */
static void verify_is_ed25519(void **state)
{
    (void)state;
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    uint8_t signature[SEAL_SIGNATURE_BYTES];
    const uint8_t data[] = {0x72};
    unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", public_key, sizeof public_key);
    unhex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
          signature, sizeof signature);
    assert_true(seal_verify(public_key, data, sizeof data, signature));
    signature[0] ^= 1;
    assert_false(seal_verify(public_key, data, sizeof data, signature));
}

static void a_changed_message_signature_or_key_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    uint8_t secret[SEAL_SECRET_BYTES];
    uint8_t signature[SEAL_SIGNATURE_BYTES];
    assert_int_equal(seal_key_create(password, public_key, secret, &err), 0);
    assert_int_equal(seal_sign(secret, password, message, sizeof message, signature, &err), 0);
    assert_true(seal_verify(public_key, message, sizeof message, signature));
    for (size_t bit = 0; bit < 8 * sizeof message; bit++) {
        char changed[sizeof message];
        memcpy(changed, message, sizeof message);
        changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
        assert_false(seal_verify(public_key, changed, sizeof changed, signature));
    }
    assert_false(seal_verify(public_key, message, sizeof message - 1, signature));
    for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(seal_verify(public_key, message, sizeof message, signature));
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    public_key[5] ^= 4;
    assert_false(seal_verify(public_key, message, sizeof message, signature));
}

static void only_the_password_opens_the_key(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "correct horse batterx", "correct horse batter",
                                        "correct horse battery "};
    struct error err = {0};
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    uint8_t secret[SEAL_SECRET_BYTES];
    uint8_t signature[SEAL_SIGNATURE_BYTES] = {0};
    const uint8_t untouched[SEAL_SIGNATURE_BYTES] = {0};
    assert_int_equal(seal_key_create(password, public_key, secret, &err), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(seal_sign(secret, wrong[i], message, sizeof message, signature, &err), E_DENIED);
        assert_memory_equal(signature, untouched, sizeof signature);
    }
}

/* One byte of each part, and all of the padding. */
static void a_changed_sealed_key_opens_nothing(void **state)
{
    (void)state;
    static const int places[] = {0, 1, 16, 17, 40, 41, 104, 105, 120, 121, 127};
    struct error err = {0};
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    uint8_t secret[SEAL_SECRET_BYTES];
    struct seal_key *key = NULL;
    assert_int_equal(seal_key_create(password, public_key, secret, &err), 0);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        secret[places[i]] ^= 0x10;
        assert_int_equal(seal_key_open(secret, password, &key, &err), E_DENIED);
        assert_null(key);
        secret[places[i]] ^= 0x10;
    }
    assert_int_equal(seal_key_open(secret, password, &key, &err), 0);
    uint8_t public_again[SEAL_PUBLIC_BYTES];
    seal_key_public(key, public_again);
    assert_memory_equal(public_again, public_key, sizeof public_key);
    seal_key_close(key);
    seal_key_close(NULL);
}

static void a_resealed_key_is_the_same_key_under_the_new_password_only(void **state)
{
    (void)state;
    struct error err = {0};
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    uint8_t secret[SEAL_SECRET_BYTES];
    uint8_t resealed[SEAL_SECRET_BYTES];
    uint8_t signature[SEAL_SIGNATURE_BYTES];
    assert_int_equal(seal_key_create(password, public_key, secret, &err), 0);
    assert_int_equal(seal_key_reseal(secret, "not the password", "another secret", resealed, &err), E_DENIED);
    assert_int_equal(seal_key_reseal(secret, password, "short", resealed, &err), E_INPUT);
    assert_int_equal(seal_key_reseal(secret, password, "another secret", resealed, &err), 0);
    assert_int_equal(seal_sign(resealed, password, message, sizeof message, signature, &err), E_DENIED);
    assert_int_equal(seal_sign(resealed, "another secret", message, sizeof message, signature, &err), 0);
    assert_true(seal_verify(public_key, message, sizeof message, signature));
}

static void passwords_match_themselves_only_and_have_bounds(void **state)
{
    (void)state;
    struct error err = {0};
    char text[SEAL_PASSWORD_TEXT_BYTES];
    char long_password[SEAL_PASSWORD_MAX + 2];
    memset(long_password, 'x', sizeof long_password - 1);
    long_password[sizeof long_password - 1] = '\0';
    assert_int_equal(seal_password_hash("1234567", text, &err), E_INPUT);
    assert_int_equal(seal_password_hash(long_password, text, &err), E_INPUT);
    long_password[SEAL_PASSWORD_MAX] = '\0';
    assert_int_equal(seal_password_hash(long_password, text, &err), 0);
    assert_true(seal_password_matches(text, long_password));
    assert_null(strstr(text, "xxxx"));
    long_password[SEAL_PASSWORD_MAX - 1] = '\0';
    assert_false(seal_password_matches(text, long_password));
    assert_false(seal_password_matches("", ""));
    assert_false(seal_password_matches("$argon2id$broken", password));
}

/* Other tests link cheaper ones (tests/support/cheap_seal.c); what is built for people has these. */
static void the_products_costs_stand_in_every_password_and_key(void **state)
{
    (void)state;
    struct error err = {0};
    char text[SEAL_PASSWORD_TEXT_BYTES];
    uint8_t public_key[SEAL_PUBLIC_BYTES], secret[SEAL_SECRET_BYTES];
    assert_int_equal(seal_password_hash(password, text, &err), 0);
    assert_non_null(strstr(text, "$m=65536,t=2,p=1$"));
    assert_int_equal(seal_key_create(password, public_key, secret, &err), 0);
    assert_int_equal(secret[0], SEAL_KEY_FORMAT);
}

static int setup(void **state)
{
    (void)state;
    return seal_init(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_blake2b_256),
        cmocka_unit_test(hash_text_reads_back_and_nothing_else_reads),
        cmocka_unit_test(verify_is_ed25519),
        cmocka_unit_test(a_changed_message_signature_or_key_is_refused),
        cmocka_unit_test(only_the_password_opens_the_key),
        cmocka_unit_test(a_changed_sealed_key_opens_nothing),
        cmocka_unit_test(a_resealed_key_is_the_same_key_under_the_new_password_only),
        cmocka_unit_test(passwords_match_themselves_only_and_have_bounds),
        cmocka_unit_test(the_products_costs_stand_in_every_password_and_key),
    };
    return cmocka_run_group_tests_name("seal", tests, setup, NULL);
}
