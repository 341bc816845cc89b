/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/stock/content.h"
#include "controller/stock/product.h"
#include "controller/stock/stock.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/support/scratch.h"

enum { TODAY = 20778 /* 2026-11-21 */ };

struct fixture {
    struct scratch scratch;
    struct store *store;
    struct stock_act act;
    struct stock_act simulated;
    struct error err;
};

/* Everything here runs inside one write transaction, which teardown commits. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char path[SCRATCH_PATH_BYTES];
    int32_t day = 0;
    assert_non_null(f);
    assert_true(civil_parse("2026-11-21", &day));
    assert_int_equal(day, TODAY);
    scratch_init(&f->scratch);
    (void)scratch_path(&f->scratch, "sachet.db", path);
    assert_int_equal(seal_init(&f->err), 0);
    assert_int_equal(store_create(path, &f->err), 0);
    f->store = store_open(path, false, &f->err);
    assert_non_null(f->store);
    f->act = (struct stock_act){.actor = "first", .wall_ms = 1795219200000, .today = TODAY};
    f->simulated = f->act;
    f->simulated.simulated = true;
    assert_int_equal(store_write_begin(f->store, &f->err), 0);
    static const struct {
        const char *code;
        enum product_packable packable;
        bool halves;
    } products[] = {
        {.code = "A", .packable = PRODUCT_PACKABLE_YES, .halves = true},
        {.code = "B", .packable = PRODUCT_PACKABLE_YES},
        {.code = "P", .packable = PRODUCT_PACKABLE_PHARMACIST},
        {.code = "X", .packable = PRODUCT_PACKABLE_NO},
    };
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        enum product_put put = PRODUCT_SAME;
        struct product product = {.name = "n",
                                  .ingredient = "i",
                                  .strength = "5 mg",
                                  .form = "tablet",
                                  .packable = products[i].packable,
                                  .halves = products[i].halves};
        (void)snprintf(product.code, sizeof product.code, "%s", products[i].code);
        assert_int_equal(product_put(f->store, &product, 1, &put, &f->err), 0);
    }
    *state = f;
    return 0;
}

/* Books balance: the level of a canister is the sum of its moves. */
static int teardown(void **state)
{
    struct fixture *f = *state;
    int64_t wrong = -1;
    int64_t rows = 0;
    assert_int_equal(store_write_commit(f->store, &f->err), 0);
    assert_int_equal(store_get_int(f->store, &wrong, &f->err,
                                   "SELECT count(*) FROM canister c WHERE level <> "
                                   "(SELECT sum(pieces) FROM stock_move WHERE canister_id = c.id)",
                                   ""),
                     0);
    assert_int_equal(wrong, 0);
    assert_int_equal(audit_verify(f->store, &rows, &f->err), 0);
    store_close(f->store);
    scratch_finish(&f->scratch);
    free(f);
    return 0;
}

static void load_or_fail(struct fixture *f, int64_t id, const char *code, enum roll_piece piece,
                         const char *lot, int32_t expiry, int64_t pieces)
{
    if (stock_load(f->store, &f->act, id, code, piece, lot, expiry, pieces, &f->err))
        fail_msg("%s", f->err.message);
}

static void seat_or_fail(struct fixture *f, int64_t id, int bay)
{
    if (stock_seat(f->store, &f->act, id, "packer-1", bay, &f->err))
        fail_msg("%s", f->err.message);
}

static void take(struct fixture *f, int64_t id, int64_t pieces)
{
    assert_int_equal(
        store_exec(f->store, &f->err, "UPDATE canister SET level = level - ? WHERE id = ?", "ii", pieces, id),
        0);
    assert_int_equal(store_exec(f->store, &f->err,
                                "INSERT INTO stock_move (canister_id, kind, pieces, actor, moved_ms) "
                                "VALUES (?, 'packed', ?, 'sachetd', 1)",
                                "ii", id, -pieces),
                     0);
}

