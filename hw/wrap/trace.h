/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace: records every request and answer of a machine port to a file, so that what happened on a real line
 * can be played back later (replay.h). The caller sees the port as before; it is owned from then on.
 *
 * NDJSON, "sachet-trace/1": a head {"format", "machine", "backend"}, then {"t", "request": n, "kind", …},
 * {"t", "answer": n, "kind", "did", …} and {"t", "make_safe": true}; t counts ms from the head, n counts
 * requests from 1. No names of people: pouch numbers and hashes only.
 *
 * Writing happens in the owner's thread, a line at a time, and may wait for the disk's cache. A file that
 * cannot be written ends the trace with one warning in the log; the machine goes on.
 */
#ifndef HW_WRAP_TRACE_H
#define HW_WRAP_TRACE_H

struct clock;
struct error;
struct machine;

/* Opens a new file; one that is there is refused. On failure (E_EXISTS, E_FILE, E_MEMORY) NULL, and inner
 * stays the caller's. clock's monotonic time stamps the lines. */
struct machine *trace_create(struct machine *inner, const char *file, const char *name, struct clock *clock,
                             struct error *err);

#endif
