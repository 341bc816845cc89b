/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/parties/agenda.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "config/conf.h"
#include "controller/intake/fhir_json.h"
#include "controller/intake/reason.h"
#include "controller/parties/agenda_private.h"
#include "controller/plan/label.h"
#include "controller/store/store.h"

enum { EARLIER_MAX = 64, LINE = 78, MARGIN = 6, INSTRUCTION_BYTES_MAX = 2000 };

static const char *const weekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                       "Friday", "Saturday", "Sunday"};
static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};

void agenda_date(int32_t day, char ret_text[AGENDA_DATE_BYTES])
{
    int year, month, mday;
    civil_to_ymd(day, &year, &month, &mday);
    (void)snprintf(ret_text, AGENDA_DATE_BYTES, "%s %d %s %d", weekdays[civil_weekday(day)], mday,
                   months[month - 1], year);
}

void agenda_date_short(int32_t day, char ret_text[AGENDA_DATE_BYTES])
{
    int year, month, mday;
    civil_to_ymd(day, &year, &month, &mday);
    (void)snprintf(ret_text, AGENDA_DATE_BYTES, "%.3s %d %.3s", weekdays[civil_weekday(day)], mday,
                   months[month - 1]);
}

void agenda_item_text(const struct agenda_item *item, struct buf *out)
{
    label_count(item->whole, item->half, out);
    buf_printf(out, " x %s", item->name);
}

void agenda_amount_text(int64_t milli, struct buf *out)
{
    label_count((int)(milli / 1000), milli % 1000 != 0, out); /* amounts are multiples of a half */
}

/* "Thu 26 Nov to Mon 30 Nov", "Thu 26 Nov", "Thu 26 Nov, Fri 27 Nov" */
static void days_run(int32_t from, int32_t to, struct buf *out)
{
    char first[AGENDA_DATE_BYTES], last[AGENDA_DATE_BYTES];
    agenda_date_short(from, first);
    agenda_date_short(to, last);
    buf_printf(out, "%s%s%s", first,
               to == from       ? ""
               : to == from + 1 ? ", "
                                : " to ",
               to == from ? "" : last);
}

void agenda_days_text(const struct plan_text *plan, const struct plan_take *take, struct buf *out)
{
    const char *before = "";
    int offset = 0;
    int32_t from = CIVIL_DAY_NONE, end = plan->start_day + plan->days;
    if (take->days == plan->days) {
        buf_text(out, "every day");
        return;
    }
    for (size_t s = 0; s < plan->slot_count; s++) {
        if (plan->slots[s].number == take->slot)
            offset = plan->slots[s].offset;
    }
    for (int32_t day = plan->start_day; day <= end; day++) {
        bool taken = day < end && roll_pattern_has(&take->pattern, day);
        if (taken && from == CIVIL_DAY_NONE) {
            from = day;
        } else if (!taken && from != CIVIL_DAY_NONE) {
            buf_text(out, before);
            days_run(from + offset, day - 1 + offset, out); /* after midnight it is taken on the next date */
            before = ", ";
            from = CIVIL_DAY_NONE;
        }
    }
}

/* A part of a reason that the intake wrote. */
static bool is_intake(const char *part)
{
    for (int code = 0; code < REASON_CODE_COUNT; code++) {
        const char *text = reason_text((enum reason_code)code);
        if (text[0] && strncmp(part, text, strlen(text)) == 0)
            return true;
    }
    return false;
}

void agenda_reason_text(const char *reason, struct buf *out)
{
    const char *before = "";
    while (*reason) {
        int depth = 0;
        size_t len = 0;
        for (; reason[len] && (depth > 0 || strncmp(&reason[len], "; ", 2) != 0); len++)
            depth += reason[len] == '(' ? 1 : reason[len] == ')' && depth > 0 ? -1 : 0;
        if (!is_intake(reason)) {
            buf_text(out, before);
            buf_add(out, reason, len);
            before = "; ";
        }
        reason += len;
        reason += *reason ? 2 : 0;
    }
}

