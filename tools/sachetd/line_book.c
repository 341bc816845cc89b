/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachetd/line_book.h"

#include "controller/pack/packer.h"
#include "controller/store/store.h"

/* Everything that is counted comes with a request, or instead of one. */
static uint64_t sum_of(const struct machine_counters *counters)
{
    return counters->requests + counters->timeouts + counters->reconnects;
}

bool line_book_due(const struct line_book *book, struct machine *machine, int64_t mono_ms)
{
    struct machine_counters counters = {0};
    if (book->written && mono_ms - book->written_ms < LINE_BOOK_MS)
        return false;
    machine_counters(machine, &counters);
    return !book->written || sum_of(&counters) != book->requests;
}

int line_book_write(struct line_book *book, struct machine *machine, const struct packer *packer,
                    struct store *store, int64_t mono_ms, int64_t wall_ms, struct error *err)
{
    struct packer_accepts accepts;
    struct machine_counters c = {0};
    machine_counters(machine, &c);
    packer_accepts(packer, &accepts);
    book->written = true;
    book->written_ms = mono_ms;
    book->requests = sum_of(&c);
    return store_exec(
        store, err,
        "INSERT OR REPLACE INTO line_state (machine, line, since_ms, updated_ms, requests, timeouts,"
        " frame_errors, exceptions, reconnects, late, retries, worst_ms, p99_ms,"
        " accepts, accept_worst_ms, accept_p99_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "ttiiiiiiiiiiiiii", book->machine, book->line, book->since_ms, wall_ms, (int64_t)c.requests,
        (int64_t)c.timeouts, (int64_t)c.frame_errors, (int64_t)c.exceptions, (int64_t)c.reconnects,
        (int64_t)c.late, (int64_t)c.retries, (int64_t)c.worst_ms, (int64_t)c.p99_ms, (int64_t)accepts.jobs,
        (int64_t)accepts.worst_ms, (int64_t)accepts.p99_ms);
}
