/* SPDX-License-Identifier: Apache-2.0 */
/* What must be true of a plan whether it is about to be written or has just been read. */
#include "controller/plan/plan_text.h"

#include <assert.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "config/base/utf8.h"
#include "controller/plan/plan_text_private.h"
#include "controller/seal/seal.h"

_Static_assert((int)PLAN_HASH_BYTES == (int)SEAL_HASH_BYTES, "one size of hash");

enum { SLOT_NAME_BYTES_MAX = 32, HALF_MILLI = QUANTITY_ONE / 2 };

const char *plan_state_text(enum plan_state state)
{
    static const char *const texts[PLAN_STATES] = {
        [PLAN_INCLUDED] = "included", [PLAN_APART] = "apart", [PLAN_WAITING] = "waiting"};
    return texts[state];
}

const char *plan_note_kind_text(enum plan_note_kind kind)
{
    static const char *const texts[PLAN_NOTE_KINDS] = {
        [PLAN_SWITCH] = "switch", [PLAN_WARNING] = "warning", [PLAN_FLOOR] = "floor", [PLAN_WHY] = "why"};
    return texts[kind];
}

const char *plan_edit_kind_text(enum plan_edit_kind kind)
{
    static const char *const texts[PLAN_EDIT_KINDS] = {[PLAN_EDIT_PIN] = "pin",
                                                       [PLAN_EDIT_FORBID] = "forbid",
                                                       [PLAN_EDIT_PRODUCT] = "product",
                                                       [PLAN_EDIT_SWITCH] = "switch"};
    return texts[kind];
}

bool plan_edit_kind_parse(const char *text, enum plan_edit_kind *ret_kind)
{
    for (int i = 0; i < PLAN_EDIT_KINDS; i++) {
        if (strcmp(text, plan_edit_kind_text((enum plan_edit_kind)i)) == 0) {
            *ret_kind = (enum plan_edit_kind)i;
            return true;
        }
    }
    return false;
}

void plan_pouch_hash(const char *line, size_t len, uint8_t ret_hash[PLAN_HASH_BYTES])
{
    seal_hash(line, len, ret_hash);
}

static size_t product_place(const struct plan_text *plan, const char *code)
{
    size_t low = 0, high = plan->product_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(plan->products[middle].code, code);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return plan->product_count;
}

const struct plan_product *plan_text_product(const struct plan_text *plan, const char *code)
{
    size_t place = product_place(plan, code);
    return place < plan->product_count ? &plan->products[place] : NULL;
}

bool plan_code_ok(const char *code)
{
    size_t len = strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-");
    return len > 0 && len <= PLAN_CODE_BYTES_MAX && code[len] == '\0' && strcmp(code, "-") != 0;
}

static bool slot_name_ok(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    return len > 0 && len <= SLOT_NAME_BYTES_MAX && name[len] == '\0';
}

static int text_check(const char *text, const char *what, struct error *err)
{
    size_t len = strlen(text);
    if (len > PLAN_NAME_BYTES_MAX)
        return error_set(err, E_LIMIT, "%s has more than %d bytes", what, PLAN_NAME_BYTES_MAX);
    if (!utf8_printable(text, len))
        return error_set(err, E_INPUT, "%s has a character that cannot be printed", what);
    return 0;
}

static int label_check(const struct plan_pouch *pouch, struct error *err)
{
    size_t len = strlen(pouch->label);
    if (len == 0 || len > PLAN_LABEL_BYTES_MAX)
        return error_set(err, E_LIMIT, "the label of pouch %d has no text or more than %d bytes",
                         pouch->number, PLAN_LABEL_BYTES_MAX);
    for (const char *line = pouch->label;; line++) {
        size_t size = strcspn(line, "\n");
        if (!utf8_printable(line, size))
            return error_set(err, E_INPUT, "the label of pouch %d has a character that cannot be printed",
                             pouch->number);
        line += size;
        if (*line == '\0')
            return 0;
    }
}

/* Minutes after the start of the logical day; a meal that is not eaten is anywhere. */
static bool clock_ok(int minute, bool meal)
{
    return (minute >= 0 && minute < MINUTES_PER_DAY) || (meal && minute == -1);
}

