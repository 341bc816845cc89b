/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regimen becomes two kinds of facts on pairs of doses, in grid cells: range(i,j,lo,hi): lo <= t_j - t_i <=
 * hi, and band(i,j,b,a): not -b < t_j - t_i < a.
 */
#include "tools/benches/rivals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/base/error.h"
#include "scheduler/regimen.h"

static const char *const clingo_order =
    "cell(0..cells-1).\n"
    "{ le(I,C) : cell(C) } :- dose(I).\n"
    ":- dose(I), not le(I,cells-1).\n"
    ":- le(I,C), cell(C+1), not le(I,C+1).\n"
    "at(I,0) :- le(I,0).\n"
    "at(I,C) :- le(I,C), not le(I,C-1), cell(C-1).\n"
    ":- at(I,C), not win(I,C).\n"
    "used(C) :- at(I,C).\n"
    /* t_i >= C and t_j <= C + L - 1 */
    ":- range(I,J,L,H), cell(C), cell(C-1), not le(I,C-1), cell(C+L-1), le(J,C+L-1).\n"
    ":- range(I,J,L,H), cell(C), cell(C-1), not le(I,C-1), C+L-1 >= cells.\n"
    ":- range(I,J,L,H), cell(L-1), le(J,L-1).\n"
    /* t_i <= C and t_j >= C + H + 1 */
    ":- range(I,J,L,H), cell(C), le(I,C), cell(C+H), not le(J,C+H).\n"
    ":- range(I,J,L,H), cell(C), le(I,C), C+H < 0.\n"
    ":- band(I,J,B,A), at(I,C), C+A-1 < cells, C-B >= 0, le(J,C+A-1), not le(J,C-B).\n"
    ":- band(I,J,B,A), at(I,C), C+A-1 >= cells, C-B >= 0, not le(J,C-B).\n"
    ":- band(I,J,B,A), at(I,C), C+A-1 < cells, C-B < 0, le(J,C+A-1).\n"
    ":- band(I,J,B,A), at(I,C), C+A-1 >= cells, C-B < 0.\n"
    ":- mate(I,J), at(I,C), inside(I,C), at(J,D), not inside(J,D).\n"
    ":- mate(I,J), at(I,C), not inside(I,C), at(J,D), inside(J,D).\n"
    "#minimize { 1,C : used(C) }.\n#show.\n"
    "#defined mate/2. #defined inside/2. #defined win/2.\n"
    "#defined range/4. #defined band/4.\n";

static const char *const clingo_plain = "1 { at(I,C) : win(I,C) } 1 :- dose(I).\n"
                                        "used(C) :- at(I,C).\n"
                                        ":- range(I,J,L,H), at(I,C), at(J,D), D-C < L.\n"
                                        ":- range(I,J,L,H), at(I,C), at(J,D), D-C > H.\n"
                                        ":- band(I,J,B,A), at(I,C), at(J,D), D-C > -B, D-C < A.\n"
                                        ":- mate(I,J), at(I,C), inside(I,C), at(J,D), not inside(J,D).\n"
                                        ":- mate(I,J), at(I,C), not inside(I,C), at(J,D), inside(J,D).\n"
                                        "#minimize { 1,C : used(C) }.\n#show.\n"
                                        "#defined mate/2. #defined inside/2. #defined win/2.\n"
                                        "#defined range/4. #defined band/4.\n";

static const char *const gecode_model =
    "include \"nvalue.mzn\";\n"
    "array[1..doses] of var 0..cells-1: t;\n"
    "constraint forall(i in 1..doses)(t[i] in win[i]);\n"
    "constraint forall(r in 1..ranges)(t[rj[r]] - t[ri[r]] >= rl[r] /\\ t[rj[r]] - t[ri[r]] <= rh[r]);\n"
    "constraint forall(b in 1..bands)(t[bj[b]] - t[bi[b]] >= ba[b] \\/ t[bj[b]] - t[bi[b]] <= -bb[b]);\n"
    "var 1..doses: slots;\n"
    "constraint nvalue(slots, t);\n"
    "solve :: seq_search([int_search([slots], input_order, indomain_min),\n"
    "                     int_search(t, dom_w_deg, indomain_min)]) minimize slots;\n"
    "output [\"slots=\\(slots)\\n\"];\n";

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

