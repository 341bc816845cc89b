/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reason: why an order is not simply packable. One table of codes feeds the importer, the summary, the store
 * and the documents. Every code says who has to act: REFUSED is not for a pouch whoever looks at it, WAITING
 * needs a pharmacist, NOTE is only to be seen. An order's outcome is the heaviest of its reasons.
 *
 * Plain data, any thread. Texts of a list belong to whoever filled it (an arena of the order).
 */
#ifndef CONTROLLER_INTAKE_REASON_H
#define CONTROLLER_INTAKE_REASON_H

#include <stdbool.h>

enum outcome { OUTCOME_PACKABLE, OUTCOME_WAITING, OUTCOME_REFUSED };

enum reason_class { REASON_NOTE, REASON_WAITING, REASON_REFUSED };

/* X(code, class, text) */
#define REASON_TABLE(X)                                                                     \
    /* the order as a whole */                                                              \
    X(STATUS_NOT_ACTIVE, REFUSED, "the order is not active")                                \
    X(NOT_AN_ORDER, REFUSED, "the request is a proposal or plan, not an order")             \
    X(DO_NOT_PERFORM, REFUSED, "the order says that the drug must not be given")            \
    X(PATIENT_DECEASED, REFUSED, "the patient has died")                                    \
    X(ENDED, REFUSED, "the order is over")                                                  \
    X(VERSION, REFUSED, "not FHIR R4 or STU3")                                              \
    X(MODIFIER_EXTENSION, REFUSED, "an extension that may change the meaning is not known") \
    X(IMPLICIT_RULES, REFUSED, "the order refers to rules that are not known")              \
    X(BAD_DATE, REFUSED, "a date does not exist or cannot be read")                         \
    X(BAD_ELEMENT, REFUSED, "an element has the wrong type")                                \
    X(PHARMACIST_REFUSED, REFUSED, "a pharmacist refused the order")                        \
    X(NO_ID, REFUSED, "the order has no id")                                                \
    X(VERSION_MIXED, WAITING, "R4 and STU3 elements stand side by side")                    \
    X(REPORTED, WAITING, "reported by somebody, not the prescriber's own record")           \
    X(ID_CLASH, WAITING, "one id stands for different contents")                            \
    X(NO_PATIENT, WAITING, "the patient is not in the input")                               \
    X(ORDER_OLD, WAITING, "the order is older than the site allows")                        \
    X(NO_DATE, WAITING, "the order carries no date")                                        \
    X(FUTURE_DATE, WAITING, "the order is dated in the future")                             \
    X(CONTROL_UNCLEAR, WAITING, "the control code leaves open what shall be done")          \
    X(VALIDITY_ENDED, WAITING, "the time for dispensing is over")                           \
    X(DUPLICATE, WAITING, "the same drug stands in several current orders")                 \
    /* the drug */                                                                          \
    X(NO_DRUG, WAITING, "the drug is not named or its reference leads nowhere")             \
    X(NOT_IN_FORMULARY, WAITING, "the drug is not in the formulary")                        \
    X(PRODUCT_AMBIGUOUS, WAITING, "code and name lead to different products")               \
    X(DRUG_CONTRADICTS, WAITING, "strength in the order's name differs from the product's") \
    X(PHARMACIST_PRODUCT, WAITING, "the formulary leaves this product to the pharmacist")   \
    X(STRENGTH_UNKNOWN, WAITING, "the strength of the product is not known")                \
    X(NOT_PACKABLE, REFUSED, "the formulary says: not for pouches")                         \
    X(NOT_ORAL_SOLID, REFUSED, "not a tablet or capsule to swallow")                        \
    X(FORM_UNKNOWN, REFUSED, "the dose form is not known")                                  \
    X(PACK_OR_KIT, REFUSED, "a calendar pack or kit stays in its package")                  \
    X(COMPOUND, REFUSED, "mixed of several components: a compound or an infusion")          \
    X(PACKING_RULE, REFUSED, "a packing rule keeps this drug out of pouches")               \
    X(PACKING_ASK, WAITING, "a packing rule asks for a pharmacist's decision")              \
    /* the dose */                                                                          \
    X(PRN, REFUSED, "as needed: never in a dated pouch")                                    \
    X(ROUTE, REFUSED, "the route is not by mouth")                                          \
    X(METHOD, REFUSED, "not to be swallowed as it is")                                      \
    X(RATE, REFUSED, "a rate: an infusion")                                                 \
    X(DOSE_NOT_POSITIVE, REFUSED, "the dose is zero or negative")                           \
    X(DOSE_COMPARATOR, REFUSED, "the dose is a limit, not an amount")                       \
    X(DOSE_UNIT, REFUSED, "the dose is not counted in tablets or capsules")                 \
    X(DOSE_OFF_GRID, REFUSED, "the dose is not a multiple of half a piece")                 \
    X(DOSE_MISSING, WAITING, "no dose is stated")                                           \
    X(DOSE_SEVERAL, WAITING, "several doses are stated for one time")                       \
    X(DOSE_RANGE, WAITING, "the dose is a range")                                           \
    X(DOSE_PER_BODY, WAITING, "the dose counts by body weight or surface")                  \
    X(DOSE_UNIT_UNKNOWN, WAITING, "the unit of the dose is not known")                      \
    X(DOSE_UNIT_CLASH, WAITING, "unit text and unit code of the dose differ")               \
    X(DOSE_LARGE, WAITING, "more pieces at once than is usual")                             \
    X(STRENGTH_INEXACT, WAITING, "the dose is no exact number of half pieces")              \
    X(NO_HALVES, WAITING, "the product cannot be had in halves")                            \
    X(MAX_DOSE, WAITING, "the stated maximum is passed or cannot be compared")              \
    X(SITE, WAITING, "a body site is stated")                                               \
    /* the times */                                                                         \
    X(NO_DOSAGE, WAITING, "no dosage instruction")                                          \
    X(TEXT_ONLY, WAITING, "the dosage stands in words alone")                               \
    X(NO_TIMING, WAITING, "no times are stated")                                            \
    X(NO_FREQUENCY, WAITING, "how often is not stated")                                     \
    X(TIMING_RANGE, WAITING, "the times are a range")                                       \
    X(PERIOD_ODD, WAITING, "the doses do not fall on the same times every day")             \
    X(PERIOD_UNIT, WAITING, "the period cannot be laid out in days")                        \
    X(PERIOD_RARE, WAITING, "rarer than once a month")                                      \
    X(WEEKDAYS_MISSING, WAITING, "several times a week, but not on which days")             \
    X(TIMING_EVENT, WAITING, "the doses are listed as single dates")                        \
    X(TIMING_CODE, WAITING, "the timing code is not known")                                 \
    X(TIMING_CLASH, WAITING, "two statements on timing differ")                             \
    X(TIMING_DURATION, WAITING, "a length of each dose is stated")                          \
    X(WHEN_UNKNOWN, WAITING, "the time of day is not one that is known here")               \
    X(BOUNDS_UNCLEAR, WAITING, "beginning or end is not exact")                             \
    X(COUNT_UNEVEN, WAITING, "the number of doses does not fill whole days")                \
    X(SINGLE_DOSE, WAITING, "a single dose without its day")                                \
    X(SAME_SLOT, WAITING, "several dosages may fall on one time")                           \
    X(SEQUENCE_MIXED, WAITING, "only some dosages have a sequence")                         \
    X(SEQUENCE_OPEN, WAITING, "a dosage without an end is followed by another")             \
    X(SEQUENCE_OVERLAP, WAITING, "dosages that follow one another overlap")                 \
    X(PRN_MIXED, WAITING, "regular and as-needed doses in one order")                       \
    X(TOO_MANY, WAITING, "more doses or dosages than an order can hold here")               \
    X(UNKNOWN_ELEMENT, WAITING, "the dosage has an element that is not known")              \
    X(TIMES_DISAGREE, REFUSED, "the number of times is not the frequency")                  \
    X(DAYS_DISAGREE, REFUSED, "days of the week do not fit the period")                     \
    X(TIMING_INVALID, REFUSED, "the timing breaks a rule of FHIR")                          \
    X(BAD_TIME, REFUSED, "a time of day does not exist or cannot be read")                  \
    /* the words */                                                                         \
    X(SIG_CONTRADICTS, WAITING, "text and structure differ")                                \
    X(SIG_UNREAD, WAITING, "the text has words that are not understood")                    \
    /* to be seen */                                                                        \
    X(INSTRUCTION, NOTE, "instruction")                                                     \
    X(COMPLETED, NOTE, "completed by a pharmacist")                                         \
    X(FROM_TEXT, NOTE, "taken from the text, not from the structure")                       \
    X(PROVISIONAL, NOTE, "product derived from the order itself, not checked by a person")  \
    X(AGE_UNCHECKED, NOTE, "the order is old or undated, and its age is not checked here")  \
    X(DATE_FROM_FILL, NOTE, "the order's date is that of its last fill or start")

