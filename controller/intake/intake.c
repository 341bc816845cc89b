/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/intake.h"

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/intake/allergy.h"
#include "controller/intake/dispense.h"
#include "controller/intake/element.h"
#include "controller/intake/fhir_json.h"
#include "controller/intake/index.h"
#include "controller/intake/request.h"
#include "controller/intake/request_memory.h"
#include "controller/intake/source.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum pass { PASS_INDEX, PASS_READ };

struct intake {
    struct intake_policy policy;
    struct catalogue *catalogue;
    struct intake_sink sink;
    struct index index;
    struct arena arena; /* of one order */
    struct tree_reader texts;
    struct buf substance, codes; /* of the allergy in work */
    struct request_memory memory;
    struct intake_totals totals;
    enum pass pass;
    const struct intake_patient *known; /* patient of the known order in work; NULL: of the input */
    int64_t bytes;
    int64_t file_relevant; /* resources of the file in work that belong to an order */
    int64_t file_others, file_refused;
    char file_other[64]; /* the first other type, for the message */
    char place[PATH_MAX + 64];
};

struct intake *intake_create(const struct intake_policy *policy, struct catalogue *catalogue,
                             const struct intake_sink *sink)
{
    struct intake *intake = calloc(1, sizeof *intake);
    if (intake == NULL)
        return NULL;
    intake->policy = *policy;
    intake->catalogue = catalogue;
    intake->sink = *sink;
    intake->totals.newest_day = CIVIL_DAY_NONE;
    index_init(&intake->index);
    arena_init(&intake->arena, 0);
    tree_reader_init(&intake->texts);
    buf_init(&intake->substance);
    buf_init(&intake->codes);
    request_memory_init(&intake->memory);
    return intake;
}

void intake_destroy(struct intake *intake)
{
    if (intake == NULL)
        return;
    index_finish(&intake->index);
    arena_finish(&intake->arena);
    tree_reader_finish(&intake->texts);
    buf_finish(&intake->substance);
    buf_finish(&intake->codes);
    request_memory_finish(&intake->memory);
    free(intake);
}

const struct intake_patient *intake_find_patient(const struct intake *intake, const char *reference)
{
    return index_patient(&intake->index, reference);
}

const struct intake_totals *intake_totals(const struct intake *intake)
{
    return &intake->totals;
}

void intake_totals_add(struct intake_totals *into, const struct intake_totals *from)
{
    if (into->files == 0 && into->texts == 0)
        into->newest_day = CIVIL_DAY_NONE;
    into->files += from->files;
    into->files_refused += from->files_refused;
    into->files_skipped += from->files_skipped;
    into->hl7_files += from->hl7_files;
    into->texts += from->texts;
    into->texts_refused += from->texts_refused;
    into->requests += from->requests;
    into->repeated += from->repeated;
    for (size_t i = 0; i < sizeof into->outcomes / sizeof into->outcomes[0]; i++)
        into->outcomes[i] += from->outcomes[i];
    for (int i = 0; i < REASON_CODE_COUNT; i++)
        into->reasons[i] += from->reasons[i];
    into->allergies += from->allergies;
    into->allergies_unkept += from->allergies_unkept;
    into->patients += from->patients;
    into->medications += from->medications;
    into->others += from->others;
    if (from->newest_day > into->newest_day)
        into->newest_day = from->newest_day;
}

static void refuse(struct intake *intake, const char *place, const char *what)
{
    intake->file_refused++;
    if (intake->pass == PASS_INDEX && intake->sink.refused != NULL)
        intake->sink.refused(intake->sink.data, place, what);
}

/* Place of a resource: that of its text, with the entry of a Bundle. */
static void place_entry(const char *text_place, int64_t entry, char *out, size_t size)
{
    if (entry < 0)
        (void)snprintf(out, size, "%s", text_place);
    else
        (void)snprintf(out, size, "%s#entry[%" PRId64 "]", text_place, entry);
}

