/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachetd/daemon.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "config/base/loop.h"
#include "config/base/profile.h"
#include "config/conf.h"
#include "controller/pack/batch.h"
#include "controller/pack/packer.h"
#include "controller/report/report.h"
#include "controller/store/anchor.h"
#include "controller/store/store.h"
#include "hw/gpio.h"
#include "hw/machine.h"
#include "hw/machine_latency.h"
#include "tools/sachetd/board.h"
#include "tools/sachetd/line_book.h"
#include "tools/sachetd/ports.h"
#include "tools/sachetd/pulse.h"
#include "tools/sachetd/service.h"

enum {
    LINES_MAX = 128,
    WATCH_MS = 60,          /* between two looks for commands */
    STATE_MS = 250,         /* between two states of a line for watchers */
    CHECKPOINT_MS = 30000,  /* between two checkpoints */
    CLOSE_MS = 10000,       /* for started pouches at a clean end */
    CLOSE_LOCKED_MS = 2000, /* of them, while another program keeps the store's lock */
    LOCK_WAIT_MS = 1000,    /* for that lock, before the loop looks at its signals again */
    CLOSE_WAIT_MS = 200,    /* at the end */
    PASSES_MAX = 16,        /* of one round: a bound for our own bugs */
};

struct line {
    struct machine *machine;
    struct packer *packer;
    struct board board;
    struct loop_io *io;
    struct loop_io *board_io;
    struct buf state; /* as last written */
    struct line_book book;
    int64_t state_at_ms; /* looked at */
    bool state_new;      /* since it was written */
    bool needs_write;
};

struct daemon {
    struct daemon_params params;
    struct loop *loop;
    struct loop_timer *timer;
    struct pulse *pulse;
    struct service service;
    uint32_t stalls;    /* as last told to the service manager */
    int32_t anchor_day; /* the day that has its anchor */
    struct ports *ports;
    struct line lines[LINES_MAX];
    int line_count;
    int64_t data_version;
    int64_t watch_at_ms;
    int64_t checkpoint_at_ms;
    int64_t close_at_ms;    /* when closing ends by force; 0: not closing */
    int64_t locked_at_ms;   /* since when the store's lock was not to be had; 0: it was */
    struct latency commits; /* of all lines, from waiting for the lock until it is durable */
    bool wrote;             /* since the last checkpoint */
    bool stopped_batch;     /* one that a person must look at */
    int rc;
    struct error err;
    struct buf scratch;
};

/* ---- lines ---- */

static int line_open(struct daemon *d, struct line *line, int index, struct error *err)
{
    const struct conf *site = d->params.site;
    const char *name = conf_text(site, "machines[%d].name", index);
    struct profile profile;
    line->machine = ports_open(d->ports, index, &profile, err);
    if (!line->machine)
        return err->code;
    line->book = (struct line_book){.machine = name, .since_ms = clock_wall_ms(d->params.clock)};
    ports_line(d->ports, index, line->book.line, sizeof line->book.line);
    int rc = board_open(site, index, clock_mono_ms(d->params.clock), &line->board, err);
    if (rc < 0)
        return rc;
    const struct packer_config config = {.name = name,
                                         .serial = "",
                                         .bad_counts_max = PACKER_BAD_COUNTS,
                                         .attempts_max = PACKER_ATTEMPTS,
                                         .poll_ms = profile.poll_ms,
                                         .heartbeat_ms = profile.heartbeat_ms,
                                         .entries_max = profile.entries_max,
                                         .rules = d->params.rules,
                                         .attend = d->params.attend,
                                         .address = line->book.line,
                                         .panel = line->board.panel,
                                         .seed = (uint64_t)clock_wall_ms(d->params.clock) + (uint64_t)index};
    line->packer = packer_create(&config, line->machine, d->params.store, err);
    return line->packer ? 0 : err->code;
}

static void line_close(struct line *line)
{
    loop_remove_io(line->io);
    loop_remove_io(line->board_io);
    packer_destroy(line->packer);
    machine_destroy(line->machine);
    board_close(&line->board);
    buf_finish(&line->state);
}

/* ---- one round ---- */