static void loads_add_up_and_keep_lots_apart(void **state)
{
    struct fixture *f = *state;
    struct canister c;
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L1", TODAY + 100, 300);
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L1", TODAY + 100, 20);
    assert_int_equal(stock_get(f->store, 7, &c, &f->err), 0);
    assert_int_equal(c.level, 320);
    assert_string_equal(c.lot, "L1");
    assert_int_equal(c.bay, STOCK_NO_BAY);
    assert_int_equal(stock_load(f->store, &f->act, 7, "A", ROLL_WHOLE, "L2", TODAY + 100, 1, &f->err),
                     E_INPUT);
    assert_int_equal(stock_load(f->store, &f->act, 7, "A", ROLL_WHOLE, "L1", TODAY + 99, 1, &f->err),
                     E_INPUT);
    take(f, 7, 320);
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L2", TODAY + 200, 10); /* run dry: the same product, a new lot */
    assert_int_equal(stock_get(f->store, 7, &c, &f->err), 0);
    assert_string_equal(c.lot, "L2");
}

static void another_product_needs_an_emptied_canister(void **state)
{
    struct fixture *f = *state;
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L1", TODAY + 100, 300);
    assert_int_equal(stock_load(f->store, &f->act, 7, "B", ROLL_WHOLE, "L1", TODAY + 100, 1, &f->err),
                     E_INPUT);
    assert_non_null(strstr(f->err.message, "stock empty"));
    assert_int_equal(stock_load(f->store, &f->act, 7, "A", ROLL_HALF, "L1", TODAY + 100, 1, &f->err),
                     E_INPUT);
    take(f, 7, 300); /* nothing left by the books is not the same as emptied by a person */
    assert_int_equal(stock_load(f->store, &f->act, 7, "B", ROLL_WHOLE, "L1", TODAY + 100, 1, &f->err),
                     E_INPUT);
    assert_int_equal(stock_empty(f->store, &f->act, 7, &f->err), 0);
    load_or_fail(f, 7, "B", ROLL_WHOLE, "L1", TODAY + 100, 5);
}

static void what_may_not_be_loaded_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int64_t id;
        const char *code;
        enum roll_piece piece;
        const char *lot;
        int32_t expiry;
        int64_t pieces;
        int result;
    } cases[] = {
        {.id = 0, .code = "A", .lot = "L", .expiry = TODAY, .pieces = 1, .result = E_INPUT},
        {.id = (int64_t)UINT32_MAX + 1,
         .code = "A",
         .lot = "L",
         .expiry = TODAY,
         .pieces = 1,
         .result = E_INPUT},
        {.id = 1, .code = "C", .lot = "L", .expiry = TODAY, .pieces = 1, .result = E_NOT_FOUND},
        {.id = 1, .code = "X", .lot = "L", .expiry = TODAY, .pieces = 1, .result = E_INPUT},
        {.id = 1,
         .code = "B",
         .piece = ROLL_HALF,
         .lot = "L",
         .expiry = TODAY,
         .pieces = 1,
         .result = E_INPUT},
        {.id = 1, .code = "A", .lot = "", .expiry = TODAY, .pieces = 1, .result = E_INPUT},
        {.id = 1, .code = "A", .lot = "a \"b\"", .expiry = TODAY, .pieces = 1, .result = E_INPUT},
        {.id = 1, .code = "A", .lot = "SIM-1", .expiry = TODAY, .pieces = 1, .result = E_INPUT},
        {.id = 1, .code = "A", .lot = "L", .expiry = TODAY - 1, .pieces = 1, .result = E_INPUT},
        {.id = 1, .code = "A", .lot = "L", .expiry = TODAY, .pieces = 0, .result = E_INPUT},
        {.id = 1, .code = "A", .lot = "L", .expiry = TODAY, .pieces = -5, .result = E_INPUT},
        {.id = 1,
         .code = "A",
         .lot = "L",
         .expiry = TODAY,
         .pieces = STOCK_PIECES_MAX + 1,
         .result = E_INPUT},
        {.id = 1, .code = "A", .lot = "L", .expiry = TODAY, .pieces = 1, .result = 0},
        {.id = 2, .code = "A", .piece = ROLL_HALF, .lot = "L", .expiry = TODAY, .pieces = 1, .result = 0},
        {.id = 3, .code = "P", .lot = "L", .expiry = TODAY, .pieces = 1, .result = 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = stock_load(f->store, &f->act, cases[i].id, cases[i].code, cases[i].piece, cases[i].lot,
                            cases[i].expiry, cases[i].pieces, &f->err);
        if (rc != cases[i].result)
            fail_msg("case %zu: %d %s", i, rc, f->err.message);
    }
    assert_int_equal(stock_load(f->store, &f->simulated, 4, "A", ROLL_WHOLE, "L", TODAY, 1, &f->err),
                     E_INPUT);
}

