/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-sync: how long a refill-sync plan takes, and what it needs of memory. Cases come from a fixed seed.
 *
 * First a table, a row a kind of case. Then the same cases through the exhaustive solver of the tests, which
 * tries everything, and the ratio. Then whole pharmacies of rising size on two threads, one row a part: every
 * patient's plan is the schedule of his doses (fewest slots, proved), the refill dates and the roll of one
 * cycle. Ends with 1 when the target of the first row (20 drugs, 30-day cycle: median under 1 ms) is missed,
 * or an answer differs.
 *
 * One plan and the solver beside are timed in processor time of their thread, so that a busy machine does not
 * count; a pharmacy in seconds on the clock, too.
 *
 * usage: bench-sync [CASES [PATIENTS]]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/rng.h"
#include "scheduler/roll.h"
#include "scheduler/slots.h"
#include "scheduler/sync_explain.h"
#include "tools/benches/slots_made.h"
#include "tools/benches/sync_reference.h"

enum {
    TARGET_US = 1000,
    SEED = 20270301,
    ID_BYTES = 8,
    THREADS = 2,
    TODAY = 20879,
    PARTS = 3,
    REFERENCE_CASES = 50
};

struct kind {
    const char *name;
    int drugs, packs; /* so many of the drugs come in packs */
    int cycle, carry;
    bool fixed;   /* the anchor is */
    bool explain; /* with reasons and the what-if table */
};

static const struct kind kinds[] = {
    {.name = "20 drugs, cycle 30", .drugs = 20, .cycle = 30, .carry = 10},
    {.name = "20 drugs, cycle 28", .drugs = 20, .cycle = 28, .carry = 10},
    {.name = "20 drugs, 3 in packs, cycle 28", .drugs = 20, .packs = 3, .cycle = 28, .carry = 10},
    {.name = "8 drugs, 4 in packs, cycle 28, carry 28", .drugs = 8, .packs = 4, .cycle = 28, .carry = 28},
    {.name = "20 drugs, cycle 91", .drugs = 20, .cycle = 91, .carry = 10},
    {.name = "64 drugs, cycle 30", .drugs = 64, .cycle = 30, .carry = 10},
    {.name = "20 drugs, cycle 30, anchor fixed", .drugs = 20, .cycle = 30, .carry = 10, .fixed = true},
    {.name = "20 drugs, cycle 30, explained", .drugs = 20, .cycle = 30, .carry = 10, .explain = true},
};

struct numbers {
    double us;
    bool feasible, limited;
    size_t bytes;
};

/* One random case with its own memory. */
struct patient {
    struct sync_case c;
    struct sync_rx rx[SYNC_DRUGS_MAX];
    char ids[SYNC_DRUGS_MAX][ID_BYTES];
};

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int32_t below(struct rng *rng, int bound)
{
    return (int32_t)rng_below(rng, (uint32_t)bound);
}

/* Processor time of this thread: what a part costs, however many others want the machine. */
static double thread_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* A drug in the middle of an ordinary fill, as a pharmacy sees it. */
static void random_drug(struct rng *rng, const struct kind *kind, int place, struct sync_rx *rx)
{
    static const int thresholds[] = {75, 75, 80, 85, 90};
    int32_t ago = below(rng, 30);
    *rx = (struct sync_rx){
        .id = rx->id,
        .last_fill = TODAY - ago,
        .days_supply = 30,
        .units_per_day = 1 + below(rng, 2),
        .start = CIVIL_DAY_NONE,
        .usual_days = kind->cycle * (1 + (below(rng, 5) == 0)),
        .min_days = below(rng, 3) == 0 ? 5 : 1,
        .pack_days = SYNC_NONE,
        .pack_units = SYNC_NONE,
        .threshold_pct = thresholds[below(rng, 5)],
        .copay_cents = 500 * below(rng, 10),
        .prorated = below(rng, 2) == 0,
        .qty_left = SYNC_NONE,
        .fills_left = SYNC_NONE,
        .expires = CIVIL_DAY_NONE,
        .pa_expires = CIVIL_DAY_NONE,
    };
    rx->on_hand_units = (30 - ago + below(rng, 6)) * rx->units_per_day;
    if (place < kind->packs) {
        rx->pack_days = below(rng, 2) ? 7 : 14;
        rx->pack_units = rx->pack_days;
    }
}