static void fail(struct daemon *d, int rc, const struct error *err)
{
    if (d->rc == 0) {
        d->rc = rc;
        d->err = *err;
    }
    loop_stop(d->loop);
}

static int decide(struct daemon *d, bool *ret_any, struct error *err)
{
    int64_t mono_ms = clock_mono_ms(d->params.clock), wall_ms = clock_wall_ms(d->params.clock);
    *ret_any = false;
    for (int i = 0; i < d->line_count; i++) {
        pulse_at(d->pulse, "decide", d->lines[i].book.machine);
        int rc = packer_run(d->lines[i].packer, mono_ms, wall_ms, err);
        if (rc < 0)
            return rc;
        d->lines[i].needs_write = rc == 1;
        *ret_any = *ret_any || rc == 1;
    }
    return 0;
}

/* True when the line says something new and watchers may hear of it again. */
static bool state_is_due(struct daemon *d, struct line *line, int64_t now_ms)
{
    if (!line->state_new && now_ms - line->state_at_ms >= STATE_MS) {
        line->state_at_ms = now_ms;
        buf_reset(&d->scratch);
        packer_state_json(line->packer, &d->scratch);
        line->state_new = strcmp(buf_string(&d->scratch), buf_string(&line->state)) != 0;
    }
    return line->state_new;
}

static int write_state(struct daemon *d, struct line *line, int index, int64_t now_ms, struct error *err)
{
    buf_reset(&line->state);
    packer_state_json(line->packer, &line->state);
    line->state_at_ms = now_ms;
    line->state_new = false;
    if (line->state.failed)
        return error_set(err, E_MEMORY, "no memory for the state of a line");
    return store_exec(
        d->params.store, err,
        "INSERT INTO machine_state (machine, updated_ms, state) VALUES (?, ?, ?) ON CONFLICT (machine)"
        " DO UPDATE SET updated_ms = excluded.updated_ms, state = excluded.state",
        "tit", conf_text(d->params.site, "machines[%d].name", index), clock_wall_ms(d->params.clock),
        buf_string(&line->state));
}

/* Everything that all lines want stored, in one transaction. */
static int write_all(struct daemon *d, struct error *err)
{
    struct store *store = d->params.store;
    int64_t now_ms = clock_mono_ms(d->params.clock);
    pulse_at(d->pulse, "store: wait for the lock", "");
    int rc = store_write_begin(store, err);
    if (rc < 0)
        return rc;
    for (int i = 0; i < d->line_count && rc == 0; i++) {
        struct line *line = &d->lines[i];
        pulse_at(d->pulse, "store: write", line->book.machine);
        if (line->needs_write)
            rc = packer_write(line->packer, err);
        if (rc == 0 && state_is_due(d, line, now_ms))
            rc = write_state(d, line, i, now_ms, err);
        if (rc == 0 && line_book_due(&line->book, line->machine, now_ms))
            rc = line_book_write(&line->book, line->machine, line->packer, store, now_ms,
                                 clock_wall_ms(d->params.clock), err);
    }
    pulse_at(d->pulse, "store: commit", "");
    if (rc == 0)
        rc = store_write_commit(store, err);
    if (rc < 0) {
        store_write_rollback(store);
        return rc;
    }
    latency_add(&d->commits, (uint32_t)(clock_mono_ms(d->params.clock) - now_ms));
    d->wrote = true;
    for (int i = 0; i < d->line_count; i++) {
        if (d->lines[i].needs_write)
            packer_written(d->lines[i].packer);
        d->lines[i].needs_write = false;
    }
    return 0;
}

static void write_record(struct daemon *d, int64_t batch)
{
    struct batch_info info;
    struct error err = {0};
    const struct report_pharmacy pharmacy = report_pharmacy_of(d->params.site);
    int rc = batch_get(d->params.store, batch, &info, &err);
    if (rc == 0 && strcmp(info.state, "stopped") == 0)
        d->stopped_batch = true;
    if (rc == 0)
        pulse_at(d->pulse, "record of a batch", "");
    if (rc == 0)
        rc = report_files(d->params.store, batch, &pharmacy, d->params.records, &err);
    /* The store has it all; the files can be written again with `sachet report batch`. */
    if (rc < 0)
        log_error("sachetd", "record of batch=%" PRId64 " not written: %s", batch, err.message);
}

