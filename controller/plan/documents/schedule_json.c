/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/documents/schedule_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "controller/plan/documents/explain_text.h"
#include "controller/plan/documents/json_write.h"
#include "controller/plan/documents/regimen_json.h"
#include "controller/seal/seal.h"

static void write_rule(struct buf *out, const struct regimen *regimen, struct slots_rule rule)
{
    struct buf name;
    buf_init(&name);
    slots_rule_name(regimen, rule, &name);
    json_write_text(out, buf_string(&name));
    out->failed |= name.failed;
    buf_finish(&name);
}

/* "d1",0 */
static void write_dose(struct buf *out, const struct regimen *regimen, size_t dose)
{
    size_t index;
    size_t drug = slots_drug_of(regimen, dose, &index);
    json_write_text(out, regimen->drugs[drug].id);
    buf_printf(out, ",%zu", index);
}

static void write_schedule(struct buf *out, const struct regimen *regimen, const int *times)
{
    buf_char(out, '{');
    size_t dose = 0;
    for (size_t d = 0; d < regimen->drug_count; d++) {
        if (d)
            buf_char(out, ',');
        json_write_text(out, regimen->drugs[d].id);
        buf_text(out, ":[");
        for (size_t i = 0; i < regimen->drugs[d].dose_count; i++)
            buf_printf(out, "%s%d", i ? "," : "", times[dose++]);
        buf_char(out, ']');
    }
    buf_char(out, '}');
}

static void write_clique(struct buf *out, const struct regimen *regimen, const struct slots_result *result)
{
    buf_text(out, ",\"clique\":[");
    for (size_t i = 0; i < result->clique_count; i++) {
        buf_text(out, i ? ",[" : "[");
        write_dose(out, regimen, result->clique[i]);
        buf_char(out, ']');
    }
    buf_text(out, "],\"reasons\":[");
    for (size_t i = 0; i < result->apart_count; i++) {
        buf_text(out, i ? ",[" : "[");
        write_dose(out, regimen, result->apart[i].a);
        buf_char(out, ',');
        write_dose(out, regimen, result->apart[i].b);
        buf_char(out, ',');
        write_rule(out, regimen, result->apart[i].why);
        buf_char(out, ']');
    }
    buf_char(out, ']');
}

/* What was decided: the dose that it is with, or "own"; else a number. */
static void write_branch(struct buf *out, const struct regimen *regimen, enum slots_node_kind kind,
                         int branch)
{
    if (kind != SLOTS_NODE_GROUP) {
        buf_printf(out, ",[%d,", branch);
    } else if (branch == SLOTS_BRANCH_OWN) {
        buf_text(out, ",[\"own\",");
    } else {
        buf_text(out, ",[[");
        write_dose(out, regimen, (size_t)branch);
        buf_text(out, "],");
    }
}

/* Writes the subtree at *row and moves *row behind it. Depth is bounded by the solver's own decisions. */
static void write_tree(struct buf *out, const struct regimen *regimen, const struct slots_result *result,
                       size_t *row)
{
    const struct slots_node *node = &result->tree[(*row)++];
    switch (node->kind) {
    case SLOTS_NODE_LEAF:
        write_rule(out, regimen, node->rule);
        return;
    case SLOTS_NODE_PACK:
        buf_text(out, "[\"pack\"");
        for (size_t i = 0; i < result->dose_count; i++) {
            if (!(node->set[i / 64] >> (i % 64) & 1))
                continue;
            buf_char(out, ',');
            write_dose(out, regimen, i);
        }
        break;
    case SLOTS_NODE_SLOT:
        buf_text(out, "[\"slot\",");
        write_dose(out, regimen, node->dose);
        break;
    case SLOTS_NODE_GROUP:
        buf_text(out, "[\"with\",");
        write_dose(out, regimen, node->dose);
        break;
    case SLOTS_NODE_TIME:
        buf_text(out, "[\"time\",");
        write_dose(out, regimen, node->dose);
        buf_printf(out, ",%d", node->minute);
        break;
    case SLOTS_NODE_STATE:
        buf_text(out, "[\"state\",");
        json_write_text(out, regimen->drugs[node->dose].id);
        break;
    }
    for (uint32_t b = 0; b < node->branches; b++) {
        write_branch(out, regimen, node->kind, result->tree[*row].branch);
        write_tree(out, regimen, result, row);
        buf_char(out, ']');
    }
    buf_char(out, ']');
}

