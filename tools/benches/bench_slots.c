/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-slots: how long regimens take, kind by kind, alone or side by side with other solvers.
 *
 * Ours is the wall time of one slots_solve call on a regimen in memory, its certificate included (for
 * infeasible ones the refutation, but no minimal conflict), first level unless --levels says otherwise; each
 * result then passes proof_check. A rival gets the same regimen right after, as a process of its own. Its
 * `own` time is what it reports itself (reading its model, grounding or flattening, solving: no start-up),
 * its `wall` that of the process. A different number of slots is an error. The clock is read here only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "scheduler/proof/proof.h"
#include "scheduler/slots.h"
#include "tools/benches/rivals.h"
#include "tools/benches/slots_made.h"

static const char usage[] =
    "usage: bench-slots [--count N] [--first N] [--seed N] [--kind NAME] [--levels 1..5] [--budget NODES]\n"
    "                   [--slow MS] [--clingo] [--clingo-plain] [--gecode] [--limit SECONDS]\n"
    "  --count   regimens a kind (100)     --kind   only this kind (graph, ring: only so)\n"
    "  --first   number of the first (0)\n"
    "  --levels  objectives to prove (1)   --slow   name regimens that take longer\n"
    "  --limit   of one rival's answer (20)\n";

enum { COUNT_MAX = 100000, LEVELS_MAX = 5 };

struct bench {
    int count;
    int first;
    int seed;
    int levels;
    int limit_s;
    int slow_ms;
    int budget;
    const char *kind;
    bool rival[RIVALS];
};

/* Of one rival on one kind, or on all. */
struct side {
    double *own;
    double *wall;
    int unproved;
};

struct tally {
    double *ours; /* CPU time: others on the machine do not count */
    double *wall;
    struct side side[RIVALS];
    int n;
    int infeasible;
    int trees;
    size_t rows; /* of the largest tree */
    int unproved;
    int wrong;
    struct arena arena;
    struct arena scratch;
};

