/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/index.h"

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "controller/intake/element.h"
#include "controller/intake/fhir_json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct index_day {
    int32_t day;
};

struct index_pending {
    struct index_pending *next;
    const char *patient, *drug_reference;
    bool as_needed;
};

enum { KEY_BYTES = INTAKE_ID_BYTES_MAX + 64 };

void index_init(struct index *index)
{
    *index = (struct index){0};
    arena_init(&index->arena, INTAKE_INDEX_BYTES_MAX);
    keymap_init(&index->patients, &index->arena);
    keymap_init(&index->drugs, &index->arena);
    keymap_init(&index->fills, &index->arena);
    keymap_init(&index->references, &index->arena);
    marks_init(&index->orders);
    marks_init(&index->taken);
}

void index_finish(struct index *index)
{
    keymap_finish(&index->patients);
    keymap_finish(&index->drugs);
    keymap_finish(&index->fills);
    keymap_finish(&index->references);
    marks_finish(&index->orders);
    marks_finish(&index->taken);
    arena_finish(&index->arena);
}

/* "Type/X" and an absolute address lead to one resource; so does "urn:uuid:X", see find_reference. */
static int keys_of(const char *type, const char *id, const char *full_url, char keys[2][KEY_BYTES])
{
    int count = 0;
    bool own = false;
    if (id[0] != '\0' && strlen(id) < INTAKE_ID_BYTES_MAX) {
        (void)snprintf(keys[count++], KEY_BYTES, "%s/%s", type, id);
        own = strncmp(full_url, "urn:uuid:", 9) == 0 && strcmp(full_url + 9, id) == 0;
    }
    if (full_url[0] != '\0' && strlen(full_url) < INTAKE_ID_BYTES_MAX && !own)
        (void)snprintf(keys[count++], KEY_BYTES, "%s", full_url);
    return count;
}

/* The value under a reference: as it is, without "/_history/…", by its last two parts, or by the id in a urn.
 */
static void *find_reference(const struct keymap *map, const char *type, const char *reference)
{
    char key[KEY_BYTES], by_id[KEY_BYTES];
    size_t len = strlen(reference);
    const char *history = strstr(reference, "/_history/");
    if (history != NULL)
        len = (size_t)(history - reference);
    if (len == 0 || len >= sizeof key)
        return NULL;
    memcpy(key, reference, len);
    key[len] = '\0';
    void *found = keymap_get(map, key, len);
    if (found == NULL && strncmp(key, "urn:uuid:", 9) == 0) {
        int used = snprintf(by_id, sizeof by_id, "%s/%s", type, key + 9);
        return used > 0 && (size_t)used < sizeof by_id ? keymap_get(map, by_id, (size_t)used) : NULL;
    }
    if (found != NULL || strncmp(key, "http", 4) != 0)
        return found;
    char *id = strrchr(key, '/');
    if (id == NULL)
        return NULL;
    char *start = id - 1;
    while (start > key && start[-1] != '/')
        start--;
    return keymap_get(map, start, strlen(start));
}

static void **put(struct index *index, struct keymap *map, const char *key)
{
    void **place = index->full ? NULL : keymap_put(map, key, strlen(key));
    if (place == NULL)
        index->full = true;
    return place;
}

static const char *keep(struct arena *arena, const char *text)
{
    const char *copy = arena_text(arena, text, strlen(text));
    return copy != NULL ? copy : "";
}

/* "Family, Given": the official name first, old ones never. */
static void patient_name(const struct tree *patient, char *out, size_t size)
{
    const struct tree *names = tree_get(patient, "name"), *best = NULL;
    out[0] = '\0';
    for (size_t i = 0; i < tree_count(names); i++) {
        const struct tree *name = tree_at(names, i);
        const char *use = element_text(name, "use");
        if (strcmp(use, "old") == 0 || strcmp(use, "maiden") == 0)
            continue;
        if (best == NULL || strcmp(use, "official") == 0)
            best = name;
        if (strcmp(use, "official") == 0)
            break;
    }
    const char *family = element_text(best, "family");
    if (family[0] == '\0') {
        (void)snprintf(out, size, "%s", element_text(best, "text"));
        return;
    }
    (void)snprintf(out, size, "%s", family);
    const struct tree *given = tree_get(best, "given");
    for (size_t i = 0; i < tree_count(given); i++) {
        const char *part = tree_text(tree_at(given, i));
        size_t used = strlen(out);
        (void)snprintf(out + used, size - used, "%s%s", i == 0 ? ", " : " ", part != NULL ? part : "");
    }
}

