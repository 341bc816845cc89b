/* SPDX-License-Identifier: Apache-2.0 */
/* Every move of a job that the store ever sees is a row of the job's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/pack/job.h"
#include "controller/pack/withdraw.h"
#include "controller/store/store.h"
#include "tests/sim/rig.h"

enum { LIMIT_MS = 30 * 60000 };

static void withdraw_first(struct rig *rig)
{
    const struct withdraw_request request = {
        .plan = 1, .from_day = CIVIL_DAY_NONE, .reason = "stopped", .actor = "tech", .wall_ms = 1};
    struct withdraw_result result;
    struct arena arena;
    struct error err = {0};
    arena_init(&arena, 0);
    if (store_write_begin(rig->pharmacy.store, &err) < 0 ||
        batch_withdraw(rig->pharmacy.store, &request, &arena, &result, &err) < 0 ||
        store_write_commit(rig->pharmacy.store, &err) < 0)
        fail_msg("%s", err.message);
    arena_finish(&arena);
    packer_orders(rig->packer);
}

static bool is_row(const char *from, const char *to)
{
    size_t count = 0;
    const struct job_row *rows = job_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(job_state_word(rows[i].from), from) == 0 && strcmp(job_state_word(rows[i].to), to) == 0)
            return true;
    }
    return false;
}

/* A batch with mechanical faults, in which a plan is withdrawn, the rest is cancelled and made anew. */
static void every_move_of_a_job_is_a_row_of_its_table(void **state)
{
    (void)state;
    struct rig rig;
    struct error err = {0};
    struct store_rows *rows = NULL;
    int seen = 0, rc;
    rig_init(&rig, &(struct rig_params){.patients = 3, .days = 30, .seed = 3, .faults = true});
    pharmacy_exec(&rig.pharmacy,
                  "CREATE TABLE move (was TEXT, becomes TEXT, PRIMARY KEY (was, becomes)) STRICT");
    pharmacy_exec(&rig.pharmacy,
                  "CREATE TRIGGER job_moves AFTER UPDATE OF state ON job WHEN OLD.state <> NEW.state BEGIN"
                  " INSERT OR IGNORE INTO move VALUES (OLD.state, NEW.state); END");
    int64_t batch = pharmacy_batch(&rig.pharmacy);
    pharmacy_exec(&rig.pharmacy, "UPDATE canister SET level = 4 WHERE product_code = 'C'"); /* blocks some */
    rig_run_ms(&rig, 4000);
    withdraw_first(&rig);
    assert_true(rig_run_batch(&rig, batch, LIMIT_MS));
    pharmacy_exec(&rig.pharmacy, "UPDATE canister SET level = 400 WHERE product_code = 'C'");
    rig_order(&rig, batch, "start", true);
    rig_run_ms(&rig, 300);
    rig_order(&rig, batch, "cancel", true);
    assert_true(rig_run_batch(&rig, batch, LIMIT_MS));
    rc = store_query(rig.pharmacy.store, &rows, &err, "SELECT was, becomes FROM move", "");
    while (rc == 0 && (rc = store_next(rows, &err)) == 1) {
        rc = 0;
        seen++;
        if (!is_row(store_text(rows, 0), store_text(rows, 1)))
            fail_msg("a job went from %s to %s", store_text(rows, 0), store_text(rows, 1));
    }
    store_done(rows);
    assert_int_equal(rc, 0);
    assert_true(seen >= 6); /* the run came by most of them */
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_move_of_a_job_is_a_row_of_its_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
