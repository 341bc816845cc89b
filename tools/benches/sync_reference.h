/* SPDX-License-Identifier: Apache-2.0 */
/* The exhaustive solver of the tests as a peer of the planner in its bench; sync_reference_none.c where the
 * tests' library is not installed (meson chooses). */
#ifndef TOOLS_BENCHES_SYNC_REFERENCE_H
#define TOOLS_BENCHES_SYNC_REFERENCE_H

#include "scheduler/sync.h"

enum sync_verdict { SYNC_AGREES, SYNC_DIFFERS, SYNC_TOO_LARGE, SYNC_NO_REFERENCE };

/* Solves the case by trying everything, and compares feasibility, anchor and objective. */
enum sync_verdict sync_reference(const struct sync_case *c, const struct sync_plan *plan);

#endif
