/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/catalogue.h"

#include "config/base/arena.h"
#include "config/base/error.h"
#include "config/base/ndc.h"
#include "controller/intake/keymap.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 512 };

struct catalogue {
    struct arena arena;
    struct keymap keys; /* "r:RXCUI", "n:NDC11", "t:name" -> struct owner */
    struct catalogue_row **rows;
    size_t count, cap;
};

/* A row and what belongs to it. */
struct owned_row {
    struct catalogue_row row; /* first: a pointer to it is one to the whole */
    struct catalogue_verdict verdict;
};

/* Who stands behind a key; several products may share a code. */
struct owner {
    const struct catalogue_row *row;
    bool several;
};

struct catalogue *catalogue_create(void)
{
    struct catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (catalogue == NULL)
        return NULL;
    arena_init(&catalogue->arena, 0);
    keymap_init(&catalogue->keys, &catalogue->arena);
    return catalogue;
}

void catalogue_destroy(struct catalogue *catalogue)
{
    if (catalogue == NULL)
        return;
    keymap_finish(&catalogue->keys);
    arena_finish(&catalogue->arena);
    free(catalogue->rows);
    free(catalogue);
}

size_t catalogue_count(const struct catalogue *catalogue)
{
    return catalogue->count;
}

const struct catalogue_row *catalogue_at(const struct catalogue *catalogue, size_t index)
{
    assert(index < catalogue->count);
    return catalogue->rows[index];
}

const struct catalogue_row *catalogue_by_code(const struct catalogue *catalogue, const char *code)
{
    for (size_t i = 0; i < catalogue_count(catalogue); i++) {
        const struct catalogue_row *row = catalogue_at(catalogue, i);
        if (strcmp(row->code, code) == 0)
            return row;
    }
    return NULL;
}

struct catalogue_verdict *catalogue_verdict(struct catalogue *catalogue, const struct catalogue_row *row)
{
    (void)catalogue; /* the owner of the row lends the right to change it */
    return &((struct owned_row *)(uintptr_t)row)->verdict;
}

bool code_is_rxnorm(const char *system)
{
    return strcmp(system, "http://www.nlm.nih.gov/research/umls/rxnorm") == 0 ||
           strcmp(system, "urn:oid:2.16.840.1.113883.6.88") == 0;
}

bool code_is_ndc(const char *system)
{
    return strcmp(system, "http://hl7.org/fhir/sid/ndc") == 0 ||
           strcmp(system, "urn:oid:2.16.840.1.113883.6.69") == 0;
}

/* "t:" and the name in lower case with single spaces. */
static size_t name_key(const char *name, char key[NAME_BYTES])
{
    size_t len = 2;
    bool gap = false;
    key[0] = 't';
    key[1] = ':';
    for (const char *p = name; *p != '\0' && len < NAME_BYTES - 2; p++) {
        if (isspace((unsigned char)*p)) {
            gap = len > 2;
            continue;
        }
        if (gap)
            key[len++] = ' ';
        gap = false;
        key[len++] = (char)tolower((unsigned char)*p);
    }
    key[len] = '\0';
    return len;
}

/* Two makers of one drug: either will do, and the lower code is taken. */
static bool alike(const struct catalogue_row *a, const struct catalogue_row *b)
{
    return a->packable == b->packable && a->halves == b->halves && a->provisional == b->provisional &&
           strcmp(a->ingredient, b->ingredient) == 0 && strcmp(a->strength, b->strength) == 0 &&
           strcmp(a->form, b->form) == 0 && strcmp(a->release, b->release) == 0;
}

