/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A year of one patient's life through the program, day by day under a ledger that knows nothing of plans: no
 * gap, no double, no early controlled fill, and no gap that was not told before. One scripted year; random
 * ones (LIFE_YEARS=N LIFE_SEED=S for more, alone; LIFE_VERBOSE=1 tells the days); and years in which
 * something is made to go wrong, which the ledger must see.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/rng.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tests/unit/refill/life.h"

enum { YEAR = 365, SEED = 20261121, YEARS = 2, MUTANT_DAYS = 105 };

static void no_breach_or_fail(const struct life *life)
{
    if (life_breaches(life) > 0)
        fail_msg("%d breaches in %d days; the first: %s", life_breaches(life), life->today - life->first_day,
                 life->first_breach);
}

/* Start, new drug, hospital, another dose, a stop, denied renewal, renewal, rejected claim, holiday. */
static void scripted_year(struct life *life, enum life_mutant mutant, int days)
{
    life_init(life, "2026-11-23", 28);
    life->mutant = mutant;
    life->verbose = getenv("LIFE_VERBOSE") != NULL;
    int32_t first = life->first_day;
    struct life_drug *statin = life_prescribe(life, "statin", 1, first, 0, 0, false, 1);
    struct life_drug *blood = life_prescribe(life, "pressure", 2, first, 0, 0, false, 40);
    struct life_drug *sleep = life_prescribe(life, "sleep", 1, first, 6, 28, true, 9);
    struct life_drug *water = life_prescribe(life, "water", 1, first, 6, 28, false, 15);
    struct life_drug *added = NULL;
    for (int day = 0; day < days && (mutant == LIFE_AS_IS || life_breaches(life) == 0); day++) {
        switch (day) {
        case 60: /* a new drug in the middle of a cycle */
            added = life_prescribe(life, "thinner", 1, life->today + 2, 0, 0, false, 0);
            break;
        case 95:
            life_hospital(life);
            break;
        case 104:
            life_discharge(life);
            break;
        case 130:
            life_dose(life, blood, 3);
            break;
        case 150: /* the payer says no to something not due yet */
            life_reject(life, statin, life->today + 3);
            break;
        case 155: /* the controlled drug is renewed in time */
            life_renew(life, sleep, 12);
            break;
        case 160:
            life_deny(life, water);
            break;
        case 215: /* a holiday: another day of the month suits better */
            life_anchor(life, life->today + 11);
            break;
        case 262:
            life_stop(life, added, life->today + 1);
            break;
        case 300: /* the roll is lost on the way home; payers waive */
            life_lose_pouches(life);
            life_override(life, statin);
            life_override(life, blood);
            life_override(life, sleep);
            break;
        default:
            break;
        }
        life_day(life);
    }
}

/* Hazard H13. */
static void a_scripted_year_has_no_gap_no_double_and_no_early_controlled_fill(void **state)
{
    (void)state;
    struct life life;
    scripted_year(&life, LIFE_AS_IS, YEAR);
    print_message("%d plans, %d batches, %d handovers, %d bridges\n", life.plans, life.batches,
                  life.handovers, life.bridges);
    no_breach_or_fail(&life);
    assert_true(life.handovers >= 13);
    assert_true(life.drugs[3].gap_days > 28); /* the denied one ended, and that was told before */
    int64_t rows;
    struct error err = {0};
    assert_int_equal(audit_verify(life.clinic.store, &rows, &err), 0);
    life_finish(&life);
}

/* Hazard H12. */
static void the_ledger_sees_what_is_made_to_go_wrong(void **state)
{
    (void)state;
    static const enum life_breach expected[LIFE_MUTANTS] = {
        [LIFE_LOSE_A_POUCH] = LIFE_SILENT,    [LIFE_TAKE_RECALLED] = LIFE_DOUBLE,
        [LIFE_PACK_TWICE] = LIFE_DOUBLE,      [LIFE_BILL_EARLY] = LIFE_EARLY,
        [LIFE_SHIP_LATE] = LIFE_SILENT,       [LIFE_FORGET_BRIDGE] = LIFE_SILENT,
        [LIFE_FORGET_HANDOVER] = LIFE_SILENT, [LIFE_FORGET_RECALL] = LIFE_DOUBLE,
        [LIFE_FORGET_BILL] = LIFE_UNBILLED,   [LIFE_COUNT_TWICE] = LIFE_SILENT,
    };
    for (enum life_mutant m = LIFE_AS_IS + 1; m < LIFE_MUTANTS; m++) {
        struct life life;
        scripted_year(&life, m, MUTANT_DAYS);
        print_message("mutant %d: %d breaches, first %s\n", (int)m, life_breaches(&life), life.first_breach);
        if (life.breaches[expected[m]] == 0)
            fail_msg("mutant %d was not seen as a %s", (int)m, life_breach_text(expected[m]));
        life_finish(&life);
    }
}