static void negative_books_ask_for_a_count(void **state)
{
    struct fixture *f = *state;
    struct canister c;
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L1", TODAY + 100, 10);
    take(f, 7, 13);
    assert_int_equal(stock_load(f->store, &f->act, 7, "A", ROLL_WHOLE, "L1", TODAY + 100, 5, &f->err),
                     E_INPUT);
    assert_int_equal(stock_correct(f->store, &f->act, 7, -1, NULL, &f->err), E_INPUT);
    assert_int_equal(stock_correct(f->store, &f->act, 7, 2, NULL, &f->err), 0);
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L1", TODAY + 100, 5);
    assert_int_equal(stock_get(f->store, 7, &c, &f->err), 0);
    assert_int_equal(c.level, 7);
}

/* Hazards H1 and H11: another lot, a later expiry or another product in the row than what was loaded. */
static void a_canister_whose_row_was_changed_is_noticed(void **state)
{
    static const char *const changes[][2] = {
        {"product_code = 'B'", "product_code = 'A'"},
        {"piece = 'half'", "piece = 'whole'"},
        {"lot = 'L2'", "lot = 'L1'"},
        {"expiry_day = expiry_day + 365", "expiry_day = expiry_day - 365"}};
    struct fixture *f = *state;
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L1", TODAY + 100, 10);
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L1", TODAY + 100, 5);
    assert_int_equal(content_verify(f->store, 7, &f->err), 0);
    assert_int_equal(content_verify(f->store, 8, &f->err), E_NOT_FOUND);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        for (int back = 0; back < 2; back++) {
            char sql[128];
            (void)snprintf(sql, sizeof sql, "UPDATE canister SET %s WHERE id = 7", changes[i][back]);
            assert_int_equal(store_exec(f->store, &f->err, sql, ""), 0);
            if (content_verify(f->store, 7, &f->err) != (back ? 0 : E_TAMPERED))
                fail_msg("%s: %s", changes[i][back], back ? f->err.message : "nobody noticed");
        }
    }
}

/* ---- doubts ---- */

/* Hazard H3. Of a pouch whose canister gave r pieces in t turns and whose sensor counted c: what can be true
 * lies inside, and the two ends can be true. */
static void the_bounds_of_an_entry_hold_and_are_reached(void **state)
{
    (void)state;
    static const struct {
        int requested, counted, least, most;
    } rows[] = {
        {1, 0, 0, 2},  /* one turn without a pulse: nothing, one piece, or two side by side */
        {1, 1, -1, 1}, /* an edge of somebody else's piece ... two that passed as one */
        {2, 1, -1, 3}, /* as above, and a turn without a pulse */
        {2, 2, -2, 2}, {2, 3, -3, 3},
        {4, 0, 0, 2},  {3, -1, 0, 6}, /* no result: not begun ... each turn two */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct doubt doubt = doubt_of_entry(rows[i].requested, rows[i].counted);
        assert_int_equal(doubt.least, rows[i].least);
        assert_int_equal(doubt.most, rows[i].most);
    }
}

static void expect_doubt(struct fixture *f, int64_t canister, int64_t level, int64_t least, int64_t most)
{
    struct canister c;
    assert_int_equal(stock_get(f->store, canister, &c, &f->err), 0);
    assert_int_equal(c.level, level);
    assert_int_equal(c.level - c.doubt.most, least);
    assert_int_equal(c.level - c.doubt.least, most);
}