static int enter(struct catalogue *catalogue, const char *key, size_t len, const struct catalogue_row *row,
                 struct error *err)
{
    void **place = keymap_put(&catalogue->keys, key, len);
    if (place == NULL)
        return error_set(err, E_MEMORY, "catalogue: out of memory");
    struct owner *owner = *place;
    if (owner == NULL) {
        owner = arena_alloc(&catalogue->arena, sizeof *owner);
        if (owner == NULL)
            return error_set(err, E_MEMORY, "catalogue: out of memory");
        owner->row = row;
        *place = owner;
    } else if (owner->row != row) {
        owner->several = owner->several || !alike(owner->row, row);
        if (strcmp(row->code, owner->row->code) < 0)
            owner->row = row;
    }
    return 0;
}

/* Enters each of the codes in a text with spaces between. */
static int enter_codes(struct catalogue *catalogue, char kind, const char *codes,
                       const struct catalogue_row *row, struct error *err)
{
    char key[80], forms[NDC_FORMS_MAX][NDC_BYTES];
    int rc = 0;
    for (const char *p = codes; *p != '\0' && rc == 0;) {
        size_t len = strcspn(p, " ");
        if (len > 0 && len < 70) {
            char code[72];
            memcpy(code, p, len);
            code[len] = '\0';
            int count = kind == 'n' ? ndc_forms(code, forms) : 1;
            for (int i = 0; i < count && rc == 0; i++) {
                int used = snprintf(key, sizeof key, "%c:%s", kind, kind == 'n' ? forms[i] : code);
                rc = enter(catalogue, key, (size_t)used, row, err);
            }
        }
        p += len;
        while (*p == ' ')
            p++;
    }
    return rc;
}

static const char *keep(struct catalogue *catalogue, const char *text, bool *failed)
{
    const char *copy =
        arena_text(&catalogue->arena, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
    if (copy == NULL)
        *failed = true;
    return copy;
}

int catalogue_add(struct catalogue *catalogue, const struct catalogue_row *row, struct error *err)
{
    char key[NAME_BYTES];
    bool failed = false;
    if (catalogue->count >= CATALOGUE_ROWS_MAX)
        return error_set(err, E_LIMIT, "catalogue: more than %d products", CATALOGUE_ROWS_MAX);
    if (catalogue->count == catalogue->cap) {
        size_t cap = catalogue->cap == 0 ? 256 : catalogue->cap * 2;
        struct catalogue_row **rows = realloc(catalogue->rows, cap * sizeof(struct catalogue_row *));
        if (rows == NULL)
            return error_set(err, E_MEMORY, "catalogue: out of memory");
        catalogue->rows = rows;
        catalogue->cap = cap;
    }
    struct owned_row *owned = arena_alloc(&catalogue->arena, sizeof *owned);
    if (owned == NULL)
        return error_set(err, E_MEMORY, "catalogue: out of memory");
    struct catalogue_row *copy = &owned->row;
    *copy = *row;
    copy->code = keep(catalogue, row->code, &failed);
    copy->name = keep(catalogue, row->name, &failed);
    copy->ingredient = keep(catalogue, row->ingredient, &failed);
    copy->strength = keep(catalogue, row->strength, &failed);
    copy->form = keep(catalogue, row->form, &failed);
    copy->release = keep(catalogue, row->release, &failed);
    copy->rxcui = keep(catalogue, row->rxcui, &failed);
    copy->ndc = keep(catalogue, row->ndc, &failed);
    copy->note = keep(catalogue, row->note, &failed);
    if (failed)
        return error_set(err, E_MEMORY, "catalogue: out of memory");
    if (!drug_strength_read(copy->strength, &copy->strength_count, copy->strengths))
        copy->strength_count = 0;
    size_t len = name_key(copy->name, key);
    int rc = len > 2 ? enter(catalogue, key, len, copy, err) : 0;
    if (rc == 0)
        rc = enter_codes(catalogue, 'r', copy->rxcui, copy, err);
    if (rc == 0)
        rc = enter_codes(catalogue, 'n', copy->ndc, copy, err);
    if (rc == 0)
        catalogue->rows[catalogue->count++] = copy;
    return rc;
}

struct search {
    const struct catalogue_row *row;
    bool several;
};

static void search_key(const struct catalogue *catalogue, struct search *search, const char *key, size_t len)
{
    const struct owner *owner = keymap_get(&catalogue->keys, key, len);
    if (owner == NULL)
        return;
    if (owner->several || (search->row != NULL && !alike(search->row, owner->row)))
        search->several = true;
    if (search->row == NULL) /* the first way decides between makers: a code before a name */
        search->row = owner->row;
}

enum catalogue_match catalogue_find(const struct catalogue *catalogue, const struct drug_code *codes,
                                    int code_count, const char *name, const struct catalogue_row **ret_row)
{
    struct search search = {0};
    char key[NAME_BYTES], forms[NDC_FORMS_MAX][NDC_BYTES];
    for (int i = 0; i < code_count; i++) {
        if (code_is_rxnorm(codes[i].system)) {
            int used = snprintf(key, sizeof key, "r:%.70s", codes[i].code);
            search_key(catalogue, &search, key, (size_t)used);
        } else if (code_is_ndc(codes[i].system)) {
            int count = ndc_forms(codes[i].code, forms);
            for (int j = 0; j < count; j++) {
                int used = snprintf(key, sizeof key, "n:%s", forms[j]);
                search_key(catalogue, &search, key, (size_t)used);
            }
        }
    }
    size_t len = name_key(name, key);
    if (len > 2)
        search_key(catalogue, &search, key, len);
    *ret_row = search.row;
    return search.row == NULL ? CATALOGUE_NONE : search.several ? CATALOGUE_SEVERAL : CATALOGUE_ONE;
}

/* Letters, digits and dots only: the code stands in plan texts and on labels. */
static bool code_clean(const char *code)
{
    size_t len = strlen(code);
    if (len == 0 || len > 20)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)code[i]))
            return false;
    }
    return true;
}