/* ---- random years ---- */

static int between(struct rng *rng, int low, int high)
{
    return low + (int)rng_below(rng, (uint32_t)(high - low + 1));
}

static struct life_drug *some_drug(struct life *life, struct rng *rng)
{
    struct life_drug *drug = &life->drugs[between(rng, 0, life->drug_count - 1)];
    bool active = drug->from <= life->today && drug->until == INT32_MAX && !drug->denied;
    return active ? drug : NULL;
}

static void something(struct life *life, struct rng *rng)
{
    bool away = life->hospital_from <= life->today && life->hospital_until == INT32_MAX;
    struct life_drug *drug = some_drug(life, rng);
    char name[16];
    if (away) {
        life_discharge(life);
        return;
    }
    switch (between(rng, 0, 6)) {
    case 0:
        if (life->drug_count < LIFE_DRUGS_MAX) {
            (void)snprintf(name, sizeof name, "new%d", life->drug_count);
            drug = life_prescribe(life, name, between(rng, 1, 3), life->today + between(rng, 0, 5), 0, 0,
                                  between(rng, 0, 3) == 0, 0);
            drug->payer_is_hard = between(rng, 0, 4) == 0;
        }
        break;
    case 1:
        if (drug && life->drug_count > 2)
            life_stop(life, drug, life->today + between(rng, 0, 4));
        break;
    case 2:
        if (drug && drug->fills == 0) { /* what a changed authority had been used for is another question */
            life_dose(life, drug, between(rng, 1, 3));
            life_override(life, drug); /* therapy change */
        }
        break;
    case 3:
        life_hospital(life);
        break;
    case 4:
        life_anchor(life, life->today + between(rng, 0, 27));
        break;
    case 5:
        life_lose_pouches(life); /* payers waive when they are asked, but for a hard one */
        break;
    default:
        if (drug && drug->fills > 0)
            life_deny(life, drug);
        break;
    }
}

static void random_year(struct life *life, unsigned seed)
{
    static const int cycles[] = {7, 14, 28, 30};
    struct rng rng;
    char name[16];
    rng_init(&rng, seed, 1);
    life_init(life, "2026-11-23", cycles[between(&rng, 0, 3)]);
    life->verbose = getenv("LIFE_VERBOSE") != NULL;
    int count = between(&rng, 1, 5);
    for (int i = 0; i < count; i++) {
        int fills = between(&rng, 0, 3) == 0 ? between(&rng, 5, 30) : 0;
        (void)snprintf(name, sizeof name, "old%d", i);
        struct life_drug *drug =
            life_prescribe(life, name, between(&rng, 1, 3), life->first_day, fills,
                           life->site.cycle_days * between(&rng, 1, 2), between(&rng, 0, 3) == 0,
                           between(&rng, 0, 2) == 0 ? -1 : between(&rng, 0, 60));
        drug->payer_is_hard = between(&rng, 0, 4) == 0;
    }
    for (int day = 0; day < YEAR && life_breaches(life) == 0; day++) {
        if (day > 0 && between(&rng, 0, 24) == 0)
            something(life, &rng);
        life_day(life);
    }
}

/* Hazard H10. */
static void random_years_have_no_gap_no_double_and_no_early_controlled_fill(void **state)
{
    (void)state;
    const char *wish = getenv("LIFE_YEARS"), *from = getenv("LIFE_SEED");
    int years = wish ? atoi(wish) : YEARS;
    unsigned first = from ? (unsigned)strtoul(from, NULL, 10) : SEED;
    int bad = 0;
    print_message("seeds %u..%u\n", first, first + (unsigned)years - 1);
    for (int i = 0; i < years; i++) {
        struct life life;
        random_year(&life, first + (unsigned)i);
        if (life_breaches(&life) > 0) {
            print_message("seed %u: %s\n", first + (unsigned)i, life.first_breach);
            bad++;
        }
        life_finish(&life);
    }
    if (bad > 0)
        fail_msg("%d of %d years", bad, years);
}

static int after_the_last(void **state)
{
    (void)state;
    life_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scripted_year_has_no_gap_no_double_and_no_early_controlled_fill),
        cmocka_unit_test(the_ledger_sees_what_is_made_to_go_wrong),
        cmocka_unit_test(random_years_have_no_gap_no_double_and_no_early_controlled_fill),
    };
    if (getenv("LIFE_YEARS")) /* more years were asked for: those alone */
        cmocka_set_test_filter("random*");
    return cmocka_run_group_tests(tests, NULL, after_the_last);
}
