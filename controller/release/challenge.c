/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Challenges. Pouch, truth or lie, and the lie itself come from BLAKE2b over plan, person, round and number,
 * so that the same person sees the same ones again and nobody can choose them. One of a round is always
 * altered, and one never is, as far as there are two.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "controller/plan/plan_text.h"
#include "controller/release/release_private.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"

static int no_memory(struct error *err)
{
    return error_set(err, E_MEMORY, "no memory for the challenges");
}

/* Eight bytes of chance that can be drawn again; `use` keeps the draws of one challenge apart. */
static uint64_t draw(const struct release_loaded *l, int64_t user, int round, int number, int use)
{
    char text[SEAL_HASH_TEXT_BYTES + 96];
    uint8_t hash[SEAL_HASH_BYTES];
    uint64_t value = 0;
    seal_hash_text(l->roll.plan_hash, text);
    int len =
        snprintf(text + SEAL_HASH_TEXT_BYTES - 1, 96, " %" PRId64 " %d %d %d", user, round, number, use);
    seal_hash(text, SEAL_HASH_TEXT_BYTES - 1 + (size_t)len, hash);
    for (int i = 0; i < 8; i++)
        value = value << 8 | hash[i];
    return value;
}

/* A pouch's content with one thing wrong: another count, or a product that belongs elsewhere. */
static const char *lie(const struct release_loaded *l, const struct plan_pouch *pouch, uint64_t chance)
{
    struct plan_item *items = arena_array(l->arena, pouch->item_count, sizeof *items);
    if (!items)
        return NULL;
    memcpy(items, pouch->items, pouch->item_count * sizeof *items);
    struct plan_item *item = &items[chance % pouch->item_count];
    size_t others = l->text->product_count;
    if ((chance >> 16) % 2 && others > 1) {
        size_t place = (chance >> 24) % others;
        for (size_t i = 0; i < others; i++) {
            const char *code = l->text->products[(place + i) % others].code;
            bool here = false;
            for (size_t k = 0; k < pouch->item_count; k++)
                here = here || strcmp(items[k].code, code) == 0;
            if (!here) {
                item->code = code;
                return release_holds(l->text, items, pouch->item_count, l->arena);
            }
        }
    }
    item->count += item->count > 1 && (chance >> 17) % 2 ? -1 : 1;
    return release_holds(l->text, items, pouch->item_count, l->arena);
}

static int make(const struct release_loaded *l, int64_t user, int round, struct release_challenge *list,
                size_t count, struct error *err)
{
    size_t liar = draw(l, user, round, 0, 0) % count;
    for (size_t i = 0; i < count; i++) {
        int number = (int)i + 1;
        size_t place = draw(l, user, round, number, 1) % l->text->pouch_count;
        const struct plan_pouch *pouch = &l->text->pouches[place];
        bool truth = count > 1 && i == (liar + 1) % count;
        bool altered = i == liar || (!truth && draw(l, user, round, number, 2) % 2);
        list[i] = (struct release_challenge){.number = number,
                                             .pouch = pouch->number,
                                             .altered = altered,
                                             .shown = altered ? lie(l, pouch, draw(l, user, round, number, 3))
                                                              : l->pouches[place].holds};
        if (!list[i].shown)
            return no_memory(err);
    }
    return 0;
}

/* Marks what was answered; *ret_misses of this round. */
static int answers_load(struct store *store, const struct release_loaded *l, int64_t user, int round,
                        struct release_challenge *list, size_t count, int *ret_misses, struct error *err)
{
    struct store_rows *rows = NULL;
    int more = 0;
    int status =
        store_query(store, &rows, err,
                    "SELECT number, answer FROM release_challenge WHERE plan_id = ? AND user_id = ? AND "
                    "round = ?",
                    "iii", l->row.id, user, (int64_t)round);
    *ret_misses = 0;
    while (status == 0 && (more = store_next(rows, err)) > 0) {
        int64_t number = store_int(rows, 0);
        if (number < 1 || (size_t)number > count)
            continue;
        struct release_challenge *c = &list[number - 1];
        c->answered = true;
        c->caught = c->altered == (strcmp(store_text(rows, 1), "wrong") == 0);
        *ret_misses += !c->caught;
    }
    store_done(rows);
    return status < 0 ? status : more;
}

