/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots: the fewest daily dose slots for one regimen, exactly, with a proof and the reasons.
 *
 * The objective is lexicographic: fewest slots; least soft cost; least moved from the previous schedule (or,
 * when no drug has one, slots nearest to waking, meals and bed); best balanced gaps; smallest time vector.
 * The last level makes the answer unique, so equal regimens give equal results on every machine. The result
 * lives in the caller's arena. Pure, any thread; takes as long as the proof takes unless node_budget says
 * otherwise, and reads no clock.
 */
#ifndef SCHEDULER_SLOTS_H
#define SCHEDULER_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler/regimen.h"

enum {
    SLOTS_MAX = 64, /* distinct times a day; a regimen that needs more is refused with E_LIMIT */
    SLOTS_TREE_ROWS_MAX =
        32768, /* of a refutation, about 1 MB written; a search that needs more ends as BUDGET */
    /* Nodes for a caller who waits for the answer: some seconds at most, a thousand times what an ordinary
     * regimen takes. */
    SLOTS_BUDGET_DEFAULT = 200000,
};

enum slots_status {
    SLOTS_OPTIMAL,
    SLOTS_INFEASIBLE,
    SLOTS_BUDGET, /* the budget ran out: a legal schedule may be there, the proof is not complete */
};

/* Kinds of named rules. The drug's order of doses always holds and can't be given up. */
enum slots_rule_kind {
    SLOTS_RULE_WINDOW,    /* window:<drug> */
    SLOTS_RULE_GAP,       /* gap:<drug> */
    SLOTS_RULE_OVERNIGHT, /* overnight:<drug> */
    SLOTS_RULE_STATE,     /* state:<drug>, extension same_state */
    SLOTS_RULE_SEP,       /* sep:<id> */
    SLOTS_RULE_SAME,      /* same:<id> */
    SLOTS_RULE_NOTSAME,   /* notsame:<id> */
    SLOTS_RULE_ORDER,     /* order:<drug>: doses of one drug come one after the other */
    SLOTS_RULE_TIMES,     /* times: what propagation left of the possible times */
    SLOTS_RULE_SLOTS,     /* slots: there are no more slots */
    SLOTS_RULE_KINDS,
};

/* place: of the drug, separation or pair in the (sorted) regimen; 0 for TIMES and SLOTS. */
struct slots_rule {
    enum slots_rule_kind kind;
    size_t place;
};

/* Two doses (flat numbers: drugs in canonical order, doses in order) that can never share a slot, and why. */
struct slots_apart {
    size_t a, b;
    struct slots_rule why;
};

/*
 * Refutation tree, one row a node in preorder. A leaf names the rule that closed it. An inner node decides
 * something about one dose; its branches follow as rows, each subtree whole before the next, and the top row
 * of each says in `branch` what was decided:
 *   SLOTS_NODE_SLOT   for "so few slots are impossible", slots in order: the dose is in slot `branch`
 *   SLOTS_NODE_GROUP  the same, slots in no order: the dose is in the slot of dose `branch`, the first of its
 *                     group, or OWN: it is the first of a new group
 *   SLOTS_NODE_TIME   0: the dose is at or before `minute`; 1: later
 *   SLOTS_NODE_STATE  1: all doses of the drug lie inside its same_state times; 2: all outside
 *   SLOTS_NODE_PACK   a leaf, too: the doses of `set` need more room, by their least distances, than lies
 *                     between the first and the last time that is left to any of them
 */
enum slots_node_kind {
    SLOTS_NODE_LEAF,
    SLOTS_NODE_SLOT,
    SLOTS_NODE_TIME,
    SLOTS_NODE_STATE,
    SLOTS_NODE_GROUP,
    SLOTS_NODE_PACK,
};

enum { SLOTS_BRANCH_OWN = -1 };

