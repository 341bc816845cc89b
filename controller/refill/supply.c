/* SPDX-License-Identifier: Apache-2.0 */
/* The account of a product, followed day by day (see refill.h, "Where a dose comes from"). */
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/course.h"
#include "controller/refill/refill_private.h"
#include "controller/store/store.h"

bool supply_add(struct arena *arena, struct supply_list *list, struct supply_in in)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 16;
        struct supply_in *grown = arena_array(arena, cap, sizeof *grown);
        if (!grown)
            return false;
        if (list->count > 0)
            memcpy(grown, list->item, list->count * sizeof *grown);
        list->item = grown;
        list->cap = cap;
    }
    list->item[list->count++] = in;
    return true;
}

static bool in_hospital(const struct book *book, int32_t day)
{
    for (size_t i = 0; i < book->stay_count; i++) {
        if (day >= book->stays[i].from && day < book->stays[i].until)
            return true;
    }
    return false;
}

int32_t supply_due(const struct book *book, const struct account *account, int32_t day)
{
    if (day < book->first_day || day >= book->first_day + book->day_count || in_hospital(book, day))
        return 0;
    return account->due[day - book->first_day];
}

/* One version of an order, while it held. */
struct version {
    const char *source_id, *product;
    int32_t from, until; /* days, until exclusive */
    bool current;
    bool taken; /* packable, and not as needed */
    struct reading reading;
};

struct versions {
    struct version *item;
    size_t count, cap;
};

/* The current version of an order that waits in the store is packable where a pharmacist's override answers
 * it. */
static bool packable_now(const struct book *book, const char *source_id)
{
    const struct input *input = &book->refill->input;
    for (size_t i = 0; i < input->order_count; i++) {
        if (strcmp(input->orders[i].source_id, source_id) == 0)
            return input->orders[i].outcome == INPUT_PACKABLE;
    }
    return false;
}

static int version_add(struct book *book, struct versions *list, struct store_rows *rows)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 32;
        struct version *grown = arena_array(book->arena, cap, sizeof *grown);
        if (!grown)
            return error_set(book->err, E_MEMORY, "no memory for the patient's orders");
        if (list->count > 0)
            memcpy(grown, list->item, list->count * sizeof *grown);
        list->item = grown;
        list->cap = cap;
    }
    struct version *v = &list->item[list->count++];
    *v = (struct version){.from = instant_day(store_int(rows, 3)),
                          .until = book->first_day + book->day_count,
                          .current = store_int(rows, 4) != 0};
    v->source_id = arena_text(book->arena, store_text(rows, 0), strlen(store_text(rows, 0)));
    v->product = arena_text(book->arena, store_text(rows, 1), strlen(store_text(rows, 1)));
    if (!v->source_id || !v->product)
        return error_set(book->err, E_MEMORY, "no memory for the patient's orders");
    /* What cannot be read was never planned: nothing was due by it. */
    v->taken =
        (strcmp(store_text(rows, 5), "packable") == 0 || (v->current && packable_now(book, v->source_id))) &&
        !store_is_null(rows, 2) && reading_parse(store_text(rows, 2), &v->reading, NULL) == 0 &&
        !v->reading.as_needed;
    return 0;
}

/*
 * All versions of the patient's orders that have a product of ours, by product and order, each until the next
 * one of its order. What is known of a product first is taken to have been so before, too: its history may be
 * older than its order here.
 */
static int versions_load(struct book *book, struct versions *list)
{
    struct store_rows *rows = NULL;
    int status = store_query(book->store, &rows, book->err,
                             "SELECT source_id, product_code, reading, imported_ms, current, outcome FROM "
                             "order_version WHERE patient_id = ? AND product_code IS NOT NULL ORDER BY "
                             "product_code, source_id, version",
                             "i", book->patient);
    int more = 0;
    while (status == 0 && (more = store_next(rows, book->err)) > 0)
        status = version_add(book, list, rows);
    store_done(rows);
    for (size_t i = 0; i < list->count; i++) {
        struct version *v = &list->item[i];
        bool first = true;
        for (size_t k = 0; k < list->count; k++)
            first = first && (k == i || strcmp(list->item[k].product, v->product) != 0 ||
                              list->item[k].from > v->from || (list->item[k].from == v->from && k > i));
        if (i + 1 < list->count && strcmp(list->item[i + 1].source_id, v->source_id) == 0)
            v->until = list->item[i + 1].from;
        if (first)
            v->from = book->first_day;
    }
    return status < 0 ? status : more;
}

/* The product was there before anybody spoke of a new drug: an earlier prescription of it was taken until
 * then. */