static int write_certificate(struct buf *out, const struct regimen *regimen,
                             const struct slots_result *result, struct error *err)
{
    static const char *const proofs[] = {[SLOTS_PROOF_NONE] = "none",
                                         [SLOTS_PROOF_CLIQUE] = "clique",
                                         [SLOTS_PROOF_TREE] = "tree",
                                         [SLOTS_PROOF_GROUPS] = "groups",
                                         [SLOTS_PROOF_TIMES] = "times"};
    uint8_t hash[SEAL_HASH_BYTES];
    char text[SEAL_HASH_TEXT_BYTES];
    int rc = regimen_hash(regimen, hash, err);
    if (rc)
        return rc;
    seal_hash_text(hash, text);
    buf_printf(out, ",\"certificate\":{\"instance\":\"%s\"", text);
    if (result->has_schedule) {
        buf_text(out, ",\"witness\":");
        write_schedule(out, regimen, result->times);
    }
    buf_printf(out, ",\"proof\":\"%s\"", proofs[result->proof]);
    if (result->proof == SLOTS_PROOF_CLIQUE)
        write_clique(out, regimen, result);
    bool slots = result->proof == SLOTS_PROOF_TREE || result->proof == SLOTS_PROOF_GROUPS;
    if (slots)
        buf_printf(out, ",\"slots\":%zu", result->refuted_slots);
    if (slots || result->proof == SLOTS_PROOF_TIMES) {
        size_t row = 0;
        buf_text(out, ",\"tree\":");
        write_tree(out, regimen, result, &row);
    }
    buf_char(out, '}');
    return 0;
}

int schedule_to_json(const struct regimen *regimen, const struct slots_result *result, struct buf *out,
                     struct error *err)
{
    buf_text(out, "{\"format\":\"sachet-schedule/1\",\"id\":");
    json_write_text(out, regimen->id);
    buf_printf(out, ",\"status\":\"%s\"", slots_status_name(result->status));
    if (result->has_schedule) {
        buf_printf(out, ",\"slots\":%zu,\"slot_times\":[", result->slot_count);
        for (size_t i = 0; i < result->slot_count; i++)
            buf_printf(out, "%s%d", i ? "," : "", result->slot_times[i]);
        buf_printf(out, "],\"soft_cost\":%lld,\"move_steps\":%lld", (long long)result->soft_cost,
                   (long long)((result->move_minutes + regimen->grid - 1) / regimen->grid));
        buf_printf(out,
                   ",\"move_minutes\":%lld,\"anchor_minutes\":%lld,\"balance_minutes\":%lld,\"schedule\":",
                   (long long)result->move_minutes, (long long)result->anchor_minutes,
                   (long long)result->balance_minutes);
        write_schedule(out, regimen, result->times);
        buf_printf(out, ",\"lower_bound\":%zu", result->lower_bound);
    }
    int rc = write_certificate(out, regimen, result, err);
    if (rc)
        return rc;
    buf_text(out, ",\"conflict\":[");
    for (size_t i = 0; i < result->conflict_count; i++) {
        if (i)
            buf_char(out, ',');
        write_rule(out, regimen, result->conflict[i]);
    }
    buf_text(out, "],\"explain\":[");
    explain_to_json(regimen, result, out);
    buf_text(out, "]}");
    return out->failed ? error_set(err, E_MEMORY, "no memory to write a schedule") : 0;
}

void schedule_refusal_to_json(const struct json_t *object, const struct error *why, struct buf *out)
{
    const char *id = json_string_value(json_object_get(object, "id"));
    buf_text(out, "{\"format\":\"sachet-schedule/1\",\"id\":");
    if (id)
        json_write_text(out, id);
    else
        buf_text(out, "null");
    buf_text(out, ",\"status\":\"refused\",\"error\":");
    json_write_text(out, why->message);
    buf_char(out, '}');
}
