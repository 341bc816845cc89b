/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/input.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/intake/reason.h"
#include "controller/plan/controlled.h"
#include "controller/plan/edit.h"
#include "controller/plan/order_row.h"
#include "controller/plan/override.h"
#include "controller/plan/packing.h"
#include "controller/plan/patient_day.h"
#include "controller/plan/policy.h"
#include "controller/store/store.h"

enum { UNLISTED_NAMED = 3 };

struct loading {
    struct store *store;
    struct arena *arena;
    struct error *err;
    struct input *input;
    struct input_order *orders;
    size_t cap;
};

static int no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory for the patient's orders");
}

/* A copy that can stand in a plan: what cannot be printed becomes '?', what is too long ends in "...". Only
 * for words that are shown beside the facts, never for a name on a label. */
static const char *shown(struct arena *arena, const char *text)
{
    size_t len = strlen(text), at = 0, to = 0;
    char *copy = arena_alloc(arena, PLAN_NAME_BYTES_MAX + 1);
    if (!copy)
        return NULL;
    while (at < len) {
        uint32_t c;
        size_t size = utf8_next(text + at, len - at, &c);
        bool printable = size > 0 && utf8_printable(text + at, size);
        size_t width = printable ? size : 1;
        if (to + width > PLAN_NAME_BYTES_MAX - 3) {
            memcpy(copy + to, "...", 3);
            break;
        }
        if (printable)
            memcpy(copy + to, text + at, size);
        else
            copy[to] = '?';
        to += width;
        at += size ? size : 1;
    }
    return copy;
}

static const char *kept(struct arena *arena, const char *text)
{
    return arena_text(arena, text, strlen(text));
}

/* Reasons of an order that is history rather than something to look at today. */
static bool is_past(const char *code)
{
    static const char *const codes[] = {"STATUS_NOT_ACTIVE", "NOT_AN_ORDER", "DO_NOT_PERFORM", "ENDED"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(code, codes[i]) == 0)
            return true;
    }
    return false;
}

/* "the order is older than the site allows (2003-10-27)": what the code means, and the detail behind it. */
static void reason_add(const char *code, const char *detail, struct buf *out)
{
    enum reason_code known;
    const char *meaning = reason_parse(code, &known) ? reason_text(known) : code;
    bool more = detail[0] != '\0' && strcmp(detail, meaning) != 0;
    buf_printf(out, "%s%s%s%s%s", out->len ? "; " : "", meaning, more ? " (" : "", more ? detail : "",
               more ? ")" : "");
}

/* A reason that an override of a packing rule answers. */
static bool is_ask(enum reason_code code)
{
    return code == REASON_CODE_PACKING_ASK || code == REASON_CODE_PHARMACIST_PRODUCT;
}

/* Reasons as one line; *ret_past when the order is history, *ret_asks when it waits for nothing but a word on
 * its product. */
static int reasons_read(const char *json, struct buf *out, bool *ret_past, bool *ret_asks, struct error *err)
{
    bool asks = false, other = false;
    json_t *array = json_loads(json, 0, NULL);
    if (!json_is_array(array)) {
        json_decref(array);
        return error_set(err, E_SYNTAX, "the reasons of an order in the store cannot be read");
    }
    size_t index;
    json_t *item;
    json_array_foreach(array, index, item)
    {
        const char *code = json_string_value(json_object_get(item, "code"));
        const char *text = json_string_value(json_object_get(item, "text"));
        enum reason_code known;
        bool is_known = code && reason_parse(code, &known);
        *ret_past |= code && is_past(code);
        asks |= is_known && is_ask(known);
        other |= !is_known || (reason_class_of(known) != REASON_NOTE && !is_ask(known));
        reason_add(code ? code : "?", text ? text : "", out);
    }
    json_decref(array);
    *ret_asks = asks && !other;
    return 0;
}

