/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-slots [--count N] [--seed N] [--levels N] [--clingo]: how long regimens take, kind by kind.
 *
 * With --clingo the same instances go to clingo (--opt-strategy=usc, first level, whole process), one after
 * the other in the same run, and a different number of slots is an error. Every result passes proof_check.
 * The clock is read here only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "config/base/arena.h"
#include "config/base/error.h"
#include "scheduler/proof/proof.h"
#include "scheduler/slots.h"
#include "tools/benches/slots_made.h"

struct bench {
    int count;
    int seed;
    int levels;
    bool clingo;
};

static double bench_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_time(const void *a, const void *b)
{
    const double *left = a;
    const double *right = b;
    return (*left > *right) - (*left < *right);
}

static const char *const program = "1 { at(I,C) : win(I,C) } 1 :- dose(I).\n"
                                   "used(C) :- at(I,C).\n"
                                   ":- range(I,J,L,H), at(I,C), at(J,D), D-C < L.\n"
                                   ":- range(I,J,L,H), at(I,C), at(J,D), D-C > H.\n"
                                   ":- band(I,J,B,A), at(I,C), at(J,D), D-C > -B, D-C < A.\n"
                                   "#minimize { 1,C : used(C) }.\n#show.\n";

static int up(int minutes, int grid)
{
    return minutes > 0 ? (minutes + grid - 1) / grid : 0;
}

/* The regimen as facts, straight from the format. The made regimens use windows, gaps, nights and
 * separations. */
static void write_facts(const struct regimen *r, FILE *out)
{
    int cells = REGIMEN_DAY / r->grid;
    size_t dose = 0;
    for (size_t d = 0; d < r->drug_count; d++) {
        const struct regimen_drug *drug = &r->drugs[d];
        size_t last = dose + drug->dose_count - 1;
        for (size_t i = 0; i < drug->dose_count; i++, dose++) {
            (void)fprintf(out, "dose(%zu).\n", dose);
            for (int c = 0; c < cells; c++) {
                if (regimen_intervals_hold(drug->doses[i].allowed, c * r->grid))
                    (void)fprintf(out, "win(%zu,%d).\n", dose, c);
            }
            int least = up(drug->gap_min, r->grid) > 1 ? up(drug->gap_min, r->grid) : 1;
            if (dose < last)
                (void)fprintf(out, "range(%zu,%zu,%d,%d).\n", dose, dose + 1, least,
                              drug->gap_max == REGIMEN_NONE ? cells : drug->gap_max / r->grid);
        }
        size_t first = last + 1 - drug->dose_count;
        if (drug->dose_count > 1 && regimen_days_meet(&drug->days, &drug->days, 1, r->period_days))
            (void)fprintf(
                out, "range(%zu,%zu,%d,%d).\n", first, last,
                drug->overnight_max == REGIMEN_NONE ? -cells : cells - drug->overnight_max / r->grid,
                drug->overnight_min == REGIMEN_NONE ? cells : cells - up(drug->overnight_min, r->grid));
    }
    for (size_t s = 0; s < r->separation_count; s++) {
        const struct regimen_separation *sep = &r->separations[s];
        int after = up(sep->after, r->grid);
        int before = up(sep->before, r->grid);
        if (after + before == 0)
            continue;
        for (size_t i = 0; i < r->drugs[sep->a].dose_count; i++) {
            for (size_t j = 0; j < r->drugs[sep->b].dose_count; j++) {
                size_t x = slots_first_dose(r, sep->a) + i;
                size_t y = slots_first_dose(r, sep->b) + j;
                const struct regimen_days *a = &r->drugs[sep->a].days;
                const struct regimen_days *b = &r->drugs[sep->b].days;
                if (regimen_days_meet(a, b, 0, r->period_days))
                    (void)fprintf(out, "band(%zu,%zu,%d,%d).\n", x, y, before > 1 ? before : 1,
                                  after > 1 ? after : 1);
                if (regimen_days_meet(a, b, 1, r->period_days))
                    (void)fprintf(out, "range(%zu,%zu,%d,%d).\n", x, y, after - cells, cells);
                if (regimen_days_meet(a, b, -1, r->period_days))
                    (void)fprintf(out, "range(%zu,%zu,%d,%d).\n", x, y, -cells, cells - before);
            }
        }
    }
}

/* Milliseconds that clingo takes; *ret_slots 0 when it says unsatisfiable, -1 when it did not answer. */
static double clingo_ms(const struct regimen *r, int *ret_slots)
{
    char path[] = "/tmp/bench-slots-XXXXXX";
    char command[128];
    char line[256];
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    *ret_slots = -1;
    if (!file)
        return 0;
    (void)fputs(program, file);
    write_facts(r, file);
    (void)fclose(file); /* a short file shows as a different answer */
    (void)snprintf(command, sizeof command, "clingo --opt-strategy=usc --time-limit=60 --quiet=2 %s 2>&1",
                   path);
    double start = bench_ms();
    FILE *pipe = popen(command, "r");
    bool proved = false;
    while (pipe && fgets(line, sizeof line, pipe)) {
        int slots;
        if (sscanf(line, "Optimization : %d", &slots) == 1)
            *ret_slots = slots;
        if (strncmp(line, "UNSATISFIABLE", 13) == 0) {
            *ret_slots = 0;
            proved = true;
        }
        proved |= strncmp(line, "OPTIMUM FOUND", 13) == 0;
    }
    if (pipe)
        (void)pclose(pipe); /* its status says sat or unsat, which was read already */
    double took = bench_ms() - start;
    (void)unlink(path);
    if (!proved)
        *ret_slots = -1;
    return took;
}

