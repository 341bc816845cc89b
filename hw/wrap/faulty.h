/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faulty: makes any machine port's line fail at the n-th request, for tests of those above it. The port is
 * owned from then on. A lost request or answer ends as UNKNOWN with E_TIMEOUT at the request's deadline;
 * after it, and after a damaged answer or a broken connection, the link is down until the next
 * MACHINE_IDENTIFY, as with every backend, whatever the port behind believes.
 *
 * Requests go to the port behind one after the other, each when the one before is answered. There is no fd:
 * poll it from a timer. One thread, nothing blocks. The in-process simulator has faults of its own
 * (sim_machine_fail), because some need the machine's help, such as a torn mailbox.
 */
#ifndef HW_WRAP_FAULTY_H
#define HW_WRAP_FAULTY_H

#include <stdint.h>

struct clock;
struct error;
struct machine;

enum fault {
    FAULT_LOSE_REQUEST,   /* it never reaches the machine */
    FAULT_LOSE_ANSWER,    /* the machine does it, the answer is lost */
    FAULT_DAMAGE_ANSWER,  /* the machine does it, the answer is E_FRAME */
    FAULT_REPEAT_REQUEST, /* the machine sees it twice */
    FAULT_RESET_LINK,     /* the connection breaks before the request arrives: E_LINK */
    FAULT_REFUSE,         /* the machine is busy: E_DEVICE, not done; the link stays */
};

enum { FAULTY_FAULTS_MAX = 16 };

/* deadline_ms: of requests that name none. NULL: E_MEMORY, and inner stays the caller's. */
struct machine *faulty_create(struct machine *inner, struct clock *clock, uint32_t deadline_ms,
                              struct error *err);
/* The nth request from now on (1: the next that begins) meets the fault. Up to FAULTY_FAULTS_MAX wait. */
void faulty_fail(struct machine *machine, enum fault fault, uint64_t nth);
/* Requests begun so far, but for those that met no link. */
uint64_t faulty_requests(const struct machine *machine);

#endif