const char *rival_name(enum rival rival)
{
    static const char *const names[RIVALS] = {"clingo", "clingo-plain", "gecode"};
    return names[rival];
}

bool rival_installed(enum rival rival)
{
    const char *command = rival == RIVAL_GECODE ? "command -v minizinc fzn-gecode >/dev/null 2>&1"
                                                : "command -v clingo >/dev/null 2>&1";
    return system(command) == 0;
}

static int up(int minutes, int grid)
{
    return minutes > 0 ? (minutes + grid - 1) / grid : 0;
}

/* Where the rules of a regimen go, in cells. */
struct rules_sink {
    void (*range)(void *context, size_t i, size_t j, int lo, int hi);
    void (*band)(void *context, size_t i, size_t j, int before, int after);
    void *context;
};

static size_t first_dose(const struct regimen *r, size_t drug)
{
    size_t first = 0;
    for (size_t d = 0; d < drug; d++)
        first += r->drugs[d].dose_count;
    return first;
}

static void tell_drug(const struct regimen *r, size_t place, const struct rules_sink *sink)
{
    const struct regimen_drug *drug = &r->drugs[place];
    int cells = REGIMEN_DAY / r->grid;
    size_t first = first_dose(r, place);
    size_t last = first + drug->dose_count - 1;
    int least = up(drug->gap_min, r->grid) > 1 ? up(drug->gap_min, r->grid) : 1;
    int most = drug->gap_max == REGIMEN_NONE ? cells : drug->gap_max / r->grid;
    for (size_t i = first; i < last; i++)
        sink->range(sink->context, i, i + 1, least, most);
    if (!regimen_days_meet(&drug->days, &drug->days, 1, r->period_days))
        return;
    int lo = drug->overnight_max == REGIMEN_NONE ? -cells : cells - drug->overnight_max / r->grid;
    int hi = drug->overnight_min == REGIMEN_NONE ? cells : cells - up(drug->overnight_min, r->grid);
    if (first != last)
        sink->range(sink->context, first, last, lo, hi);
    else if (lo > 0 || hi < 0) /* one dose is always a whole day after itself: out of reach */
        sink->range(sink->context, first, first, 1, 0);
}

static void tell_between(const struct regimen *r, size_t a, size_t b, int after, int before,
                         const struct rules_sink *sink)
{
    int cells = REGIMEN_DAY / r->grid;
    const struct regimen_days *days_a = &r->drugs[a].days;
    const struct regimen_days *days_b = &r->drugs[b].days;
    for (size_t x = first_dose(r, a); x < first_dose(r, a + 1); x++) {
        for (size_t y = first_dose(r, b); y < first_dose(r, b + 1); y++) {
            if (regimen_days_meet(days_a, days_b, 0, r->period_days))
                sink->band(sink->context, x, y, before > 1 ? before : 1, after > 1 ? after : 1);
            if (after > 0 && regimen_days_meet(days_a, days_b, 1, r->period_days))
                sink->range(sink->context, x, y, after - cells, cells);
            if (before > 0 && regimen_days_meet(days_a, days_b, -1, r->period_days))
                sink->range(sink->context, x, y, -cells, cells - before);
        }
    }
}

static void tell_all(const struct regimen *r, const struct rules_sink *sink)
{
    for (size_t d = 0; d < r->drug_count; d++)
        tell_drug(r, d, sink);
    for (size_t s = 0; s < r->separation_count; s++) {
        const struct regimen_separation *sep = &r->separations[s];
        int after = up(sep->after, r->grid);
        int before = up(sep->before, r->grid);
        if (after + before > 0)
            tell_between(r, sep->a, sep->b, after, before, sink);
    }
    for (size_t s = 0; s < r->same_slot_count; s++) {
        size_t a = first_dose(r, r->same_slot[s].a);
        size_t b = first_dose(r, r->same_slot[s].b);
        for (size_t i = 0; i < r->drugs[r->same_slot[s].a].dose_count; i++)
            sink->range(sink->context, a + i, b + i, 0, 0);
    }
    for (size_t s = 0; s < r->not_same_slot_count; s++) {
        const struct regimen_pair *pair = &r->not_same_slot[s];
        if (!regimen_days_meet(&r->drugs[pair->a].days, &r->drugs[pair->b].days, 0, r->period_days))
            continue;
        for (size_t x = first_dose(r, pair->a); x < first_dose(r, pair->a + 1); x++) {
            for (size_t y = first_dose(r, pair->b); y < first_dose(r, pair->b + 1); y++)
                sink->band(sink->context, x, y, 1, 1);
        }
    }
}