enum reason_code {
#define REASON_ENUM(name, class, text) REASON_CODE_##name,
    REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
        REASON_CODE_COUNT
};

enum { REASONS_MAX = 24, REASON_TEXT_BYTES = 256 };

struct reason {
    enum reason_code code;
    char text[REASON_TEXT_BYTES]; /* what it is in this order; "" when the table's text says all */
};

/* Reasons in the order in which they were found. A full list drops notes first and keeps the outcome. */
struct reasons {
    int count;
    enum outcome outcome; /* the heaviest so far */
    struct reason rows[REASONS_MAX];
};

const char *reason_name(enum reason_code code); /* "ORDER_OLD" */
const char *reason_text(enum reason_code code);
/* False when no code has this name. */
bool reason_parse(const char *name, enum reason_code *ret_code);
enum reason_class reason_class_of(enum reason_code code);
const char *outcome_text(enum outcome outcome); /* "packable", "waiting", "refused" */

/* Adds a reason without a detail. */
void reasons_mark(struct reasons *reasons, enum reason_code code);
/* Adds a reason with a detail for people (printf). The same code with the same text is kept
 * once. */
__attribute__((format(printf, 3, 4))) void reasons_add(struct reasons *reasons, enum reason_code code,
                                                       const char *format, ...);
/* Adds every reason of another list. */
void reasons_merge(struct reasons *into, const struct reasons *from);
/* Takes out the WAITING reasons whose code is true in accepts; what is refused and the notes stay. False, and
 * nothing is changed, when the list is full: then a reason may have been left out of it. */
bool reasons_settle(struct reasons *reasons, const bool accepts[REASON_CODE_COUNT]);
bool reasons_has(const struct reasons *reasons, enum reason_code code);

#endif
