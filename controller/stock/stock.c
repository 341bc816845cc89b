/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/stock/stock.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/utf8.h"
#include "controller/stock/content.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

#define CANISTER_COLUMNS                                                                           \
    "id, product_code, piece, lot, expiry_day, level, machine, bay, changed_ms, " DOUBT_LEAST_SQL( \
        "canister.id") ", " DOUBT_MOST_SQL("canister.id") ", " DOUBT_ASKED_SQL("canister.id")

static void canister_read(struct store_rows *rows, struct canister *ret)
{
    *ret = (struct canister){
        .id = store_int(rows, 0),
        .piece = strcmp(store_text(rows, 2), roll_piece_text(ROLL_HALF)) == 0 ? ROLL_HALF : ROLL_WHOLE,
        .expiry_day = (int32_t)store_int(rows, 4),
        .level = store_int(rows, 5),
        .bay = store_is_null(rows, 7) ? STOCK_NO_BAY : (int)store_int(rows, 7),
        .changed_ms = store_int(rows, 8),
        .doubt = {.least = store_int(rows, 9),
                  .most = store_int(rows, 10) + DOUBT_POCKET_PIECES * store_int(rows, 11)},
        .under_way = store_int(rows, 11) > 0};
    /* lengths were checked when the row was written */
    (void)snprintf(ret->product_code, sizeof ret->product_code, "%s", store_text(rows, 1));
    (void)snprintf(ret->lot, sizeof ret->lot, "%s", store_text(rows, 3));
    (void)snprintf(ret->machine, sizeof ret->machine, "%s", store_text(rows, 6));
}

/* The one row that a started query gives; E_NOT_FOUND without a message when there is none. */
static int canister_only(struct store_rows *rows, struct canister *ret_canister, struct error *err)
{
    int rc = store_next(rows, err);
    if (rc == 1)
        canister_read(rows, ret_canister);
    store_done(rows);
    return rc == 1 ? 0 : rc == 0 ? E_NOT_FOUND : rc;
}

int stock_get(struct store *store, int64_t canister, struct canister *ret_canister, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err, "SELECT " CANISTER_COLUMNS " FROM canister WHERE id = ?", "i",
                         canister);
    if (rc == 0)
        rc = canister_only(rows, ret_canister, err);
    if (rc == E_NOT_FOUND)
        return error_set(err, rc, "no canister %" PRId64 ": `sachet stock list` shows them", canister);
    return rc;
}

int stock_in_bay(struct store *store, const char *machine, int bay, struct canister *ret_canister,
                 struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(store, &rows, err,
                         "SELECT " CANISTER_COLUMNS " FROM canister WHERE machine = ? AND bay = ?", "ti",
                         machine, bay);
    if (rc == 0)
        rc = canister_only(rows, ret_canister, err);
    if (rc == E_NOT_FOUND)
        return error_set(err, rc, "bay %d of %.64s is empty", bay, machine);
    return rc;
}

int stock_find(struct store *store, const char *machine, const char *product_code, enum roll_piece piece,
               int32_t day, struct canister *ret_canisters, int max, int *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    int count = 0;
    int rc = store_query(store, &rows, err,
                         "SELECT " CANISTER_COLUMNS " FROM canister WHERE machine = ? AND product_code = ? "
                         "AND piece = ? AND level > 0 AND expiry_day >= ? ORDER BY expiry_day, bay LIMIT ?",
                         "tttii", machine, product_code, roll_piece_text(piece), day, max);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        canister_read(rows, &ret_canisters[count++]);
        rc = 0;
    }
    store_done(rows);
    if (rc == 0)
        *ret_count = count;
    return rc;
}