static bool states_are_due(struct daemon *d)
{
    int64_t now_ms = clock_mono_ms(d->params.clock);
    for (int i = 0; i < d->line_count; i++) {
        if (state_is_due(d, &d->lines[i], now_ms) ||
            line_book_due(&d->lines[i].book, d->lines[i].machine, now_ms))
            return true;
    }
    return false;
}

/* Another program has the store. At a clean end nobody waits long for it: what the machines finish meanwhile
 * stays in their rings (C7). */
static void locked_out(struct daemon *d, const struct error *err)
{
    int64_t now_ms = clock_mono_ms(d->params.clock);
    if (d->locked_at_ms == 0) {
        d->locked_at_ms = now_ms;
        log_warning("sachetd", "%s", err->message);
    }
    if (!d->close_at_ms || now_ms - d->locked_at_ms < CLOSE_LOCKED_MS)
        return;
    log_warning("sachetd", "ending without the last results: they are read at the next start");
    for (int i = 0; i < d->line_count; i++)
        machine_make_safe(d->lines[i].machine);
    loop_stop(d->loop);
}

static int round_once(struct daemon *d, struct error *err)
{
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        bool any = false;
        int rc = decide(d, &any, err);
        if (rc == 0 && (any || (pass == 0 && states_are_due(d))))
            rc = write_all(d, err);
        if (rc == E_LOCKED) {
            /* Nothing was begun; the packers keep what they want stored and the next round tries again. */
            locked_out(d, err);
            return 0;
        }
        d->locked_at_ms = 0;
        if (rc < 0)
            return rc;
        if (!any)
            break;
    }
    for (int i = 0; i < d->line_count; i++) {
        int64_t batch = packer_take_ended(d->lines[i].packer);
        if (batch)
            write_record(d, batch);
    }
    return 0;
}

/* ---- the end ---- */

static void begin_close(struct daemon *d)
{
    if (d->close_at_ms)
        return;
    service_tell(&d->service, "STOPPING=1\nSTATUS=finishing the pouches that were begun");
    d->close_at_ms = clock_mono_ms(d->params.clock) + CLOSE_MS;
    store_lock_wait(d->params.store, CLOSE_WAIT_MS);
    for (int i = 0; i < d->line_count; i++)
        packer_close(d->lines[i].packer);
}

/* Nothing runs, is paused, asked for or still coming out of a machine. */
static int is_idle(struct daemon *d, bool *ret_idle, struct error *err)
{
    int64_t open = 0;
    int rc = store_get_int(d->params.store, &open, err,
                           "SELECT (SELECT count(*) FROM batch WHERE state IN ('running', 'paused'))"
                           " + (SELECT count(*) FROM command WHERE taken_ms IS NULL)"
                           " + (SELECT count(*) FROM job j JOIN batch b ON b.id = j.batch_id"
                           "    WHERE j.state = 'sent' AND b.state = 'cancelled')",
                           "");
    *ret_idle = open == 0;
    return rc;
}

static bool all_closed(const struct daemon *d)
{
    for (int i = 0; i < d->line_count; i++) {
        if (!packer_closed(d->lines[i].packer))
            return false;
    }
    return true;
}

static void check_end(struct daemon *d, int64_t now_ms)
{
    if (!d->close_at_ms)
        return;
    if (now_ms >= d->close_at_ms) {
        for (int i = 0; i < d->line_count; i++)
            packer_end(d->lines[i].packer);
        if (now_ms >= d->close_at_ms + CLOSE_MS)
            loop_stop(d->loop);
    }
    if (all_closed(d))
        loop_stop(d->loop);
}

/* ---- events ---- */

