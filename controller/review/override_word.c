/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/review/override_word.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/plan/packing.h"
#include "controller/stock/product.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "controller/user/user_key.h"

/* What a person signs. The texts are printable, so that each stands on its line. */
static void statement(const struct plan_override *said, int place, const char *login, int64_t said_ms,
                      struct buf *out)
{
    char hash[SEAL_HASH_TEXT_BYTES], from[CIVIL_TEXT_BYTES], until[CIVIL_TEXT_BYTES],
        when[INSTANT_TEXT_BYTES];
    seal_hash_text(said->rule_hash, hash);
    civil_format(said->from_day, from);
    civil_format(said->until_day, until);
    instant_format(said_ms, when);
    buf_printf(out, "sachet-override/1\noverride %" PRId64 "\nproduct %s\nrule %s\nsays %s\nred %s\n",
               said->id, said->product, said->rule, hash, said->red ? "yes" : "no");
    buf_printf(out, "from %s\nuntil %s\nreason %s\nperson %d %s\ntime %s\n", from, until, said->reason, place,
               login, when);
}

static void subject_of(int64_t id, char text[40])
{
    (void)snprintf(text, 40, "override:%" PRId64, id); /* fits */
}

/* The person's signature and the audit row, in the caller's transaction. */
static int word_add(struct store *store, const struct plan_override *said, int place, const struct user *user,
                    const struct seal_key *key, int64_t wall_ms, struct error *err)
{
    uint8_t signature[SEAL_SIGNATURE_BYTES];
    char subject[40], detail[512];
    struct buf text;
    buf_init(&text);
    statement(said, place, user->login, wall_ms, &text);
    bool failed = text.failed;
    if (!failed)
        seal_key_sign(key, text.data, text.len, signature);
    bool valid = !failed && seal_verify(user->public_key, text.data, text.len, signature);
    buf_finish(&text);
    if (failed)
        return error_set(err, E_MEMORY, "no memory for the override");
    if (!valid)
        return error_set(err, E_TAMPERED, "the key of %s makes no valid signature", user->login);
    int status = store_exec(
        store, err,
        "INSERT INTO packing_override_word (override_id, place, user_id, said_ms, signature) "
        "VALUES (?, ?, ?, ?, ?)",
        "iiiib", said->id, (int64_t)place, user->id, wall_ms, (const void *)signature, sizeof signature);
    if (status == E_EXISTS)
        return error_set(err, E_DENIED, "override %" PRId64 ": %s stands for it already, another person must",
                         said->id, user->login);
    char until[CIVIL_TEXT_BYTES];
    civil_format(said->until_day, until);
    subject_of(said->id, subject);
    (void)snprintf(detail, sizeof detail, "{\"product\":\"%s\",\"red\":%s,\"until\":\"%s\"}", said->product,
                   said->red ? "true" : "false", until); /* codes need no escapes; it fits */
    return status < 0 ? status
                      : audit_add(store, wall_ms, user->login,
                                  place == 1 ? "override.add" : "override.second", subject, detail, err);
}

/* Who may: by what the store says now, not by what the caller read earlier. */
static int person_check(struct store *store, const struct user *user, struct error *err)
{
    struct user now;
    int status = user_by_id(store, user->id, &now, err);
    if (status == 0 && !user_is_pharmacist(&now))
        status = error_set(err, E_DENIED, "%s may not do this: only an enabled pharmacist may", user->login);
    if (status == 0 && !seal_equal(now.public_key, user->public_key, sizeof now.public_key))
        status = error_set(err, E_STATE, "the key of %s was changed meanwhile: try again", user->login);
    return status;
}

static int reason_check(const char *reason, struct error *err)
{
    size_t len = strlen(reason);
    return len >= OVERRIDE_REASON_MIN && len <= OVERRIDE_REASON_MAX && utf8_printable(reason, len)
               ? 0
               : error_set(err, E_INPUT, "a reason has %d to %d printable characters", OVERRIDE_REASON_MIN,
                           OVERRIDE_REASON_MAX);
}

static int asked_check(const struct override_asked *asked, int32_t today, struct error *err)
{
    if (asked->from_day < today || asked->until_day < asked->from_day ||
        asked->until_day - asked->from_day > OVERRIDE_DAYS_MAX)
        return error_set(err, E_INPUT,
                         "an override begins today or later and ends, at most %d days after it began",
                         OVERRIDE_DAYS_MAX);
    return reason_check(asked->reason, err);
}