static int day_check(const struct plan_text *plan, struct error *err)
{
    const struct plan_day *day = &plan->day;
    if (plan->format < PLAN_FORMAT_FIRST || plan->format > PLAN_FORMAT_NOW)
        return error_set(err, E_VERSION, "a plan of format " PLAN_FORMAT_STEM "%d is unknown", plan->format);
    if (plan->format == PLAN_FORMAT_FIRST)
        return 0;
    if (!clock_ok(day->wake, false) || !clock_ok(day->bed, false) || !clock_ok(day->breakfast, true) ||
        !clock_ok(day->lunch, true) || !clock_ok(day->dinner, true))
        return error_set(err, E_INPUT, "the patient's day has an impossible time");
    return 0;
}

static int edits_check(const struct plan_text *plan, struct error *err)
{
    if (plan->edit_count > 0 && plan->format == PLAN_FORMAT_FIRST)
        return error_set(err, E_INPUT, "a plan of the first format has no edits");
    for (size_t i = 0; i < plan->edit_count; i++) {
        const struct plan_edit *edit = &plan->edits[i];
        int status = text_check(edit->source_id, "an edit's order", err);
        if (status == 0)
            status = text_check(edit->value, "an edit's value", err);
        if (status == 0)
            status = text_check(edit->reason, "an edit's reason", err);
        if (status < 0)
            return status;
        if (edit->id < 1 || (i > 0 && edit[-1].id >= edit->id) || !plan_code_ok(edit->login))
            return error_set(err, E_INPUT, "edit %zu is out of order, doubled or by nobody", i + 1);
    }
    return 0;
}

static int overrides_check(const struct plan_text *plan, struct error *err)
{
    if (plan->override_count > 0 && plan->format <= PLAN_FORMAT_SECOND)
        return error_set(err, E_INPUT, "a plan of format %d has no overrides", plan->format);
    for (size_t i = 0; i < plan->override_count; i++) {
        const struct plan_override *said = &plan->overrides[i];
        int status = text_check(said->rule, "an override's rule", err);
        if (status == 0)
            status = text_check(said->reason, "an override's reason", err);
        if (status < 0)
            return status;
        if (said->id < 1 || (i > 0 && said[-1].id >= said->id) || !plan_code_ok(said->login) ||
            (said->second[0] != '\0' && !plan_code_ok(said->second)) || said->until_day < said->from_day)
            return error_set(err, E_INPUT, "override %zu is out of order, without days or by nobody", i + 1);
        if (said->red && (said->second[0] == '\0' || strcmp(said->second, said->login) == 0))
            return error_set(err, E_INPUT, "override %lld is red and needs two persons", (long long)said->id);
        if (!plan_code_ok(said->product) || !plan_text_product(plan, said->product))
            return error_set(err, E_INPUT, "override %lld is about no product of this plan",
                             (long long)said->id);
    }
    return 0;
}