struct tally {
    double *ours;
    double *theirs;
    int n;
    int infeasible;
    int trees;
    size_t rows;
    int unanswered;
    int wrong;
};

static int bench_one(const struct bench *bench, enum made_kind kind, uint32_t number, struct tally *t)
{
    struct arena arena;
    struct slots_result *result;
    struct error err = {0};
    struct slots_options options = {.levels = bench->levels};
    arena_init(&arena, 0);
    struct regimen *r = made_regimen(kind, (uint64_t)bench->seed, number, &arena);
    double start = bench_ms();
    int rc = r ? slots_solve(r, &options, &arena, &result, &err) : E_MEMORY;
    t->ours[t->n] = bench_ms() - start;
    if (!rc)
        rc = proof_check(r, result, &err);
    if (rc) {
        (void)fprintf(stderr, "%s-%u: %s\n", made_name(kind), number, err.message);
        t->wrong++;
    } else {
        t->infeasible += result->status == SLOTS_INFEASIBLE;
        t->trees += result->proof == SLOTS_PROOF_TREE;
        t->rows = result->tree_count > t->rows ? result->tree_count : t->rows;
        int slots = 0;
        t->theirs[t->n] = bench->clingo ? clingo_ms(r, &slots) : 0;
        int mine = result->status == SLOTS_INFEASIBLE ? 0 : (int)result->slot_count;
        t->unanswered += bench->clingo && slots < 0;
        if (bench->clingo && slots >= 0 && slots != mine) {
            (void)fprintf(stderr, "%s: %d slots, clingo says %d\n", r->id, mine, slots);
            t->wrong++;
        }
    }
    t->n++;
    arena_finish(&arena);
    return rc;
}

static void bench_print(const struct bench *bench, const char *name, struct tally *t)
{
    double sum = 0;
    for (int i = 0; i < t->n; i++)
        sum += t->ours[i];
    qsort(t->ours, (size_t)t->n, sizeof *t->ours, by_time);
    qsort(t->theirs, (size_t)t->n, sizeof *t->theirs, by_time);
    int median = t->n / 2;
    int p95 = t->n * 95 / 100;
    printf("%-9s %5d %5d %5d %6zu %9.3f %9.3f %9.3f %9.0f", name, t->n, t->infeasible, t->trees, t->rows,
           t->ours[median], t->ours[p95], t->ours[t->n - 1], sum > 0 ? t->n / sum * 1e3 : 0);
    if (bench->clingo)
        printf(" %9.1f %9.1f %9.1f %3d", t->theirs[median], t->theirs[p95], t->theirs[t->n - 1],
               t->unanswered);
    printf("\n");
    (void)fflush(stdout);
}

static int bench_option(int argc, char **argv, const char *name, int fallback)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0)
            return atoi(argv[i + 1]);
    }
    return fallback;
}

int main(int argc, char **argv)
{
    struct bench bench = {.count = bench_option(argc, argv, "--count", 100),
                          .seed = bench_option(argc, argv, "--seed", 1),
                          .levels = bench_option(argc, argv, "--levels", 1)};
    for (int i = 1; i < argc; i++)
        bench.clingo |= strcmp(argv[i], "--clingo") == 0;
    if (bench.count < 1 || bench.count > 100000 || bench.levels < 1 || bench.levels > 5) {
        (void)fputs("usage: bench-slots [--count 1..100000] [--seed N] [--levels 1..5] [--clingo]\n", stderr);
        return 2;
    }
    struct tally t = {.ours = calloc((size_t)bench.count, sizeof(double)),
                      .theirs = calloc((size_t)bench.count, sizeof(double))};
    int wrong = 0;
    printf("seed %d, levels 1..%d, milliseconds; infeasible ones include finding their minimal conflict\n",
           bench.seed, bench.levels);
    printf("%-9s %5s %5s %5s %6s %9s %9s %9s %9s%s\n", "kind", "n", "infe", "trees", "rows", "median", "p95",
           "max", "per s", bench.clingo ? "   clingo:m       p95       max  no" : "");
    for (int k = 0; t.ours && t.theirs && k < MADE_KINDS; k++) {
        t = (struct tally){.ours = t.ours, .theirs = t.theirs};
        for (int i = 0; i < bench.count; i++)
            (void)bench_one(&bench, (enum made_kind)k, (uint32_t)i, &t); /* counted in t.wrong */
        bench_print(&bench, made_name((enum made_kind)k), &t);
        wrong += t.wrong;
    }
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("peak memory %ld KiB, %d wrong\n", usage.ru_maxrss, wrong);
    free(t.ours);
    free(t.theirs);
    return wrong ? 1 : 0;
}