static int watch(struct daemon *d, int64_t now_ms, struct error *err)
{
    if (now_ms < d->watch_at_ms)
        return 0;
    d->watch_at_ms = now_ms + WATCH_MS;
    int64_t version = store_data_version(d->params.store);
    if (version != d->data_version) {
        d->data_version = version;
        for (int i = 0; i < d->line_count; i++)
            packer_orders(d->lines[i].packer);
    }
    bool idle = false;
    int rc = d->params.once && !d->close_at_ms ? is_idle(d, &idle, err) : 0;
    if (rc == 0 && idle)
        begin_close(d);
    if (rc == 0 && d->wrote && now_ms >= d->checkpoint_at_ms) {
        d->checkpoint_at_ms = now_ms + CHECKPOINT_MS;
        d->wrote = false;
        pulse_at(d->pulse, "store: checkpoint", "");
        rc = store_checkpoint(d->params.store, err);
        if (rc == E_LOCKED)
            rc = 0; /* the next one will do */
    }
    return rc;
}

/* The day's signed head of the audit trail. Takes a tenth of a second once a day; without one today there is
 * one tomorrow, so a failure is only told. */
static void anchor_day(struct daemon *d)
{
    struct error err = {0};
    int64_t wall_ms = clock_wall_ms(d->params.clock);
    if (instant_day(wall_ms) == d->anchor_day)
        return;
    d->anchor_day = instant_day(wall_ms);
    pulse_at(d->pulse, "audit: anchor of the day", "");
    if (anchor_make(d->params.store, wall_ms, NULL, &err) < 0)
        log_warning("sachetd", "the audit trail has no anchor today: %s", err.message);
}

/* What the service manager shows: how often the loop stood still, and how long at most. */
static void tell_stalls(struct daemon *d)
{
    char text[96];
    int64_t longest_ms = 0;
    uint32_t stalls = pulse_stalls(d->pulse, &longest_ms);
    if (stalls == d->stalls)
        return;
    d->stalls = stalls;
    (void)snprintf(text, sizeof text, "STATUS=%" PRIu32 " stalls, the longest %" PRId64 " ms", stalls,
                   longest_ms); /* two numbers fit */
    service_tell(&d->service, text);
}

/* Returns when the next round is due. */
static int64_t run_round(struct daemon *d)
{
    struct error err = {0};
    int64_t now_ms = clock_mono_ms(d->params.clock);
    service_alive(&d->service, now_ms);
    anchor_day(d);
    pulse_at(d->pulse, "store: look for orders", "");
    int rc = watch(d, now_ms, &err);
    if (rc == 0)
        rc = round_once(d, &err);
    if (rc < 0) {
        fail(d, rc, &err);
        return LOOP_TIMER_DONE;
    }
    check_end(d, clock_mono_ms(d->params.clock));
    tell_stalls(d);
    pulse_rest(d->pulse);
    int64_t due_ms =
        d->watch_at_ms < service_due_ms(&d->service) ? d->watch_at_ms : service_due_ms(&d->service);
    for (int i = 0; i < d->line_count; i++) {
        int64_t line_ms = packer_due_ms(d->lines[i].packer);
        if (line_ms < due_ms)
            due_ms = line_ms;
    }
    return due_ms;
}

static int64_t timer_due(void *data, int64_t now_ms)
{
    struct daemon *d = data;
    (void)now_ms;
    return run_round(d);
}

static void answer_ready(void *data, short revents)
{
    (void)revents; /* POLLIN is all we asked for */
    struct daemon *d = data;
    loop_set_timer(d->timer, run_round(d));
}

static void signalled(void *data, int number)
{
    struct daemon *d = data;
    log_info("sachetd", "signal=%d: finishing started pouches, then ending", number);
    begin_close(d);
    loop_set_timer(d->timer, run_round(d));
}

/* ---- life ---- */

static int open_lines(struct daemon *d, struct error *err)
{
    int count = conf_count(d->params.site, "machines");
    if (count > LINES_MAX)
        return error_set(err, E_LIMIT, "%s: %d machines, at most %d", conf_file(d->params.site), count,
                         LINES_MAX);
    for (int i = 0; i < count; i++) {
        struct line *line = &d->lines[d->line_count++];
        buf_init(&line->state);
        line->state_at_ms = INT64_MIN / 2;
        int rc = line_open(d, line, i, err);
        if (rc < 0)
            return rc;
        int fd = machine_fd(line->machine), board_fd = line->board.gpio ? gpio_fd(line->board.gpio) : -1;
        line->io = fd >= 0 ? loop_add_io(d->loop, fd, POLLIN, answer_ready, d) : NULL;
        line->board_io = board_fd >= 0 ? loop_add_io(d->loop, board_fd, POLLIN, answer_ready, d) : NULL;
        if ((fd >= 0 && !line->io) || (board_fd >= 0 && !line->board_io))
            return error_set(err, E_MEMORY, "no memory for the event loop");
    }
    return 0;
}

