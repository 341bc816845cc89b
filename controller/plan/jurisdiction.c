/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/jurisdiction.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/plan/label.h"
#include "controller/seal/seal.h"

/* How closely a rule names the place: 2 the place itself, 1 its country, 0 not at all. */
static int closeness(const struct conf *conf, int rule, const char *code)
{
    size_t country = strcspn(code, "-");
    int best = 0;
    for (int i = 0; i < conf_count(conf, "rules[%d].in", rule); i++) {
        const char *place = conf_text(conf, "rules[%d].in[%d]", rule, i);
        if (strcmp(place, code) == 0)
            return 2;
        if (strlen(place) == country && strncmp(place, code, country) == 0)
            best = 1;
    }
    return best;
}

static const char *kept(struct jurisdiction *j, const char *text, bool *failed)
{
    const char *copy = arena_text(&j->arena, text, strlen(text));
    *failed |= !copy;
    return copy ? copy : "";
}

static int days(const struct conf *conf, int rule, const char *key)
{
    int64_t value = conf_int(conf, "rules[%d].%s", rule, key);
    return value == CONF_NONE ? 0 : (int)value;
}

static void rule_take(struct jurisdiction *j, const struct conf *conf, int rule, int close,
                      struct jurisdiction_rule *to, int *closest, bool *failed)
{
    if (close <= *closest)
        return;
    *closest = close;
    *to = (struct jurisdiction_rule){.id = kept(j, conf_text(conf, "rules[%d].id", rule), failed),
                                     .text = kept(j, conf_text(conf, "rules[%d].text", rule), failed),
                                     .days = days(conf, rule, "days"),
                                     .canister_days = days(conf, rule, "canister_days"),
                                     .outside = conf_bool(conf, "rules[%d].outside", rule)};
    for (int i = 0; i < conf_count(conf, "rules[%d].elements", rule); i++)
        to->elements |= 1u << conf_int(conf, "rules[%d].elements[%d]", rule, i);
}

static int rules_take(struct jurisdiction *j, const struct conf *conf, bool *failed)
{
    struct jurisdiction_rule *const places[JURISDICTION_KINDS] = {
        [JURISDICTION_BEYOND_USE] = &j->beyond_use,
        [JURISDICTION_CONSENT] = &j->consent,
        [JURISDICTION_CHILD_RESISTANCE] = &j->child_resistance,
        [JURISDICTION_LABEL] = &j->label,
    };
    int closest[JURISDICTION_KINDS] = {0}, schedules[JURISDICTION_SCHEDULE_LAST + 1] = {0}, taken = 0;
    for (int i = 0; i < conf_count(conf, "rules"); i++) {
        int64_t kind = conf_int(conf, "rules[%d].kind", i);
        int close = closeness(conf, i, j->code);
        taken += close > 0;
        if (places[kind])
            rule_take(j, conf, i, close, places[kind], &closest[kind], failed);
        for (int s = 0; s < conf_count(conf, "rules[%d].schedules", i); s++) {
            int64_t schedule = conf_int(conf, "rules[%d].schedules[%d]", i, s);
            rule_take(j, conf, i, close, &j->controlled[schedule], &schedules[schedule], failed);
        }
    }
    return taken;
}

int jurisdiction_create(const struct conf *conf, const struct conf *site,
                        struct jurisdiction **ret_jurisdiction, struct error *err)
{
    static const struct jurisdiction_rule none = {.id = "", .text = ""};
    size_t len;
    bool failed = false;
    struct jurisdiction *j = calloc(1, sizeof *j);
    if (!j)
        return error_set(err, E_MEMORY, "no memory for the jurisdiction");
    arena_init(&j->arena, 0);
    j->beyond_use = j->consent = j->child_resistance = j->label = none;
    for (int i = 0; i <= JURISDICTION_SCHEDULE_LAST; i++)
        j->controlled[i] = none;
    j->code = kept(j, conf_text(site, "jurisdiction"), &failed);
    j->version = kept(j, conf_text(conf, "version"), &failed);
    j->pharmacy = kept(j, conf_text(site, "pharmacy.name"), &failed);
    j->phone = kept(j, conf_text(site, "pharmacy.phone"), &failed);
    j->address = kept(j, conf_text(site, "pharmacy.address"), &failed);
    const void *bytes = conf_bytes(conf, &len);
    seal_hash(bytes, len, j->hash);
    int taken = rules_take(j, conf, &failed);
    int status = failed ? error_set(err, E_MEMORY, "no memory for the jurisdiction") : 0;
    if (status == 0 && taken == 0) {
        char place[256];
        conf_place(site, place, sizeof place, "jurisdiction");
        status =
            error_set(err, E_INPUT,
                      "%s: `jurisdiction`: %s has no rule of %s: correct the code, or add the rules of that "
                      "place",
                      place, conf_file(conf), j->code);
    }
    if (status < 0) {
        jurisdiction_destroy(j);
        return status;
    }
    *ret_jurisdiction = j;
    return 0;
}