static void random_patient(struct rng *rng, const struct kind *kind, struct patient *patient)
{
    patient->c = (struct sync_case){
        .id = "bench",
        .today = TODAY,
        .cycle_days = kind->cycle,
        .horizon_days = 60,
        .current_anchor = kind->fixed ? TODAY + below(rng, kind->cycle) : CIVIL_DAY_NONE,
        .max_carry_days = kind->carry,
        .rx = patient->rx,
        .rx_count = (size_t)kind->drugs,
    };
    for (int i = 0; i < kind->drugs; i++) {
        (void)snprintf(patient->ids[i], ID_BYTES, "D%02u", (unsigned)i % 100); /* fits */
        patient->rx[i].id = patient->ids[i];
        random_drug(rng, kind, i, &patient->rx[i]);
    }
}

static struct numbers run_one(const struct kind *kind, const struct patient *patient)
{
    struct numbers numbers = {0};
    struct arena arena;
    struct sync_plan *plan = NULL;
    struct sync_explanation *why;
    struct error err;
    double start = thread_us();
    arena_init(&arena, 0);
    int rc = sync_solve(&patient->c, &arena, &plan, &err);
    if (!rc && kind->explain)
        rc = sync_explain(&patient->c, plan, &arena, &why, &err);
    numbers.limited = rc != 0;
    numbers.feasible = !rc && plan->feasible;
    numbers.bytes = arena.used;
    arena_finish(&arena);
    numbers.us = thread_us() - start;
    return numbers;
}