static int header_check(const struct plan_text *plan, struct error *err)
{
    int status = text_check(plan->patient_id, "the patient's id", err);
    if (status == 0)
        status = text_check(plan->patient_name, "the patient's name", err);
    if (status == 0)
        status = text_check(plan->timing_version, "the version of the timing rules", err);
    if (status == 0)
        status = text_check(plan->packing_version, "the version of the packing rules", err);
    if (status == 0 && plan->format > PLAN_FORMAT_SECOND)
        status = text_check(plan->jurisdiction_version, "the version of the jurisdiction", err);
    if (status < 0)
        return status;
    if (plan->format > PLAN_FORMAT_SECOND &&
        (!plan_code_ok(plan->jurisdiction) || strlen(plan->jurisdiction) > PLAN_JURISDICTION_BYTES_MAX))
        return error_set(err, E_INPUT, "the jurisdiction is no code like US or US-MA");
    if (plan->patient_id[0] == '\0')
        return error_set(err, E_INPUT, "the patient has no id");
    int32_t least, most;
    (void)civil_from_ymd(CIVIL_YEAR_MIN, 1, 1, &least); /* both dates exist */
    (void)civil_from_ymd(CIVIL_YEAR_MAX, 12, 31, &most);
    if (plan->version < 1 || plan->days < 1 || plan->days > ROLL_DAYS_MAX || plan->start_day < least ||
        plan->start_day > most - ROLL_DAYS_MAX)
        return error_set(err, E_LIMIT, "the plan's version, first day or length is out of range");
    if (plan->birth_day != CIVIL_DAY_NONE && (plan->birth_day < least || plan->birth_day > most))
        return error_set(err, E_LIMIT, "the date of birth is out of range");
    if (plan->day_start < 0 || plan->day_start >= MINUTES_PER_DAY || plan->limits.pieces_max < 1 ||
        plan->limits.entries_max < 1 || plan->limits.lines_max < 0)
        return error_set(err, E_LIMIT, "the start of the day or a limit of the pouch is out of range");
    if (plan->product_count > ROLL_PRODUCTS_MAX || plan->order_count > PLAN_ORDERS_MAX ||
        plan->slot_count > ROLL_SLOTS_MAX || plan->take_count > ROLL_TAKES_MAX ||
        plan->note_count > PLAN_NOTES_MAX || plan->edit_count > PLAN_EDITS_MAX ||
        plan->pouch_count > ROLL_POUCHES_MAX)
        return error_set(err, E_LIMIT,
                         "a plan has at most %d products, %d orders, %d slots, %d takes and %d "
                         "pouches",
                         ROLL_PRODUCTS_MAX, PLAN_ORDERS_MAX, ROLL_SLOTS_MAX, ROLL_TAKES_MAX,
                         ROLL_POUCHES_MAX);
    return 0;
}

static int products_check(const struct plan_text *plan, struct error *err)
{
    for (size_t i = 0; i < plan->product_count; i++) {
        const struct plan_product *product = &plan->products[i];
        if (!plan_code_ok(product->code))
            return error_set(err, E_INPUT, "product code '%s': only letters, digits and . _ + - (at most %d)",
                             product->code, PLAN_CODE_BYTES_MAX);
        if (i > 0 && strcmp(product[-1].code, product->code) >= 0)
            return error_set(err, E_INPUT, "product %s is out of order or there twice", product->code);
        int status = text_check(product->name, "a product's name", err);
        if (status == 0)
            status = text_check(product->strength, "a product's strength", err);
        if (status == 0)
            status = text_check(product->form, "a product's form", err);
        if (status == 0)
            status = text_check(product->look, "a product's look", err);
        if (status < 0)
            return status;
    }
    return 0;
}

static const struct plan_order *order_by_id(const struct plan_text *plan, int64_t id)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        if (plan->orders[i].id == id)
            return &plan->orders[i];
    }
    return NULL;
}

/* The product's place, once takes_check has passed. */
static size_t take_product(const struct plan_text *plan, const struct plan_take *take)
{
    const struct plan_order *order = order_by_id(plan, take->order_id);
    assert(order && order->product);
    return product_place(plan, order->product);
}

static bool order_is_taken(const struct plan_text *plan, int64_t id)
{
    for (size_t i = 0; i < plan->take_count; i++) {
        if (plan->takes[i].order_id == id)
            return true;
    }
    return false;
}

static int orders_check(const struct plan_text *plan, struct error *err)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        const struct plan_order *order = &plan->orders[i];
        bool included = order->state == PLAN_INCLUDED;
        int status = text_check(order->source_id, "an order's id", err);
        if (status == 0)
            status = text_check(order->drug, "an order's drug", err);
        if (status == 0)
            status = text_check(order->reason, "an order's reason", err);
        if (status < 0)
            return status;
        if (order->id < 1 || order->version < 1 || order->source_id[0] == '\0')
            return error_set(err, E_INPUT, "order '%s' has no id or version", order->source_id);
        if (i > 0 && strcmp(order[-1].source_id, order->source_id) >= 0)
            return error_set(err, E_INPUT, "order %s is out of order or there twice", order->source_id);
        if (order_by_id(plan, order->id) != order)
            return error_set(err, E_INPUT, "order id %lld is there twice", (long long)order->id);
        if (order->product && !plan_code_ok(order->product))
            return error_set(err, E_INPUT, "order %s has a product code that cannot be written",
                             order->source_id);
        if (included && (!order->product || !plan_text_product(plan, order->product)))
            return error_set(err, E_INPUT, "order %s is included without a product of this plan",
                             order->source_id);
        if (included != (order->reason[0] == '\0'))
            return error_set(err, E_INPUT, "order %s is left out without a reason, or included with one",
                             order->source_id);
        if (included && order->begins == CIVIL_DAY_NONE)
            return error_set(err, E_INPUT, "order %s is included without its first day", order->source_id);
        if (included != order_is_taken(plan, order->id))
            return error_set(err, E_INPUT, "order %s is included but never taken, or taken but left out",
                             order->source_id);
    }
    return 0;
}