void jurisdiction_destroy(struct jurisdiction *jurisdiction)
{
    if (!jurisdiction)
        return;
    arena_finish(&jurisdiction->arena);
    free(jurisdiction);
}

static int broken(const struct jurisdiction_rule *rule, const char *what, struct error *err)
{
    return error_set(err, E_STATE, "rule %s: %s (%s)", rule->id, what, rule->text);
}

static int beyond_use_check(const struct jurisdiction *j, const struct plan_text *plan, int32_t packed_on,
                            struct error *err)
{
    const struct jurisdiction_rule *rule = &j->beyond_use;
    int32_t last = CIVIL_DAY_NONE;
    char what[160], day[CIVIL_TEXT_BYTES], until[CIVIL_TEXT_BYTES];
    for (size_t i = 0; i < plan->pouch_count; i++)
        last = i == 0 || plan->pouches[i].day > last ? plan->pouches[i].day : last;
    if (rule->days == 0 || plan->pouch_count == 0 || packed_on == CIVIL_DAY_NONE ||
        last <= packed_on + rule->days)
        return 0;
    civil_format(last, day);
    civil_format(packed_on + rule->days, until);
    (void)snprintf(what, sizeof what, "the last dose is on %s, packed today it may be used until %s", day,
                   until); /* fits */
    return broken(rule, what, err);
}

static int controlled_check(const struct jurisdiction *j, const struct plan_text *plan, const int *schedules,
                            struct error *err)
{
    char what[200];
    for (size_t i = 0; schedules && i < plan->product_count; i++) {
        int schedule = schedules[i];
        if (schedule < JURISDICTION_SCHEDULE_FIRST || schedule > JURISDICTION_SCHEDULE_LAST)
            continue;
        const struct jurisdiction_rule *rule = &j->controlled[schedule];
        if (rule->outside) {
            (void)snprintf(what, sizeof what, "%s is of schedule %d and stays outside of pouches",
                           plan->products[i].code, schedule); /* codes are short */
            return broken(rule, what, err);
        }
        if (rule->days > 0 && plan->days > rule->days) {
            (void)snprintf(what, sizeof what, "%s is of schedule %d, the roll has %d days and may have %d",
                           plan->products[i].code, schedule, plan->days, rule->days); /* fits */
            return broken(rule, what, err);
        }
    }
    return 0;
}

/* ---- labels: wrapped and indented text, so blanks and letters' case do not count ---- */

static void squeeze(const char *text, struct buf *out)
{
    for (; *text; text++) {
        if (!isspace((unsigned char)*text))
            buf_char(out, (char)tolower((unsigned char)*text));
    }
}

static bool says(const struct buf *label, const char *text)
{
    struct buf wanted;
    buf_init(&wanted);
    squeeze(text, &wanted);
    bool found = !wanted.failed && strstr(buf_string(label), buf_string(&wanted)) != NULL;
    buf_finish(&wanted);
    return found;
}

/* Each number of the strength: names put them in their own order. */
static bool says_strength(const struct buf *label, const char *strength)
{
    bool found = true;
    for (const char *at = strength; found && *at;) {
        char number[32];
        size_t skip = strcspn(at, "0123456789"), len = strspn(at + skip, "0123456789.,");
        if (len > 0 && len < sizeof number) {
            memcpy(number, at + skip, len);
            number[len] = '\0';
            found = strstr(buf_string(label), number) != NULL;
        }
        at += skip + len;
    }
    return found;
}