static int us_order(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Prints a row and returns the median. */
static double run_kind(const struct kind *kind, int cases, double *us)
{
    struct rng rng;
    size_t bytes = 0;
    int feasible = 0, limited = 0;
    rng_init(&rng, SEED, 1);
    for (int i = 0; i < cases; i++) {
        struct patient patient;
        random_patient(&rng, kind, &patient);
        struct numbers numbers = run_one(kind, &patient);
        us[i] = numbers.us;
        feasible += numbers.feasible;
        limited += numbers.limited;
        bytes = numbers.bytes > bytes ? numbers.bytes : bytes;
    }
    qsort(us, (size_t)cases, sizeof *us, us_order);
    printf("%-40s %9.0f %9.0f %9.0f %9.0f %9zu %7d %7d\n", kind->name, us[cases / 2], us[cases * 95 / 100],
           us[cases * 99 / 100], us[cases - 1], bytes / 1024, feasible, limited);
    return us[cases / 2];
}

/* ---- beside the exhaustive solver ---- */

/* False: some answer differs. */
static bool run_reference(int cases, double *us, double *reference_us)
{
    static const struct kind small[] = {
        {.name = "3 drugs, cycle 7", .drugs = 3, .cycle = 7, .carry = 10},
        {.name = "3 drugs, cycle 14", .drugs = 3, .cycle = 14, .carry = 10},
        {.name = "4 drugs, cycle 28", .drugs = 4, .cycle = 28, .carry = 10},
        {.name = "4 drugs, cycle 30", .drugs = 4, .cycle = 30, .carry = 10},
        {.name = "3 drugs, 1 in packs, cycle 28", .drugs = 3, .packs = 1, .cycle = 28, .carry = 10},
    };
    int differ = 0;
    printf("\n%-40s %9s %9s %11s %9s %9s %9s\n", "beside the exhaustive solver", "median us", "95 %",
           "its median", "its 95 %", "ratio", "agree");
    for (size_t k = 0; k < sizeof small / sizeof small[0]; k++) {
        struct rng rng;
        int count = 0, agree = 0;
        rng_init(&rng, SEED, 90 + k);
        for (int i = 0; i < cases; i++) {
            struct patient patient;
            struct arena arena;
            struct sync_plan *plan;
            random_patient(&rng, &small[k], &patient);
            arena_init(&arena, 0);
            double start = thread_us();
            int rc = sync_solve(&patient.c, &arena, &plan, NULL);
            double between = thread_us();
            enum sync_verdict verdict = rc ? SYNC_TOO_LARGE : sync_reference(&patient.c, plan);
            reference_us[count] = thread_us() - between;
            us[count] = between - start;
            arena_finish(&arena);
            if (verdict == SYNC_NO_REFERENCE) {
                printf("left out: built without cmocka, on which the tests' solver stands\n");
                return true;
            }
            agree += verdict == SYNC_AGREES;
            differ += verdict == SYNC_DIFFERS;
            count += verdict != SYNC_TOO_LARGE;
        }
        if (count == 0)
            continue;
        qsort(us, (size_t)count, sizeof *us, us_order);
        qsort(reference_us, (size_t)count, sizeof *us, us_order);
        printf("%-40s %9.0f %9.0f %11.0f %9.0f %8.0fx %4d/%d\n", small[k].name, us[count / 2],
               us[count * 95 / 100], reference_us[count / 2], reference_us[count * 95 / 100],
               reference_us[count / 2] / us[count / 2], agree, count);
    }
    return differ == 0;
}

/* ---- a pharmacy ---- */

enum part { PART_SCHEDULE, PART_DATES, PART_ROLL };

struct worker {
    pthread_t thread;
    int patients;
    uint64_t stream;
    int planned, pouches;
    double us[PARTS];
    struct arena scratch, arena;
};

/* One cycle of pouches from the times of a schedule. False: it has none. */
static bool roll_of(struct worker *worker, const struct regimen *regimen, const struct slots_result *slots)
{
    struct roll_slot times[SLOTS_MAX];
    struct roll_product products[ROLL_PRODUCTS_MAX] = {{0}};
    struct roll_take takes[ROLL_TAKES_MAX];
    struct roll roll;
    int take_count = 0;
    for (size_t s = 0; s < slots->slot_count; s++)
        times[s].minute = slots->slot_times[s];
    for (size_t dose = 0; dose < slots->dose_count; dose++) {
        size_t index, slot = 0, drug = slots_drug_of(regimen, dose, &index);
        while (slot + 1 < slots->slot_count && slots->slot_times[slot] != slots->times[dose])
            slot++;
        if (take_count == ROLL_TAKES_MAX || drug >= ROLL_PRODUCTS_MAX)
            return false;
        takes[take_count++] = (struct roll_take){
            .product = (int)drug,
            .slot = (int)slot,
            .amount_milli = 1000,
            .pattern = {.first_day = TODAY, .last_day = TODAY + 27, .anchor_day = TODAY, .every_days = 1}};
        products[drug].lines = 1;
    }
    const struct roll_request request = {.start_day = TODAY,
                                         .days = 28,
                                         .day_start = 240,
                                         .limits = {.pieces_max = 8, .entries_max = 6, .lines_max = 6},
                                         .slots = times,
                                         .slot_count = (int)slots->slot_count,
                                         .products = products,
                                         .product_count = (int)regimen->drug_count,
                                         .takes = takes,
                                         .take_count = take_count};
    if (roll_build(&request, &worker->arena, &roll, NULL) != 0)
        return false;
    worker->pouches += roll.pouch_count;
    return true;
}

/* Schedule, refill dates and roll of one patient of 3 to 20 drugs, some in packs, every second anchor fixed.
 */
static void plan_patient(struct worker *worker, struct rng *rng, int number)
{
    struct patient patient;
    struct slots_result *slots = NULL;
    const struct slots_options options = {
        .node_budget = SLOTS_BUDGET_DEFAULT, .scratch = &worker->scratch, .no_conflict = true};
    arena_reset(&worker->arena);
    struct regimen *regimen =
        made_regimen(MADE_REAL, SEED + worker->stream, (uint32_t)number, &worker->arena);
    struct kind kind = {.cycle = 28, .carry = 10, .fixed = number % 2 == 0};
    if (!regimen)
        return;
    kind.drugs = (int)regimen->drug_count;
    kind.packs = below(rng, 4);
    random_patient(rng, &kind, &patient);
    double start = thread_us();
    int rc = slots_solve(regimen, &options, &worker->arena, &slots, NULL);
    double after = thread_us();
    worker->us[PART_SCHEDULE] += after - start;
    bool dates = run_one(&kind, &patient).feasible;
    start = thread_us();
    worker->us[PART_DATES] += start - after;
    bool rolled = rc == 0 && slots->has_schedule && roll_of(worker, regimen, slots);
    worker->us[PART_ROLL] += thread_us() - start;
    worker->planned += dates && rolled;
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct rng rng;
    rng_init(&rng, SEED, worker->stream);
    arena_init(&worker->scratch, 0);
    arena_init(&worker->arena, 0);
    for (int i = 0; i < worker->patients; i++)
        plan_patient(worker, &rng, i);
    arena_finish(&worker->arena);
    arena_finish(&worker->scratch);
    return NULL;
}

static void run_pharmacy(int patients)
{
    struct worker workers[THREADS];
    struct rusage usage;
    int planned = 0;
    long pouches = 0;
    double part[PARTS] = {0};
    double start = now_us();
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.patients = patients / THREADS, .stream = (uint64_t)i + 2};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            exit(3);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(workers[i].thread, NULL); /* ours, and joined once */
        planned += workers[i].planned;
        pouches += workers[i].pouches;
        for (int k = 0; k < PARTS; k++)
            part[k] += workers[i].us[k];
    }
    double us = now_us() - start;
    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail */
    printf("%-9d %9.2f %9.1f %9.1f %9.1f %9.1f %9ld %9d %10ld\n", patients, us / 1e6, us / patients,
           part[PART_SCHEDULE] / patients, part[PART_DATES] / patients, part[PART_ROLL] / patients,
           usage.ru_maxrss, planned, pouches);
}

