/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table of columns feeds the file's header, the checks, the hash, the store and `formulary set`.
 */
#include "controller/stock/product.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/ndc.h"
#include "config/base/utf8.h"

enum column_kind {
    COLUMN_CODE,
    COLUMN_TEXT,
    COLUMN_STRENGTH,
    COLUMN_RELEASE,
    COLUMN_RXCUI,
    COLUMN_NDC,
    COLUMN_PACKABLE,
    COLUMN_HALVES
};

static const struct column {
    const char *name;
    enum column_kind kind;
    bool required;
    size_t offset; /* of a text in struct product */
    size_t size;
} columns[] = {
#define TEXT(column_kind, name_, needed)                                                                    \
    {                                                                                                       \
        .name = #name_, .kind = column_kind, .required = needed, .offset = offsetof(struct product, name_), \
        .size = sizeof((struct product *)NULL)->name_                                                       \
    }
    TEXT(COLUMN_CODE, code, true),
    TEXT(COLUMN_TEXT, name, true),
    TEXT(COLUMN_TEXT, ingredient, true),
    TEXT(COLUMN_STRENGTH, strength, false),
    TEXT(COLUMN_TEXT, form, false),
    TEXT(COLUMN_RELEASE, release, false),
    TEXT(COLUMN_RXCUI, rxcui, false),
    TEXT(COLUMN_NDC, ndc, false),
    {.name = "packable", .kind = COLUMN_PACKABLE},
    {.name = "halves", .kind = COLUMN_HALVES},
    TEXT(COLUMN_TEXT, look, false),
    TEXT(COLUMN_TEXT, note, false),
#undef TEXT
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

const char *const product_columns[] = {"code",    "name",  "ingredient", "strength", "form",
                                       "release", "rxcui", "ndc",        "packable", "halves",
                                       "look",    "note",  NULL};
_Static_assert(sizeof product_columns / sizeof product_columns[0] == COLUMNS + 1, "the same columns");

static const char *const packables[] = {
    [PRODUCT_PACKABLE_NO] = "no",
    [PRODUCT_PACKABLE_YES] = "yes",
    [PRODUCT_PACKABLE_PHARMACIST] = "pharmacist",
};
static const char *const releases[] = {"", "IR", "ER", "DR"};

const char *product_packable_text(enum product_packable packable)
{
    return packables[packable];
}

bool product_code_ok(const char *code)
{
    size_t len = strnlen(code, PRODUCT_CODE_BYTES);
    if (len == 0 || len >= PRODUCT_CODE_BYTES)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)code[i]) && !strchr("._+-", code[i]))
            return false;
    }
    return true;
}

static bool all_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
    }
    return len > 0;
}

bool product_ndc(const char *text, char ret_ndc[PRODUCT_NDC_BYTES])
{
    char forms[NDC_FORMS_MAX][NDC_BYTES];
    if (ndc_forms(text, forms) != 1)
        return false;
    memcpy(ret_ndc, forms[0], sizeof forms[0]);
    return true;
}

static bool rxcui_ok(const char *text)
{
    size_t len = strnlen(text, 9);
    return len >= 1 && len <= 8 && text[0] != '0' && all_digits(text, len);
}

/* Identifiers with one space between, each checked, NDCs normalised. */
static int codes_set(struct product *product, const struct column *column, const char *text,
                     struct error *err)
{
    char codes[PRODUCT_CODES_BYTES] = "";
    size_t used = 0;
    int count = 0;
    for (const char *at = text; *text && at; count++) {
        char one[32];
        char ndc[PRODUCT_NDC_BYTES];
        size_t len = strcspn(at, " ");
        (void)snprintf(one, sizeof one, "%.*s", len < sizeof one ? (int)len : 0,
                       at); /* too long: "" is refused */
        bool right = column->kind == COLUMN_NDC ? product_ndc(one, ndc) : rxcui_ok(one);
        if (!right)
            return error_set(err, E_INPUT, "%s \"%.60s\": %s, one space between", column->name, text,
                             column->kind == COLUMN_NDC
                                 ? "give NDCs with hyphens (0000-0000-00) or as eleven digits"
                                 : "give RxCUIs of one to eight digits without a leading zero");
        const char *code = column->kind == COLUMN_NDC ? ndc : one;
        if (count >= PRODUCT_IDENTIFIERS_MAX || used + strlen(code) + 2 > sizeof codes)
            return error_set(err, E_INPUT, "%s: more than %d codes", column->name, PRODUCT_IDENTIFIERS_MAX);
        used += (size_t)snprintf(codes + used, sizeof codes - used, "%s%s", used ? " " : "", code);
        at = at[len] ? at + len + 1 : NULL;
    }
    memcpy((char *)product + column->offset, codes, sizeof codes);
    return 0;
}

static int text_set(struct product *product, const struct column *column, const char *text, struct error *err)
{
    size_t len = strnlen(text, column->size);
    if (len >= column->size)
        return error_set(err, E_INPUT, "%s: longer than %zu bytes", column->name, column->size - 1);
    if (column->required && len == 0)
        return error_set(err, E_INPUT, "%s: must not be empty", column->name);
    if (len > 0 && (text[0] == ' ' || text[len - 1] == ' '))
        return error_set(err, E_INPUT, "%s \"%.60s\": remove the space at its end", column->name, text);
    if (!utf8_printable(text, len))
        return error_set(err, E_INPUT, "%s: a character that cannot be printed: remove it", column->name);
    if (column->kind == COLUMN_CODE && !product_code_ok(text))
        return error_set(err, E_INPUT, "code \"%.60s\": give 1 to %d letters, digits and . _ + -", text,
                         PRODUCT_CODE_BYTES - 1);
    memset((char *)product + column->offset, 0, column->size);
    memcpy((char *)product + column->offset, text, len);
    return 0;
}