static bool was_taken(const struct account *account, int32_t day)
{
    const struct supply_list *lists[] = {&account->fills, &account->apart, &account->pouches};
    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            if (lists[l]->item[i].day < day)
                return true;
        }
    }
    return false;
}

int32_t supply_begins(const struct book *book, const struct account *account, const char *order)
{
    const struct told *begin = told_of(book, "new", order);
    return begin && !was_taken(account, begin->recorded_day) ? begin->day : CIVIL_DAY_NONE;
}

int32_t supply_stops(const struct book *book, const char *order)
{
    const struct told *stop = told_of(book, "stop", order);
    const struct told *begin = told_of(book, "new", order);
    return stop && (!begin || begin < stop) ? stop->day : CIVIL_DAY_NONE;
}

/* Its days: while the version held, from the day on which the drug is needed, up to that on which it stops.
 */
static void version_due(struct book *book, const struct version *v, struct account *account)
{
    struct course courses[COURSES_MAX];
    struct error why = {0};
    int32_t begins = supply_begins(book, account, v->source_id);
    int32_t stops = v->current ? supply_stops(book, v->source_id) : CIVIL_DAY_NONE;
    const struct input_order order = {.source_id = v->source_id, .reading = &v->reading};
    int32_t from = begins != CIVIL_DAY_NONE && begins > v->from ? begins : v->from;
    int32_t until = stops != CIVIL_DAY_NONE && stops < v->until ? stops : v->until;
    int count = courses_of(&v->reading, order_begins(book, &order), book->first_day, book->day_count,
                           book->refill->input.day.day_start, courses, &why);
    for (int i = 0; i < count; i++) { /* what cannot be laid out is not planned either: nothing is due */
        int64_t amount = 0;
        for (int k = 0; k < courses[i].dose_count; k++)
            amount += courses[i].doses[k].amount_milli;
        for (int d = 0; d < book->day_count; d++) {
            int32_t day = book->first_day + d;
            if (day >= from && day < until && roll_pattern_has(&courses[i].pattern, day))
                account->due[d] += (int32_t)amount; /* at most 24 doses of 100 pieces */
        }
    }
}

static int due_fill(struct book *book)
{
    struct versions list = {0};
    for (size_t a = 0; a < book->account_count; a++) {
        book->accounts[a].due = arena_array(book->arena, (size_t)book->day_count, sizeof(int32_t));
        if (!book->accounts[a].due)
            return error_set(book->err, E_MEMORY, "no memory for the patient's supply");
    }
    int status = versions_load(book, &list);
    for (size_t i = 0; status == 0 && i < list.count; i++) {
        struct account *account = account_of(book, list.item[i].product);
        if (account && list.item[i].taken)
            version_due(book, &list.item[i], account);
    }
    return status;
}

static int64_t on_day(const struct supply_list *list, int32_t day)
{
    int64_t sum = 0;
    for (size_t i = 0; i < list->count; i++)
        sum += list->item[i].day == day ? list->item[i].milli : 0;
    return sum;
}

/* What of a day's dose must come from elsewhere than pouches. */
static int64_t open_dose(const struct book *book, const struct account *account, int32_t day)
{
    int64_t due = supply_due(book, account, day);
    int64_t packed = due > 0 ? on_day(&account->pouches, day) : 0;
    return due > packed ? due - packed : 0;
}

/* Where the account begins: a count beats an assumption beats the first dispensing, whichever is newest. What
 * is assumed is there for all doses of its days, in whatever days they are taken. */
static int32_t account_opening(const struct book *book, const struct account *account, int64_t *ret_loose)
{
    *ret_loose = account->basis == REFILL_COUNTED ? account->basis_milli : 0;
    for (int32_t day = account->basis_day; account->basis == REFILL_ASSUMED && day < account->basis_until;
         day++)
        *ret_loose += day >= book->first_day ? account->due[day - book->first_day] : 0;
    if (account->basis == REFILL_COUNTED || account->basis == REFILL_ASSUMED)
        return account->basis_day;
    int32_t first = CIVIL_DAY_NONE;
    for (size_t i = 0; i < account->apart.count; i++) {
        if (first == CIVIL_DAY_NONE || account->apart.item[i].day < first)
            first = account->apart.item[i].day;
    }
    return first;
}

/* What came after the count; on its own day only when it was recorded later. */
static int64_t came_on(const struct account *account, int32_t day)
{
    int64_t sum = 0;
    for (size_t i = 0; i < account->apart.count; i++) {
        const struct supply_in *in = &account->apart.item[i];
        bool counted = account->basis == REFILL_COUNTED && in->day == account->basis_day &&
                       in->at_ms < account->basis_ms;
        sum += in->day == day && !counted ? in->milli : 0;
    }
    return sum;
}