int main(int argc, char **argv)
{
    int cases = argc > 1 ? atoi(argv[1]) : 1000;
    int patients = argc > 2 ? atoi(argv[2]) : 100000;
    if (cases < 1 || patients < 0) {
        fprintf(stderr, "usage: bench-sync [CASES [PATIENTS]]\n");
        return 2;
    }
    double *us = calloc((size_t)cases, sizeof *us), *reference_us = calloc((size_t)cases, sizeof *us);
    double median = 0;
    if (!us || !reference_us)
        return 3;
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* rows appear as they are measured */
    printf("%d cases each, seed %d\n%-40s %9s %9s %9s %9s %9s %7s %7s\n", cases, SEED, "one plan",
           "median us", "95 %", "99 %", "max us", "max KiB", "planned", "refused");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        double middle = run_kind(&kinds[i], cases, us);
        median = i == 0 ? middle : median;
    }
    bool same = run_reference(cases < REFERENCE_CASES ? cases : REFERENCE_CASES, us, reference_us);
    free(us);
    free(reference_us);
    printf("\n%-9s %9s %9s %9s %9s %9s %9s %9s %10s\n", "patients", "seconds", "us each", "schedule", "dates",
           "roll", "max KiB", "planned", "pouches");
    static const int tenths[] = {1, 3, 10};
    for (size_t i = 0; patients > 0 && i < sizeof tenths / sizeof tenths[0]; i++)
        run_pharmacy(patients / 10 * tenths[i]);
    printf("two threads; schedule, dates and roll in us of processor time a patient\n");
    printf("\ntarget: median of the first row under %d us: %s\n", TARGET_US,
           median < TARGET_US ? "met" : "missed");
    if (!same)
        printf("WRONG: the exhaustive solver says otherwise\n");
    return median < TARGET_US && same ? 0 : 1;
}