/* One resource with where it stood. */
struct found {
    const struct tree *resource;
    const char *full_url;
    const char *text_place;
    int64_t entry; /* -1: not in a Bundle */
};

static int index_request(struct intake *intake, const struct found *found, struct error *err)
{
    char id[INTAKE_ID_BYTES_MAX];
    const struct tree *request = found->resource, *contained;
    int32_t newest = request_newest_day(request, intake->policy.today);
    if (newest > intake->totals.newest_day)
        intake->totals.newest_day = newest;
    if (request_id(request, found->full_url, id, sizeof id) &&
        !index_add_order(&intake->index, id, tree_hash(request)))
        return 0;
    const char *patient = element_text(tree_get(request, "subject"), "reference");
    if (intake->known != NULL)
        index_alias_patient(&intake->index, patient, intake->known);
    else
        index_touch(&intake->index, patient);
    const char *reference = request_drug_reference(request, &contained);
    const char *key = "";
    if (reference[0] == '\0') {
        int rc = request_index_drug(&intake->memory, intake->catalogue, intake->policy.derive, request,
                                    contained, &key, err);
        if (rc != 0)
            return rc;
    }
    if (!request_is_current(request, intake->policy.today))
        return 0;
    if (reference[0] != '\0') {
        index_defer(&intake->index, patient, reference, request_is_as_needed(request));
        return 0;
    }
    /* The patient's own id is known only when all patients were seen: deferred, too, with the finished key.
     */
    if (key[0] != '\0') {
        char marked[REQUEST_KEY_BYTES + 1];
        (void)snprintf(marked, sizeof marked, "=%s", key);
        index_defer(&intake->index, patient, marked, request_is_as_needed(request));
    }
    return 0;
}

/* End of the first pass: an order's drug, "=key" or a reference, is counted for its patient. */
static void settle(void *data, const char *patient, const char *drug, bool as_needed)
{
    struct intake *intake = data;
    char key[REQUEST_KEY_BYTES] = "";
    const char *patient_key = request_patient_key(&intake->index, patient);
    if (drug[0] == '=') {
        index_take(&intake->index, patient_key, drug + 1, as_needed);
        return;
    }
    const struct index_drug *row = index_drug(&intake->index, drug);
    struct tree_fault ignored; /* it was read before */
    const struct tree *medication =
        row != NULL ? tree_read(&intake->memory.medications, row->json, strlen(row->json), &ignored) : NULL;
    if (medication != NULL)
        request_drug_key(intake->catalogue, NULL, medication, key);
    if (key[0] != '\0')
        index_take(&intake->index, patient_key, key, as_needed);
}

static void count_order(struct intake_totals *totals, const struct order *order)
{
    bool seen[REASON_CODE_COUNT] = {false};
    totals->requests++;
    totals->outcomes[order->reasons.outcome]++;
    for (int i = 0; i < order->reasons.count; i++) {
        enum reason_code code = order->reasons.rows[i].code;
        totals->reasons[code] += !seen[code];
        seen[code] = true;
    }
}

static int hand_out(struct intake *intake, const struct order *order, struct error *err)
{
    count_order(&intake->totals, order);
    return intake->sink.order != NULL ? intake->sink.order(intake->sink.data, order, err) : 0;
}

static int read_request(struct intake *intake, const struct found *found, struct error *err)
{
    char id[INTAKE_ID_BYTES_MAX], place[PATH_MAX + 128];
    struct order order = {
        .status = "", .patient_ref = "", .drug_name = "", .drug_form = "", .order_day = CIVIL_DAY_NONE};
    const struct request_context context = {&intake->policy, intake->catalogue, &intake->index, &intake->sink,
                                            &intake->memory};
    place_entry(found->text_place, found->entry, place, sizeof place);
    arena_reset(&intake->arena);
    order.place = place;
    order.source_id = id;
    if (!request_id(found->resource, found->full_url, id, sizeof id)) {
        id[0] = '\0';
        reasons_mark(&order.reasons, REASON_CODE_NO_ID);
    } else {
        struct index_order seen = {0};
        (void)index_order(&intake->index, id, &seen);
        if (seen.clash) {
            reasons_add(&order.reasons, REASON_CODE_ID_CLASH, "%s", id);
        } else if (seen.emitted) {
            intake->totals.repeated++;
            return 0;
        }
        index_emit(&intake->index, id);
    }
    int rc = request_read(&context, found->resource, &intake->arena, &order, err);
    return rc == 0 ? hand_out(intake, &order, err) : rc;
}

