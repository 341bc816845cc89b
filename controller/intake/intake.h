/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake: FHIR R4 and STU3 orders in, readings out. Bundles, single resources and NDJSON, plain or gzip,
 * files and folders.
 *
 * Two passes over the input: the first gathers patients, drugs, last fills and who has which drug (so that an
 * order may refer to what comes later, and the same drug in several orders is seen), the second reads each
 * order and hands it to the sink, in input order. Memory grows with the number of patients, drugs and orders
 * (a few hundred bytes each), not with the bytes of the input: one line or one plain file is in memory at a
 * time. What cannot be read is refused whole with its place and stops nothing else. Every limit has a name.
 *
 * A struct intake belongs to one thread, blocks for files, reads no clock. Orders handed to the sink are
 * valid during the call.
 */
#ifndef CONTROLLER_INTAKE_INTAKE_H
#define CONTROLLER_INTAKE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/intake/catalogue.h"
#include "controller/intake/reading.h"
#include "controller/intake/reason.h"

struct buf;
struct conf;
struct error;
struct intake;
struct sigtext_table;

enum {
    INTAKE_LINE_MAX = 64 * 1024 * 1024, /* bytes of one NDJSON line */
    INTAKE_FILE_MAX = 64 * 1024 * 1024, /* bytes of one plain JSON file, unpacked */
    INTAKE_JSON_DEPTH_MAX = 64,         /* TREE_DEPTH_MAX */
    INTAKE_ENTRIES_MAX = 200000,        /* entries of one Bundle */
    INTAKE_BUNDLE_DEPTH_MAX = 4,        /* Bundles within Bundles */
    INTAKE_FOLDER_DEPTH_MAX = 16,
    INTAKE_FOLDER_FILES_MAX = 100000,
    INTAKE_INDEX_BYTES_MAX = 512 * 1024 * 1024, /* patients, drugs and ids of one run */
    INTAKE_ID_BYTES_MAX = 512,
    INTAKE_ORDER_AGE_DAYS = 366, /* "old": a prescription is good for a year in most places */
};

struct intake_patient {
    const char *id; /* the resource's id */
    const char *name;
    int32_t birth_day; /* CIVIL_DAY_NONE unknown */
    bool deceased;
    bool clash; /* another resource of this id says otherwise */
};

struct intake_policy {
    int32_t today;
    int max_order_age_days;     /* 0: any age, noted only */
    bool derive;                /* make provisional products for drugs that the catalogue does not have */
    const struct conf *packing; /* sachet-packing/1; NULL: no rules */
    /* Reads orders that have words only; NULL: they wait. */
    const struct sigtext_table *words;
    int language; /* enum sigtext_language of the words */
};

struct order {
    const char *source_id; /* "" when the order has none */
    const char *patient_ref;
    const struct intake_patient *patient; /* NULL unknown */
    const char *status;
    const char *drug_name;
    const char *drug_form; /* as stated beside the name; "" */
    int code_count;
    struct drug_code codes[DRUG_CODES_MAX];
    const struct catalogue_row *product; /* NULL none */
    int32_t order_day;                   /* CIVIL_DAY_NONE unknown */
    struct reasons reasons;              /* .outcome is the order's outcome */
    bool has_reading;
    struct reading reading;
    const char *original; /* the request as JSON; with its Medication in a Bundle when it refers to one */
    const char *place;    /* "file:line", "file#entry[3]" */
};

struct intake_totals {
    int64_t files, files_refused, files_skipped;
    int64_t hl7_files;                   /* of files: HL7 v2, left to hl7_feed.h */
    int64_t texts, texts_refused;        /* lines, or whole files */
    int64_t requests;                    /* = packable + waiting + refused */
    int64_t repeated;                    /* the same order again, word for word: not counted in requests */
    int64_t outcomes[3];                 /* by enum outcome */
    int64_t reasons[REASON_CODE_COUNT];  /* orders that have the reason */
    int64_t allergies, allergies_unkept; /* without an id or a patient: cannot be kept */
    int64_t patients, medications, others;
    int32_t newest_day; /* newest date in the input that is not after today; CIVIL_DAY_NONE none */
};

/* What a pharmacist said to an order that waited (table order_resolution). */
struct intake_resolution {
    bool refused;
    bool accepts[REASON_CODE_COUNT];
    const char *product; /* a code of the catalogue; "" as the order leads to */
    const char *dosage;  /* FHIR R4 Dosage array as JSON; "" as the order says */
    const char *actor, *because;
};