static void a_count_settles_doubts_and_tells_what_they_do_not_explain(void **state)
{
    struct fixture *f = *state;
    const struct doubt doubt = {.least = -1, .most = 3};
    static const struct {
        int64_t counted, unexplained;
    } rows[] = {{100, 0}, {97, 0}, {101, 0}, {96, -1}, {102, 1}, {0, -97}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t canister = 10 + (int64_t)i, unexplained = 99;
        load_or_fail(f, canister, "A", ROLL_WHOLE, "L1", TODAY + 100, 100);
        assert_int_equal(doubt_open(f->store, canister, 0, 0, &doubt, "why", 1, &f->err), 0);
        expect_doubt(f, canister, 100, 97, 101);
        assert_int_equal(stock_correct(f->store, &f->act, canister, rows[i].counted, &unexplained, &f->err),
                         0);
        assert_int_equal(unexplained, rows[i].unexplained);
        expect_doubt(f, canister, rows[i].counted, rows[i].counted, rows[i].counted);
    }
}

static void doubts_add_up_and_end_with_an_empty_canister(void **state)
{
    struct fixture *f = *state;
    const struct doubt none = {0}, one = {.least = -1, .most = 3}, other = {.most = 2};
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L1", TODAY + 100, 50);
    assert_int_equal(doubt_open(f->store, 7, 0, 0, &none, "why", 1, &f->err), 0);
    expect_doubt(f, 7, 50, 50, 50);
    assert_int_equal(doubt_open(f->store, 7, 0, 0, &one, "why", 1, &f->err), 0);
    assert_int_equal(doubt_open(f->store, 7, 0, 0, &other, "why", 1, &f->err), 0);
    expect_doubt(f, 7, 50, 45, 51);
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L1", TODAY + 100, 50); /* a load tells nothing of what was there */
    expect_doubt(f, 7, 100, 95, 101);
    assert_int_equal(stock_empty(f->store, &f->act, 7, &f->err), 0);
    expect_doubt(f, 7, 0, 0, 0);
}

static void a_bay_holds_one_canister_and_a_canister_sits_once(void **state)
{
    struct fixture *f = *state;
    struct canister c;
    load_or_fail(f, 1, "A", ROLL_WHOLE, "L1", TODAY + 100, 10);
    load_or_fail(f, 2, "B", ROLL_WHOLE, "L1", TODAY + 100, 10);
    seat_or_fail(f, 1, 3);
    assert_int_equal(stock_seat(f->store, &f->act, 2, "packer-1", 3, &f->err), E_EXISTS);
    assert_int_equal(stock_seat(f->store, &f->act, 1, "packer-1", 4, &f->err), E_STATE);
    assert_int_equal(stock_seat(f->store, &f->act, 2, "packer-1", -1, &f->err), E_INPUT);
    assert_int_equal(stock_seat(f->store, &f->act, 2, "packer-1", STOCK_BAY_MAX + 1, &f->err), E_INPUT);
    assert_int_equal(stock_seat(f->store, &f->act, 2, "", 1, &f->err), E_INPUT);
    assert_int_equal(stock_seat(f->store, &f->act, 9, "packer-1", 1, &f->err), E_NOT_FOUND);
    assert_int_equal(stock_in_bay(f->store, "packer-1", 3, &c, &f->err), 0);
    assert_int_equal(c.id, 1);
    assert_int_equal(stock_unseat(f->store, &f->act, 1, &f->err), 0);
    assert_int_equal(stock_unseat(f->store, &f->act, 1, &f->err), E_STATE);
    assert_int_equal(stock_in_bay(f->store, "packer-1", 3, &c, &f->err), E_NOT_FOUND);
    seat_or_fail(f, 2, 3);
}

