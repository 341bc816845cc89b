/* SPDX-License-Identifier: Apache-2.0 */
/* Loading the rules. */
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/clinical/clinical_private.h"

static const char *const grades[CLINICAL_GRADES] = {"stop", "serious", "caution", "note"};

const char *clinical_grade_text(enum clinical_grade grade)
{
    return grades[grade];
}

bool clinical_grade_parse(const char *text, enum clinical_grade *ret_grade)
{
    for (int i = 0; i < CLINICAL_GRADES; i++) {
        if (strcmp(text, grades[i]) == 0) {
            *ret_grade = (enum clinical_grade)i;
            return true;
        }
    }
    return false;
}

/* The hash of a rule set is that of its files' hashes, so that a byte moved from one to the other shows. */
static void hash_rules(struct clinical_rules *rules)
{
    uint8_t hashes[(CLINICAL_TABLES_MAX + 1) * SEAL_HASH_BYTES];
    size_t len;
    const void *bytes = conf_bytes(rules->conf, &len);
    seal_hash(bytes, len, hashes);
    for (int i = 0; i < rules->table_count; i++)
        seal_hash(rules->tables[i].bytes, rules->tables[i].len, hashes + (size_t)(i + 1) * SEAL_HASH_BYTES);
    seal_hash(hashes, (size_t)(rules->table_count + 1) * SEAL_HASH_BYTES, rules->hash);
}

int clinical_rules_read(const char *file, struct clinical_rules **ret_rules, struct error *err)
{
    struct clinical_rules *rules = calloc(1, sizeof *rules);
    if (!rules)
        return error_set(err, E_MEMORY, "no memory for the clinical rules");
    arena_init(&rules->arena, 0);
    int status = conf_load(&conf_clinical, file, &rules->conf, err);
    for (int i = 0; status == 0 && i < conf_count(rules->conf, "interactions"); i++)
        status = table_read(conf_text(rules->conf, "interactions[%d]", i), &rules->arena,
                            &rules->tables[rules->table_count++], err);
    if (status < 0) {
        clinical_rules_destroy(rules);
        return status;
    }
    hash_rules(rules);
    *ret_rules = rules;
    return 0;
}

int clinical_rules_load(const struct conf *site, struct clinical_rules **ret_rules, struct error *err)
{
    char file[4096];
    int status = paths_rules(site, "clinical", file, sizeof file, err);
    return status < 0 ? status : clinical_rules_read(file, ret_rules, err);
}

void clinical_rules_destroy(struct clinical_rules *rules)
{
    if (!rules)
        return;
    conf_destroy(rules->conf);
    arena_finish(&rules->arena);
    free(rules);
}

const char *clinical_rules_version(const struct clinical_rules *rules)
{
    return conf_text(rules->conf, "version");
}

const uint8_t *clinical_rules_hash(const struct clinical_rules *rules)
{
    return rules->hash;
}
