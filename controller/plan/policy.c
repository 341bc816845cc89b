/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/policy.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/plan/jurisdiction.h"
#include "controller/plan/label.h"
#include "controller/plan/packing.h"
#include "controller/seal/seal.h"

struct known_product {
    struct known_product *next;
    struct rules_product product;
    struct policy_fits fits;
};

struct owned {
    struct policy policy; /* first, so that the public pointer is this one */
    struct arena arena;
    const struct conf *timing;
    struct packing *packing;
    struct known_product *known;
};

/* Memory that runs short is noticed once, at the end. */
struct loader {
    const struct conf *site, *timing, *packing;
    struct policy *policy;
    struct arena *arena;
    bool failed;
};

static void *array(struct loader *l, int count, size_t size)
{
    void *items = arena_array(l->arena, (size_t)count, size);
    l->failed |= !items;
    return items;
}

static const char *text(struct loader *l, const char *value)
{
    const char *copy = arena_text(l->arena, value, strlen(value));
    l->failed |= !copy;
    return copy ? copy : "";
}

static int minutes(const struct conf *conf, const char *path, int fallback)
{
    int64_t value = conf_int(conf, "%s", path);
    return value == CONF_NONE ? fallback : (int)value;
}

/* path and a key behind it; paths of the schema are short, so that nothing is ever cut. */
static const char *key(char out[CONF_PATH_MAX], const char *path, const char *name)
{
    int len = snprintf(out, CONF_PATH_MAX, "%s.%s", path, name);
    assert(len > 0 && len < CONF_PATH_MAX);
    return out;
}

static const char *item_path(char out[CONF_PATH_MAX], const char *path, int index)
{
    int len = snprintf(out, CONF_PATH_MAX, "%s[%d]", path, index);
    assert(len > 0 && len < CONF_PATH_MAX);
    return out;
}

static struct policy_windows windows_load(struct loader *l, const char *path)
{
    int count = conf_count(l->timing, "%s", path);
    struct policy_window *windows = array(l, count, sizeof *windows);
    for (int i = 0; windows && i < count; i++) {
        windows[i] = (struct policy_window){
            .from = (enum policy_anchor)conf_int(l->timing, "%s[%d].from", path, i),
            .to = (enum policy_anchor)conf_int(l->timing, "%s[%d].to", path, i),
            .from_offset = (int)conf_int(l->timing, "%s[%d].from_offset", path, i),
            .to_offset = (int)conf_int(l->timing, "%s[%d].to_offset", path, i),
        };
    }
    return (struct policy_windows){.item = windows, .count = windows ? count : 0};
}

static struct policy_clocks clocks_load(struct loader *l, const char *path)
{
    int count = conf_count(l->timing, "%s", path);
    int *clocks = array(l, count, sizeof *clocks);
    for (int i = 0; clocks && i < count; i++)
        clocks[i] = (int)conf_int(l->timing, "%s[%d]", path, i);
    return (struct policy_clocks){.item = clocks, .count = clocks ? count : 0};
}

static struct policy_gaps gaps_load(const struct conf *conf, const char *path)
{
    char name[CONF_PATH_MAX];
    return (struct policy_gaps){
        .gap_min = minutes(conf, key(name, path, "gap_min"), REGIMEN_NONE),
        .gap_max = minutes(conf, key(name, path, "gap_max"), REGIMEN_NONE),
        .overnight_min = minutes(conf, key(name, path, "overnight_min"), REGIMEN_NONE),
        .overnight_max = minutes(conf, key(name, path, "overnight_max"), REGIMEN_NONE),
    };
}

static void per_day_load(struct loader *l)
{
    int count = conf_count(l->timing, "per_day");
    struct policy_per_day *rows = array(l, count, sizeof *rows);
    for (int i = 0; rows && i < count; i++) {
        char path[CONF_PATH_MAX], name[CONF_PATH_MAX];
        (void)item_path(path, "per_day", i);
        rows[i].times = minutes(l->timing, key(name, path, "times"), 0);
        rows[i].windows = windows_load(l, key(name, path, "windows"));
        rows[i].gaps = gaps_load(l->timing, path);
        rows[i].as_written = clocks_load(l, key(name, path, "as_written"));
    }
    l->policy->per_day = rows;
    l->policy->per_day_count = rows ? count : 0;
}