/* DSTU2 orders are requests all the same: refused, and counted. */
static int read_old_order(struct intake *intake, const struct found *found, const char *type,
                          struct error *err)
{
    char place[PATH_MAX + 128];
    struct order order = {
        .status = "", .patient_ref = "", .drug_name = "", .drug_form = "", .order_day = CIVIL_DAY_NONE};
    place_entry(found->text_place, found->entry, place, sizeof place);
    order.place = place;
    order.source_id = element_text(found->resource, "id");
    order.original = "";
    reasons_add(&order.reasons, REASON_CODE_VERSION, "%s is FHIR DSTU2 or older", type);
    return hand_out(intake, &order, err);
}

static int hand_out_dispense(struct intake *intake, const struct found *found, struct error *err)
{
    char place[PATH_MAX + 128];
    struct intake_dispense dispense;
    if (intake->sink.dispense == NULL || !dispense_read(found->resource, intake->catalogue, &dispense))
        return 0;
    place_entry(found->text_place, found->entry, place, sizeof place);
    dispense.place = place;
    return intake->sink.dispense(intake->sink.data, &dispense, err);
}

static int index_allergy(struct intake *intake, const struct tree *resource, struct error *err)
{
    struct intake_allergy allergy;
    enum allergy_kind kind =
        allergy_read(resource, intake->catalogue, &intake->substance, &intake->codes, &allergy);
    if (intake->substance.failed || intake->codes.failed)
        return error_set(err, E_MEMORY, "intake: out of memory");
    intake->totals.allergies += kind == ALLERGY_READ;
    intake->totals.allergies_unkept += kind == ALLERGY_UNKEPT;
    if (kind != ALLERGY_READ || intake->sink.allergy == NULL)
        return 0;
    return intake->sink.allergy(intake->sink.data, &allergy, err);
}

static int take_resource(struct intake *intake, const struct found *found, const char *type,
                         struct error *err)
{
    bool index = intake->pass == PASS_INDEX;
    intake->file_relevant++;
    if (strcmp(type, "MedicationRequest") == 0) {
        return index ? index_request(intake, found, err) : read_request(intake, found, err);
    } else if (strcmp(type, "MedicationOrder") == 0 || strcmp(type, "MedicationPrescription") == 0) {
        return index ? 0 : read_old_order(intake, found, type, err);
    } else if (strcmp(type, "Patient") == 0) {
        if (index)
            index_add_patient(&intake->index, found->resource, found->full_url);
    } else if (strcmp(type, "Medication") == 0) {
        if (index) {
            index_add_drug(&intake->index, found->resource, found->full_url);
            if (intake->policy.derive)
                return request_derive(intake->catalogue, NULL, found->resource, err);
        }
    } else if (strcmp(type, "AllergyIntolerance") == 0) {
        return index ? index_allergy(intake, found->resource, err) : 0;
    } else {
        intake->file_relevant--;
        intake->file_others++;
        if (index) {
            intake->totals.others++;
            if (intake->file_other[0] == '\0')
                (void)snprintf(intake->file_other, sizeof intake->file_other, "%s", type);
            if (strcmp(type, "MedicationDispense") == 0) {
                int32_t day = CIVIL_DAY_NONE, last;
                index_add_fill(&intake->index, found->resource);
                int rc = hand_out_dispense(intake, found, err);
                if (rc != 0)
                    return rc;
                if (fhir_date_read(element_text(found->resource, "whenHandedOver"), &day, &last) &&
                    day <= intake->policy.today && day > intake->totals.newest_day)
                    intake->totals.newest_day = day;
            }
        }
    }
    return 0;
}