static bool is_complete(const struct release_challenge *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!list[i].answered)
            return false;
    }
    return true;
}

static int round_load(struct store *store, const struct release_loaded *l, const struct user *user,
                      struct release_challenge **ret, size_t *ret_count, int *ret_round, bool *ret_passed,
                      struct error *err)
{
    size_t count = l->text->pouch_count < RELEASE_CHALLENGES ? l->text->pouch_count : RELEASE_CHALLENGES;
    struct release_challenge *list = arena_array(l->arena, count + 1, sizeof *list);
    if (!list)
        return no_memory(err);
    for (int round = 1; round <= RELEASE_ROUNDS; round++) {
        int misses = 0;
        int status = count > 0 ? make(l, user->id, round, list, count, err) : 0;
        if (status == 0)
            status = answers_load(store, l, user->id, round, list, count, &misses, err);
        if (status < 0)
            return status;
        if (misses > 0 && is_complete(list, count))
            continue;
        *ret = list;
        *ret_count = count;
        *ret_round = round;
        *ret_passed = misses == 0 && is_complete(list, count);
        return 0;
    }
    return error_set(err, E_STATE,
                     "%s missed an altered pouch in %d rounds: another pharmacist must release this roll",
                     user->login, RELEASE_ROUNDS);
}

int release_challenges(struct store *store, const struct release_roll *roll, const struct user *user,
                       struct arena *arena, struct release_challenge **ret, size_t *ret_count,
                       bool *ret_passed, struct error *err)
{
    struct release_loaded loaded;
    int round;
    int status = release_loaded_load(store, roll->plan, arena, &loaded, err);
    return status < 0 ? status : round_load(store, &loaded, user, ret, ret_count, &round, ret_passed, err);
}

static int answer_now(struct store *store, int64_t plan, int number, bool right, const struct user *user,
                      struct arena *arena, int64_t wall_ms, bool *ret_caught, struct error *err)
{
    struct release_loaded loaded;
    struct release_challenge *list = NULL;
    size_t count = 0;
    int round = 0;
    bool passed = false;
    char subject[32];
    int status = release_pace(store, plan, user, wall_ms, err);
    if (status == 0)
        status = release_loaded_load(store, plan, arena, &loaded, err);
    if (status == 0)
        status = round_load(store, &loaded, user, &list, &count, &round, &passed, err);
    if (status < 0)
        return status;
    if (number < 1 || (size_t)number > count)
        return error_set(err, E_NOT_FOUND, "there is no challenge %d, they are 1 to %zu", number, count);
    struct release_challenge *c = &list[number - 1];
    if (c->answered)
        return error_set(err, E_STATE, "challenge %d is answered already", number);
    *ret_caught = c->altered == !right;
    status =
        store_exec(store, err,
                   "INSERT INTO release_challenge (plan_id, user_id, round, number, pouch, shown, altered, "
                   "answer, answered_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   "iiiiititi", plan, user->id, (int64_t)round, (int64_t)number, (int64_t)c->pouch, c->shown,
                   (int64_t)c->altered, right ? "right" : "wrong", wall_ms);
    (void)snprintf(subject, sizeof subject, "plan:%" PRId64, plan); /* fits */
    return status < 0 ? status
                      : audit_add(store, wall_ms, user->login,
                                  *ret_caught ? "release.caught" : "release.missed", subject, NULL, err);
}

int release_answer(struct store *store, int64_t plan, int number, bool right, const struct user *user,
                   int64_t wall_ms, bool *ret_caught, struct error *err)
{
    struct arena arena;
    int status = release_begin(store, user, err);
    if (status < 0)
        return status;
    arena_init(&arena, 0);
    status = answer_now(store, plan, number, right, user, &arena, wall_ms, ret_caught, err);
    arena_finish(&arena);
    return release_end(store, status, err);
}