bool agenda_distance_text(const struct plan_note *note, struct buf *out)
{
    const char *rule = strstr(note->text, " [rule ");
    if (note->kind != PLAN_WARNING || !strstr(note->text, PLAN_NOTE_OUTSIDE))
        return false;
    buf_add(out, note->text, rule ? (size_t)(rule - note->text) : strlen(note->text));
    return true;
}

const char *agenda_drug(const struct agenda *agenda, int64_t order)
{
    for (size_t i = 0; i < agenda->review.drug_count; i++) {
        if (agenda->review.drugs[i].order_id == order && agenda->review.drugs[i].change != REVIEW_GONE)
            return agenda->review.drugs[i].drug;
    }
    return "";
}

const char *agenda_banner(const struct agenda *agenda)
{
    if (!agenda->review.is_signed)
        return "DRAFT, NOT SIGNED: do not take anything by it";
    return agenda->review.holds < 0 ? "OUT OF DATE: something changed since it was signed; ask the pharmacy"
                                    : "";
}

/* ---- what is where ---- */

static int event_compare(const void *a, const void *b)
{
    const struct agenda_event *x = a, *y = b;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return (x->minute > y->minute) - (x->minute < y->minute);
}

static struct agenda_event *event_find(struct agenda_event *events, size_t count, int32_t day, int minute)
{
    for (size_t i = count; i > 0; i--) { /* parts of one time stand side by side */
        if (events[i - 1].day == day && events[i - 1].minute == minute)
            return &events[i - 1];
    }
    return NULL;
}

static void item_add(const struct plan_text *plan, struct agenda_event *event, const struct plan_item *item)
{
    const struct plan_product *product = plan_text_product(plan, item->code);
    const char *name = product ? product->name : item->code;
    size_t i = 0;
    while (i < event->item_count && strcmp(event->items[i].name, name) != 0)
        i++;
    if (i == event->item_count) {
        event->items[i] = (struct agenda_item){.name = name, .look = product ? product->look : ""};
        event->item_count++;
    }
    if (item->piece == ROLL_HALF)
        event->items[i].half += item->count;
    else
        event->items[i].whole += item->count;
}

static int pouches_add(struct agenda *agenda, const struct plan_text *plan, struct arena *arena,
                       struct error *err)
{
    for (size_t p = 0; p < plan->pouch_count; p++) {
        const struct plan_pouch *pouch = &plan->pouches[p];
        struct agenda_event *event =
            event_find(agenda->events, agenda->event_count, pouch->day, pouch->minute);
        if (!event) {
            event = &agenda->events[agenda->event_count++];
            *event = (struct agenda_event){.day = pouch->day, .minute = pouch->minute, .slot = pouch->slot};
            event->items = arena_array(arena, plan->product_count, sizeof *event->items);
        }
        if (!event->items)
            return error_set(err, E_MEMORY, "out of memory laying out a cycle");
        event->pouches++;
        for (size_t i = 0; i < pouch->item_count; i++)
            item_add(plan, event, &pouch->items[i]);
    }
    return 0;
}

/* Times of earlier versions that were signed, on days of this one, and are none of its times. */
static int gone_add(struct store *store, struct agenda *agenda, struct arena *arena, struct error *err)
{
    const struct plan_text *plan = agenda->review.plan;
    struct store_rows *rows = NULL;
    int64_t ids[EARLIER_MAX];
    int count = 0;
    int rc =
        store_query(store, &rows, err,
                    "SELECT id FROM plan AS p WHERE patient_id = ? AND version < ? AND start_day < ? AND "
                    "start_day + days > ? AND EXISTS (SELECT 1 FROM signature AS s WHERE s.plan_id = p.id) "
                    "ORDER BY version DESC LIMIT ?",
                    "iiiii", agenda->review.row.patient, plan->version, plan->start_day + plan->days,
                    plan->start_day, EARLIER_MAX);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        ids[count++] = store_int(rows, 0);
        rc = 0;
    }
    store_done(rows);
    for (int k = 0; rc == 0 && k < count; k++) {
        struct plan_row row;
        struct plan_text *old = NULL;
        rc = plan_row_load(store, ids[k], arena, &row, err);
        if (rc == 0)
            rc = plan_text_parse(row.bytes, row.len, arena, &old, err);
        struct agenda_event *grown =
            rc == 0 ? arena_array(arena, agenda->event_count + old->pouch_count, sizeof *grown) : NULL;
        if (rc == 0 && !grown)
            rc = error_set(err, E_MEMORY, "out of memory laying out a cycle");
        if (rc < 0)
            break;
        if (agenda->event_count)
            memcpy(grown, agenda->events, agenda->event_count * sizeof *grown);
        agenda->events = grown;
        for (size_t p = 0; p < old->pouch_count; p++) {
            const struct plan_pouch *pouch = &old->pouches[p];
            if (pouch->day < plan->start_day || pouch->day >= plan->start_day + plan->days ||
                event_find(grown, agenda->event_count, pouch->day, pouch->minute))
                continue;
            grown[agenda->event_count++] = (struct agenda_event){
                .day = pouch->day, .minute = pouch->minute, .slot = pouch->slot, .gone = true};
        }
    }
    return rc;
}