static bool says_day(const struct buf *label, int32_t day)
{
    static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                         "jul", "aug", "sep", "oct", "nov", "dec"};
    static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    char date[32], year_text[16];
    int year, month, mday;
    civil_to_ymd(day, &year, &month, &mday);
    (void)snprintf(date, sizeof date, "%d%s", mday, months[month - 1]); /* both fit */
    (void)snprintf(year_text, sizeof year_text, "%d", year);
    return strstr(buf_string(label), weekdays[civil_weekday(day)]) && strstr(buf_string(label), date) &&
           strstr(buf_string(label), year_text);
}

/* What one entry of the pouch must say; halves of a product stand in the same line as its whole pieces. */
static bool says_item(const struct buf *label, const struct plan_text *plan, const struct plan_pouch *pouch,
                      const struct plan_item *item, enum jurisdiction_element element)
{
    const struct plan_product *product = plan_text_product(plan, item->code);
    char mem[PLAN_NAME_BYTES_MAX + 64];
    struct buf line;
    int whole = 0, half = 0;
    if (element == JURISDICTION_DRUG)
        return says(label, product->name);
    if (element == JURISDICTION_STRENGTH)
        return says_strength(label, product->strength);
    for (size_t i = 0; i < pouch->item_count; i++) {
        if (strcmp(pouch->items[i].code, item->code) == 0)
            *(pouch->items[i].piece == ROLL_HALF ? &half : &whole) += pouch->items[i].count;
    }
    buf_init_fixed(&line, mem, sizeof mem);
    label_count(whole, half, &line);
    buf_printf(&line, "x%s", product->name);
    return !line.failed && says(label, buf_string(&line));
}

static bool says_element(const struct jurisdiction *j, const struct buf *label, const struct plan_text *plan,
                         const struct plan_pouch *pouch, enum jurisdiction_element element)
{
    char time[LABEL_TIME_BYTES];
    bool all = true;
    switch (element) {
    case JURISDICTION_PATIENT:
        return says(label, plan->patient_name);
    case JURISDICTION_DATE:
        return says_day(label, pouch->day);
    case JURISDICTION_TIME:
        label_time(pouch->minute, time);
        return says(label, time);
    case JURISDICTION_DRUG:
    case JURISDICTION_STRENGTH:
    case JURISDICTION_QUANTITY:
        for (size_t i = 0; i < pouch->item_count; i++)
            all = all && says_item(label, plan, pouch, &pouch->items[i], element);
        return all;
    case JURISDICTION_PHARMACY:
        return says(label, j->pharmacy);
    case JURISDICTION_PHONE:
        return says(label, j->phone);
    case JURISDICTION_ADDRESS:
        return j->address[0] && says(label, j->address);
    case JURISDICTION_ELEMENTS:
        break;
    }
    return false;
}

static int label_check(const struct jurisdiction *j, const struct plan_text *plan, struct error *err)
{
    int status = 0;
    for (size_t i = 0; status == 0 && j->label.elements && i < plan->pouch_count; i++) {
        struct buf label;
        char what[120];
        buf_init(&label);
        squeeze(plan->pouches[i].label, &label);
        for (int k = 0; status == 0 && k < JURISDICTION_ELEMENTS; k++) {
            if (!(j->label.elements & 1u << k) ||
                says_element(j, &label, plan, &plan->pouches[i], (enum jurisdiction_element)k))
                continue;
            (void)snprintf(what, sizeof what, "the label of pouch %d does not say: %s",
                           plan->pouches[i].number, jurisdiction_elements[k]); /* fits */
            status = broken(&j->label, what, err);
        }
        if (status == 0 && label.failed)
            status = error_set(err, E_MEMORY, "no memory to read a label");
        buf_finish(&label);
    }
    return status;
}

int jurisdiction_check(const struct jurisdiction *jurisdiction, const struct plan_text *plan,
                       const int *schedules, int32_t packed_on, struct error *err)
{
    int status = beyond_use_check(jurisdiction, plan, packed_on, err);
    if (status == 0)
        status = controlled_check(jurisdiction, plan, schedules, err);
    return status < 0 ? status : label_check(jurisdiction, plan, err);
}