/* What a name says of a product, into a row; note is the row's. */
static void describe(struct catalogue_row *row, const struct drug_name *drug, char *note, size_t size)
{
    bool known = drug->kind == DRUG_SOLID && drug->strengths_known && drug->ingredient[0] != '\0';
    note[0] = '\0';
    if (drug->kind == DRUG_NOT_SOLID || drug->kind == DRUG_PACK)
        (void)snprintf(note, size, "no tablet or capsule to swallow: %s", drug->why);
    else if (drug->kind == DRUG_FORM_UNKNOWN)
        (void)snprintf(note, size, "dose form not known from the name");
    else if (!known)
        (void)snprintf(note, size, "strength not known from the name");
    else if (!drug->rxnorm)
        (void)snprintf(note, size, "the name may be a brand, so the ingredient is not known for sure");
    row->ingredient = drug->ingredient;
    row->strength = drug->strength;
    row->form = drug->form;
    row->release = drug->release;
    row->note = note;
    row->packable = !known ? PACKABLE_NO : drug->rxnorm ? PACKABLE_YES : PACKABLE_PHARMACIST;
    row->halves = known && drug->halves;
    row->provisional = row->fresh = true;
    row->kind = drug->kind;
    row->rxnorm = drug->rxnorm;
    row->oral = drug->oral;
}

void catalogue_improve(struct catalogue *catalogue, const struct catalogue_row *row, const char *name,
                       const char *form)
{
    char note[128], key[NAME_BYTES];
    bool failed = false;
    struct drug_name drug;
    struct catalogue_row better;
    drug_name_read(name, form, &drug);
    if (!row->provisional || row->rxnorm || !drug.rxnorm)
        return;
    better = *row;
    describe(&better, &drug, note, sizeof note);
    better.name = keep(catalogue, name, &failed);
    better.ingredient = keep(catalogue, better.ingredient, &failed);
    better.strength = keep(catalogue, better.strength, &failed);
    better.form = keep(catalogue, better.form, &failed);
    better.release = keep(catalogue, better.release, &failed);
    better.note = keep(catalogue, better.note, &failed);
    if (!drug_strength_read(better.strength, &better.strength_count, better.strengths))
        better.strength_count = 0;
    size_t len = name_key(name, key);
    if (failed || enter(catalogue, key, len, row, NULL) != 0)
        return;
    *(struct catalogue_row *)(uintptr_t)row = better; /* the owner changes its own row */
}