/* "pharmacy.example" of "https://pharmacy.example/fhir". */
static const char *host_of(const char *base, struct arena *arena)
{
    const char *host = strstr(base, "://");
    host = host ? host + 3 : base;
    return arena_text(arena, host, strcspn(host, "/"));
}

/* dosageInstruction[].text and patientInstruction of an order, on one line. */
static const char *instruction_of(const char *original, struct arena *arena)
{
    json_t *root = json_loads(original, 0, NULL), *dosage;
    const json_t *request = root, *entries = json_object_get(root, "entry");
    struct buf text;
    size_t i;
    buf_init(&text);
    if (json_is_array(entries))
        request = json_object_get(json_array_get(entries, 0), "resource");
    json_array_foreach(json_object_get(request, "dosageInstruction"), i, dosage)
    {
        static const char *const keys[] = {"text", "patientInstruction"};
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            const char *words = fhir_text(dosage, keys[k]);
            if (words[0] && utf8_printable(words, strlen(words)) &&
                text.len + strlen(words) < INSTRUCTION_BYTES_MAX)
                buf_printf(&text, "%s%s", text.len ? " " : "", words);
        }
    }
    json_decref(root);
    const char *kept = arena_text(arena, buf_string(&text), text.len);
    buf_finish(&text);
    return kept;
}

static int instructions_read(struct store *store, struct agenda *a, struct arena *arena, struct error *err)
{
    int rc = 0;
    a->instructions = arena_array(arena, a->review.drug_count, sizeof *a->instructions);
    if (!a->instructions)
        return error_set(err, E_MEMORY, "out of memory laying out a cycle");
    for (size_t i = 0; rc == 0 && i < a->review.drug_count; i++) {
        struct store_rows *rows = NULL;
        a->instructions[i] = "";
        rc = store_query(store, &rows, err, "SELECT original FROM order_version WHERE id = ?", "i",
                         a->review.drugs[i].order_id);
        if (rc == 0 && (rc = store_next(rows, err)) == 1) {
            a->instructions[i] = instruction_of(store_text(rows, 0), arena);
            rc = a->instructions[i] ? 0 : error_set(err, E_MEMORY, "out of memory laying out a cycle");
        }
        store_done(rows);
    }
    return rc;
}

/* Plans of the calendar are followed by the next cycle; others by nobody knows what. */
static int next_read(struct store *store, struct agenda *a, int64_t plan, struct error *err)
{
    int64_t anchored = 0;
    int rc = store_get_int(store, &anchored, err,
                           "SELECT EXISTS (SELECT 1 FROM plan_reason WHERE plan_id = ?)", "i", plan);
    a->next_day = anchored ? a->review.plan->start_day + a->review.plan->days : CIVIL_DAY_NONE;
    return rc;
}

