/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other exact solvers on the same first level (fewest slots, or none possible), for benches and tests. Each
 * call writes the regimen as the solver's own model straight from the format, without anything of
 * scheduler/slots*.c, runs the solver as a process of its own, and blocks until it answers or its limit is
 * up. One thread. Of the extensions same_state is written for clingo only, or_together for none.
 */
#ifndef TOOLS_BENCHES_RIVALS_H
#define TOOLS_BENCHES_RIVALS_H

#include <stdbool.h>

struct regimen;
struct error;

enum rival {
    RIVAL_CLINGO,       /* core-guided (--opt-strategy=usc), times as an order encoding */
    RIVAL_CLINGO_PLAIN, /* the same with one constraint for each two times that a rule forbids */
    RIVAL_GECODE,       /* MiniZinc with Gecode */
    RIVALS,
};

struct rival_answer {
    bool proved;    /* within the limit */
    int slots;      /* 0: no schedule */
    double own_ms;  /* what the solver itself says, the lesser of elapsed and CPU time: reading, grounding or
                     * flattening, and solving */
    double wall_ms; /* the whole process, start-up included */
};

const char *rival_name(enum rival rival);
/* Is the program there? */
bool rival_installed(enum rival rival);
/* limit_s: seconds after which it may give up. E_FILE when it can't be run, E_LIMIT for a rule that its model
 * lacks. */
int rival_solve(enum rival rival, const struct regimen *regimen, int limit_s, struct rival_answer *ret,
                struct error *err);

#endif