int stock_list(struct store *store, const char *machine, struct canister **ret_canisters, int *ret_count,
               struct error *err)
{
    struct store_rows *rows = NULL;
    struct canister *canisters = NULL;
    int64_t most = 0;
    int count = 0;
    int rc = store_get_int(store, &most, err, "SELECT count(*) FROM canister", "");
    if (rc)
        return rc;
    canisters = calloc((size_t)most + 1, sizeof *canisters);
    if (!canisters)
        return error_set(err, E_MEMORY, "out of memory listing canisters");
    rc = store_query(store, &rows, err,
                     "SELECT " CANISTER_COLUMNS " FROM canister WHERE ?1 IS NULL OR machine = ?1 "
                     "ORDER BY machine IS NULL, machine, bay, id LIMIT ?2",
                     "ti", machine, most);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        canister_read(rows, &canisters[count++]);
        rc = 0;
    }
    store_done(rows);
    if (rc) {
        free(canisters);
        return rc;
    }
    *ret_canisters = canisters;
    *ret_count = count;
    return 0;
}

static bool lot_ok(const char *lot)
{
    size_t len = strnlen(lot, STOCK_LOT_BYTES);
    if (len == 0 || len >= STOCK_LOT_BYTES)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)lot[i]) && !strchr("._+-#/", lot[i]))
            return false;
    }
    return true;
}

/* What is wrong with the load itself, whatever the canister holds. */
static int load_check(struct store *store, const struct stock_act *act, int64_t canister,
                      const char *product_code, enum roll_piece piece, const char *lot, int32_t expiry_day,
                      int64_t pieces, struct error *err)
{
    struct product product;
    char day[CIVIL_TEXT_BYTES];
    bool lot_simulated = strncmp(lot, STOCK_SIMULATED_LOT, strlen(STOCK_SIMULATED_LOT)) == 0;
    if (canister < 1 || canister > STOCK_CANISTER_MAX)
        return error_set(err, E_INPUT, "canister %" PRId64 ": numbers go from 1 to %" PRIu32, canister,
                         STOCK_CANISTER_MAX);
    if (!lot_ok(lot))
        return error_set(err, E_INPUT, "lot \"%.60s\": give 1 to %d letters, digits and . _ + - # /", lot,
                         STOCK_LOT_BYTES - 1);
    if (lot_simulated != act->simulated)
        return error_set(err, E_INPUT,
                         "lot %s: lots that begin with " STOCK_SIMULATED_LOT
                         " are for simulated stock and no other is",
                         lot);
    if (pieces < 1 || pieces > STOCK_PIECES_MAX)
        return error_set(err, E_INPUT, "%" PRId64 " pieces: a load has 1 to %d", pieces, STOCK_PIECES_MAX);
    civil_format(expiry_day, day);
    if (expiry_day < act->today)
        return error_set(err, E_INPUT, "lot %s expired on %s: do not load it", lot, day);
    int rc = product_get(store, product_code, &product, err);
    if (rc)
        return rc;
    if (product.packable == PRODUCT_PACKABLE_NO)
        return error_set(err, E_INPUT, "%s is not packable by the formulary: it does not go into a canister",
                         product.code);
    if (piece == ROLL_HALF && !product.halves)
        return error_set(err, E_INPUT, "%s has no half pieces by the formulary", product.code);
    return 0;
}

/* Did a person say last that it is empty? Run dry by the books is not the same. */
static int was_emptied(struct store *store, int64_t canister, bool *ret_emptied, struct error *err)
{
    int64_t removed = 0;
    int rc = store_get_int(
        store, &removed, err,
        "SELECT kind = 'removed' FROM stock_move WHERE canister_id = ? ORDER BY id DESC LIMIT 1", "i",
        canister);
    *ret_emptied = rc == 0 && removed;
    return rc == E_NOT_FOUND ? 0 : rc;
}

/* May a canister that is in use take this load? */
static int content_check(struct store *store, const struct canister *now, const char *product_code,
                         enum roll_piece piece, const char *lot, int32_t expiry_day, struct error *err)
{
    bool emptied = false;
    bool same_product = strcmp(now->product_code, product_code) == 0 && now->piece == piece;
    bool same_lot = same_product && strcmp(now->lot, lot) == 0 && now->expiry_day == expiry_day;
    int rc = was_emptied(store, now->id, &emptied, err);
    if (rc)
        return rc;
    if (now->level < 0)
        return error_set(err, E_INPUT,
                         "canister %" PRId64 " stands at %" PRId64
                         " pieces by the books: count it first (`sachet stock count`)",
                         now->id, now->level);
    if (!same_product && !emptied)
        return error_set(err, E_INPUT,
                         "canister %" PRId64
                         " is for %s (%s): empty and clean it first (`sachet stock empty`)",
                         now->id, now->product_code, roll_piece_text(now->piece));
    if (!same_lot && now->level > 0)
        return error_set(err, E_INPUT,
                         "canister %" PRId64 " still holds %" PRId64
                         " of lot %s: lots are not mixed, empty it first (`sachet stock empty`)",
                         now->id, now->level, now->lot);
    return 0;
}