struct slots_node {
    enum slots_node_kind kind;
    uint32_t dose;          /* flat dose number; of STATE: drug */
    uint32_t branches;      /* number of subtrees; 0 for a leaf */
    int branch;             /* the decision of the row above that leads here; 0 at the root */
    int minute;             /* TIME */
    struct slots_rule rule; /* LEAF */
    uint64_t set[2];        /* PACK: doses */
};

enum slots_proof {
    SLOTS_PROOF_NONE,   /* budget exhausted, or no dose at all */
    SLOTS_PROOF_CLIQUE, /* as many pairwise apart doses as slots */
    SLOTS_PROOF_TREE,   /* refutes refuted_slots slots, by which dose is in which of the ordered slots */
    SLOTS_PROOF_GROUPS, /* refutes refuted_slots slots, by which doses are together */
    SLOTS_PROOF_TIMES,  /* refutes any number of slots: infeasible */
};

/* What would come out without one rule. */
struct slots_price {
    struct slots_rule rule;
    enum slots_status status;
    size_t slots;
};

/* The rule that keeps a dose from one of the other slots; `other` is the dose on the rule's far end, or the
 * dose itself. */
struct slots_binding {
    size_t dose;
    size_t other;
    int minute; /* the slot that it can't go to */
    struct slots_rule rule;
};

struct slots_result {
    enum slots_status status;
    bool has_schedule;
    size_t dose_count; /* flat doses: drugs in canonical order */
    int *times;        /* minute of each flat dose, when has_schedule */
    size_t slot_count;
    int slot_times[SLOTS_MAX]; /* ascending */
    int64_t soft_cost;
    bool by_previous;     /* level 3 measured against previous schedules (else anchors of the day) */
    int64_t move_minutes; /* sum of |t - previous| over doses of drugs with a previous; 0 when none has */
    int64_t anchor_minutes;
    int64_t balance_minutes;

    size_t lower_bound; /* proved least number of slots */
    enum slots_proof proof;
    size_t refuted_slots;
    const struct slots_apart *apart; /* all pairs of the clique */
    size_t apart_count;
    const size_t *clique; /* flat doses, ascending; also when the proof is a tree: the largest one found */
    size_t clique_count;
    const struct slots_node *tree;
    size_t tree_count;

    const struct slots_rule *conflict; /* infeasible: a minimal set, canonical order */
    size_t conflict_count;

    const struct slots_binding *bindings; /* with options.explain */
    size_t binding_count;
    /* With options.explain: rules without which fewer slots do; of an infeasible regimen: the conflict's
     * members and what each alone would open. */
    const struct slots_price *prices;
    size_t price_count;

    uint64_t nodes; /* search nodes spent */
};

struct slots_options {
    uint64_t node_budget; /* 0: no limit */
    int levels;           /* objective levels to prove: 1..5, 0 means all */
    bool explain;         /* fill bindings and prices (solves the regimen again without each rule) */
    struct arena
        *scratch;      /* NULL or one to work in and reset: spares the system when there are many regimens */
    bool no_conflict;  /* leave `conflict` and its tree out */
    bool any_conflict; /* `conflict` names all rules instead of a minimal set: the proof without its search */
    bool in_order;     /* search over ordered slots alone, never by groups: for tests and comparisons */
};

/* regimen must be ready (regimen_ready). options may be NULL. E_LIMIT: more than SLOTS_MAX slots needed;
 * E_MEMORY. Infeasible and budget are results, not errors. */
int slots_solve(const struct regimen *regimen, const struct slots_options *options, struct arena *arena,
                struct slots_result **ret, struct error *err);

/* The flat number of a drug's first dose. */
size_t slots_first_dose(const struct regimen *regimen, size_t drug);
/* The drug of a flat dose; *ret_index gets the dose's place in the drug. */
size_t slots_drug_of(const struct regimen *regimen, size_t dose, size_t *ret_index);
/* "window:d1", "times", ...: appends the rule's name. */
void slots_rule_name(const struct regimen *regimen, struct slots_rule rule, struct buf *out);
/* "optimal", "infeasible", "budget". */
const char *slots_status_name(enum slots_status status);

#endif