static void canisters_are_found_shortest_expiry_first_then_lowest_bay(void **state)
{
    struct fixture *f = *state;
    struct canister found[8];
    int count = 0;
    load_or_fail(f, 1, "A", ROLL_WHOLE, "L1", TODAY + 100, 10);
    load_or_fail(f, 2, "A", ROLL_WHOLE, "L2", TODAY + 50, 10);
    load_or_fail(f, 3, "A", ROLL_WHOLE, "L3", TODAY + 50, 10);
    load_or_fail(f, 4, "A", ROLL_WHOLE, "L4", TODAY + 20, 10); /* expires before the last day */
    load_or_fail(f, 5, "A", ROLL_HALF, "L1", TODAY + 60, 10);
    load_or_fail(f, 6, "A", ROLL_WHOLE, "L1", TODAY + 40, 10); /* on the shelf */
    load_or_fail(f, 7, "A", ROLL_WHOLE, "L1", TODAY + 40, 10); /* empty */
    seat_or_fail(f, 1, 0);
    seat_or_fail(f, 2, 9);
    seat_or_fail(f, 3, 5);
    seat_or_fail(f, 4, 1);
    seat_or_fail(f, 5, 2);
    seat_or_fail(f, 7, 3);
    take(f, 7, 10);
    assert_int_equal(stock_find(f->store, "packer-1", "A", ROLL_WHOLE, TODAY + 30, found, 8, &count, &f->err),
                     0);
    assert_int_equal(count, 3);
    assert_int_equal(found[0].id, 3);
    assert_int_equal(found[1].id, 2);
    assert_int_equal(found[2].id, 1);
    assert_int_equal(stock_find(f->store, "packer-1", "A", ROLL_HALF, TODAY + 60, found, 8, &count, &f->err),
                     0);
    assert_int_equal(count, 1); /* good on its last day */
    assert_int_equal(stock_find(f->store, "packer-2", "A", ROLL_WHOLE, TODAY, found, 8, &count, &f->err), 0);
    assert_int_equal(count, 0);
}

static void assert_row(const struct stock_assignment *row, enum stock_step step, const char *code,
                       int64_t pieces, int64_t canister, int bay)
{
    assert_int_equal(row->step, step);
    assert_string_equal(row->product_code, code);
    assert_int_equal(row->pieces, pieces);
    assert_int_equal(row->canister, canister);
    assert_int_equal(row->bay, bay);
}

static void assignment_uses_the_machine_then_the_shelf_and_names_what_is_missing(void **state)
{
    struct fixture *f = *state;
    const struct stock_need needs[] = {{.product_code = "B", .pieces = 30},
                                       {.product_code = "A", .pieces = 20},
                                       {.product_code = "A", .piece = ROLL_HALF, .pieces = 4},
                                       {.product_code = "A", .pieces = 10}};
    struct stock_assign assign = {.machine = "packer-1", .bays = 4, .last_day = TODAY + 30};
    struct stock_assignment *rows = NULL;
    struct canister c;
    int count = 0;
    load_or_fail(f, 1, "A", ROLL_WHOLE, "L1", TODAY + 100, 12);
    seat_or_fail(f, 1, 0);
    load_or_fail(f, 2, "A", ROLL_WHOLE, "L2", TODAY + 90, 100);
    load_or_fail(f, 3, "B", ROLL_WHOLE, "L1", TODAY + 90, 25);
    for (int round = 0; round < 2; round++) { /* proposed and applied are the same */
        assign.apply = round == 1;
        assert_int_equal(stock_assign(f->store, &f->act, &assign, needs, 4, &rows, &count, &f->err), 0);
        assert_int_equal(count, 5);
        assert_row(&rows[0], STOCK_STEP_SEATED, "A", 12, 1, 0);
        assert_row(&rows[1], STOCK_STEP_SEAT, "A", 18, 2, 1);
        assert_row(&rows[2], STOCK_STEP_MISSING, "A", 4, 0, STOCK_NO_BAY);
        assert_row(&rows[3], STOCK_STEP_SEAT, "B", 25, 3, 2);
        assert_row(&rows[4], STOCK_STEP_MISSING, "B", 5, 0, STOCK_NO_BAY);
        free(rows);
    }
    assert_int_equal(stock_in_bay(f->store, "packer-1", 2, &c, &f->err), 0);
    assert_int_equal(c.id, 3);
}