static double bench_ms(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_time(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;
    return (*left > *right) - (*left < *right);
}

static void bench_rivals(const struct bench *bench, const struct regimen *regimen, int mine, bool proved,
                         struct tally *t)
{
    for (int k = 0; k < RIVALS; k++) {
        struct rival_answer answer;
        struct error err;
        if (!bench->rival[k])
            continue;
        if (rival_solve((enum rival)k, regimen, bench->limit_s, &answer, &err)) {
            (void)fprintf(stderr, "%s: %s\n", regimen->id, err.message);
            t->wrong++;
            continue;
        }
        /* A rival that gave up took at least its limit, whatever it says. */
        double given_up = answer.proved ? 0 : bench->limit_s * 1e3;
        t->side[k].own[t->n] = answer.own_ms > given_up ? answer.own_ms : given_up;
        t->side[k].wall[t->n] = answer.wall_ms > given_up ? answer.wall_ms : given_up;
        t->side[k].unproved += !answer.proved;
        if (proved && answer.proved && answer.slots != mine) {
            (void)fprintf(stderr, "%s: %d slots, %s says %d\n", regimen->id, mine, rival_name((enum rival)k),
                          answer.slots);
            t->wrong++;
        }
    }
}

static void bench_one(const struct bench *bench, enum made_kind kind, uint32_t number, struct tally *t)
{
    const struct slots_options options = {.scratch = &t->scratch,
                                          .levels = bench->levels,
                                          .node_budget = (uint64_t)bench->budget,
                                          .any_conflict = true};
    struct slots_result *result;
    struct error err = {0};
    struct arena *arena = &t->arena;
    struct regimen *regimen = made_regimen(kind, (uint64_t)bench->seed, number, arena);
    double start = bench_ms(CLOCK_MONOTONIC);
    double start_cpu = bench_ms(CLOCK_THREAD_CPUTIME_ID);
    int rc = regimen ? slots_solve(regimen, &options, arena, &result, &err) : E_MEMORY;
    t->ours[t->n] = bench_ms(CLOCK_THREAD_CPUTIME_ID) - start_cpu;
    t->wall[t->n] = bench_ms(CLOCK_MONOTONIC) - start;
    if (!rc)
        rc = proof_check(regimen, result, &err);
    if (rc) {
        (void)fprintf(stderr, "%s-%u: %s\n", made_name(kind), number, err.message);
        t->wrong++;
    } else {
        if (t->ours[t->n] > bench->slow_ms && bench->slow_ms > 0)
            printf("slow: %s %.1f ms, %d slots, clique %zu, %llu nodes, %zu rows\n", regimen->id,
                   t->ours[t->n], (int)result->slot_count, result->clique_count,
                   (unsigned long long)result->nodes, result->tree_count);
        t->infeasible += result->status == SLOTS_INFEASIBLE;
        t->unproved += result->status == SLOTS_BUDGET;
        t->trees += result->proof == SLOTS_PROOF_TREE || result->proof == SLOTS_PROOF_GROUPS;
        t->rows = result->tree_count > t->rows ? result->tree_count : t->rows;
        int mine = result->status == SLOTS_INFEASIBLE ? 0 : (int)result->slot_count;
        bench_rivals(bench, regimen, mine, result->status != SLOTS_BUDGET, t);
    }
    t->n++;
    arena_reset(arena);
}

static void side_print(const char *name, double *time, int n, int unproved, const double *ours)
{
    qsort(time, (size_t)n, sizeof *time, by_time);
    int place[3] = {n / 2, n * 95 / 100, n - 1};
    printf("  %-18s %10.3f %10.3f %10.3f", name, time[place[0]], time[place[1]], time[place[2]]);
    if (ours)
        printf("   x%-8.0f x%-8.0f x%-8.0f", time[place[0]] / ours[place[0]], time[place[1]] / ours[place[1]],
               time[place[2]] / ours[place[2]]);
    if (unproved)
        printf("  %d not proved", unproved);
    printf("\n");
}

static void bench_print(const struct bench *bench, const char *name, struct tally *t)
{
    double sum = 0;
    for (int i = 0; i < t->n; i++)
        sum += t->ours[i];
    printf("%s: %d regimens, %d infeasible, %d proved by a tree (largest %zu rows), %.0f a second\n", name,
           t->n, t->infeasible, t->trees, t->rows, sum > 0 ? t->n / sum * 1e3 : 0);
    side_print("sachet", t->ours, t->n, t->unproved, NULL);
    side_print("sachet wall", t->wall, t->n, 0, NULL);
    for (int k = 0; k < RIVALS; k++) {
        char label[32];
        if (!bench->rival[k])
            continue;
        (void)snprintf(label, sizeof label, "%s own", rival_name((enum rival)k));
        side_print(label, t->side[k].own, t->n, t->side[k].unproved, t->ours);
        (void)snprintf(label, sizeof label, "%s wall", rival_name((enum rival)k));
        side_print(label, t->side[k].wall, t->n, t->side[k].unproved, t->ours);
    }
    (void)fflush(stdout);
}

/* Puts a kind's figures behind those of the kinds before it. */
static void tally_join(struct tally *all, const struct tally *t)
{
    size_t bytes = (size_t)t->n * sizeof(double);
    memcpy(all->ours + all->n, t->ours, bytes);
    memcpy(all->wall + all->n, t->wall, bytes);
    for (int k = 0; k < RIVALS; k++) {
        memcpy(all->side[k].own + all->n, t->side[k].own, bytes);
        memcpy(all->side[k].wall + all->n, t->side[k].wall, bytes);
        all->side[k].unproved += t->side[k].unproved;
    }
    all->n += t->n;
    all->infeasible += t->infeasible;
    all->trees += t->trees;
    all->rows = t->rows > all->rows ? t->rows : all->rows;
    all->unproved += t->unproved;
    all->wrong += t->wrong;
}

static bool tally_create(struct tally *t, size_t count)
{
    *t = (struct tally){.ours = calloc(count, sizeof(double)), .wall = calloc(count, sizeof(double))};
    bool whole = t->ours && t->wall;
    for (int k = 0; k < RIVALS; k++) {
        t->side[k].own = calloc(count, sizeof(double));
        t->side[k].wall = calloc(count, sizeof(double));
        whole = whole && t->side[k].own && t->side[k].wall;
    }
    return whole;
}

static void tally_clear(struct tally *t)
{
    struct tally kept = *t;
    *t = (struct tally){.ours = kept.ours, .wall = kept.wall, .arena = kept.arena, .scratch = kept.scratch};
    for (int k = 0; k < RIVALS; k++)
        t->side[k] = (struct side){.own = kept.side[k].own, .wall = kept.side[k].wall};
}

static void tally_finish(struct tally *t)
{
    arena_finish(&t->arena);
    arena_finish(&t->scratch);
    free(t->ours);
    free(t->wall);
    for (int k = 0; k < RIVALS; k++) {
        free(t->side[k].own);
        free(t->side[k].wall);
    }
}

static int bench_all(const struct bench *bench, struct tally *t, struct tally *all)
{
    printf("seed %d, levels 1..%d, milliseconds: median, 95th percentile, most; xN: so many times ours\n",
           bench->seed, bench->levels);
    for (int k = 0; k < MADE_KINDS; k++) {
        const char *name = made_name((enum made_kind)k);
        bool colours = k == MADE_GRAPH || k == MADE_RING; /* minutes each for rivals */
        if (bench->kind ? strcmp(bench->kind, name) != 0 : colours)
            continue;
        tally_clear(t);
        for (int i = bench->first; i < bench->first + bench->count; i++)
            bench_one(bench, (enum made_kind)k, (uint32_t)i, t);
        tally_join(all, t);
        bench_print(bench, name, t);
    }
    if (all->n > 0)
        bench_print(bench, "all", all);
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    printf("peak memory %ld KiB, %d not proved, %d wrong\n", used.ru_maxrss, all->unproved, all->wrong);
    return all->wrong || all->n == 0 ? 1 : 0;
}

static bool bench_number(const char *text, int least, int most, int *ret)
{
    char *end;
    long value = text ? strtol(text, &end, 10) : 0;
    if (!text || *end || value < least || value > most)
        return false;
    *ret = (int)value;
    return true;
}

static bool bench_options(int argc, char **argv, struct bench *bench)
{
    const struct {
        const char *name;
        int least, most;
        int *ret;
    } numbers[] = {{"--count", 1, COUNT_MAX, &bench->count},  {"--first", 0, COUNT_MAX, &bench->first},
                   {"--seed", 0, INT32_MAX, &bench->seed},    {"--levels", 1, LEVELS_MAX, &bench->levels},
                   {"--slow", 1, INT32_MAX, &bench->slow_ms}, {"--budget", 1, INT32_MAX, &bench->budget},
                   {"--limit", 1, 3600, &bench->limit_s}};
    for (int i = 1; i < argc; i++) {
        bool known = false;
        for (int k = 0; k < RIVALS; k++) {
            if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, rival_name((enum rival)k)) == 0) {
                if (!rival_installed((enum rival)k)) {
                    (void)fprintf(stderr, "bench-slots: %s is not installed (tools/setup all)\n",
                                  argv[i] + 2);
                    return false;
                }
                known = bench->rival[k] = true;
            }
        }
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0] && !known; k++)
            known = strcmp(argv[i], numbers[k].name) == 0 && i + 1 < argc &&
                    bench_number(argv[++i], numbers[k].least, numbers[k].most, numbers[k].ret);
        if (!known && strcmp(argv[i], "--kind") == 0 && i + 1 < argc) {
            bench->kind = argv[++i];
            known = true;
        }
        if (!known)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct bench bench = {.count = 100, .seed = 1, .levels = 1, .limit_s = 20};
    struct tally t;
    struct tally all;
    if (!bench_options(argc, argv, &bench)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    bool whole = tally_create(&t, (size_t)bench.count);
    whole &= tally_create(&all, (size_t)bench.count * MADE_KINDS);
    int rc = whole ? bench_all(&bench, &t, &all) : 3;
    tally_finish(&t);
    tally_finish(&all);
    return rc;
}