void index_read_patient(const struct tree *patient, struct arena *arena, struct intake_patient *ret)
{
    char name[256];
    int32_t last;
    patient_name(patient, name, sizeof name);
    /* snprintf may have cut a character in two. */
    size_t len = strlen(name);
    if (len == sizeof name - 1) {
        while (len > 0 && ((unsigned char)name[len - 1] & 0xc0) == 0x80)
            len--;
        name[len > 0 ? len - 1 : 0] = '\0';
    }
    ret->id = keep(arena, element_text(patient, "id"));
    ret->name = keep(arena, name);
    const char *birth = element_text(patient, "birthDate");
    if (strlen(birth) != 10 || !fhir_date_read(birth, &ret->birth_day, &last))
        ret->birth_day = CIVIL_DAY_NONE;
    const struct tree *boolean = tree_get(patient, "deceasedBoolean");
    const struct tree *date = tree_get(patient, "deceasedDateTime");
    /* Whatever is no plain "false" counts: better asked than packed for the dead. */
    ret->deceased = date != NULL || (boolean != NULL && !tree_is(boolean, TREE_FALSE));
    ret->clash = false;
}

static bool same_patient(const struct intake_patient *a, const struct intake_patient *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->name, b->name) == 0 && a->birth_day == b->birth_day &&
           a->deceased == b->deceased;
}

static void touch(struct index *index, const char *reference, const struct intake_patient *patient)
{
    struct index_touched *node = arena_alloc(&index->arena, sizeof *node);
    if (node == NULL) {
        index->full = true;
        return;
    }
    node->reference = reference;
    node->patient = patient;
    node->next = index->touched;
    index->touched = node;
}

bool index_plain_patient(const char *reference)
{
    return strncmp(reference, "Patient/", 8) == 0 && reference[8] != '\0' &&
           strchr(reference + 8, '/') == NULL;
}

void index_touch(struct index *index, const char *reference)
{
    if (reference[0] == '\0' || reference[0] == '#' || strlen(reference) >= KEY_BYTES)
        return;
    if (index_plain_patient(reference) && index_patient(index, reference) != NULL)
        return; /* was told when its Patient came */
    void **place = put(index, &index->references, reference);
    if (place == NULL || *place != NULL)
        return;
    const char *copy = keep(&index->arena, reference);
    *place = (void *)(uintptr_t)copy;
    touch(index, copy, NULL);
}

void index_add_patient(struct index *index, const struct tree *patient, const char *full_url)
{
    char keys[2][KEY_BYTES];
    int count = keys_of("Patient", element_text(patient, "id"), full_url, keys);
    struct intake_patient *row = arena_alloc(&index->arena, sizeof *row);
    if (row == NULL) {
        index->full = true;
        return;
    }
    index_read_patient(patient, &index->arena, row);
    /* An address that looks like another patient's id: whoever refers to it may mean either. */
    if (index_plain_patient(full_url) && strcmp(full_url + 8, row->id) != 0)
        row->clash = true;
    bool known = false;
    for (int i = 0; i < count; i++) {
        void **place = put(index, &index->patients, keys[i]);
        if (place == NULL)
            return;
        struct intake_patient *other = *place;
        if (other == NULL) {
            *place = row;
        } else if (other != row) {
            known = true;
            if (!same_patient(other, row))
                other->clash = row->clash = true;
        }
    }
    index->patient_count += !known;
    if (!known && count > 0)
        touch(index, NULL, row);
}