static int product_load(struct loading *l, struct input_order *order, struct error *err)
{
    struct product *product = arena_alloc(l->arena, sizeof *product);
    if (!product)
        return no_memory(err);
    int status = product_get(l->store, order->product_code, product, err);
    if (status == E_NOT_FOUND)
        return 0;
    if (status < 0)
        return status;
    uint8_t hash[SEAL_HASH_BYTES];
    product_hash(product, hash);
    if (memcmp(hash, product->row_hash, sizeof hash) != 0)
        return error_set(
            err, E_TAMPERED,
            "product %s: the row does not match its hash, so somebody changed it outside of sachet; "
            "import the formulary again",
            product->code);
    order->product = product;
    return controlled_schedule(l->store, product->code, &order->schedule, err);
}

static int reading_load(struct loading *l, struct input_order *order, const char *json, struct error *err)
{
    struct reading *reading = arena_alloc(l->arena, sizeof *reading);
    if (!reading)
        return no_memory(err);
    int status = reading_parse(json, reading, err);
    if (status < 0)
        return error_prefix(err, status, "order %s", order->source_id);
    order->reading = reading;
    return 0;
}

static int order_add(struct loading *l, const struct input_order *order)
{
    if (l->input->order_count == PLAN_ORDERS_MAX)
        return error_set(l->err, E_LIMIT, "more than %d current orders for one patient", PLAN_ORDERS_MAX);
    if (l->input->order_count == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 32;
        struct input_order *orders = arena_array(l->arena, cap, sizeof *orders);
        if (!orders)
            return no_memory(l->err);
        if (l->cap)
            memcpy(orders, l->orders, l->cap * sizeof *orders);
        l->orders = orders;
        l->cap = cap;
    }
    l->orders[l->input->order_count++] = *order;
    l->input->orders = l->orders;
    return 0;
}

enum {
    ORDER_ID,
    ORDER_SOURCE,
    ORDER_VERSION,
    ORDER_OUTCOME,
    ORDER_REASONS,
    ORDER_DRUG,
    ORDER_PRODUCT,
    ORDER_READING
};

static int order_read(struct loading *l, struct store_rows *rows, bool *ret_past, struct input_order *order)
{
    const char *outcome = store_text(rows, ORDER_OUTCOME);
    *order = (struct input_order){
        .id = store_int(rows, ORDER_ID),
        .source_id = kept(l->arena, store_text(rows, ORDER_SOURCE)),
        .version = (int)store_int(rows, ORDER_VERSION),
        .drug = shown(l->arena, store_text(rows, ORDER_DRUG)),
        .outcome = strcmp(outcome, "packable") == 0  ? INPUT_PACKABLE
                   : strcmp(outcome, "waiting") == 0 ? INPUT_WAITING
                                                     : INPUT_REFUSED,
    };
    if (!order->source_id || !order->drug)
        return no_memory(l->err);
    if (!store_is_null(rows, ORDER_PRODUCT))
        order->product_code = kept(l->arena, store_text(rows, ORDER_PRODUCT));
    struct buf reasons;
    buf_init(&reasons);
    int status = reasons_read(store_text(rows, ORDER_REASONS), &reasons, ret_past, &order->asks, l->err);
    order->asks &= order->outcome == INPUT_WAITING;
    if (status == 0 && order->outcome != INPUT_PACKABLE)
        order->reasons = shown(l->arena, buf_string(&reasons));
    else
        order->reasons = "";
    buf_finish(&reasons);
    if (status == 0 && !order->reasons)
        return no_memory(l->err);
    if (status == 0 && (order->outcome == INPUT_PACKABLE || order->asks) &&
        !store_is_null(rows, ORDER_READING))
        status = reading_load(l, order, store_text(rows, ORDER_READING), l->err);
    return status;
}

static int orders_load(struct loading *l)
{
    struct store_rows *rows = NULL;
    int status =
        store_query(l->store, &rows, l->err,
                    "SELECT id, source_id, version, outcome, reasons, drug_name, product_code, "
                    "reading FROM order_version WHERE patient_id = ? AND current = 1 ORDER BY source_id",
                    "i", l->input->patient);
    int more = 0;
    while (status == 0 && (more = store_next(rows, l->err)) > 0) {
        struct input_order order;
        bool past = false;
        status = order_read(l, rows, &past, &order);
        if (status == 0 && past && order.outcome == INPUT_REFUSED)
            l->input->past_count++;
        else if (status == 0)
            status = order_add(l, &order);
    }
    store_done(rows);
    for (size_t i = 0; status == 0 && more == 0 && i < l->input->order_count; i++) {
        bool current;
        status = order_row_hash(l->store, l->orders[i].id, l->orders[i].hash, &current, l->err);
        if (status == 0 && l->orders[i].product_code)
            status = product_load(l, &l->orders[i], l->err);
    }
    return status < 0 ? status : more;
}