static const struct column *column_find(const char *name)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    }
    return NULL;
}

static int packable_set(struct product *product, const char *text, struct error *err)
{
    for (size_t i = 0; i < sizeof packables / sizeof packables[0]; i++) {
        if (strcmp(text, packables[i]) == 0) {
            product->packable = (enum product_packable)i;
            return 0;
        }
    }
    return error_set(err, E_INPUT, "packable \"%.60s\": give yes, no or pharmacist", text);
}

static int halves_set(struct product *product, const char *text, struct error *err)
{
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
        return error_set(err, E_INPUT, "halves \"%.60s\": give yes or no", text);
    product->halves = text[0] == 'y';
    return 0;
}

static int release_set(struct product *product, const char *text, struct error *err)
{
    for (size_t i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        if (strcmp(text, releases[i]) == 0) {
            (void)snprintf(product->release, sizeof product->release, "%s", text);
            return 0;
        }
    }
    return error_set(err, E_INPUT, "release \"%.60s\": give IR, ER, DR or nothing", text);
}

/* Digits with points and commas, and all digits are zero. */
static bool is_zero(const char *number, size_t len)
{
    bool digits = false;
    for (size_t i = 0; i < len; i++) {
        if (number[i] >= '1' && number[i] <= '9')
            return false;
        digits = digits || number[i] == '0';
    }
    return digits;
}

/* A dash after a letter or digit joins two ("5-325 mg"); any other one before a number is its sign. */
static bool is_sign(const char *text, const char *at)
{
    if (strncmp(at, "\xe2\x88\x92", 3) == 0) /* U+2212 */
        return true;
    return *at == '-' && isdigit((unsigned char)at[1 + strspn(at + 1, " .")]) &&
           (at == text || !isalnum((unsigned char)at[-1]));
}

/* A strength is free text ("875 mg+125 mg", "100 unit/mL"), but no number in it may be zero or less. */
static int strength_set(struct product *product, const struct column *column, const char *text,
                        struct error *err)
{
    for (const char *at = text; *at;) {
        size_t len = strspn(at, "0123456789.,");
        bool begins = at == text || !isalpha((unsigned char)at[-1]); /* not the 0 of a name */
        if (is_sign(text, at))
            return error_set(err, E_INPUT, "strength \"%.60s\": less than nothing", text);
        if (begins && is_zero(at, len))
            return error_set(err, E_INPUT, "strength \"%.60s\": a number in it is zero", text);
        at += len ? len : 1;
    }
    return text_set(product, column, text, err);
}

int product_set(struct product *product, const char *name, const char *text, struct error *err)
{
    const struct column *column = column_find(name);
    if (!column)
        return error_set(err, E_INPUT, "%.60s: no such column of a formulary", name);
    switch (column->kind) {
    case COLUMN_CODE:
    case COLUMN_TEXT:
        return text_set(product, column, text, err);
    case COLUMN_STRENGTH:
        return strength_set(product, column, text, err);
    case COLUMN_RELEASE:
        return release_set(product, text, err);
    case COLUMN_RXCUI:
    case COLUMN_NDC:
        return codes_set(product, column, text, err);
    case COLUMN_PACKABLE:
        return packable_set(product, text, err);
    case COLUMN_HALVES:
        return halves_set(product, text, err);
    }
    return error_set(err, E_INPUT, "%.60s: no such column of a formulary", name);
}

const char *product_field(const struct product *product, const char *name)
{
    const struct column *column = column_find(name);
    if (!column)
        return NULL;
    if (column->kind == COLUMN_PACKABLE)
        return packables[product->packable];
    if (column->kind == COLUMN_HALVES)
        return product->halves ? "yes" : "no";
    return (const char *)product + column->offset;
}

int product_check(const struct product *product, struct error *err)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (columns[i].required && !*product_field(product, columns[i].name))
            return error_set(err, E_INPUT, "%s: must not be empty", columns[i].name);
    }
    if (product->packable != PRODUCT_PACKABLE_NO && (!product->strength[0] || !product->form[0]))
        return error_set(err, E_INPUT, "packable: a product without strength and form cannot be packed");
    if (product->halves && !strstr(product->form, "tablet"))
        return error_set(err, E_INPUT, "halves: only a tablet can be halved, not \"%.60s\"", product->form);
    return 0;
}

void product_hash(const struct product *product, uint8_t ret_hash[SEAL_HASH_BYTES])
{
    char text[sizeof *product + 512];
    struct buf buf;
    buf_init_fixed(&buf, text, sizeof text);
    buf_text(&buf, "sachet-product/1\n");
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *field = product_field(product, columns[i].name);
        buf_printf(&buf, "%s %zu:%s\n", columns[i].name, strlen(field), field);
    }
    buf_printf(&buf, "provisional %d\n", product->provisional);
    assert(!buf.failed); /* all fields together fit by their limits */
    seal_hash(buf.data, buf.len, ret_hash);
}