/* What is held of fills that are dated ahead, because their roll was packed before its day: all of them but
 * what lies in pouches that were made since. */
static void late_settle(const struct book *book, struct account *account)
{
    int64_t late = 0, plan = INT64_MAX;
    int32_t from = INT32_MAX;
    for (size_t i = 0; i < account->fills.count; i++) {
        const struct supply_in *in = &account->fills.item[i];
        if (in->day <= book->today)
            continue;
        late += in->milli;
        from = in->day < from ? in->day : from;
        plan = in->plan < plan ? in->plan : plan;
    }
    for (size_t i = 0; i < account->made.count; i++) {
        const struct supply_in *in = &account->made.item[i];
        late -= in->day >= from && in->plan >= plan ? in->milli : 0;
    }
    late = late > account->held_milli ? account->held_milli : late;
    account->late_milli = late > 0 ? late : 0;
    account->late_day = from;
}

/* A record that says for how many days it is, and not how many pieces: the doses of those days, as ordered.
 */
static void pieces_of_days(const struct book *book, const struct account *account, struct supply_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct supply_in *in = &list->item[i];
        int32_t end = book->first_day + book->day_count;
        bool unsaid = in->milli == 0 && in->days != SYNC_NONE;
        for (int32_t day = in->day; unsaid && day < in->day + in->days && day < end; day++)
            in->milli += day >= book->first_day ? account->due[day - book->first_day] : 0;
    }
}

static void account_settle(const struct book *book, struct account *account)
{
    pieces_of_days(book, account, &account->apart);
    pieces_of_days(book, account, &account->fills);
    int64_t loose = 0;
    int32_t day = account_opening(book, account, &loose);
    if (day != CIVIL_DAY_NONE && account->basis == REFILL_UNKNOWN)
        account->basis = REFILL_HISTORY;
    if (account->basis == REFILL_HISTORY)
        account->basis_day = day;
    if (day != CIVIL_DAY_NONE && day < book->first_day)
        day = book->first_day;
    for (; day != CIVIL_DAY_NONE && day < book->today; day++) {
        loose += came_on(account, day);
        int64_t open = open_dose(book, account, day);
        loose = loose > open ? loose - open : 0; /* a dose that was not there was not taken */
    }
    account->loose_milli = loose + (day == CIVIL_DAY_NONE ? 0 : came_on(account, book->today));
    int64_t held = 0;
    for (size_t i = 0; i < account->made.count; i++)
        held -= account->made.item[i].milli;
    for (size_t i = 0; i < account->fills.count; i++)
        held += account->fills.item[i].milli;
    account->held_milli = held > 0 ? held : 0;
    late_settle(book, account);
}

int supply_settle(struct book *book)
{
    int status = due_fill(book);
    for (size_t a = 0; status == 0 && a < book->account_count; a++)
        account_settle(book, &book->accounts[a]);
    return status;
}

struct supply_walk supply_walk(const struct book *book, const struct account *account, int64_t loose_milli,
                               int64_t held_milli)
{
    int64_t late = account->late_milli < held_milli ? account->late_milli : held_milli;
    return (struct supply_walk){.book = book,
                                .account = account,
                                .loose_milli = loose_milli,
                                .held_milli = held_milli - late,
                                .late_milli = late,
                                .held_from = INT32_MIN,
                                .from_home = true};
}

enum supply_source supply_step(struct supply_walk *walk, int32_t day)
{
    int64_t due = supply_due(walk->book, walk->account, day);
    int64_t open = open_dose(walk->book, walk->account, day);
    walk->loose_milli += walk->apart ? on_day(walk->apart, day) : 0;
    walk->held_milli += walk->rolls ? on_day(walk->rolls, day) : 0;
    if (walk->late_milli > 0 && day >= walk->account->late_day) {
        walk->held_milli += walk->late_milli;
        walk->late_milli = 0;
    }
    if (open == 0)
        return due == 0 ? SUPPLY_NOT_DUE : SUPPLY_POUCH;
    if (walk->from_home && open <= walk->loose_milli) {
        walk->loose_milli -= open;
        return SUPPLY_HOME;
    }
    if (day < walk->held_from)
        return SUPPLY_NOTHING;
    walk->from_home = false;
    if (open > walk->held_milli)
        return SUPPLY_NOTHING;
    walk->held_milli -= open;
    return SUPPLY_HELD;
}

int32_t supply_end(const struct book *book, const struct account *account, int32_t from, int64_t loose_milli,
                   int64_t held_milli)
{
    struct supply_walk walk = supply_walk(book, account, loose_milli, held_milli);
    int32_t day = from, end = book->first_day + book->day_count;
    while (day < end && supply_step(&walk, day) != SUPPLY_NOTHING)
        day++;
    return day;
}