static int own_day_read(const char *json, const struct policy *policy, struct input *input, struct error *err)
{
    struct patient_day day;
    int status = patient_day_parse(json, &day, err);
    if (status == 0)
        status = patient_day_apply(&day, &policy->day, &input->day, err);
    input->own_day = status == 0;
    return status;
}

static int patient_load(struct loading *l, const struct policy *policy)
{
    struct store_rows *rows = NULL;
    struct input *input = l->input;
    int status =
        store_query(l->store, &rows, l->err,
                    "SELECT source_id, name, birth_day, deceased, day_template FROM patient WHERE id = ?",
                    "i", input->patient);
    int found = status < 0 ? status : store_next(rows, l->err);
    if (found == 0)
        found = error_set(l->err, E_NOT_FOUND, "there is no patient %lld", (long long)input->patient);
    if (found > 0) {
        input->source_id = kept(l->arena, store_text(rows, 0));
        input->name = kept(l->arena, store_text(rows, 1));
        input->birth_day = store_is_null(rows, 2) ? CIVIL_DAY_NONE : (int32_t)store_int(rows, 2);
        input->deceased = store_int(rows, 3) != 0;
        input->day = policy->day;
        found = !input->source_id || !input->name ? no_memory(l->err) : 0;
        if (found == 0 && !store_is_null(rows, 4))
            found = own_day_read(store_text(rows, 4), policy, input, l->err);
    }
    store_done(rows);
    return found;
}

static int newest_load(struct loading *l)
{
    struct store_rows *rows = NULL;
    int status =
        store_query(l->store, &rows, l->err,
                    "SELECT id, version, hash, state FROM plan WHERE patient_id = ? ORDER BY version DESC "
                    "LIMIT 1",
                    "i", l->input->patient);
    int found = status < 0 ? status : store_next(rows, l->err);
    if (found > 0) {
        size_t len;
        const void *hash = store_blob(rows, 2, &len);
        l->input->newest_id = store_int(rows, 0);
        l->input->newest_version = (int)store_int(rows, 1);
        l->input->newest_signed = strcmp(store_text(rows, 3), "signed") == 0;
        if (len == sizeof l->input->newest_hash)
            memcpy(l->input->newest_hash, hash, len);
    }
    store_done(rows);
    return found < 0 ? found : 0;
}

static int signed_load(struct loading *l)
{
    struct store_rows *rows = NULL;
    int status =
        store_query(l->store, &rows, l->err,
                    "SELECT text FROM plan WHERE patient_id = ? AND state = 'signed' ORDER BY version DESC "
                    "LIMIT 1",
                    "i", l->input->patient);
    int found = status < 0 ? status : store_next(rows, l->err);
    if (found > 0) {
        size_t len;
        const void *text = store_blob(rows, 0, &len);
        struct plan_text *plan = NULL;
        found = plan_text_parse(text, len, l->arena, &plan, l->err);
        if (found < 0)
            (void)error_prefix(l->err, found, "the patient's last signed plan"); /* the code is in found */
        l->input->signed_plan = plan;
    }
    store_done(rows);
    return found < 0 ? found : 0;
}

/* An order that the last signed plan has, too: does it still say the same of doses and times? */
static int same_readings(struct loading *l)
{
    const struct plan_text *plan = l->input->signed_plan;
    int status = 0;
    for (size_t i = 0; plan && status == 0 && i < l->input->order_count; i++) {
        for (size_t k = 0; status == 0 && k < plan->order_count; k++) {
            int64_t same = 0;
            if (strcmp(plan->orders[k].source_id, l->orders[i].source_id) != 0)
                continue;
            status = store_get_int(
                l->store, &same, l->err,
                "SELECT count(*) FROM order_version a, order_version b WHERE a.id = ? AND b.id = ? "
                "AND a.reading = b.reading",
                "ii", plan->orders[k].id, l->orders[i].id);
            l->orders[i].same_reading = same > 0;
        }
    }
    return status;
}

