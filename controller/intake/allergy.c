/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/allergy.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/base/buf.h"
#include "config/base/utf8.h"
#include "controller/intake/element.h"
#include "controller/intake/index.h"

enum { SUBSTANCE_BYTES_MAX = 400 };

/* A status: STU3 has a code, R4 a concept of which one coding counts. */
static const char *status_of(const struct tree *allergy, const char *key)
{
    const struct tree *value = tree_get(allergy, key);
    if (tree_is(value, TREE_TEXT))
        return value->in.text;
    const char *code = element_text(tree_at(tree_get(value, "coding"), 0), "code");
    return code[0] != '\0' ? code : element_text(value, "text");
}

static bool is_one_of(const char *text, const char *const *list)
{
    while (*list != NULL && strcasecmp(*list, text) != 0)
        list++;
    return *list != NULL;
}

/* SNOMED CT: no known allergy, no known drug allergy, no known food allergy, no known environmental allergy.
 */
static bool says_none(const struct tree *code)
{
    static const char *const none[] = {"716186003", "409137002", "429625007", "428607008", NULL};
    const struct tree *codings = tree_get(code, "coding");
    const char *words = element_concept_text(code);
    bool any = strncasecmp(words, "no known ", 9) == 0 || strcasecmp(words, "nka") == 0 ||
               strcasecmp(words, "nkda") == 0;
    for (size_t i = 0; i < tree_count(codings); i++) {
        const struct tree *coding = tree_at(codings, i);
        const bool none_too = is_one_of(element_text(coding, "code"), none) ||
                              strncasecmp(element_text(coding, "display"), "no known ", 9) == 0;
        any = any || none_too;
        if (!none_too && element_text(coding, "code")[0] != '\0')
            return false; /* it names something as well */
    }
    return any;
}

/* Words that stand there already say nothing new. What does not fit is left out as a whole. */
static void add_words(struct buf *substance, const char *words)
{
    if (words[0] == '\0' || strcasestr(buf_string(substance), words) != NULL ||
        substance->len + strlen(words) + 3 > SUBSTANCE_BYTES_MAX)
        return;
    buf_printf(substance, "%s%s", substance->len > 0 ? "; " : "", words);
}

static void add_concept(const struct tree *concept, const struct catalogue *catalogue, struct buf *substance,
                        struct buf *codes)
{
    const struct tree *codings = tree_get(concept, "coding");
    add_words(substance, element_text(concept, "text"));
    for (size_t i = 0; i < tree_count(codings); i++) {
        const struct tree *coding = tree_at(codings, i);
        const struct drug_code code = {element_text(coding, "system"), element_text(coding, "code"),
                                       element_text(coding, "display")};
        const struct catalogue_row *row = NULL;
        add_words(substance, code.display);
        if (code.code[0] == '\0')
            continue;
        buf_printf(codes, "%s{\"system\":", codes->len > 1 ? "," : "");
        tree_write_text(code.system, strlen(code.system), codes);
        buf_text(codes, ",\"code\":");
        tree_write_text(code.code, strlen(code.code), codes);
        buf_char(codes, '}');
        if (catalogue_find(catalogue, &code, 1, "", &row) == CATALOGUE_ONE)
            add_words(substance, row->ingredient);
    }
}

enum allergy_kind allergy_read(const struct tree *allergy, const struct catalogue *catalogue,
                               struct buf *substance, struct buf *codes, struct intake_allergy *ret_allergy)
{
    static const char *const over[] = {"resolved", "inactive", NULL};
    static const char *const wrong[] = {"refuted", "entered-in-error", NULL};
    static const char *const criticalities[] = {"low", "high", NULL};
    const struct tree *code = tree_get(allergy, "code"), *reactions = tree_get(allergy, "reaction");
    const char *clinical = status_of(allergy, "clinicalStatus");
    const char *verification = status_of(allergy, "verificationStatus");
    const char *criticality = element_text(allergy, "criticality");
    struct intake_allergy a = {
        .source_id = element_text(allergy, "id"),
        .patient_ref = element_text(tree_get(allergy, "patient"), "reference"),
        .ended_why = is_one_of(verification, wrong) ? verification
                     : is_one_of(clinical, over)    ? clinical
                                                    : "",
        .criticality = is_one_of(criticality, criticalities) ? criticality : "unable-to-assess",
    };
    if (a.source_id[0] == '\0' || strlen(a.source_id) >= INTAKE_ID_BYTES_MAX || a.patient_ref[0] == '\0' ||
        a.patient_ref[0] == '#' || strlen(a.patient_ref) >= INTAKE_ID_BYTES_MAX)
        return ALLERGY_UNKEPT;
    buf_reset(substance);
    buf_reset(codes);
    buf_char(codes, '[');
    add_concept(code, catalogue, substance, codes);
    for (size_t i = 0; i < tree_count(reactions); i++)
        add_concept(tree_get(tree_at(reactions, i), "substance"), catalogue, substance, codes);
    buf_char(codes, ']');
    if (says_none(code) && tree_count(reactions) == 0)
        return ALLERGY_NONE_KNOWN;
    if (substance->len == 0 && codes->len > 2)
        buf_printf(substance, "a substance without words: %.300s", buf_string(codes));
    else if (substance->len == 0)
        buf_text(substance, "a substance that is not named");
    if (!utf8_printable(buf_string(substance), substance->len)) { /* it will stand on screens of people */
        for (char *p = substance->data; *p != '\0'; p++) {
            if (*p < 0x20 || *p == 0x7f)
                *p = '?';
        }
    }
    a.substance = buf_string(substance);
    a.codes = buf_string(codes);
    *ret_allergy = a;
    return ALLERGY_READ;
}
