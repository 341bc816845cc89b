/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/gate.h"

#include <stdlib.h>

#include "config/base/error.h"
#include "hw/machine.h"

struct gate {
    struct machine machine; /* first: the port's pointer is ours */
    struct machine *behind;
    struct gate_hooks hooks;
    bool shut;
};

static struct gate *gate_of(struct machine *machine)
{
    return (struct gate *)machine; /* it is the first member */
}

static int gate_check(struct machine *machine, const struct machine_request *request, struct error *err)
{
    return machine_check(gate_of(machine)->behind, request, err);
}

static int gate_submit(struct machine *machine, const struct machine_request *request, struct error *err)
{
    struct gate *g = gate_of(machine);
    g->shut = g->shut || !g->hooks.leaves(g->hooks.data, request);
    return g->shut ? 0 : machine_submit(g->behind, request, err);
}

static bool gate_poll(struct machine *machine, struct machine_answer *ret_answer)
{
    struct gate *g = gate_of(machine);
    struct machine_answer answer;
    if (g->shut || !machine_poll(g->behind, &answer))
        return false;
    g->shut = !g->hooks.came(g->hooks.data, &answer);
    if (!g->shut)
        *ret_answer = answer;
    return !g->shut;
}

static int gate_fd(struct machine *machine)
{
    return machine_fd(gate_of(machine)->behind);
}

static void gate_make_safe(struct machine *machine)
{
    struct gate *g = gate_of(machine);
    if (!g->shut)
        machine_make_safe(g->behind);
}

static void gate_counters(struct machine *machine, struct machine_counters *ret_counters)
{
    machine_counters(gate_of(machine)->behind, ret_counters);
}

static void gate_destroy(struct machine *machine)
{
    machine_destroy(gate_of(machine)->behind);
    free(gate_of(machine));
}

static const struct machine_ops gate_ops = {
    .name = "gate",
    .check = gate_check,
    .submit = gate_submit,
    .poll = gate_poll,
    .fd = gate_fd,
    .make_safe = gate_make_safe,
    .counters = gate_counters,
    .destroy = gate_destroy,
};

struct machine *gate_create(struct machine *behind, const struct gate_hooks *hooks, struct error *err)
{
    struct gate *g = calloc(1, sizeof *g);
    if (!g) {
        error_set(err, E_MEMORY, "no memory for a gate");
        return NULL;
    }
    *g = (struct gate){.machine.ops = &gate_ops, .behind = behind, .hooks = *hooks};
    return &g->machine;
}

struct machine *gate_behind(struct machine *gate)
{
    return gate_of(gate)->behind;
}
