/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: a machine port in front of another one, which can be shut. Before each request leaves and after each
 * answer came it asks its owner whether the controller is still alive; once the answer was no, requests go
 * nowhere and answers stay away, as for a process that was killed there. The gate owns the port behind it.
 */
#ifndef TESTS_SUPPORT_GATE_H
#define TESTS_SUPPORT_GATE_H

#include <stdbool.h>

struct error;
struct machine;
struct machine_answer;
struct machine_request;

struct gate_hooks {
    /* false: dead, and this request never leaves. */
    bool (*leaves)(void *data, const struct machine_request *request);
    /* false: dead, and this answer, of something that the machine may have done, is never read. It may be
     * changed: what a machine says that lies. */
    bool (*came)(void *data, struct machine_answer *answer);
    void *data;
};

/* NULL: no memory; `behind` stays the caller's then. */
struct machine *gate_create(struct machine *behind, const struct gate_hooks *hooks, struct error *err);
struct machine *gate_behind(struct machine *gate);

#endif
