/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as canonical bytes, for people, and as JSON. */
#include <jansson.h>
#include <stdlib.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/clinical/clinical_private.h"

void clinical_write(const struct clinical_rules *rules, const struct clinical_findings *findings,
                    struct buf *out)
{
    char hash[SEAL_HASH_TEXT_BYTES];
    seal_hash_text(rules->hash, hash);
    buf_printf(out, "sachet-findings/1\nrules %s %s\n", clinical_rules_version(rules), hash);
    for (size_t i = 0; i < findings->count; i++) {
        const struct clinical_finding *row = &findings->rows[i];
        char until[CIVIL_TEXT_BYTES] = "-";
        if (row->answer.id)
            civil_format(row->answer.until_day, until);
        buf_printf(out, "finding %s %s %s answer=%lld until=%s %s\n", clinical_grade_text(row->grade),
                   row->key, row->rule, (long long)row->answer.id, until, row->what);
    }
    buf_printf(out, "end findings=%zu\n", findings->count);
}

static void finding_text(const struct clinical_finding *row, struct buf *out)
{
    char until[CIVIL_TEXT_BYTES];
    buf_printf(out, "  %.8s  %s\n            %s; %s\n", row->key, row->what, row->effect, row->advice);
    buf_printf(out, "            rule %s, source: %s%s\n", row->rule, row->source,
               row->checked ? "" : " [to be checked]");
    if (row->answer.id) {
        civil_format(row->answer.until_day, until);
        buf_printf(out, "            answered by %s until %s: %s\n", row->answer.login, until,
                   row->answer.reason);
    }
}

void clinical_to_text(const struct clinical_findings *findings, bool all, struct buf *out)
{
    static const char *const titles[CLINICAL_GRADES] = {"STOP: cannot be signed, the order must be changed",
                                                        "SERIOUS: needs a pharmacist's answer", "CAUTION",
                                                        "NOTES"};
    for (int grade = 0; grade < CLINICAL_GRADES; grade++) {
        bool titled = false;
        for (size_t i = 0; i < findings->count; i++) {
            const struct clinical_finding *row = &findings->rows[i];
            if ((int)row->grade != grade || (!all && (row->answer.id || grade == CLINICAL_NOTE)))
                continue;
            if (!titled)
                buf_printf(out, "%s\n", titles[grade]);
            titled = true;
            finding_text(row, out);
        }
    }
    size_t folded = findings->answered + findings->open[CLINICAL_NOTE];
    if (!all && folded > 0)
        buf_printf(out,
                   "%zu answered and %zu notes are folded away; `sachet checks show --folded` shows them\n",
                   findings->answered, findings->open[CLINICAL_NOTE]);
    if (findings->count == 0)
        buf_text(out, "nothing found\n");
}

static json_t *answer_json(const struct clinical_answer *answer)
{
    char until[CIVIL_TEXT_BYTES];
    if (!answer->id)
        return json_null();
    civil_format(answer->until_day, until);
    return json_pack("{s:I,s:s,s:s,s:s}", "id", (json_int_t)answer->id, "by", answer->login, "until", until,
                     "reason", answer->reason);
}

int clinical_to_json(const struct clinical_findings *findings, struct buf *out, struct error *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct clinical_finding *row = &findings->rows[i];
        (void)json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:o}", "key", row->key,
                                                    "grade", clinical_grade_text(row->grade), "rule",
                                                    row->rule, "what", row->what, "effect", row->effect,
                                                    "advice", row->advice, "source", row->source, "checked",
                                                    row->checked, "answer", answer_json(&row->answer)));
    }
    char *text = json_array_size(list) == findings->count ? json_dumps(list, JSON_COMPACT) : NULL;
    if (text)
        buf_text(out, text);
    free(text);
    json_decref(list);
    return text && !out->failed ? 0 : error_set(err, E_MEMORY, "no memory for the findings");
}