/* What the rules ask of the product now. E_STATE when they ask nobody. */
static int asks_now(struct store *store, struct packing *packing, const char *code,
                    struct packing_verdict *ret_verdict, struct error *err)
{
    struct product product;
    int status = product_get(store, code, &product, err);
    if (status == 0)
        status = packing_of(packing, &product, ret_verdict, err);
    if (status == 0 && (ret_verdict->policy == RULES_NEVER || ret_verdict->policy == RULES_ORIGINAL))
        status = error_set(err, E_STATE, "%s: %s %s keeps it out of pouches, which nobody overrides", code,
                           strcmp(ret_verdict->id, PACKING_FORMULARY) == 0 ? "the" : "packing rule",
                           ret_verdict->id);
    else if (status == 0 && ret_verdict->policy != RULES_PHARMACIST)
        status = error_set(err, E_STATE, "%s: no rule leaves it to a pharmacist, it needs no override", code);
    return status;
}

/* One that answers the rule on the days that are asked for would make another one pointless. */
static int answered_check(struct store *store, const struct override_asked *asked,
                          const struct packing_verdict *verdict, struct arena *arena, struct error *err)
{
    struct override_row *rows = NULL;
    size_t count = 0;
    int status = override_load(store, asked->product, false, arena, &rows, &count, err);
    for (size_t i = 0; status == 0 && i < count; i++) {
        const struct plan_override *said = &rows[i].said;
        if (strcmp(said->rule, verdict->id) == 0 &&
            memcmp(said->rule_hash, verdict->hash, sizeof said->rule_hash) == 0 &&
            said->from_day <= asked->from_day && said->until_day >= asked->until_day)
            status = error_set(err, E_EXISTS, "override %" PRId64 " of %s answers this already%s", said->id,
                               said->login,
                               said->red && said->second[0] == '\0' ? ", and waits for a second person" : "");
    }
    return status;
}

static int add_now(struct store *store, struct packing *packing, const struct override_asked *asked,
                   const struct user *user, const struct seal_key *key, int64_t wall_ms, struct arena *arena,
                   struct plan_override *said, struct error *err)
{
    struct packing_verdict verdict;
    int status = person_check(store, user, err);
    if (status == 0)
        status = asks_now(store, packing, asked->product, &verdict, err);
    if (status == 0)
        status = answered_check(store, asked, &verdict, arena, err);
    if (status < 0)
        return status;
    *said = (struct plan_override){.product = asked->product,
                                   .rule = verdict.id,
                                   .red = verdict.red,
                                   .from_day = asked->from_day,
                                   .until_day = asked->until_day,
                                   .reason = asked->reason};
    memcpy(said->rule_hash, verdict.hash, sizeof said->rule_hash);
    status = store_insert(
        store, err, &said->id,
        "INSERT INTO packing_override (product_code, rule, rule_hash, red, reason, from_day, "
        "until_day) VALUES (?, ?, ?, ?, ?, ?, ?)",
        "ttbitii", said->product, said->rule, (const void *)said->rule_hash, sizeof said->rule_hash,
        (int64_t)said->red, said->reason, (int64_t)said->from_day, (int64_t)said->until_day);
    return status < 0 ? status : word_add(store, said, 1, user, key, wall_ms, err);
}

int override_add(struct store *store, struct packing *packing, const struct override_asked *asked,
                 int32_t today, const struct user *user, const struct seal_key *key, int64_t wall_ms,
                 int64_t *ret_id, bool *ret_red, struct error *err)
{
    struct arena arena;
    struct plan_override said = {0};
    int status = asked_check(asked, today, err);
    if (status == 0)
        status = store_write_begin(store, err);
    if (status < 0)
        return status;
    arena_init(&arena, 0);
    status = add_now(store, packing, asked, user, key, wall_ms, &arena, &said, err);
    if (status == 0)
        status = store_write_commit(store, err);
    store_write_rollback(store);
    if (status == 0) {
        *ret_id = said.id;
        *ret_red = said.red;
    }
    arena_finish(&arena);
    return status;
}