static void clingo_range(void *context, size_t i, size_t j, int lo, int hi)
{
    (void)fprintf(context, "range(%zu,%zu,%d,%d).\n", i, j, lo, hi);
}

static void clingo_band(void *context, size_t i, size_t j, int before, int after)
{
    (void)fprintf(context, "band(%zu,%zu,%d,%d).\n", i, j, before, after);
}

static void clingo_write(const struct regimen *r, const char *program, FILE *out)
{
    int cells = REGIMEN_DAY / r->grid;
    size_t dose = 0;
    (void)fprintf(out, "#const cells = %d.\n", cells);
    (void)fputs(program, out);
    for (size_t d = 0; d < r->drug_count; d++) {
        const struct regimen_drug *drug = &r->drugs[d];
        for (size_t i = 0; i < drug->dose_count; i++, dose++) {
            (void)fprintf(out, "dose(%zu).\n", dose);
            if (drug->same_state && i > 0)
                (void)fprintf(out, "mate(%zu,%zu).\n", dose - 1, dose);
            for (int c = 0; c < cells; c++) {
                if (regimen_intervals_hold(drug->doses[i].allowed, c * r->grid))
                    (void)fprintf(out, "win(%zu,%d).\n", dose, c);
                if (drug->same_state && regimen_intervals_hold(drug->state, c * r->grid))
                    (void)fprintf(out, "inside(%zu,%d).\n", dose, c);
            }
        }
    }
    tell_all(r, &(struct rules_sink){clingo_range, clingo_band, out});
}

/* MiniZinc wants one array a column. */
struct columns {
    FILE *out;
    int column; /* which of i, j, first, second is written now */
    bool bands;
    int count;
};

static void column_put(struct columns *c, size_t i, size_t j, int first, int second)
{
    const int value[4] = {(int)i + 1, (int)j + 1, first, second};
    if (c->column >= 0)
        (void)fprintf(c->out, "%s%d", c->count ? "," : "", value[c->column]);
    c->count++;
}

static void column_range(void *context, size_t i, size_t j, int lo, int hi)
{
    struct columns *c = context;
    if (!c->bands)
        column_put(c, i, j, lo, hi);
}

static void column_band(void *context, size_t i, size_t j, int before, int after)
{
    struct columns *c = context;
    if (c->bands)
        column_put(c, i, j, before, after);
}

static void gecode_write(const struct regimen *r, FILE *out)
{
    static const char *const names[2][4] = {{"ri", "rj", "rl", "rh"}, {"bi", "bj", "bb", "ba"}};
    int cells = REGIMEN_DAY / r->grid;
    (void)fprintf(out, "int: doses = %zu;\nint: cells = %d;\n", regimen_dose_total(r), cells);
    (void)fputs("array[1..doses] of set of int: win = [", out);
    for (size_t d = 0; d < r->drug_count; d++) {
        for (size_t i = 0; i < r->drugs[d].dose_count; i++) {
            (void)fputs(d + i ? ",{" : "{", out);
            bool any = false;
            for (int c = 0; c < cells; c++) {
                if (regimen_intervals_hold(r->drugs[d].doses[i].allowed, c * r->grid)) {
                    (void)fprintf(out, "%s%d", any ? "," : "", c);
                    any = true;
                }
            }
            (void)fputs("}", out);
        }
    }
    (void)fputs("];\n", out);
    for (int k = 0; k < 2; k++) {
        struct columns c = {.out = out, .column = -1, .bands = k == 1};
        const struct rules_sink sink = {column_range, column_band, &c};
        tell_all(r, &sink);
        (void)fprintf(out, "int: %s = %d;\n", k ? "bands" : "ranges", c.count);
        for (c.column = 0; c.column < 4; c.column++) {
            c.count = 0;
            (void)fprintf(out, "array[1..%s] of int: %s = [", k ? "bands" : "ranges", names[k][c.column]);
            tell_all(r, &sink);
            (void)fputs("];\n", out);
        }
    }
    (void)fputs(gecode_model, out);
}