static int planned_before(struct loading *l)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < l->input->order_count; i++) {
        int64_t count = 0;
        status = store_get_int(
            l->store, &count, l->err,
            "SELECT count(*) FROM order_version v, plan_order o, signature s WHERE v.source_id = ? "
            "AND v.patient_id = ? AND o.order_version_id = v.id AND o.included = 1 AND s.plan_id = "
            "o.plan_id",
            "ti", l->orders[i].source_id, l->input->patient);
        l->orders[i].planned_before = count > 0;
    }
    return status;
}

static int edits_load(struct loading *l, const struct plan_edit *add, int64_t end)
{
    struct plan_edit *edits = NULL;
    size_t count = 0, kept_count = 0;
    bool ended = end == 0;
    int status = edit_load(l->store, l->input->patient, l->arena, &edits, &count, l->err);
    if (status < 0)
        return status;
    for (size_t i = 0; i < count; i++) {
        ended |= edits[i].id == end;
        if (edits[i].id != end)
            edits[kept_count++] = edits[i];
    }
    if (!ended)
        return error_set(l->err, E_NOT_FOUND, "the patient has no edit %lld that stands", (long long)end);
    if (add && kept_count == PLAN_EDITS_MAX)
        return error_set(l->err, E_LIMIT, "a patient has at most %d edits that stand", PLAN_EDITS_MAX);
    if (add) {
        edits[kept_count++] = *add; /* its id is the highest */
        l->input->tried_edit = add->id;
    }
    l->input->edits = edits;
    l->input->edit_count = kept_count;
    return 0;
}

/* Of every product: which of them the patient has is not settled yet. */
static int overrides_load(struct loading *l)
{
    struct override_row *rows = NULL;
    size_t count = 0;
    int status = override_load(l->store, NULL, false, l->arena, &rows, &count, l->err);
    struct plan_override *overrides = status < 0 ? NULL : arena_array(l->arena, count + 1, sizeof *overrides);
    if (status == 0 && !overrides)
        status = no_memory(l->err);
    for (size_t i = 0; status == 0 && i < count; i++)
        overrides[i] = rows[i].said;
    l->input->overrides = overrides;
    l->input->override_count = count;
    return status;
}

/* An order that waited for nothing but a word on its product is packable when the word is there: for whoever
 * plans, and for whoever counts its fills. Whether the word holds today is looked at when it is planned. */
static int asks_answer(struct loading *l, const struct policy *policy)
{
    for (size_t i = 0; i < l->input->order_count; i++) {
        struct input_order *order = &l->orders[i];
        if (!order->asks || !order->product || !order->reading)
            continue;
        const struct rules_product asked = {.ingredient = order->product->ingredient,
                                            .form = order->product->form,
                                            .release = order->product->release};
        const struct policy_fits *fits =
            policy_fits((struct policy *)(uintptr_t)policy, &asked); /* only keeps what it looked up */
        if (!fits)
            return no_memory(l->err);
        const struct packing_verdict verdict = packing_judge(fits->packing, order->product);
        for (size_t k = 0; order->asks && k < l->input->override_count; k++) {
            const struct plan_override *said = &l->input->overrides[k];
            if (verdict.policy != RULES_PHARMACIST || strcmp(said->product, order->product->code) != 0 ||
                !override_holds(said, &verdict, CIVIL_DAY_NONE, NULL))
                continue;
            order->outcome = INPUT_PACKABLE;
            order->asks = false;
            order->reasons = "";
        }
    }
    return 0;
}