struct daemon *daemon_create(const struct daemon_params *params, struct error *err)
{
    static const int signals[] = {SIGTERM, SIGINT};
    const struct ports_params ports = {.site = params->site,
                                       .clock = params->clock,
                                       .trace = params->trace,
                                       .seed = (uint64_t)clock_wall_ms(params->clock)};
    struct daemon *d = calloc(1, sizeof *d);
    if (!d) {
        error_set(err, E_MEMORY, "no memory for sachetd");
        return NULL;
    }
    d->params = *params;
    service_open(&d->service);
    store_lock_wait(params->store, LOCK_WAIT_MS);
    buf_init(&d->scratch);
    int64_t now_ms = clock_mono_ms(params->clock);
    d->checkpoint_at_ms = now_ms + CHECKPOINT_MS;
    /* Signals first: the threads of the lines inherit the blocked mask. */
    d->loop = loop_create(params->clock, err);
    if (!d->loop || loop_add_signals(d->loop, signals, 2, signalled, d, err) < 0)
        goto fail;
    d->pulse = pulse_create(params->clock, 0, err);
    d->ports = d->pulse ? ports_create(&ports, err) : NULL;
    if (!d->ports || open_lines(d, err) < 0)
        goto fail;
    d->timer = loop_add_timer(d->loop, now_ms, timer_due, d);
    if (!d->timer) {
        error_set(err, E_MEMORY, "no memory for the event loop");
        goto fail;
    }
    d->data_version = store_data_version(params->store);
    return d;
fail:
    daemon_destroy(d);
    return NULL;
}

void daemon_destroy(struct daemon *d)
{
    if (!d)
        return;
    for (int i = 0; i < d->line_count; i++)
        line_close(&d->lines[i]);
    ports_destroy(d->ports);
    pulse_destroy(d->pulse);
    service_close(&d->service);
    loop_destroy(d->loop);
    buf_finish(&d->scratch);
    free(d);
}

/* The last counts, for those who look later; losing them harms nobody. */
static void keep_books(struct daemon *d)
{
    struct error err = {0};
    struct store *store = d->params.store;
    int64_t mono_ms = clock_mono_ms(d->params.clock), wall_ms = clock_wall_ms(d->params.clock);
    int rc = store_write_begin(store, &err);
    for (int i = 0; i < d->line_count && rc == 0; i++)
        rc = line_book_write(&d->lines[i].book, d->lines[i].machine, d->lines[i].packer, store, mono_ms,
                             wall_ms, &err);
    if (rc == 0)
        rc = store_write_commit(store, &err);
    if (rc < 0) {
        store_write_rollback(store);
        log_warning("sachetd", "the last counts of the lines are not stored: %s", err.message);
    }
}

int daemon_run(struct daemon *d, struct error *err)
{
    service_tell(&d->service, "READY=1\nSTATUS=packing");
    int rc = loop_run(d->loop, err);
    pulse_rest(d->pulse);
    if (rc < 0)
        return rc;
    if (d->rc < 0) {
        for (int i = 0; i < d->line_count; i++)
            machine_make_safe(d->lines[i].machine);
        *err = d->err;
        return d->rc;
    }
    keep_books(d);
    log_info("sachetd",
             "commits=%" PRIu64 " rows=%" PRId64 " commit_p99_ms=%" PRIu32 " commit_worst_ms=%" PRIu32,
             d->commits.total, store_rows_written(d->params.store), latency_percentile(&d->commits, 990),
             d->commits.worst_ms);
    if (d->params.once && d->stopped_batch)
        return error_set(err, E_STATE, "a batch stopped and waits for a person; see 'sachet batch list'");
    return 0;
}