static void intervals_load(struct loader *l)
{
    int count = conf_count(l->timing, "interval");
    struct policy_interval *rows = array(l, count, sizeof *rows);
    for (int i = 0; rows && i < count; i++) {
        char path[CONF_PATH_MAX], name[CONF_PATH_MAX];
        (void)item_path(path, "interval", i);
        rows[i].minutes = 60 * minutes(l->timing, key(name, path, "hours"), 0);
        rows[i].tolerance = minutes(l->timing, key(name, path, "tolerance"), 0);
        rows[i].night = conf_bool(l->timing, "%s", key(name, path, "night"));
        rows[i].as_written = clocks_load(l, key(name, path, "as_written"));
    }
    l->policy->intervals = rows;
    l->policy->interval_count = rows ? count : 0;
}

static void when_load(struct loader *l)
{
    for (int i = 0; i < conf_count(l->timing, "when"); i++) {
        char path[CONF_PATH_MAX], name[CONF_PATH_MAX];
        enum reading_when when;
        bool known = reading_when_parse(conf_text(l->timing, "when[%d].code", i), &when);
        assert(known); /* the schema's list of codes is FHIR's, and so is that of readings */
        (void)item_path(path, "when", i);
        l->policy->when[when].windows = windows_load(l, key(name, path, "windows"));
        l->policy->when[when].as_written = minutes(l->timing, key(name, path, "as_written"), 0);
    }
}

/* A slot's name goes unquoted into plans and in one piece onto labels: capitals, digits and hyphens. */
static int slots_load(struct loader *l, struct error *err)
{
    int count = conf_count(l->timing, "slots");
    struct policy_slot *rows = array(l, count, sizeof *rows);
    for (int i = 0; rows && i < count; i++) {
        char name[LABEL_SLOT_COLUMNS_MAX + 1];
        const char *given = conf_text(l->timing, "slots[%d].name", i);
        size_t len = strlen(given), at = 0;
        for (; at < len && at < LABEL_SLOT_COLUMNS_MAX; at++) {
            char c = given[at] == ' ' ? '-' : given[at];
            name[at] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        }
        name[at] = '\0';
        if (at < len || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != len) {
            char place[256];
            conf_place(l->timing, place, sizeof place, "slots[%d].name", i);
            return error_set(
                err, E_INPUT,
                "%s: `slots[%d].name`: at most %d letters A-Z, digits, blanks and - fit on a label", place, i,
                LABEL_SLOT_COLUMNS_MAX);
        }
        rows[i] = (struct policy_slot){.name = text(l, name),
                                       .from = (int)conf_int(l->timing, "slots[%d].from", i),
                                       .to = (int)conf_int(l->timing, "slots[%d].to", i)};
    }
    l->policy->slots = rows;
    l->policy->slot_count = rows ? count : 0;
    return 0;
}

static void rule_windows_load(struct loader *l, const char *path, struct policy_rule *rule)
{
    int count = conf_count(l->timing, "%s", path);
    struct regimen_window *windows = array(l, count, sizeof *windows);
    for (int i = 0; windows && i < count; i++) {
        char window[CONF_PATH_MAX], name[CONF_PATH_MAX];
        (void)item_path(window, path, i);
        enum regimen_window_kind kind;
        bool known = window_kind_of(conf_text(l->timing, "%s.kind", window), &kind);
        assert(known); /* both lists are those of sachet-regimen/1 */
        windows[i] = window_default(kind);
        windows[i].before = minutes(l->timing, key(name, window, "before"), REGIMEN_WINDOW_DEFAULT);
        windows[i].after = minutes(l->timing, key(name, window, "after"), REGIMEN_WINDOW_DEFAULT);
        windows[i].min = minutes(l->timing, key(name, window, "min"), REGIMEN_WINDOW_DEFAULT);
        windows[i].max = minutes(l->timing, key(name, window, "max"), REGIMEN_WINDOW_DEFAULT);
        windows[i].within = minutes(l->timing, key(name, window, "within"), REGIMEN_WINDOW_DEFAULT);
        windows[i].from = minutes(l->timing, key(name, window, "from"), REGIMEN_WINDOW_DEFAULT);
        windows[i].to = minutes(l->timing, key(name, window, "to"), REGIMEN_WINDOW_DEFAULT);
        for (int m = 0; m < conf_count(l->timing, "%s.meals", window); m++)
            windows[i].meals |= 1u << conf_int(l->timing, "%s.meals[%d]", window, m);
    }
    rule->windows = windows;
    rule->window_count = windows ? count : 0;
}