static int second_now(struct store *store, struct packing *packing, int64_t id, int32_t today,
                      const struct user *user, const struct seal_key *key, int64_t wall_ms,
                      struct arena *arena, struct error *err)
{
    struct override_row row;
    struct packing_verdict verdict;
    int status = person_check(store, user, err);
    if (status == 0)
        status = override_find(store, id, arena, &row, err);
    if (status < 0)
        return status;
    if (row.ended)
        return error_set(err, E_STATE, "override %" PRId64 " was ended by %s", id, row.ended_by);
    if (!row.said.red)
        return error_set(err, E_STATE, "override %" PRId64 " needs no second person: its rule is not red",
                         id);
    if (row.user[0] == user->id)
        return error_set(err, E_DENIED,
                         "override %" PRId64 " was made by %s: another pharmacist must stand for it", id,
                         user->login);
    if (row.user[1] != 0)
        return error_set(err, E_STATE, "override %" PRId64 " has its second person: %s", id, row.said.second);
    if (today > row.said.until_day)
        return error_set(err, E_STATE, "override %" PRId64 " has expired", id);
    status = override_verify(store, &row, err);
    if (status == 0)
        status = asks_now(store, packing, row.said.product, &verdict, err);
    if (status == 0 && (strcmp(row.said.rule, verdict.id) != 0 ||
                        memcmp(row.said.rule_hash, verdict.hash, sizeof verdict.hash) != 0))
        status = error_set(
            err, E_STATE,
            "override %" PRId64 ": its rule says something else since: revoke it and add another", id);
    return status < 0 ? status : word_add(store, &row.said, 2, user, key, wall_ms, err);
}

int override_second(struct store *store, struct packing *packing, int64_t id, int32_t today,
                    const struct user *user, const struct seal_key *key, int64_t wall_ms, struct error *err)
{
    struct arena arena;
    int status = store_write_begin(store, err);
    if (status < 0)
        return status;
    arena_init(&arena, 0);
    status = second_now(store, packing, id, today, user, key, wall_ms, &arena, err);
    if (status == 0)
        status = store_write_commit(store, err);
    store_write_rollback(store);
    arena_finish(&arena);
    return status;
}

int override_revoke(struct store *store, int64_t id, const char *reason, const struct user *user,
                    int64_t wall_ms, struct error *err)
{
    char subject[40];
    int64_t there = 0;
    int status = reason_check(reason, err);
    if (status == 0)
        status = store_write_begin(store, err);
    if (status < 0)
        return status;
    status = person_check(store, user, err);
    if (status == 0)
        status =
            store_get_int(store, &there, err, "SELECT count(*) FROM packing_override WHERE id = ?", "i", id);
    if (status == 0 && there == 0)
        status = error_set(err, E_NOT_FOUND,
                           "there is no override %" PRId64 ": `sachet override list` shows them", id);
    if (status == 0)
        status =
            store_exec(store, err,
                       "INSERT INTO packing_override_end (override_id, user_id, reason, ended_ms) VALUES "
                       "(?, ?, ?, ?)",
                       "iiti", id, user->id, reason, wall_ms);
    if (status == E_EXISTS)
        status = error_set(err, E_STATE, "override %" PRId64 " has ended already", id);
    subject_of(id, subject);
    if (status == 0)
        status = audit_add(store, wall_ms, user->login, "override.revoke", subject, "{}", err);
    if (status == 0)
        status = store_write_commit(store, err);
    store_write_rollback(store);
    return status;
}

static int word_verify(struct store *store, const struct override_row *row, int place, struct error *err)
{
    struct user user;
    struct buf text;
    int status = user_by_id(store, row->user[place], &user, err);
    if (status == 0 && !user_was_pharmacist(&user))
        return error_set(err, E_TAMPERED, "override %" PRId64 " is of somebody who is no pharmacist",
                         row->said.id);
    if (status == 0)
        status = user_key_at(store, &user, row->said_ms[place], err);
    if (status < 0)
        return status == E_STATE ? error_prefix(err, status, "override %" PRId64, row->said.id) : status;
    buf_init(&text);
    statement(&row->said, place + 1, user.login, row->said_ms[place], &text);
    bool holds = !text.failed && row->signature_len[place] == SEAL_SIGNATURE_BYTES &&
                 seal_verify(user.public_key, text.data, text.len, row->signature[place]);
    buf_finish(&text);
    return holds ? 0
                 : error_set(err, E_TAMPERED, "override %" PRId64 " is not what %s signed", row->said.id,
                             user.login);
}

int override_verify(struct store *store, const struct override_row *row, struct error *err)
{
    char subject[40];
    int64_t ends = 0;
    if (row->user[0] == 0 || row->user[0] == row->user[1])
        return error_set(err, E_TAMPERED, "override %" PRId64 " is without its person", row->said.id);
    int status = word_verify(store, row, 0, err);
    if (status == 0 && row->user[1] != 0)
        status = word_verify(store, row, 1, err);
    subject_of(row->said.id, subject);
    if (status == 0)
        status = store_get_int(store, &ends, err,
                               "SELECT count(*) FROM audit WHERE subject = ? AND action = 'override.revoke'",
                               "t", subject);
    if (status == 0 && (ends > 0) != row->ended)
        status = error_set(err, E_TAMPERED, "override %" PRId64 ": the audit and the store differ on its end",
                           row->said.id);
    return status;
}