/* Calls each ingredient's key "i:part"; stops at the first that `each` does not like. */
static bool each_part(struct catalogue *catalogue, const struct catalogue_row *row,
                      bool (*each)(struct catalogue *catalogue, const char *key, size_t len))
{
    const char *p = row->ingredient;
    if (*p == '\0')
        return false;
    while (*p != '\0') {
        char part[DRUG_TEXT_BYTES], key[DRUG_TEXT_BYTES + 2] = "i:";
        size_t len = strcspn(p, "+");
        (void)snprintf(part, sizeof part, "%.*s", (int)(len < sizeof part ? len : sizeof part - 1), p);
        drug_ingredient_plain(part, key + 2, sizeof key - 2);
        if (!each(catalogue, key, strlen(key)))
            return false;
        p += len;
        p += *p == '+';
    }
    return true;
}

static bool part_enter(struct catalogue *catalogue, const char *key, size_t len)
{
    void **place = keymap_put(&catalogue->keys, key, len);
    if (place != NULL)
        *place = catalogue;
    return place != NULL;
}

static bool part_known(struct catalogue *catalogue, const char *key, size_t len)
{
    return keymap_get(&catalogue->keys, key, len) != NULL;
}

int catalogue_settle(struct catalogue *catalogue, struct error *err)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct catalogue_row *row = catalogue->rows[i];
        bool sure = !row->provisional || (row->rxnorm && row->kind == DRUG_SOLID);
        if (sure && row->ingredient[0] != '\0' && !each_part(catalogue, row, part_enter))
            return error_set(err, E_MEMORY, "catalogue: out of memory");
    }
    for (size_t i = 0; i < catalogue->count; i++) {
        struct catalogue_row *row = catalogue->rows[i];
        if (row->provisional && !row->rxnorm && row->packable == PACKABLE_PHARMACIST &&
            each_part(catalogue, row, part_known)) {
            row->packable = PACKABLE_YES;
            row->note = "";
            row->fresh = true;
        }
    }
    return 0;
}

int catalogue_derive(struct catalogue *catalogue, const struct drug_code *codes, int code_count,
                     const char *name, const char *form, const struct catalogue_row **ret_row,
                     struct error *err)
{
    char code[CATALOGUE_CODE_BYTES] = "", rxcui[24] = "", ndc[16] = "", note[128] = "";
    char forms[NDC_FORMS_MAX][NDC_BYTES];
    struct drug_name drug;
    drug_name_read(name, form, &drug);
    for (int i = 0; i < code_count; i++) {
        if (rxcui[0] == '\0' && code_is_rxnorm(codes[i].system) && code_clean(codes[i].code))
            (void)snprintf(rxcui, sizeof rxcui, "%s", codes[i].code);
        if (ndc[0] == '\0' && code_is_ndc(codes[i].system) && ndc_forms(codes[i].code, forms) == 1)
            (void)snprintf(ndc, sizeof ndc, "%s", forms[0]);
    }
    if (rxcui[0] != '\0')
        (void)snprintf(code, sizeof code, "RX%s", rxcui);
    else if (ndc[0] != '\0')
        (void)snprintf(code, sizeof code, "NDC%s", ndc);
    else {
        char key[NAME_BYTES];
        size_t len = name_key(name, key);
        (void)snprintf(code, sizeof code, "NAME%016" PRIx64, keymap_hash(KEYMAP_HASH_START, key, len));
    }
    struct catalogue_row row = {.code = code, .name = name, .rxcui = rxcui, .ndc = ndc};
    describe(&row, &drug, note, sizeof note);
    int rc = catalogue_add(catalogue, &row, err);
    if (rc == 0)
        *ret_row = catalogue->rows[catalogue->count - 1];
    return rc;
}