static void rule_load(struct loader *l, int index, struct policy_rule *rule)
{
    char path[CONF_PATH_MAX], name[CONF_PATH_MAX];
    (void)item_path(path, "rules", index);
    rule->id = text(l, conf_text(l->timing, "%s.id", path));
    rule->kind = (enum policy_kind)conf_int(l->timing, "%s.kind", path);
    rule->severity = (enum policy_severity)conf_int(l->timing, "%s.severity", path);
    rule->times = minutes(l->timing, key(name, path, "match.times"), 0);
    rule_windows_load(l, key(name, path, "windows"), rule);
    rule->after = minutes(l->timing, key(name, path, "after"), 0);
    rule->before = minutes(l->timing, key(name, path, "before"), 0);
    rule->or_with_food = conf_bool(l->timing, "%s.or_with_food", path);
    rule->gaps = gaps_load(l->timing, path);
    rule->uneven = conf_bool(l->timing, "%s.uneven", path);
    rule->within = minutes(l->timing, key(name, path, "within"), 0);
    rule->every_days = minutes(l->timing, key(name, path, "every_days"), 0);
    rule->cost = (int)conf_int(l->timing, "%s.cost", path);
    rule->checked = strcmp(conf_text(l->timing, "%s.state", path), "checked") == 0;
    rule->cite = text(l, conf_text(l->timing, "%s.cite", path));
    rule->text = text(l, conf_text(l->timing, "%s.text", path));
}

static void rules_load(struct loader *l)
{
    int count = conf_count(l->timing, "rules");
    struct policy_rule *rules = array(l, count, sizeof *rules);
    for (int i = 0; rules && i < count; i++)
        rule_load(l, i, &rules[i]);
    l->policy->rules = rules;
    l->policy->rule_count = rules ? count : 0;
}

static int after_start(const struct conf *site, const char *path, int start)
{
    return ((int)conf_int(site, "%s", path) - start + MINUTES_PER_DAY) % MINUTES_PER_DAY;
}

struct regimen_patient policy_day(const struct conf *site)
{
    int start = (int)conf_int(site, "day.start");
    return (struct regimen_patient){.day_start = start,
                                    .wake = after_start(site, "day.wake", start),
                                    .bed = after_start(site, "day.bed", start),
                                    .meals = {[REGIMEN_BREAKFAST] = after_start(site, "day.breakfast", start),
                                              [REGIMEN_LUNCH] = after_start(site, "day.lunch", start),
                                              [REGIMEN_DINNER] = after_start(site, "day.dinner", start)}};
}

static void site_load(struct loader *l)
{
    struct policy *policy = l->policy;
    policy->day = policy_day(l->site);
    policy->grid = (int)conf_int(l->site, "day.grid");
    policy->cycle_days = (int)conf_int(l->site, "cycle.days");
    policy->lead_days = (int)conf_int(l->site, "cycle.lead_days");
    policy->limits.pieces_max = (int)conf_int(l->site, "pouch.max_pieces");
    policy->limits.entries_max = (int)conf_int(l->site, "pouch.max_entries");
    policy->label_lines = (int)conf_int(l->site, "pouch.label_lines");
    policy->label_columns = (int)conf_int(l->site, "pouch.label_columns");
    policy->pharmacy = text(l, conf_text(l->site, "pharmacy.name"));
    policy->phone = text(l, conf_text(l->site, "pharmacy.phone"));
    policy->address = text(l, conf_text(l->site, "pharmacy.address"));
}

static void identity_load(struct loader *l)
{
    struct policy *policy = l->policy;
    size_t len;
    const void *bytes = conf_bytes(l->timing, &len);
    seal_hash(bytes, len, policy->timing_hash);
    bytes = conf_bytes(l->packing, &len);
    seal_hash(bytes, len, policy->packing_hash);
    policy->timing_version = text(l, conf_text(l->timing, "version"));
    policy->packing_version = text(l, conf_text(l->packing, "version"));
    policy->clock_tolerance = (int)conf_int(l->timing, "clock_tolerance");
}