/* A change of the level, with its row in stock_move. */
static int level_change(struct store *store, const struct stock_act *act, int64_t canister, const char *kind,
                        int64_t pieces, struct error *err)
{
    int rc = store_exec(store, err, "UPDATE canister SET level = level + ?, changed_ms = ? WHERE id = ?",
                        "iii", pieces, act->wall_ms, canister);
    if (rc == 0)
        rc = store_exec(store, err,
                        "INSERT INTO stock_move (canister_id, kind, pieces, actor, moved_ms) "
                        "VALUES (?, ?, ?, ?, ?)",
                        "ititi", canister, kind, pieces, act->actor, act->wall_ms);
    return rc;
}

/* detail holds only numbers, codes and lots, which need no escapes in JSON. */
static int stock_audit(struct store *store, const struct stock_act *act, const char *action, int64_t canister,
                       const char *detail, struct error *err)
{
    char subject[40];
    (void)snprintf(subject, sizeof subject, "canister:%" PRId64, canister);
    return audit_add(store, act->wall_ms, act->actor, action, subject, detail, err);
}

int stock_load(struct store *store, const struct stock_act *act, int64_t canister, const char *product_code,
               enum roll_piece piece, const char *lot, int32_t expiry_day, int64_t pieces, struct error *err)
{
    struct canister now;
    int rc = load_check(store, act, canister, product_code, piece, lot, expiry_day, pieces, err);
    if (rc)
        return rc;
    rc = stock_get(store, canister, &now, err);
    if (rc == 0)
        rc = content_check(store, &now, product_code, piece, lot, expiry_day, err);
    else if (rc == E_NOT_FOUND)
        rc = 0;
    if (rc == 0)
        rc = store_exec(store, err,
                        "INSERT INTO canister (id, product_code, piece, lot, expiry_day, level, changed_ms) "
                        "VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6) ON CONFLICT (id) DO UPDATE SET "
                        "product_code = ?2, piece = ?3, lot = ?4, expiry_day = ?5, changed_ms = ?6",
                        "itttii", canister, product_code, roll_piece_text(piece), lot, expiry_day,
                        act->wall_ms);
    if (rc == 0)
        rc = level_change(store, act, canister, "load", pieces, err);
    return rc < 0 ? rc : content_seal(store, canister, pieces, act->actor, act->wall_ms, err);
}

/* A person knows now what is in it. */
static int settle(struct store *store, const struct stock_act *act, int64_t canister, const char *how,
                  struct error *err)
{
    int rc = doubt_settle(store, canister, how, act->actor, act->wall_ms, err);
    return rc < 0 ? rc : doubt_open_under_way(store, canister, act->wall_ms, err);
}

int stock_empty(struct store *store, const struct stock_act *act, int64_t canister, struct error *err)
{
    struct canister now;
    char detail[128];
    int rc = stock_get(store, canister, &now, err);
    if (rc == 0)
        rc = level_change(store, act, canister, "removed", -now.level, err);
    if (rc == 0)
        rc = settle(store, act, canister, "emptied", err);
    if (rc)
        return rc;
    (void)snprintf(detail, sizeof detail,
                   "{\"pieces\":%" PRId64 ",\"least\":%" PRId64 ",\"most\":%" PRId64 "}", now.level,
                   now.level - now.doubt.most, now.level - now.doubt.least);
    return stock_audit(store, act, "stock.empty", canister, detail, err);
}

/* By how many pieces a count lies outside of least..most. */
static int64_t outside(int64_t counted, int64_t least, int64_t most)
{
    return counted < least ? counted - least : counted > most ? counted - most : 0;
}