static int slots_check(const struct plan_text *plan, struct error *err)
{
    int last = -1;
    for (size_t i = 0; i < plan->slot_count; i++) {
        const struct plan_slot *slot = &plan->slots[i];
        if (slot->number != (int)i + 1 || slot->minute < 0 || slot->minute >= MINUTES_PER_DAY ||
            slot->offset != (slot->minute < plan->day_start) || !slot_name_ok(slot->name))
            return error_set(err, E_INPUT, "slot %d has a wrong number, time, date or name", slot->number);
        int since = slot->minute + slot->offset * MINUTES_PER_DAY;
        if (since <= last)
            return error_set(err, E_INPUT, "slot %d is out of order", slot->number);
        last = since;
    }
    return 0;
}

/* Takes are sorted by every one of their fields, so that none stands there twice. */
int plan_take_compare(const struct plan_take *a, const struct plan_take *b)
{
    const int64_t keys[][2] = {{a->order_id, b->order_id},
                               {a->slot, b->slot},
                               {a->pattern.first_day, b->pattern.first_day},
                               {a->pattern.last_day, b->pattern.last_day},
                               {a->pattern.every_days, b->pattern.every_days},
                               {a->pattern.anchor_day, b->pattern.anchor_day},
                               {a->pattern.weekdays, b->pattern.weekdays},
                               {a->amount_milli, b->amount_milli}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    }
    return 0;
}

static int takes_check(const struct plan_text *plan, struct error *err)
{
    for (size_t i = 0; i < plan->take_count; i++) {
        const struct plan_take *take = &plan->takes[i];
        const struct roll_pattern *pattern = &take->pattern;
        const struct plan_order *order = order_by_id(plan, take->order_id);
        if (!order || order->state != PLAN_INCLUDED || take->slot < 1 ||
            (size_t)take->slot > plan->slot_count)
            return error_set(err, E_INPUT, "take %zu names an order or slot that is not there", i + 1);
        if (take->amount_milli < 1 || take->amount_milli > ROLL_AMOUNT_MILLI_MAX ||
            take->amount_milli % HALF_MILLI != 0)
            return error_set(err, E_INPUT, "order %s has an amount that is not made of whole and half pieces",
                             order->source_id);
        if (pattern->first_day < plan->start_day || pattern->last_day >= plan->start_day + plan->days ||
            pattern->first_day > pattern->last_day || pattern->every_days < 1 ||
            pattern->every_days > ROLL_DAYS_MAX || pattern->weekdays > 0x7F ||
            pattern->anchor_day > pattern->last_day ||
            pattern->anchor_day < pattern->first_day - PLAN_ANCHOR_DAYS_MAX)
            return error_set(err, E_INPUT, "order %s has an impossible day pattern", order->source_id);
        if (take->days < 1 || take->days != roll_pattern_count(pattern, plan->start_day, plan->days))
            return error_set(err, E_INPUT, "order %s has a wrong number of days", order->source_id);
        if (i > 0 && plan_take_compare(take - 1, take) >= 0)
            return error_set(err, E_INPUT, "the takes of order %s are out of order or doubled",
                             order->source_id);
    }
    return 0;
}

int plan_note_compare(const struct plan_note *a, const struct plan_note *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->order_id != b->order_id)
        return a->order_id < b->order_id ? -1 : 1;
    return strcmp(a->text, b->text);
}

