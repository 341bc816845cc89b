/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/token.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* ISO/IEC 7064 hybrid system MOD 37,36: P = 36; for each character P = (P + a) mod 36, or 36 for 0, then
 * P = 2 P mod 37; the check character makes (P + c) mod 36 = 1. */
char token_check_character(const char *text)
{
    unsigned p = 36;
    for (; *text; text++) {
        const char *at = strchr(alphabet, *text == '-' ? 'Z' : *text);
        if (!at)
            continue;
        p = (p + (unsigned)(at - alphabet)) % 36;
        p = (p ? p : 36) * 2 % 37;
    }
    return alphabet[(37 - p) % 36];
}

bool token_format(int64_t batch, int64_t pouch, int64_t remake, char ret_token[TOKEN_BYTES])
{
    if (batch < 1 || pouch < 1 || remake < 0)
        return false;
    char text[TOKEN_BYTES];
    int len = snprintf(text, sizeof text, "%" PRId64 "-%05" PRId64, batch, pouch);
    if (remake > 0 && len > 0 && len < (int)sizeof text)
        len += snprintf(text + len, sizeof text - (size_t)len, "R%" PRId64, remake);
    if (len < 0 || len + 2 >= (int)sizeof text)
        return false;
    char check = token_check_character(text);
    memcpy(ret_token, text, (size_t)len);
    ret_token[len] = '-';
    ret_token[len + 1] = check;
    ret_token[len + 2] = '\0';
    return true;
}

static const char mark[] = "SIM";
enum { MARK_LEN = sizeof mark - 1, CHECK_LEN = 2 /* hyphen and character */ };

bool token_is_simulated(const char *token)
{
    return strncmp(token, mark, MARK_LEN) == 0;
}

bool token_mark_simulated(char token[TOKEN_BYTES])
{
    char text[TOKEN_BYTES];
    size_t len = strlen(token);
    if (len <= CHECK_LEN || len + MARK_LEN >= TOKEN_BYTES)
        return false;
    memcpy(text, mark, MARK_LEN);
    memcpy(text + MARK_LEN, token, len - CHECK_LEN);
    text[MARK_LEN + len - CHECK_LEN] = '\0';
    char check = token_check_character(text);
    int n = snprintf(token, TOKEN_BYTES, "%.*s-%c", (int)(TOKEN_BYTES - 1 - CHECK_LEN), text, check);
    return n > 0 && n < TOKEN_BYTES;
}

/* Digits 1..18 of them; the number of characters read, 0 none. */
static size_t read_number(const char *text, int64_t *ret_value)
{
    int64_t value = 0;
    size_t len = 0;
    for (; len < 18 && text[len] >= '0' && text[len] <= '9'; len++)
        value = value * 10 + (text[len] - '0');
    *ret_value = value;
    return len;
}

bool token_parse(const char *token, int64_t *ret_batch, int64_t *ret_pouch, int64_t *ret_remake)
{
    int64_t batch = 0, pouch = 0, remake = 0;
    const char *at = token_is_simulated(token) ? token + MARK_LEN : token;
    size_t len = read_number(at, &batch);
    at += len;
    if (len == 0 || *at++ != '-')
        return false;
    len = read_number(at, &pouch);
    at += len;
    if (len == 0)
        return false;
    if (*at == 'R') {
        len = read_number(++at, &remake);
        at += len;
    }
    /* Written again it must be the same bytes: leading zeros and the check character are part of it. */
    char again[TOKEN_BYTES];
    if (!token_format(batch, pouch, remake, again) ||
        (token_is_simulated(token) && !token_mark_simulated(again)) || strcmp(again, token) != 0)
        return false;
    *ret_batch = batch;
    *ret_pouch = pouch;
    *ret_remake = remake;
    return true;
}