static void simulated_assignment_makes_refills_and_repeats(void **state)
{
    struct fixture *f = *state;
    const struct stock_need needs[] = {{.product_code = "A", .pieces = 500},
                                       {.product_code = "B", .pieces = 10},
                                       {.product_code = "P", .pieces = 10}};
    const struct stock_assign assign = {.machine = "packer-1",
                                        .bays = 3,
                                        .apply = true,
                                        .first_canister = 1001,
                                        .pieces = 400,
                                        .last_day = TODAY + 30};
    struct stock_assignment *rows = NULL;
    struct canister c;
    int count = 0;
    assert_int_equal(stock_assign(f->store, &f->simulated, &assign, needs, 3, &rows, &count, &f->err), 0);
    assert_int_equal(count, 4);
    assert_row(&rows[0], STOCK_STEP_NEW, "A", 400, 1001, 0);
    assert_row(&rows[1], STOCK_STEP_NEW, "A", 100, 1002, 1);
    assert_row(&rows[2], STOCK_STEP_NEW, "B", 10, 1003, 2);
    assert_row(&rows[3], STOCK_STEP_NO_BAY, "P", 10, 0, STOCK_NO_BAY);
    free(rows);
    assert_int_equal(stock_get(f->store, 1003, &c, &f->err), 0);
    assert_string_equal(c.lot, "SIM-1003");
    assert_int_equal(c.level, 400);
    take(f, 1003, 395);
    assert_int_equal(stock_assign(f->store, &f->simulated, &assign, needs, 2, &rows, &count, &f->err), 0);
    assert_int_equal(count, 4);
    assert_row(&rows[2], STOCK_STEP_SEATED, "B", 5, 1003, 2);
    assert_row(&rows[3], STOCK_STEP_REFILL, "B", 5, 1003, 2);
    free(rows);
    assert_int_equal(stock_get(f->store, 1003, &c, &f->err), 0);
    assert_int_equal(c.level, 400);
}

static void the_list_goes_by_machine_and_bay_then_shelf(void **state)
{
    struct fixture *f = *state;
    struct canister *canisters = NULL;
    int count = 0;
    load_or_fail(f, 1, "A", ROLL_WHOLE, "L1", TODAY + 100, 12);
    load_or_fail(f, 2, "A", ROLL_WHOLE, "L1", TODAY + 100, 12);
    load_or_fail(f, 3, "B", ROLL_WHOLE, "L1", TODAY + 100, 12);
    seat_or_fail(f, 3, 1);
    seat_or_fail(f, 2, 2);
    assert_int_equal(stock_list(f->store, NULL, &canisters, &count, &f->err), 0);
    assert_int_equal(count, 3);
    assert_int_equal(canisters[0].id, 3);
    assert_int_equal(canisters[1].id, 2);
    assert_int_equal(canisters[2].id, 1);
    free(canisters);
    assert_int_equal(stock_list(f->store, "packer-1", &canisters, &count, &f->err), 0);
    assert_int_equal(count, 2);
    free(canisters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(loads_add_up_and_keep_lots_apart),
        TEST(another_product_needs_an_emptied_canister),
        TEST(what_may_not_be_loaded_is_refused),
        TEST(negative_books_ask_for_a_count),
        TEST(a_canister_whose_row_was_changed_is_noticed),
        TEST(the_bounds_of_an_entry_hold_and_are_reached),
        TEST(a_count_settles_doubts_and_tells_what_they_do_not_explain),
        TEST(doubts_add_up_and_end_with_an_empty_canister),
        TEST(a_bay_holds_one_canister_and_a_canister_sits_once),
        TEST(canisters_are_found_shortest_expiry_first_then_lowest_bay),
        TEST(assignment_uses_the_machine_then_the_shelf_and_names_what_is_missing),
        TEST(simulated_assignment_makes_refills_and_repeats),
        TEST(the_list_goes_by_machine_and_bay_then_shelf),
#undef TEST
    };
    return cmocka_run_group_tests_name("stock", tests, NULL, NULL);
}