void index_alias_patient(struct index *index, const char *reference, const struct intake_patient *patient)
{
    if (reference[0] == '\0' || reference[0] == '#' || strlen(reference) >= INTAKE_ID_BYTES_MAX ||
        index_patient(index, reference) != NULL)
        return;
    void **place = put(index, &index->patients, reference);
    struct intake_patient *row = place != NULL ? arena_alloc(&index->arena, sizeof *row) : NULL;
    if (row == NULL) {
        index->full = true;
        return;
    }
    *row = *patient;
    row->id = keep(&index->arena, patient->id);
    row->name = keep(&index->arena, patient->name);
    *place = row;
}

void index_add_drug(struct index *index, const struct tree *medication, const char *full_url)
{
    char keys[2][KEY_BYTES];
    int count = keys_of("Medication", element_text(medication, "id"), full_url, keys);
    uint64_t hash = tree_hash(medication);
    struct index_drug *row = NULL;
    for (int i = 0; i < count; i++) {
        void **place = put(index, &index->drugs, keys[i]);
        if (place == NULL)
            return;
        struct index_drug *other = *place;
        if (other != NULL) {
            if (other->hash != hash)
                other->clash = true;
            continue;
        }
        if (row == NULL) {
            struct buf json;
            buf_init(&json);
            tree_write(medication, &json);
            row = arena_alloc(&index->arena, sizeof *row);
            row = json.failed ? NULL : row;
            if (row != NULL) {
                row->json = keep(&index->arena, buf_string(&json));
                row->hash = hash;
            }
            buf_finish(&json);
            if (row == NULL) {
                index->full = true;
                return;
            }
            index->drug_count++;
        }
        *place = row;
    }
}

const char *index_reference_id(const char *reference)
{
    const char *slash = strrchr(reference, '/');
    if (slash != NULL)
        return slash + 1;
    return strncmp(reference, "urn:uuid:", 9) == 0 ? reference + 9 : reference;
}

void index_add_fill(struct index *index, const struct tree *dispense)
{
    const char *text = element_text(dispense, "whenHandedOver");
    if (text[0] == '\0')
        text = element_text(dispense, "whenPrepared");
    const char *status = element_text(dispense, "status");
    const struct tree *orders = tree_get(dispense, "authorizingPrescription");
    int32_t day, last;
    if (strcmp(status, "completed") != 0 || !fhir_date_read(text, &day, &last))
        return;
    for (size_t i = 0; i < tree_count(orders); i++) {
        const char *id = index_reference_id(element_text(tree_at(orders, i), "reference"));
        if (id[0] == '\0' || strlen(id) >= INTAKE_ID_BYTES_MAX)
            continue;
        void **place = put(index, &index->fills, id);
        if (place == NULL)
            return;
        struct index_day *row = *place;
        if (row == NULL) {
            row = arena_alloc(&index->arena, sizeof *row);
            if (row == NULL) {
                index->full = true;
                return;
            }
            row->day = day;
            *place = row;
        } else if (day > row->day) {
            row->day = day;
        }
    }
}

/* A mark of `orders`: the content's hash without its lowest bits, which tell what was seen. */
enum { ORDER_SEEN = 1, ORDER_CLASH = 2, ORDER_EMITTED = 4, ORDER_KEPT = 8, ORDER_BITS = 15 };

bool index_add_order(struct index *index, const char *id, uint64_t hash)
{
    uint64_t *mark = index->full ? NULL : marks_put(&index->orders, marks_key(id, strlen(id)));
    if (mark == NULL) {
        index->full = true;
        return true;
    }
    hash &= ~(uint64_t)ORDER_BITS;
    if (*mark == 0) {
        *mark = hash | ORDER_SEEN;
        return true;
    }
    bool same = (*mark & ~(uint64_t)ORDER_BITS) == hash;
    if (!same)
        *mark |= ORDER_CLASH;
    return !same;
}

const struct intake_patient *index_patient(const struct index *index, const char *reference)
{
    return find_reference(&index->patients, "Patient", reference);
}

const struct index_drug *index_drug(const struct index *index, const char *reference)
{
    return find_reference(&index->drugs, "Medication", reference);
}

