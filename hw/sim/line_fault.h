/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_fault: what goes wrong between a controller and a simulated machine, planned by the number of the
 * request. The same words (config/base/faults.h) for the in-process port, the TCP server and the serial line,
 * each of which says in its header what it does with them. Plain values; one thread.
 */
#ifndef HW_SIM_LINE_FAULT_H
#define HW_SIM_LINE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/base/faults.h"

/* In the order of LINE_FAULT_TABLE. */
enum sim_fault {
#define SIM_FAULT_ENUM(name, word, text) SIM_##name,
    LINE_FAULT_TABLE(SIM_FAULT_ENUM)
#undef SIM_FAULT_ENUM
        SIM_NO_FAULT,
};

enum { LINE_FAULTS_PLANNED = 16 };

struct line_faults {
    uint64_t requests; /* so far */
    struct {
        uint64_t at; /* number of the request, from 1 */
        enum sim_fault fault;
    } planned[LINE_FAULTS_PLANNED];
    unsigned count;
};

/* The nth request from now on (1: the next one) meets it; what is planned beyond LINE_FAULTS_PLANNED does not
 * happen: false. */
bool line_faults_plan(struct line_faults *faults, enum sim_fault fault, uint64_t nth);
/* Counts a request; what it meets. */
enum sim_fault line_faults_next(struct line_faults *faults);

#endif