static int notes_check(const struct plan_text *plan, struct error *err)
{
    for (size_t i = 0; i < plan->note_count; i++) {
        const struct plan_note *note = &plan->notes[i];
        int status = text_check(note->text, "a note", err);
        if (status < 0)
            return status;
        if (note->kind == PLAN_SWITCH && plan->format == PLAN_FORMAT_FIRST)
            return error_set(err, E_INPUT, "a plan of the first format has no notes on a switch");
        if (note->text[0] == '\0' || (note->order_id != 0 && !order_by_id(plan, note->order_id)))
            return error_set(err, E_INPUT, "note %zu says nothing or names no order of this plan", i + 1);
        if (i > 0 && plan_note_compare(note - 1, note) >= 0)
            return error_set(err, E_INPUT, "note %zu is out of order or doubled", i + 1);
    }
    return 0;
}

static const struct plan_slot *slot_of_pouch(const struct plan_text *plan, const struct plan_pouch *pouch)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (plan->slots[i].minute == pouch->minute)
            return &plan->slots[i];
    }
    return NULL;
}

/* The items of one pouch: order, limits, and that nothing shares with what must be alone. */
static int items_check(const struct plan_text *plan, const struct plan_pouch *pouch, struct error *err)
{
    int64_t pieces = 0;
    size_t products = 0, last = 0;
    bool alone = false;
    for (size_t i = 0; i < pouch->item_count; i++) {
        const struct plan_item *item = &pouch->items[i];
        size_t place = product_place(plan, item->code);
        if (place == plan->product_count || item->count < 1 || item->count > PLAN_COUNT_MAX)
            return error_set(err, E_INPUT, "pouch %d has an unknown product or an impossible count",
                             pouch->number);
        bool second = i > 0 && place == last;
        if (i > 0 && (place < last || (second && (item->piece != ROLL_HALF || item[-1].piece == ROLL_HALF))))
            return error_set(err, E_INPUT, "the items of pouch %d are out of order or doubled",
                             pouch->number);
        products += !second;
        alone |= plan->products[place].alone;
        pieces += item->count;
        last = place;
    }
    if (pouch->item_count == 0 || pieces > plan->limits.pieces_max ||
        pouch->item_count > (size_t)plan->limits.entries_max)
        return error_set(err, E_INPUT, "pouch %d is empty or holds more than a pouch can", pouch->number);
    if (alone && products > 1)
        return error_set(err, E_INPUT, "pouch %d holds a product that must be alone together with others",
                         pouch->number);
    return 0;
}

static int pouches_check(const struct plan_text *plan, struct error *err)
{
    for (size_t i = 0; i < plan->pouch_count; i++) {
        const struct plan_pouch *pouch = &plan->pouches[i];
        const struct plan_slot *slot = slot_of_pouch(plan, pouch);
        if (pouch->number != (int)i + 1)
            return error_set(err, E_INPUT, "pouch %d stands where pouch %zu should", pouch->number, i + 1);
        if (!slot || strcmp(slot->name, pouch->slot) != 0 || pouch->day - slot->offset < plan->start_day ||
            pouch->day - slot->offset >= plan->start_day + plan->days)
            return error_set(err, E_INPUT, "pouch %d has a date or a time that is not in the plan",
                             pouch->number);
        const struct plan_pouch *before = i > 0 ? pouch - 1 : NULL;
        bool same = before && before->day == pouch->day && before->minute == pouch->minute;
        bool rising = !before || before->day < pouch->day ||
                      (before->day == pouch->day && before->minute <= pouch->minute);
        bool complete = !before || same || before->part == before->parts;
        if (!rising || !complete || pouch->parts < 1 || pouch->part != (same ? before->part + 1 : 1) ||
            pouch->part > pouch->parts || (same && before->parts != pouch->parts))
            return error_set(err, E_INPUT, "pouch %d is out of order, or a part of its slot is missing",
                             pouch->number);
        int status = items_check(plan, pouch, err);
        if (status == 0)
            status = label_check(pouch, err);
        if (status < 0)
            return status;
    }
    const struct plan_pouch *last = plan->pouch_count ? &plan->pouches[plan->pouch_count - 1] : NULL;
    if (last && last->part != last->parts)
        return error_set(err, E_INPUT, "the last part of the last slot is missing");
    return 0;
}

static int64_t item_milli(const struct plan_item *item)
{
    return (int64_t)item->count * (item->piece == ROLL_HALF ? HALF_MILLI : QUANTITY_ONE);
}

