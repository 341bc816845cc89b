/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/route.h"

#include "controller/intake/fhir_json.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* SNOMED CT, EDQM, v3 RouteOfAdministration. */
static const char *const oral_codes[] = {"26643006", "20053000", "PO", "SWALLOW", "ORAL"};
static const char *const swallow_codes[] = {"421521009", "419652001", "738995006", "738990001"};

static const char *const oral_words[] = {"oral", "orally", "mouth", "po", "os", "swallow", "einnehmen"};
static const char *const swallow_words[] = {"swallow",   "take", "administer", "give",
                                            "swallowed", "oral", "orally"};
/* One of these beside an oral word still is no swallowing. */
static const char *const other_words[] = {
    "sublingual", "buccal",   "oromucosal", "mucosal", "tube",   "inhalation", "topical", "cavity",
    "chew",       "dissolve", "gargle",     "rinse",   "mucous", "gastric",    "enteral", "throat"};

static bool listed(const char *word, size_t len, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == len && strncasecmp(list[i], word, len) == 0)
            return true;
    }
    return false;
}

#define LISTED(word, len, list) listed(word, len, list, sizeof list / sizeof list[0])

/* A word of `good` stands in the text and none of other_words. */
static bool text_says(const char *text, const char *const *good, size_t good_count)
{
    bool found = false;
    for (const char *p = text; *p != '\0';) {
        size_t len = 0;
        while (isalpha((unsigned char)p[len]))
            len++;
        if (len > 0) {
            if (LISTED(p, len, other_words))
                return false;
            found = found || listed(p, len, good, good_count);
        }
        p += len > 0 ? len : 1;
    }
    return found;
}

struct wanted {
    const char *const *codes;
    size_t code_count;
    const char *const *words;
    size_t word_count;
};

/* Every coding and the text must say it; an unknown code without a display says something else. */
static bool concept_says(const json_t *concept, const struct wanted *wanted)
{
    const json_t *codings = json_object_get(concept, "coding");
    const char *text = fhir_text(concept, "text");
    int said = 0;
    for (size_t i = 0; i < json_array_size(codings); i++) {
        const json_t *coding = json_array_get(codings, i);
        const char *code = fhir_text(coding, "code");
        const char *display = fhir_text(coding, "display");
        bool by_code = listed(code, strlen(code), wanted->codes, wanted->code_count);
        bool by_word = text_says(display, wanted->words, wanted->word_count);
        if (!by_code && !by_word)
            return false;
        said++;
    }
    if (text[0] != '\0') {
        bool by_word = text_says(text, wanted->words, wanted->word_count);
        if (!by_word && said == 0)
            return false;
        said++;
    }
    return said > 0;
}

void route_check(const json_t *dosage, struct reasons *reasons)
{
    static const struct wanted oral = {oral_codes, sizeof oral_codes / sizeof oral_codes[0], oral_words,
                                       sizeof oral_words / sizeof oral_words[0]};
    static const struct wanted swallow = {swallow_codes, sizeof swallow_codes / sizeof swallow_codes[0],
                                          swallow_words, sizeof swallow_words / sizeof swallow_words[0]};
    const json_t *route = fhir_object(dosage, "route", reasons);
    const json_t *method = fhir_object(dosage, "method", reasons);
    const json_t *site = fhir_object(dosage, "site", reasons);
    if (json_object_size(route) > 0 && !concept_says(route, &oral))
        reasons_add(reasons, REASON_CODE_ROUTE, "%s", fhir_concept_text(route));
    if (json_object_size(method) > 0 && !concept_says(method, &swallow))
        reasons_add(reasons, REASON_CODE_METHOD, "%s", fhir_concept_text(method));
    if (json_object_size(site) > 0)
        reasons_add(reasons, REASON_CODE_SITE, "%s", fhir_concept_text(site));
}
