/* SPDX-License-Identifier: Apache-2.0 */
/* The site's rules, read once for many plans. */
#include "config/base/civil.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/clinical/clinical.h"
#include "controller/plan/jurisdiction.h"
#include "controller/plan/packing.h"
#include "controller/plan/policy.h"
#include "controller/review/sign.h"
#include "controller/seal/seal.h"

static void bytes_hash(const struct conf *conf, uint8_t ret_hash[SEAL_HASH_BYTES])
{
    size_t len;
    const void *bytes = conf_bytes(conf, &len);
    seal_hash(bytes, len, ret_hash);
}

static int timing_hash(const struct conf *site, uint8_t ret_hash[SEAL_HASH_BYTES], struct error *err)
{
    struct conf *conf;
    int status = conf_load(&conf_timing, conf_text(site, "rules.timing"), &conf, err);
    if (status < 0)
        return status;
    bytes_hash(conf, ret_hash);
    conf_destroy(conf);
    return 0;
}

static int packing_open(const struct conf *site, struct review_rules *rules, struct error *err)
{
    int status = conf_load(&conf_packing, conf_text(site, "rules.packing"), &rules->packing_conf, err);
    if (status < 0)
        return status;
    bytes_hash(rules->packing_conf, rules->packing);
    return packing_create(rules->packing_conf, &rules->products, err);
}

static int law_open(const struct conf *site, struct review_rules *rules, struct error *err)
{
    char file[4096];
    struct conf *conf;
    int status = paths_rules(site, "jurisdiction", file, sizeof file, err);
    if (status == 0)
        status = conf_load(&conf_jurisdiction, file, &conf, err);
    if (status < 0)
        return status;
    status = jurisdiction_create(conf, site, &rules->law, err);
    conf_destroy(conf);
    return status;
}

int review_rules_of(const struct conf *site, struct clock *clock, struct review_rules *ret_rules,
                    struct error *err)
{
    *ret_rules = (struct review_rules){
        .today = CIVIL_DAY_NONE, .clock = clock, .day = policy_day(site), .has_day = true};
    int status = timing_hash(site, ret_rules->timing, err);
    if (status == 0)
        status = packing_open(site, ret_rules, err);
    if (status == 0)
        status = law_open(site, ret_rules, err);
    if (status == 0)
        status = clinical_rules_load(site, &ret_rules->clinical, err);
    return status;
}

void review_rules_finish(struct review_rules *rules)
{
    clinical_rules_destroy(rules->clinical);
    packing_destroy(rules->products);
    jurisdiction_destroy(rules->law);
    conf_destroy(rules->packing_conf);
    *rules = (struct review_rules){0};
}
