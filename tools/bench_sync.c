/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-sync: how long a refill-sync plan takes, and what it needs of memory. Cases come from a fixed seed.
 * First a table, one row a kind of case; then whole pharmacies of rising size on two threads, which shows
 * that time grows with the number of patients and memory does not. Ends with 1 when the target of the first
 * row (20 drugs, 30-day cycle: median under 1 ms) is missed.
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
#include "scheduler/sync_explain.h"

enum { TARGET_US = 1000, SEED = 20270301, ID_BYTES = 8, THREADS = 2, TODAY = 20879 };

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
    double start = now_us();
    arena_init(&arena, 0);
    int rc = sync_solve(&patient->c, &arena, &plan, &err);
    if (!rc && kind->explain)
        rc = sync_explain(&patient->c, plan, &arena, &why, &err);
    numbers.limited = rc != 0;
    numbers.feasible = !rc && plan->feasible;
    numbers.bytes = arena.used;
    arena_finish(&arena);
    numbers.us = now_us() - start;
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
    printf("%-40s %9.0f %9.0f %9.0f %9.0f %9zu %7d %7d\n", kind->name, us[cases / 2], us[cases * 9 / 10],
           us[cases * 99 / 100], us[cases - 1], bytes / 1024, feasible, limited);
    return us[cases / 2];
}

struct worker {
    pthread_t thread;
    int patients;
    uint64_t stream;
    int planned;
};

/* A mixed pharmacy: 1 to 20 drugs a patient, some in packs, every second anchor fixed. */
static void *work(void *arg)
{
    struct worker *worker = arg;
    struct rng rng;
    rng_init(&rng, SEED, worker->stream);
    for (int i = 0; i < worker->patients; i++) {
        struct patient patient;
        struct kind kind = {.drugs = 1 + below(&rng, 20), .cycle = 28, .carry = 10, .fixed = i % 2 == 0};
        kind.packs = below(&rng, 4);
        random_patient(&rng, &kind, &patient);
        worker->planned += run_one(&kind, &patient).feasible;
    }
    return NULL;
}

static void run_pharmacy(int patients)
{
    struct worker workers[THREADS];
    struct rusage usage;
    int planned = 0;
    double start = now_us();
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.patients = patients / THREADS, .stream = (uint64_t)i + 2};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            exit(3);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(workers[i].thread, NULL); /* ours, and joined once */
        planned += workers[i].planned;
    }
    double us = now_us() - start;
    (void)getrusage(RUSAGE_SELF, &usage); /* cannot fail */
    printf("%-40d %9.2f %9.1f %9ld %9d\n", patients, us / 1e6, us / patients, usage.ru_maxrss, planned);
}

int main(int argc, char **argv)
{
    int cases = argc > 1 ? atoi(argv[1]) : 1000;
    int patients = argc > 2 ? atoi(argv[2]) : 100000;
    if (cases < 1 || patients < 0) {
        fprintf(stderr, "usage: bench-sync [CASES [PATIENTS]]\n");
        return 2;
    }
    double *us = calloc((size_t)cases, sizeof *us);
    double median = 0;
    if (!us)
        return 3;
    printf("%d cases each, seed %d\n%-40s %9s %9s %9s %9s %9s %7s %7s\n", cases, SEED, "one plan",
           "median us", "90 %", "99 %", "max us", "max KiB", "planned", "refused");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        double middle = run_kind(&kinds[i], cases, us);
        median = i == 0 ? middle : median;
    }
    free(us);
    printf("\n%-40s %9s %9s %9s %9s\n", "patients, on 2 threads", "seconds", "us each", "max KiB", "planned");
    for (int part = 4; patients > 0 && part > 0; part /= 2)
        run_pharmacy(patients / part);
    printf("\ntarget: median of the first row under %d us: %s\n", TARGET_US,
           median < TARGET_US ? "met" : "missed");
    return median < TARGET_US ? 0 : 1;
}
