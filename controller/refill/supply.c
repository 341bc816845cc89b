/* SPDX-License-Identifier: Apache-2.0 */
/* The account of a product, followed day by day (see refill.h, "Where a dose comes from"). */
#include <stdlib.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/course.h"
#include "controller/refill/refill_private.h"

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

static int due_add(struct book *book, struct account *account, const struct input_order *order)
{
    struct course courses[COURSES_MAX];
    struct error why = {0};
    int count = courses_of(order->reading, order_begins(book, order), book->first_day, book->day_count,
                           book->refill->input.day.day_start, courses, &why);
    for (int i = 0; i < count; i++) { /* what cannot be laid out is not planned either: nothing is due */
        int64_t amount = 0;
        for (int k = 0; k < courses[i].dose_count; k++)
            amount += courses[i].doses[k].amount_milli;
        for (int d = 0; d < book->day_count; d++) {
            if (roll_pattern_has(&courses[i].pattern, book->first_day + d))
                account->due[d] += (int32_t)amount; /* at most 24 doses of 100 pieces */
        }
    }
    return 0;
}

/* From a day on which an order is stopped nothing is due; before the day on which it is needed neither. */
static void due_clip(struct book *book, const struct input_order *order, struct account *account)
{
    const struct told *stop = told_of(book, "stop", order->source_id);
    const struct told *begin = told_of(book, "new", order->source_id);
    for (int d = 0; d < book->day_count; d++) {
        int32_t day = book->first_day + d;
        if ((stop && day >= stop->day) || (begin && day < begin->day))
            account->due[d] = 0;
    }
}

static int due_fill(struct book *book)
{
    const struct input *input = &book->refill->input;
    for (size_t a = 0; a < book->account_count; a++) {
        book->accounts[a].due = arena_array(book->arena, (size_t)book->day_count, sizeof(int32_t));
        if (!book->accounts[a].due)
            return error_set(book->err, E_MEMORY, "no memory for the patient's supply");
    }
    for (size_t i = 0; i < input->order_count; i++) {
        const struct input_order *order = &input->orders[i];
        struct account *account = order->product ? account_of(book, order->product->code) : NULL;
        if (!account || order->outcome != INPUT_PACKABLE || !order->reading || order->reading->as_needed)
            continue;
        struct account own = {.due = arena_array(book->arena, (size_t)book->day_count, sizeof(int32_t))};
        if (!own.due)
            return error_set(book->err, E_MEMORY, "no memory for the patient's supply");
        int status = due_add(book, &own, order);
        due_clip(book, order, &own);
        for (int d = 0; d < book->day_count; d++)
            account->due[d] += own.due[d];
        if (status < 0)
            return status;
    }
    return 0;
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

/* Where the account begins: a count beats an assumption beats the first dispensing, whichever is newest. */
static int32_t account_opening(const struct account *account, int64_t *ret_loose)
{
    *ret_loose = account->basis == REFILL_COUNTED ? account->basis_milli : 0;
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

static void account_settle(const struct book *book, struct account *account)
{
    int64_t loose = 0;
    int32_t day = account_opening(account, &loose);
    if (day != CIVIL_DAY_NONE && account->basis == REFILL_UNKNOWN)
        account->basis = REFILL_HISTORY;
    if (account->basis == REFILL_HISTORY)
        account->basis_day = day;
    if (day != CIVIL_DAY_NONE && day < book->first_day)
        day = book->first_day;
    for (; day != CIVIL_DAY_NONE && day < book->today; day++) {
        loose += came_on(account, day);
        if (account->basis == REFILL_ASSUMED && day < account->basis_until)
            continue;
        int64_t open = open_dose(book, account, day);
        loose = loose > open ? loose - open : 0; /* a dose that was not there was not taken */
    }
    account->loose_milli = loose + (day == CIVIL_DAY_NONE ? 0 : came_on(account, book->today));
    int64_t held = -account->made_milli;
    for (size_t i = 0; i < account->fills.count; i++)
        held += account->fills.item[i].milli;
    account->held_milli = held > 0 ? held : 0;
}

int supply_settle(struct book *book)
{
    int status = due_fill(book);
    for (size_t a = 0; status == 0 && a < book->account_count; a++)
        account_settle(book, &book->accounts[a]);
    return status;
}

int32_t supply_end(const struct book *book, const struct account *account, int32_t from, int64_t loose_milli,
                   int64_t held_milli, const struct supply_list *more)
{
    int64_t left = loose_milli + held_milli;
    int32_t day = from, end = book->first_day + book->day_count;
    for (; day < end; day++) {
        left += more ? on_day(more, day) : 0;
        if (account->basis == REFILL_ASSUMED && day < account->basis_until)
            continue;
        int64_t open = open_dose(book, account, day);
        if (open > left)
            break;
        left -= open;
    }
    return day;
}