static int take_bundle(struct intake *intake, const struct found *found, int depth, struct error *err)
{
    char place[PATH_MAX + 128];
    const struct tree *bundle = found->resource;
    const struct tree *entries = tree_get(bundle, "entry");
    const char *url = "";
    place_entry(found->text_place, found->entry, place, sizeof place);
    if (depth > INTAKE_BUNDLE_DEPTH_MAX) {
        refuse(intake, place, "Bundles within Bundles, more than 4 deep");
        return 0;
    }
    if (entries != NULL && !tree_is(entries, TREE_LIST)) {
        refuse(intake, place, "Bundle.entry is no list");
        return 0;
    }
    if (tree_count(entries) > INTAKE_ENTRIES_MAX) {
        refuse(intake, place, "a Bundle of more than 200000 entries; split it");
        return 0;
    }
    if (element_has_modifier(tree_get(bundle, "meta"), &url) ||
        tree_get(bundle, "modifierExtension") != NULL || tree_get(bundle, "implicitRules") != NULL) {
        refuse(intake, place, "the Bundle has implicitRules or a modifierExtension that is not known");
        return 0;
    }
    if (tree_count(entries) == 0)
        intake->file_relevant++; /* an empty search result is right */
    for (size_t i = 0; i < tree_count(entries); i++) {
        const struct tree *entry = tree_at(entries, i);
        const struct tree *resource = tree_get(entry, "resource");
        const char *type = element_text(resource, "resourceType");
        struct found inner = {resource, element_text(entry, "fullUrl"), found->text_place, (int64_t)i};
        int rc = 0;
        if (resource == NULL)
            continue; /* a deletion, or an answer without content */
        if (type[0] == '\0') {
            place_entry(found->text_place, (int64_t)i, place, sizeof place);
            refuse(intake, place, "a resource without resourceType");
        } else if (strcmp(type, "Bundle") == 0) {
            inner.text_place = found->text_place;
            rc = take_bundle(intake, &inner, depth + 1, err);
        } else {
            rc = take_resource(intake, &inner, type, err);
        }
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Some feeds wrap each Bundle: {"source": …, "bundle": {…}}. One member that is a resource is taken out. */
static const struct tree *unwrap(const struct tree *root)
{
    const struct tree *inside = NULL;
    for (size_t i = 0; i < tree_members(root); i++) {
        const struct tree *value = &root->in.items[i];
        if (element_text(value, "resourceType")[0] == '\0')
            continue;
        if (inside != NULL)
            return NULL;
        inside = value;
    }
    return inside;
}

static void refuse_text(struct intake *intake, const char *path, int64_t line, bool whole,
                        const struct tree_fault *fault)
{
    static const char *const kinds[] = {
        [TREE_SYNTAX] = "not JSON: ", [TREE_CUT_OFF] = "cut off: ", [TREE_NOT_UTF8] = "not UTF-8: ",
        [TREE_TOO_DEEP] = "",         [TREE_MEMORY] = "",
    };
    char place[PATH_MAX + 64], what[256];
    intake->totals.texts_refused += intake->pass == PASS_INDEX;
    (void)snprintf(place, sizeof place, "%s:%" PRId64 ":%d", path, whole ? (int64_t)fault->line : line,
                   fault->column);
    if (fault->kind == TREE_TOO_DEEP)
        (void)snprintf(what, sizeof what, "JSON nested more than %d deep", TREE_DEPTH_MAX);
    else
        (void)snprintf(what, sizeof what, "%s%s", kinds[fault->kind], fault->what);
    refuse(intake, place, what);
}

static int take_text(struct intake *intake, const char *path, int64_t line, bool whole, const char *text,
                     size_t len, struct error *err)
{
    struct tree_fault fault;
    char place[PATH_MAX + 64];
    if (whole)
        (void)snprintf(place, sizeof place, "%s", path);
    else
        (void)snprintf(place, sizeof place, "%s:%" PRId64, path, line);
    if (intake->pass == PASS_INDEX)
        intake->totals.texts++;
    const struct tree *root = tree_read(&intake->texts, text, len, &fault);
    if (root == NULL) {
        if (fault.kind == TREE_MEMORY)
            return error_set(err, E_MEMORY, "%s: out of memory", place);
        refuse_text(intake, path, line, whole, &fault);
        return 0;
    }
    const struct tree *resource = root;
    const char *type = element_text(resource, "resourceType");
    int rc = 0;
    if (type[0] == '\0' && tree_is(root, TREE_OBJECT)) {
        const struct tree *inside = unwrap(root);
        resource = inside != NULL ? inside : root;
        type = element_text(resource, "resourceType");
    }
    struct found found = {resource, "", place, -1};
    if (type[0] == '\0') {
        intake->totals.texts_refused += intake->pass == PASS_INDEX;
        refuse(intake, place,
               tree_is(root, TREE_OBJECT) ? "no resourceType: this is not FHIR JSON"
                                          : "a FHIR resource is one JSON object");
    } else if (strcmp(type, "Bundle") == 0) {
        rc = take_bundle(intake, &found, 1, err);
    } else {
        rc = take_resource(intake, &found, type, err);
    }
    if (rc == 0 && intake->index.full)
        rc = error_set(err, E_LIMIT,
                       "%s: too many patients, drugs and orders for one import; split the input", place);
    return rc;
}

/* Events of the walk. */

static int on_text(void *data, const char *path, int64_t line, int whole, char *text, size_t len,
                   struct error *err)
{
    return take_text(data, path, line, whole != 0, text, len, err);
}

static void on_refused(void *data, const char *path, int64_t line, const char *what)
{
    struct intake *intake = data;
    if (line > 0) {
        (void)snprintf(intake->place, sizeof intake->place, "%s:%" PRId64, path, line);
        if (intake->pass == PASS_INDEX) {
            intake->totals.texts++;
            intake->totals.texts_refused++;
        }
        refuse(intake, intake->place, what);
    } else {
        intake->totals.files_refused += intake->pass == PASS_INDEX;
        refuse(intake, path, what);
    }
}

static void on_opened(void *data, const char *path)
{
    struct intake *intake = data;
    (void)path;
    intake->totals.files += intake->pass == PASS_INDEX;
    intake->file_relevant = intake->file_others = intake->file_refused = 0;
    intake->file_other[0] = '\0';
}

static void on_closed(void *data, const char *path)
{
    struct intake *intake = data;
    char what[160];
    if (intake->file_relevant > 0 || intake->file_refused > 0 || intake->pass != PASS_INDEX)
        return;
    (void)snprintf(what, sizeof what,
                   "no order, patient, drug or allergy in it; %" PRId64 " other resources, the first: %s",
                   intake->file_others, intake->file_other[0] ? intake->file_other : "none");
    intake->totals.files_refused++;
    refuse(intake, path, what);
}

/* Left to whoever reads HL7 (hl7_feed.h). */
static int on_hl7(void *data, const char *path, const char *text, size_t len, struct error *err)
{
    struct intake *intake = data;
    (void)path;
    (void)text;
    (void)len;
    (void)err;
    intake->totals.hl7_files += intake->pass == PASS_INDEX;
    intake->file_relevant++;
    return 0;
}

static void on_skipped(void *data, const char *path)
{
    struct intake *intake = data;
    (void)path;
    intake->totals.files_skipped += intake->pass == PASS_INDEX;
}

static void on_progress(void *data, int64_t bytes)
{
    struct intake *intake = data;
    intake->bytes += bytes;
    if (intake->sink.progress != NULL)
        intake->sink.progress(intake->sink.data, intake->bytes);
}

static int end_of_index(struct intake *intake, struct error *err)
{
    if (intake->pass != PASS_INDEX)
        return 0;
    int rc = intake->policy.derive ? catalogue_settle(intake->catalogue, err) : 0;
    index_settle(&intake->index, settle, intake);
    intake->totals.patients = intake->index.patient_count;
    intake->totals.medications = intake->index.drug_count;
    request_memory_settle(&intake->memory);
    intake->pass = PASS_READ;
    return rc;
}

static int walk(struct intake *intake, const char *const *paths, int count, struct error *err)
{
    const struct source_events events = {.data = intake,
                                         .text = on_text,
                                         .refused = on_refused,
                                         .opened = on_opened,
                                         .closed = on_closed,
                                         .skipped = on_skipped,
                                         .hl7 = on_hl7,
                                         .progress = on_progress};
    int rc = 0;
    for (int i = 0; i < count && rc == 0; i++)
        rc = source_walk(paths[i], &events, err);
    return rc;
}

int intake_index(struct intake *intake, const char *const *paths, int count, struct error *err)
{
    return walk(intake, paths, count, err);
}

int intake_index_text(struct intake *intake, const char *place, const char *text, size_t len,
                      struct error *err)
{
    return take_text(intake, place, 1, true, text, len, err);
}

int intake_index_known(struct intake *intake, const struct intake_patient *patient, const char *place,
                       const char *text, size_t len, struct error *err)
{
    intake->known = patient;
    int rc = take_text(intake, place, 1, true, text, len, err);
    intake->known = NULL;
    return rc;
}

int intake_read(struct intake *intake, const char *const *paths, int count, struct error *err)
{
    int rc = end_of_index(intake, err);
    return rc == 0 ? walk(intake, paths, count, err) : rc;
}

int intake_read_text(struct intake *intake, const char *place, const char *text, size_t len,
                     struct error *err)
{
    int rc = end_of_index(intake, err);
    return rc == 0 ? take_text(intake, place, 1, true, text, len, err) : rc;
}

int intake_run(struct intake *intake, const char *const *paths, int count, struct error *err)
{
    int rc = intake_index(intake, paths, count, err);
    return rc == 0 ? intake_read(intake, paths, count, err) : rc;
}

int intake_run_texts(struct intake *intake, const char *const *places, const char *const *texts,
                     const size_t *lens, int count, struct error *err)
{
    int rc = 0;
    for (int i = 0; i < count && rc == 0; i++)
        rc = intake_index_text(intake, places[i], texts[i], lens[i], err);
    for (int i = 0; i < count && rc == 0; i++)
        rc = intake_read_text(intake, places[i], texts[i], lens[i], err);
    return rc;
}

bool intake_has_order(const struct intake *intake, const char *source_id)
{
    struct index_order ignored;
    return index_order(&intake->index, source_id, &ignored);
}

bool intake_keep_once(struct intake *intake, const char *source_id)
{
    return index_keep_once(&intake->index, source_id);
}

bool intake_is_kept(const struct intake *intake, const char *source_id)
{
    return index_is_kept(&intake->index, source_id);
}

int intake_touched(const struct intake *intake,
                   int (*each)(void *data, const char *id, const struct intake_patient *known,
                               struct error *err),
                   void *data, struct error *err)
{
    int rc = 0;
    for (const struct index_touched *node = intake->index.touched; node != NULL && rc == 0;
         node = node->next) {
        const struct intake_patient *known = node->patient;
        if (known == NULL)
            known = index_patient(&intake->index, node->reference);
        const char *id = known != NULL && known->id[0] != '\0' ? known->id : NULL;
        if (id == NULL && node->reference != NULL)
            id = index_reference_id(node->reference);
        if (id != NULL)
            rc = each(data, id, known, err);
    }
    return rc;
}