int agenda_load(struct store *store, const struct conf *site, int64_t plan, struct arena *arena,
                struct agenda *ret_agenda, struct error *err)
{
    struct agenda *a = ret_agenda;
    *a = (struct agenda){.pharmacy = conf_text(site, "pharmacy.name"),
                         .phone = conf_text(site, "pharmacy.phone")};
    int rc = review_load(store, plan, NULL, arena, &a->review, err);
    if (rc)
        return rc;
    a->host = host_of(conf_text(site, "partners.base"), arena);
    a->events = arena_array(arena, a->review.plan->pouch_count, sizeof *a->events);
    if (!a->host || !a->events)
        return error_set(err, E_MEMORY, "out of memory laying out a cycle");
    rc = pouches_add(a, a->review.plan, arena, err);
    if (rc == 0)
        rc = gone_add(store, a, arena, err);
    if (rc == 0)
        rc = instructions_read(store, a, arena, err);
    if (rc == 0)
        rc = next_read(store, a, plan, err);
    if (rc == 0 && a->event_count > 0)
        qsort(a->events, a->event_count, sizeof *a->events, event_compare);
    return rc;
}

/* ---- text ---- */

/* Words behind a margin, broken between them. */
static void wrapped(struct buf *out, const char *text)
{
    int column = MARGIN;
    buf_printf(out, "%*s", MARGIN, "");
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, " ");
        if (column > MARGIN && column + 1 + (int)len > LINE) {
            buf_printf(out, "\n%*s", MARGIN, "");
            column = MARGIN;
        }
        buf_printf(out, "%s%.*s", column > MARGIN ? " " : "", (int)len, at);
        column += (int)len + (column > MARGIN);
        at += len;
        at += strspn(at, " ");
    }
    buf_char(out, '\n');
}

static void text_takes(const struct agenda *a, const struct plan_slot *slot, struct buf *out)
{
    const struct plan_text *plan = a->review.plan;
    for (size_t t = 0; t < plan->take_count; t++) {
        struct buf line;
        if (plan->takes[t].slot != slot->number)
            continue;
        buf_init(&line);
        agenda_amount_text(plan->takes[t].amount_milli, &line);
        buf_printf(&line, " x %s, ", agenda_drug(a, plan->takes[t].order_id));
        agenda_days_text(plan, &plan->takes[t], &line);
        wrapped(out, buf_string(&line));
        buf_finish(&line);
    }
}

static void text_apart(const struct agenda *a, enum plan_state state, const char *title, struct buf *out)
{
    bool headed = false;
    for (size_t i = 0; i < a->review.drug_count; i++) {
        const struct review_drug *drug = &a->review.drugs[i];
        if (drug->state != state || drug->change == REVIEW_GONE)
            continue;
        if (!headed)
            buf_printf(out, "\n%s\n", title);
        headed = true;
        buf_printf(out, "  %s\n", drug->drug);
        if (drug->words[0])
            wrapped(out, drug->words);
        wrapped(out, drug->reason);
    }
}

void agenda_to_text(const struct agenda *a, struct buf *out)
{
    const struct plan_text *plan = a->review.plan;
    char from[AGENDA_DATE_BYTES], to[AGENDA_DATE_BYTES];
    bool headed = false;
    agenda_date(plan->start_day, from);
    agenda_date(plan->start_day + plan->days - 1, to);
    buf_printf(out, "%s%s%s\n%s, phone %s\nRoll from %s to %s, %zu pouches\n", agenda_banner(a),
               agenda_banner(a)[0] ? "\n" : "", plan->patient_name, a->pharmacy, a->phone, from, to,
               plan->pouch_count);
    for (size_t s = 0; s < plan->slot_count; s++) {
        char time[LABEL_TIME_BYTES];
        label_time(plan->slots[s].minute, time);
        buf_printf(out, "\n%s %s%s\n", plan->slots[s].name, time,
                   plan->slots[s].offset ? " (after midnight, dated the next day)" : "");
        text_takes(a, &plan->slots[s], out);
    }
    text_apart(a, PLAN_APART, "NOT IN THE POUCHES", out);
    text_apart(a, PLAN_WAITING, "NOT IN THE POUCHES YET: the pharmacist is asking", out);
    for (size_t n = 0; n < plan->note_count; n++) {
        struct buf line;
        buf_init(&line);
        if (agenda_distance_text(&plan->notes[n], &line)) {
            buf_text(out, headed ? "" : "\nKEEP APART\n");
            headed = true;
            wrapped(out, buf_string(&line));
        }
        buf_finish(&line);
    }
}