/* A fill that somebody reports (MedicationDispense). */
struct intake_dispense {
    const char *source_id;
    const char *patient_id;
    const char *order_id; /* "" none */
    const char *product;  /* code of a product of the formulary; NULL: as the order says */
    const char *status;
    int32_t day;
    int32_t days_supply;  /* -1 not said */
    int64_t pieces_milli; /* -1 not said, or not in pieces */
    const char *place;
};

/* What a patient does not tolerate (AllergyIntolerance). */
struct intake_allergy {
    const char *source_id;
    const char *patient_ref;
    const char *substance; /* everything that names it, "; " between; never empty */
    const char *codes;     /* JSON array of {system, code} */
    const char *criticality;
    const char *ended_why; /* its status where it no longer stands: "resolved", "refuted" …; "" it stands */
};

struct intake_sink {
    void *data;
    /* An order; an error stops the run. */
    int (*order)(void *data, const struct order *order, struct error *err);
    /* Something that was refused whole: "place: what". Called in the first pass. NULL: nobody cares. */
    void (*refused)(void *data, const char *place, const char *what);
    /* Now and then: bytes read so far in both passes. NULL: nobody cares. */
    void (*progress)(void *data, int64_t bytes);
    /* A patient that is not in the input, from elsewhere (the store). NULL result: unknown there, too. */
    const struct intake_patient *(*patient)(void *data, const char *id);
    /* What stands on top of the order with this original; NULL nothing. Valid until the next call. */
    const struct intake_resolution *(*resolution)(void *data, const char *source_id, const char *original);
    /* A fill; called in the first pass, valid during the call. NULL: nobody cares. */
    int (*dispense)(void *data, const struct intake_dispense *dispense, struct error *err);
    /* The same for an allergy. */
    int (*allergy)(void *data, const struct intake_allergy *allergy, struct error *err);
};

/* catalogue must outlive the intake; rows are added to it when policy->derive is set. NULL: no memory. */
struct intake *intake_create(const struct intake_policy *policy, struct catalogue *catalogue,
                             const struct intake_sink *sink);
void intake_destroy(struct intake *intake);

/* Both passes over files and folders. 0 even when some were refused (see totals); E_FILE when a path does not
 * exist; a sink's error. */
int intake_run(struct intake *intake, const char *const *paths, int count, struct error *err);
/* The same over texts in memory, one JSON text each; places name them. */
int intake_run_texts(struct intake *intake, const char *const *places, const char *const *texts,
                     const size_t *lens, int count, struct error *err);

/*
 * The same in steps, for a caller that adds orders which it knows from before: intake_index for the input,
 * intake_index_text for each known order of the patients that intake_touched names, then intake_read, then
 * intake_read_text for the same known ones. Known orders whose id the input has must be left out
 * (intake_has_order).
 */
int intake_index(struct intake *intake, const char *const *paths, int count, struct error *err);
int intake_index_text(struct intake *intake, const char *place, const char *text, size_t len,
                      struct error *err);
int intake_read(struct intake *intake, const char *const *paths, int count, struct error *err);
/* An order whose patient is known although the reference alone would not tell. patient is copied. */
int intake_index_known(struct intake *intake, const struct intake_patient *patient, const char *place,
                       const char *text, size_t len, struct error *err);
int intake_read_text(struct intake *intake, const char *place, const char *text, size_t len,
                     struct error *err);
bool intake_has_order(const struct intake *intake, const char *source_id);
/* For whoever keeps orders: true the first time that it is told of this one in the run. And whether it was.
 */
bool intake_keep_once(struct intake *intake, const char *source_id);
bool intake_is_kept(const struct intake *intake, const char *source_id);
/* Calls each for every patient of the input, and for every patient that an order of the input refers to (then
 * known is NULL unless the input has it). A patient may come more than once. */
int intake_touched(const struct intake *intake,
                   int (*each)(void *data, const char *id, const struct intake_patient *known,
                               struct error *err),
                   void *data, struct error *err);

/* The patient of the input that a reference leads to; NULL none. After the first pass. */
const struct intake_patient *intake_find_patient(const struct intake *intake, const char *reference);
const struct intake_totals *intake_totals(const struct intake *intake);
/* Adds what another run counted. */
void intake_totals_add(struct intake_totals *into, const struct intake_totals *from);

/* One order as one line of JSON for `sachet import --dry-run --json` (no line end). */
void order_write(const struct order *order, struct buf *out);
/* All reasons and notes, [{"code":…,"text":…}], and the drug's codes, [{"system":…,"code":…}]. */
void order_write_reasons(const struct order *order, struct buf *out);
void order_write_codes(const struct order *order, struct buf *out);
/* What a person reads of one piece of the order's product: "tablet", "capsule", "piece". */
const char *order_unit(const struct order *order);

#endif