static void clingo_line(const char *line, struct rival_answer *answer)
{
    double seconds;
    int slots;
    if (sscanf(line, "Optimization : %d", &slots) == 1)
        answer->slots = slots;
    else if (strncmp(line, "UNSATISFIABLE", 13) == 0)
        *answer = (struct rival_answer){.proved = true, .own_ms = answer->own_ms};
    else if (strncmp(line, "OPTIMUM FOUND", 13) == 0)
        answer->proved = true;
    else if (sscanf(line, "Time : %lfs", &seconds) == 1)
        answer->own_ms = seconds * 1e3;
    else if (sscanf(line, "CPU Time : %lfs", &seconds) == 1 && seconds * 1e3 < answer->own_ms)
        answer->own_ms = seconds * 1e3;
}

static void gecode_line(const char *line, struct rival_answer *answer)
{
    double seconds;
    int slots;
    if (sscanf(line, "slots=%d", &slots) == 1)
        answer->slots = slots;
    else if (strncmp(line, "=====UNSATISFIABLE", 18) == 0)
        answer->proved = true;
    else if (strncmp(line, "==========", 10) == 0)
        answer->proved = true;
    else if (sscanf(line, "%%%%%%mzn-stat: flatTime=%lf", &seconds) == 1 ||
             sscanf(line, "%%%%%%mzn-stat: initTime=%lf", &seconds) == 1 ||
             sscanf(line, "%%%%%%mzn-stat: solveTime=%lf", &seconds) == 1)
        answer->own_ms += seconds * 1e3;
}

static int rival_write(enum rival rival, const struct regimen *regimen, char *path, struct error *err)
{
    int fd = mkstemps(path, 4);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file)
        return error_set_errno(err, E_FILE, errno, "%s: cannot be made", path);
    if (rival == RIVAL_GECODE)
        gecode_write(regimen, file);
    else
        clingo_write(regimen, rival == RIVAL_CLINGO ? clingo_order : clingo_plain, file);
    bool failed = ferror(file);
    if (fclose(file) || failed)
        return error_set(err, E_FILE, "%s: cannot be written", path);
    return 0;
}

static int rival_supports(enum rival rival, const struct regimen *regimen, struct error *err)
{
    bool more = false;
    for (size_t d = 0; d < regimen->drug_count; d++)
        more |= regimen->drugs[d].same_state;
    for (size_t s = 0; s < regimen->separation_count; s++) {
        if (regimen->separations[s].or_together)
            return error_set(err, E_LIMIT, "%s: either-or rules are not in the model", rival_name(rival));
    }
    if (more && rival == RIVAL_GECODE)
        return error_set(err, E_LIMIT, "%s: same-state rules are not in the model", rival_name(rival));
    return 0;
}

int rival_solve(enum rival rival, const struct regimen *regimen, int limit_s, struct rival_answer *ret,
                struct error *err)
{
    char path[] = "/tmp/sachet-rival-XXXXXX.mzn";
    char command[256];
    char line[512];
    *ret = (struct rival_answer){.proved = false};
    int rc = rival_supports(rival, regimen, err);
    if (!rc)
        rc = rival_write(rival, regimen, path, err);
    if (rc)
        return rc;
    if (rival == RIVAL_GECODE)
        (void)snprintf(command, sizeof command,
                       "minizinc --solver gecode -s --time-limit %d000 %s 2>/dev/null", limit_s, path);
    else
        (void)snprintf(command, sizeof command,
                       "clingo --opt-strategy=usc --time-limit=%d --quiet=2 %s 2>/dev/null", limit_s, path);
    double start = now_ms();
    FILE *pipe = popen(command, "r");
    while (pipe && fgets(line, sizeof line, pipe)) {
        if (rival == RIVAL_GECODE)
            gecode_line(line, ret);
        else
            clingo_line(line, ret);
    }
    if (pipe)
        (void)pclose(pipe); /* the status says sat or unsat, which was read already */
    ret->wall_ms = now_ms() - start;
    (void)unlink(path);
    return pipe ? 0 : error_set_errno(err, E_FILE, errno, "%s: cannot be run", rival_name(rival));
}