/* What the takes want of each product in one slot of one logical day. */
static void wanted(const struct plan_text *plan, int32_t day, const struct plan_slot *slot,
                   int64_t amounts[ROLL_PRODUCTS_MAX])
{
    for (size_t i = 0; i < plan->take_count; i++) {
        const struct plan_take *take = &plan->takes[i];
        if (take->slot != slot->number || !roll_pattern_has(&take->pattern, day))
            continue;
        amounts[take_product(plan, take)] += take->amount_milli;
    }
}

/*
 * Day by day and slot by slot the pouches hold exactly what the takes say. This is counted anew here: it
 * shares nothing with the layout of the roll.
 */
static int conservation_check(const struct plan_text *plan, struct error *err)
{
    size_t next = 0;
    for (int32_t day = plan->start_day; day < plan->start_day + plan->days; day++) {
        for (size_t s = 0; s < plan->slot_count; s++) {
            const struct plan_slot *slot = &plan->slots[s];
            int64_t amounts[ROLL_PRODUCTS_MAX] = {0};
            wanted(plan, day, slot, amounts);
            for (; next < plan->pouch_count; next++) {
                const struct plan_pouch *pouch = &plan->pouches[next];
                if (pouch->day != day + slot->offset || pouch->minute != slot->minute)
                    break;
                for (size_t i = 0; i < pouch->item_count; i++)
                    amounts[product_place(plan, pouch->items[i].code)] -= item_milli(&pouch->items[i]);
            }
            for (size_t p = 0; p < plan->product_count; p++) {
                if (amounts[p] == 0)
                    continue;
                char date[CIVIL_TEXT_BYTES], off[QUANTITY_TEXT_BYTES];
                civil_format(day, date);
                quantity_format(-amounts[p], off);
                return error_set(err, E_INPUT, "the pouches of %s, slot %d, are off by %s pieces of %s", date,
                                 slot->number, off, plan->products[p].code);
            }
        }
    }
    if (next != plan->pouch_count)
        return error_set(err, E_INPUT, "pouch %zu belongs to no day and slot of the plan", next + 1);
    return 0;
}

static int totals_check(const struct plan_text *plan, struct error *err)
{
    int64_t amount[ROLL_PRODUCTS_MAX] = {0}, whole[ROLL_PRODUCTS_MAX] = {0}, half[ROLL_PRODUCTS_MAX] = {0};
    for (size_t i = 0; i < plan->take_count; i++) {
        const struct plan_take *take = &plan->takes[i];
        amount[take_product(plan, take)] += take->amount_milli * take->days;
    }
    for (size_t i = 0; i < plan->pouch_count; i++) {
        for (size_t k = 0; k < plan->pouches[i].item_count; k++) {
            const struct plan_item *item = &plan->pouches[i].items[k];
            (item->piece == ROLL_HALF ? half : whole)[product_place(plan, item->code)] += item->count;
        }
    }
    if (plan->total_count != plan->product_count)
        return error_set(err, E_INPUT, "%zu totals for %zu products", plan->total_count, plan->product_count);
    for (size_t p = 0; p < plan->product_count; p++) {
        const struct plan_total *total = &plan->totals[p];
        if (strcmp(total->code, plan->products[p].code) != 0)
            return error_set(err, E_INPUT, "the total of %s is missing", plan->products[p].code);
        if (total->amount_milli != amount[p] || total->whole != whole[p] || total->half != half[p] ||
            amount[p] != whole[p] * QUANTITY_ONE + half[p] * HALF_MILLI)
            return error_set(err, E_INPUT, "the total of %s is not what doses and pouches add up to",
                             total->code);
        if (amount[p] == 0)
            return error_set(err, E_INPUT, "product %s is in no pouch", total->code);
    }
    return 0;
}

int plan_text_check(const struct plan_text *plan, struct error *err)
{
    static int (*const checks[])(const struct plan_text *, struct error *) = {
        header_check, day_check,   edits_check, overrides_check, products_check,     orders_check,
        slots_check,  takes_check, notes_check, pouches_check,   conservation_check, totals_check};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        int status = checks[i](plan, err);
        if (status < 0)
            return status;
    }
    return 0;
}