int policy_create(const struct conf *site, const struct conf *timing, const struct conf *packing,
                  const struct conf *jurisdiction, struct policy **ret_policy, struct error *err)
{
    struct owned *owned = calloc(1, sizeof *owned);
    if (!owned)
        return error_set(err, E_MEMORY, "no memory for the site's rules");
    arena_init(&owned->arena, 0);
    owned->timing = timing;
    struct loader l = {
        .site = site, .timing = timing, .packing = packing, .policy = &owned->policy, .arena = &owned->arena};
    site_load(&l);
    identity_load(&l);
    per_day_load(&l);
    intervals_load(&l);
    when_load(&l);
    rules_load(&l);
    int status = slots_load(&l, err);
    if (status == 0)
        status = packing_create(packing, &owned->packing, err);
    if (status == 0)
        status = jurisdiction_create(jurisdiction, site, &owned->policy.jurisdiction, err);
    if (status == 0 && l.failed)
        status = error_set(err, E_MEMORY, "no memory for the site's rules");
    if (status < 0) {
        policy_destroy(&owned->policy);
        return status;
    }
    *ret_policy = &owned->policy;
    return 0;
}

void policy_destroy(struct policy *policy)
{
    struct owned *owned = (struct owned *)policy;
    if (!owned)
        return;
    jurisdiction_destroy(owned->policy.jurisdiction);
    packing_destroy(owned->packing);
    arena_finish(&owned->arena);
    free(owned);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static struct known_product *product_look_up(struct owned *owned, const struct rules_product *product)
{
    struct loader l = {.timing = owned->timing, .arena = &owned->arena};
    struct known_product *known = array(&l, 1, sizeof *known);
    int count = owned->policy.rule_count;
    bool *match = array(&l, count, sizeof *match), *other = array(&l, count, sizeof *other);
    if (l.failed)
        return NULL;
    known->product =
        (struct rules_product){.ingredient = text(&l, product->ingredient ? product->ingredient : ""),
                               .form = text(&l, product->form ? product->form : ""),
                               .release = text(&l, product->release ? product->release : "")};
    for (int i = 0; i < count; i++) {
        match[i] = rules_match(owned->timing, i, product);
        other[i] = rules_match_other(owned->timing, i, product);
    }
    known->fits = (struct policy_fits){
        .match = match, .other = other, .packing = packing_rules(owned->packing, product)};
    return l.failed || !known->fits.packing ? NULL : known;
}

const struct policy_fits *policy_fits(struct policy *policy, const struct rules_product *product)
{
    struct owned *owned = (struct owned *)policy;
    for (struct known_product *known = owned->known; known; known = known->next) {
        if (same_text(known->product.ingredient, product->ingredient) &&
            same_text(known->product.form, product->form) &&
            same_text(known->product.release, product->release))
            return &known->fits;
    }
    struct known_product *known = product_look_up(owned, product);
    if (!known)
        return NULL;
    known->next = owned->known;
    owned->known = known;
    return &known->fits;
}

const struct policy_per_day *policy_per_day(const struct policy *policy, int times)
{
    for (int i = 0; i < policy->per_day_count; i++) {
        if (policy->per_day[i].times == times)
            return &policy->per_day[i];
    }
    return NULL;
}

const struct policy_interval *policy_interval(const struct policy *policy, int interval_min)
{
    for (int i = 0; i < policy->interval_count; i++) {
        if (policy->intervals[i].minutes == interval_min)
            return &policy->intervals[i];
    }
    return NULL;
}

const char *policy_slot_name(const struct policy *policy, int clock_minute)
{
    for (int i = 0; i < policy->slot_count; i++) {
        const struct policy_slot *slot = &policy->slots[i];
        bool in = slot->from <= slot->to ? clock_minute >= slot->from && clock_minute <= slot->to
                                         : clock_minute >= slot->from || clock_minute <= slot->to;
        if (in)
            return slot->name;
    }
    return "DOSE";
}

int policy_anchor(const struct regimen_patient *day, enum policy_anchor anchor)
{
    switch (anchor) {
    case POLICY_DAY_START:
        return 0;
    case POLICY_WAKE:
        return day->wake;
    case POLICY_BREAKFAST:
        return day->meals[REGIMEN_BREAKFAST];
    case POLICY_LUNCH:
        return day->meals[REGIMEN_LUNCH];
    case POLICY_DINNER:
        return day->meals[REGIMEN_DINNER];
    case POLICY_BED:
        return day->bed;
    }
    return REGIMEN_NONE;
}