bool index_order(const struct index *index, const char *id, struct index_order *ret_order)
{
    const uint64_t *mark = marks_get(&index->orders, marks_key(id, strlen(id)));
    if (mark == NULL)
        return false;
    *ret_order =
        (struct index_order){.clash = (*mark & ORDER_CLASH) != 0, .emitted = (*mark & ORDER_EMITTED) != 0};
    return true;
}

void index_emit(struct index *index, const char *id)
{
    uint64_t *mark = marks_get(&index->orders, marks_key(id, strlen(id)));
    if (mark != NULL)
        *mark |= ORDER_EMITTED;
}

bool index_keep_once(struct index *index, const char *id)
{
    uint64_t *mark = marks_get(&index->orders, marks_key(id, strlen(id)));
    const bool kept = mark != NULL && (*mark & ORDER_KEPT) != 0;
    if (mark != NULL)
        *mark |= ORDER_KEPT;
    return !kept;
}

bool index_is_kept(const struct index *index, const char *id)
{
    const uint64_t *mark = marks_get(&index->orders, marks_key(id, strlen(id)));
    return mark != NULL && (*mark & ORDER_KEPT) != 0;
}

int32_t index_fill(const struct index *index, const char *id)
{
    const struct index_day *row = keymap_get(&index->fills, id, strlen(id));
    return row != NULL ? row->day : CIVIL_DAY_NONE;
}

/* A mark of `taken`: how often the drug as a whole in the low half, as an ingredient in the high one. */
static void count_up(struct index *index, const char *patient, const char *drug, size_t len, uint64_t one)
{
    uint64_t *mark =
        index->full ? NULL : marks_put(&index->taken, marks_pair(patient, strlen(patient), drug, len));
    if (mark == NULL)
        index->full = true;
    else
        *mark += one;
}

static uint64_t counted(const struct index *index, const char *patient, const char *drug, size_t len)
{
    const uint64_t *mark = marks_get(&index->taken, marks_pair(patient, strlen(patient), drug, len));
    return mark != NULL ? *mark : 0;
}

#define AS_INGREDIENT (UINT64_C(1) << 32)

/* "a+b" is counted as a whole, and unless it is taken as needed for a and for b. */
void index_take(struct index *index, const char *patient, const char *drug, bool as_needed)
{
    count_up(index, patient, drug, strlen(drug), 1);
    for (const char *p = drug; *p != '\0' && !as_needed;) {
        size_t len = strcspn(p, "+");
        count_up(index, patient, p, len, AS_INGREDIENT);
        p += len;
        p += *p == '+';
    }
}

int index_taken(const struct index *index, const char *patient, const char *drug, bool as_needed)
{
    uint64_t most = counted(index, patient, drug, strlen(drug)) & UINT32_MAX;
    for (const char *p = drug; *p != '\0' && !as_needed;) {
        size_t len = strcspn(p, "+");
        uint64_t part = counted(index, patient, p, len) >> 32;
        most = part > most ? part : most;
        p += len;
        p += *p == '+';
    }
    return most < INT_MAX ? (int)most : INT_MAX;
}

void index_defer(struct index *index, const char *patient, const char *drug_reference, bool as_needed)
{
    if (drug_reference[0] == '=' &&
        index_plain_patient(patient)) { /* both are known now: nothing to remember */
        index_take(index, patient + 8, drug_reference + 1, as_needed);
        return;
    }
    struct index_pending *row = arena_alloc(&index->arena, sizeof *row);
    if (row == NULL) {
        index->full = true;
        return;
    }
    row->patient = keep(&index->arena, patient);
    row->drug_reference = keep(&index->arena, drug_reference);
    row->as_needed = as_needed;
    row->next = index->pending;
    index->pending = row;
}

void index_settle(struct index *index,
                  void (*each)(void *data, const char *patient, const char *drug_reference, bool as_needed),
                  void *data)
{
    for (const struct index_pending *row = index->pending; row != NULL; row = row->next)
        each(data, row->patient, row->drug_reference, row->as_needed);
    index->pending = NULL;
}