static int product_change(struct loading *l, const struct plan_edit *edit, struct input_order *order)
{
    const struct product *was = order->product;
    order->product_code = edit->value;
    order->product = NULL;
    int status = product_load(l, order, l->err);
    if (status < 0)
        return status;
    const struct product *is = order->product;
    if (!is)
        return error_set(l->err, E_INPUT, "edit %lld: product %s is not in the formulary",
                         (long long)edit->id, edit->value);
    if (!was || strcasecmp(was->ingredient, is->ingredient) != 0 ||
        strcmp(was->strength, is->strength) != 0 || strcmp(was->release, is->release) != 0)
        return error_set(
            l->err, E_INPUT,
            "edit %lld: %s is not of the same ingredient, strength and release as the product of "
            "order %s: that needs another order",
            (long long)edit->id, edit->value, order->source_id);
    return 0;
}

static int products_change(struct loading *l)
{
    int status = 0;
    for (size_t e = 0; status == 0 && e < l->input->edit_count; e++) {
        for (size_t i = 0; status == 0 && i < l->input->order_count; i++) {
            if (l->input->edits[e].kind == PLAN_EDIT_PRODUCT &&
                strcmp(l->input->edits[e].source_id, l->orders[i].source_id) == 0)
                status = product_change(l, &l->input->edits[e], &l->orders[i]);
        }
    }
    return status;
}

int input_load(struct store *store, const struct policy *policy, int64_t patient, struct arena *arena,
               struct input *ret_input, struct error *err)
{
    return input_load_edited(store, policy, patient, NULL, 0, arena, ret_input, err);
}

int input_load_edited(struct store *store, const struct policy *policy, int64_t patient,
                      const struct plan_edit *add, int64_t end, struct arena *arena, struct input *ret_input,
                      struct error *err)
{
    struct error own;
    struct input input = {.patient = patient, .today = CIVIL_DAY_NONE};
    struct loading l = {.store = store, .arena = arena, .err = err ? err : &own, .input = &input};
    int status = patient_load(&l, policy);
    if (status == 0)
        status = orders_load(&l);
    if (status == 0)
        status = edits_load(&l, add, end);
    if (status == 0)
        status = products_change(&l);
    if (status == 0)
        status = overrides_load(&l);
    if (status == 0)
        status = asks_answer(&l, policy);
    if (status == 0)
        status = newest_load(&l);
    if (status == 0)
        status = signed_load(&l);
    if (status == 0)
        status = same_readings(&l);
    if (status == 0)
        status = planned_before(&l);
    if (status == 0)
        *ret_input = input;
    return status;
}

int input_find_patient(struct store *store, const char *text, int64_t *ret_patient, struct error *err)
{
    int status =
        store_get_int(store, ret_patient, err, "SELECT id FROM patient WHERE source_id = ?", "t", text);
    char *end;
    long long number = strtoll(text, &end, 10);
    if (status == E_NOT_FOUND && end != text && *end == '\0')
        status = store_get_int(store, ret_patient, err, "SELECT id FROM patient WHERE id = ?", "i",
                               (int64_t)number);
    if (status == E_NOT_FOUND)
        return error_set(err, E_NOT_FOUND, "there is no patient '%s': `sachet patient list` lists them",
                         text);
    return status;
}

int input_unlisted(struct store *store, int64_t patient, const struct plan_text *plan, struct buf *names,
                   int *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    int status = store_query(store, &rows, err,
                             "SELECT source_id, outcome, reasons FROM order_version WHERE patient_id = ? AND "
                             "current = 1 ORDER BY source_id",
                             "i", patient);
    int more = 0, count = 0;
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        struct buf reasons;
        bool past = false, listed = false, asks = false;
        for (size_t i = 0; i < plan->order_count && !listed; i++)
            listed = strcmp(plan->orders[i].source_id, store_text(rows, 0)) == 0;
        if (listed)
            continue;
        buf_init(&reasons);
        status = reasons_read(store_text(rows, 2), &reasons, &past, &asks, err);
        buf_finish(&reasons);
        if (status < 0 || (past && strcmp(store_text(rows, 1), "refused") == 0))
            continue;
        if (count < UNLISTED_NAMED)
            buf_printf(names, "%s%s", count ? ", " : "", store_text(rows, 0));
        count++;
    }
    store_done(rows);
    if (count > UNLISTED_NAMED)
        buf_printf(names, " and %d more", count - UNLISTED_NAMED);
    *ret_count = count;
    return status < 0 ? status : more;
}