int stock_correct(struct store *store, const struct stock_act *act, int64_t canister, int64_t counted,
                  int64_t *ret_unexplained, struct error *err)
{
    struct canister now;
    char detail[192];
    if (counted < 0 || counted > STOCK_PIECES_MAX)
        return error_set(err, E_INPUT, "%" PRId64 " pieces: a canister holds 0 to %d", counted,
                         STOCK_PIECES_MAX);
    int rc = stock_get(store, canister, &now, err);
    if (rc == 0)
        rc = level_change(store, act, canister, "corrected", counted - now.level, err);
    if (rc == 0)
        rc = settle(store, act, canister, "counted", err);
    if (rc)
        return rc;
    int64_t least = now.level - now.doubt.most, most = now.level - now.doubt.least;
    int64_t unexplained = outside(counted, least, most);
    (void)snprintf(detail, sizeof detail,
                   "{\"books\":%" PRId64 ",\"least\":%" PRId64 ",\"most\":%" PRId64 ",\"counted\":%" PRId64
                   ",\"unexplained\":%" PRId64 "}",
                   now.level, least, most, counted, unexplained);
    rc = stock_audit(store, act, "stock.count", canister, detail, err);
    if (rc == 0 && ret_unexplained)
        *ret_unexplained = unexplained;
    return rc;
}

/* A machine's name goes into JSON and onto screens as it is. */
static int seat_check(struct store *store, const struct canister *now, const char *machine, int bay,
                      struct error *err)
{
    struct canister other;
    size_t len = strnlen(machine, STOCK_MACHINE_BYTES);
    if (len == 0 || len >= STOCK_MACHINE_BYTES || !utf8_printable(machine, len) || strpbrk(machine, "\"\\"))
        return error_set(err, E_INPUT, "machine \"%.64s\": not a machine's name", machine);
    if (bay < 0 || bay > STOCK_BAY_MAX)
        return error_set(err, E_INPUT, "bay %d: bays go from 0 to %d", bay, STOCK_BAY_MAX);
    if (now->machine[0])
        return error_set(err, E_STATE, "canister %" PRId64 " sits in bay %d of %s: unseat it first", now->id,
                         now->bay, now->machine);
    int rc = stock_in_bay(store, machine, bay, &other, err);
    if (rc == 0)
        return error_set(err, E_EXISTS,
                         "bay %d of %s is taken by canister %" PRId64 " (%s): unseat that first", bay,
                         machine, other.id, other.product_code);
    return rc == E_NOT_FOUND ? 0 : rc;
}

int stock_seat(struct store *store, const struct stock_act *act, int64_t canister, const char *machine,
               int bay, struct error *err)
{
    struct canister now;
    char detail[STOCK_MACHINE_BYTES + 64];
    int rc = stock_get(store, canister, &now, err);
    if (rc == 0)
        rc = seat_check(store, &now, machine, bay, err);
    if (rc == 0)
        rc = store_exec(store, err, "UPDATE canister SET machine = ?, bay = ?, changed_ms = ? WHERE id = ?",
                        "tiii", machine, bay, act->wall_ms, canister);
    if (rc)
        return rc;
    (void)snprintf(detail, sizeof detail, "{\"machine\":\"%s\",\"bay\":%d}", machine, bay);
    return stock_audit(store, act, "stock.seat", canister, detail, err);
}

int stock_unseat(struct store *store, const struct stock_act *act, int64_t canister, struct error *err)
{
    struct canister now;
    char detail[STOCK_MACHINE_BYTES + 64];
    int rc = stock_get(store, canister, &now, err);
    if (rc == 0 && !now.machine[0])
        rc = error_set(err, E_STATE, "canister %" PRId64 " is on the shelf already", canister);
    if (rc == 0)
        rc = store_exec(store, err,
                        "UPDATE canister SET machine = NULL, bay = NULL, changed_ms = ? WHERE id = ?", "ii",
                        act->wall_ms, canister);
    if (rc)
        return rc;
    (void)snprintf(detail, sizeof detail, "{\"machine\":\"%s\",\"bay\":%d}", now.machine, now.bay);
    return stock_audit(store, act, "stock.unseat", canister, detail, err);
}
