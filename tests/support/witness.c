/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/witness.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/pack/token.h"
#include "controller/store/store.h"
#include "hw/machine.h"
#include "hw/sim/world_truth.h"

enum { LINE_BYTES = 1024, PARTS = MACHINE_ENTRIES_MAX + 8, WHY_BYTES = 200 };

/* What was seen of one number. */
struct pouch {
    unsigned accepted, started, printed, done;
    uint32_t hash;
    char token[MACHINE_TOKEN_BYTES];
    int64_t outcome;
    unsigned life_started, life_done; /* which power-on */
    bool sealed;
    bool removed;
    bool recorded; /* D went over it: seen, or told by the next power-on */
    unsigned foreign, broken;
    unsigned parts;
    struct {
        uint16_t bay;
        unsigned pieces;
    } part[PARTS];
};

struct witness {
    unsigned machine;
    bool lossy;
    struct pouch *pouches; /* by number */
    size_t count;
    bool no_memory;
    unsigned life;
    uint32_t done;          /* D */
    uint32_t between;       /* late pieces that will lie in the next pouch */
    char broken[WHY_BYTES]; /* the first invariant that the log alone breaks */
};

struct witness *witness_create(unsigned machine, bool lossy)
{
    struct witness *w = calloc(1, sizeof *w);
    if (w) {
        w->machine = machine;
        w->lossy = lossy;
    }
    return w;
}

void witness_destroy(struct witness *w)
{
    if (!w)
        return;
    free(w->pouches);
    free(w);
}

/* ---- the log ---- */

__attribute__((format(printf, 2, 3))) static void say(struct witness *w, const char *format, ...)
{
    va_list args;
    if (w->broken[0])
        return;
    va_start(args, format);
    (void)vsnprintf(w->broken, sizeof w->broken, format, args); /* cut, never overrun */
    va_end(args);
}

static struct pouch *pouch_of(struct witness *w, uint32_t seq)
{
    if (seq >= w->count) {
        size_t count = (size_t)seq + 64;
        struct pouch *grown = realloc(w->pouches, count * sizeof *grown);
        if (!grown) {
            w->no_memory = true;
            return NULL;
        }
        memset(grown + w->count, 0, (count - w->count) * sizeof *grown);
        w->pouches = grown;
        w->count = count;
    }
    return &w->pouches[seq];
}

static void see_accepted(struct witness *w, struct pouch *p, const struct world_event *e)
{
    uint32_t hash = (uint32_t)e->value[0].value;
    if (p->accepted++ > 0 && p->hash != hash)
        say(w, "V1: number %" PRIu32 " was taken with two contents", e->seq);
    p->hash = hash;
}

static void see_started(struct witness *w, struct pouch *p, const struct world_event *e)
{
    if (p->started++ > 0)
        say(w, "V1: number %" PRIu32 " was begun twice", e->seq);
    p->life_started = w->life;
}

static void see_printed(struct witness *w, struct pouch *p, const struct world_event *e)
{
    if (p->printed++ > 0)
        say(w, "V1: number %" PRIu32 " was printed twice", e->seq);
    (void)snprintf(p->token, sizeof p->token, "%s", e->text ? e->text : ""); /* as the mailbox bounds it */
    p->foreign += w->between;
    w->between = 0;
}

static void see_drop(struct witness *w, struct pouch *p, const struct world_event *e)
{
    bool counted_late = strcmp(e->name, "late_counted") == 0;
    uint16_t bay = (uint16_t)e->value[0].value;
    unsigned pieces = counted_late ? 1 : (unsigned)e->value[2].value;
    unsigned i = 0;
    while (i < p->parts && p->part[i].bay != bay)
        i++;
    if (i == PARTS) {
        say(w, "number %" PRIu32 " has pieces of more than %d bays", e->seq, PARTS);
        return;
    }
    if (i == p->parts) {
        p->part[i].bay = bay;
        p->part[i].pieces = 0;
        p->parts++;
    }
    p->part[i].pieces += pieces;
}

static void see_foreign(struct witness *w, struct pouch *p, const struct world_event *e)
{
    (void)w, (void)e;
    p->foreign++;
}

static void see_broken(struct witness *w, struct pouch *p, const struct world_event *e)
{
    (void)w, (void)e;
    p->broken++;
}

static void see_sealed(struct witness *w, struct pouch *p, const struct world_event *e)
{
    (void)w, (void)e;
    p->sealed = true;
}

static void see_removed(struct witness *w, struct pouch *p, const struct world_event *e)
{
    (void)w, (void)e;
    p->removed = true;
}

static void see_done(struct witness *w, struct pouch *p, const struct world_event *e)
{
    if (p->done++ > 0)
        say(w, "V5: number %" PRIu32 " was recorded twice", e->seq);
    if (e->seq <= w->done || (!w->lossy && e->seq != w->done + 1))
        say(w, "V5: D went from %" PRIu32 " to %" PRIu32, w->done, e->seq);
    w->done = e->seq;
    p->outcome = e->value[0].value;
    p->life_done = w->life;
    p->recorded = true;
}

static void see_between(struct witness *w, struct pouch *p, const struct world_event *e)
{
    (void)p, (void)e;
    w->between++;
}

static void see_purged(struct witness *w, struct pouch *p, const struct world_event *e)
{
    (void)p, (void)e;
    w->between = 0;
}

/* A record that the power cut off in its last half, or whose line a kill left out, is told here. */
static void see_power_on(struct witness *w, struct pouch *p, const struct world_event *e)
{
    (void)p;
    uint32_t done = (uint32_t)e->value[2].value;
    w->life++;
    if (done < w->done)
        say(w, "V5: D fell from %" PRIu32 " to %" PRIu32 " at a power-on", w->done, done);
    if (!w->lossy && done > w->done + 2)
        say(w, "V5: D rose from %" PRIu32 " to %" PRIu32 " without power", w->done, done);
    for (uint32_t s = w->done + 1; s <= done; s++) {
        struct pouch *missed = pouch_of(w, s);
        if (missed)
            missed->recorded = true;
    }
    w->done = done;
}

static const struct {
    const char *name;
    bool of_pouch;
    void (*see)(struct witness *w, struct pouch *p, const struct world_event *e);
} sights[] = {
    {"accepted", true, see_accepted},     {"started", true, see_started},
    {"printed", true, see_printed},       {"drop", true, see_drop},
    {"late_counted", true, see_drop},     {"late_foreign", true, see_foreign},
    {"late_between", false, see_between}, {"purged", false, see_purged},
    {"broken", true, see_broken},         {"sealed", true, see_sealed},
    {"removed", true, see_removed},       {"done", true, see_done},
    {"power_on", false, see_power_on},
};

void witness_event(void *data, const struct world_event *e)
{
    struct witness *w = data;
    if (e->machine != w->machine)
        return;
    for (size_t i = 0; i < sizeof sights / sizeof sights[0]; i++) {
        if (strcmp(sights[i].name, e->name) != 0)
            continue;
        struct pouch *p = sights[i].of_pouch ? pouch_of(w, e->seq) : NULL;
        if (p || !sights[i].of_pouch)
            sights[i].see(w, p, e);
        return;
    }
}

/* The values that the sights read, in their order in the log. */
static void read_values(const json_t *line, struct world_event *event)
{
    static const char *const keys[][WORLD_EVENT_VALUES] = {
        {"accepted", "hash", NULL},     {"drop", "bay", "canister", "pieces"},
        {"late_counted", "bay", NULL},  {"done", "outcome", "reason", NULL},
        {"power_on", "boot", "S", "D"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i][0], event->name) != 0)
            continue;
        for (int k = 1; k < WORLD_EVENT_VALUES && keys[i][k]; k++)
            event->value[event->values++].value = json_integer_value(json_object_get(line, keys[i][k]));
    }
}

int witness_read(struct witness *w, const char *file, struct error *err)
{
    char text[LINE_BYTES];
    FILE *in = fopen(file, "r");
    if (!in)
        return error_set_errno(err, E_FILE, errno, "%s", file);
    int number = 0, rc = 0;
    while (rc == 0 && fgets(text, sizeof text, in)) {
        number++;
        json_t *line = json_loads(text, 0, NULL);
        if (!line) {
            /* Only the last line before a kill can be cut off; a restarted process begins with power_on. */
            if (!w->lossy)
                rc = error_set(err, E_SYNTAX, "%s:%d: no JSON object", file, number);
            continue;
        }
        struct world_event event = {
            .machine = (unsigned)json_integer_value(json_object_get(line, "m")),
            .seq = (uint32_t)json_integer_value(json_object_get(line, "seq")),
            .name = json_string_value(json_object_get(line, "ev")),
            .text = json_string_value(json_object_get(line, "text")),
        };
        if (!event.name)
            rc = error_set(err, E_SYNTAX, "%s:%d: no event", file, number);
        if (rc == 0) {
            read_values(line, &event);
            witness_event(w, &event);
        }
        json_decref(line);
    }
    (void)fclose(in); /* only read */
    return rc;
}

uint32_t witness_pouches(const struct witness *w)
{
    uint32_t count = 0;
    for (size_t i = 0; i < w->count; i++)
        count += w->pouches[i].printed > 0;
    return count;
}

static bool left_as_good(const struct pouch *p)
{
    return p->done > 0 && p->outcome == MACHINE_GOOD && !p->removed;
}

uint32_t witness_good(const struct witness *w)
{
    uint32_t count = 0;
    for (size_t i = 0; i < w->count; i++)
        count += left_as_good(&w->pouches[i]);
    return count;
}

uint32_t witness_boots(const struct witness *w)
{
    return w->life;
}

/* ---- the store ---- */

/* One fill with one of its items. */
struct fill {
    uint32_t seq;
    const char *state;
    const char *token;
    uint32_t hash;
    int64_t job;
};

static int check_fill(const struct witness *w, const struct fill *f, bool settled, struct error *err)
{
    static const struct pouch nothing;
    const struct pouch *p = f->seq < w->count ? &w->pouches[f->seq] : &nothing;
    bool unseen = w->lossy && p->done == 0; /* its last lines may be missing */
    bool good = strcmp(f->state, "good") == 0;
    if (p->accepted && p->hash != f->hash)
        return error_set(err, E_TAMPERED, "V2: number %" PRIu32 " was made with another content", f->seq);
    if (p->printed && strcmp(p->token, f->token) != 0)
        return error_set(err, E_TAMPERED, "V2: number %" PRIu32 " bears %s instead of %s", f->seq, p->token,
                         f->token);
    if (strcmp(f->state, "intended") == 0)
        return settled ? error_set(err, E_TAMPERED, "V5: number %" PRIu32 " has no result", f->seq) : 0;
    if (!p->recorded)
        return error_set(err, E_TAMPERED, "V4: number %" PRIu32 " has a result that no machine gave", f->seq);
    if (strcmp(f->state, "cancelled") == 0 && p->printed)
        return error_set(err, E_TAMPERED, "V4: number %" PRIu32 " is cancelled and was begun", f->seq);
    if (!good || unseen)
        return 0;
    if (p->removed || (p->done && p->outcome != MACHINE_GOOD))
        return error_set(err, E_TAMPERED, "V4: number %" PRIu32 " is good in the store only", f->seq);
    if (!p->printed || !p->sealed)
        return error_set(err, E_TAMPERED, "V4: number %" PRIu32 " is good and was never closed", f->seq);
    if (p->foreign || p->broken)
        return error_set(err, E_TAMPERED,
                         "V4: number %" PRIu32 " is good and holds %u foreign, %u broken pieces", f->seq,
                         p->foreign, p->broken);
    return 0;
}

static unsigned pieces_of(const struct pouch *p, int64_t bay)
{
    for (unsigned i = 0; i < p->parts; i++) {
        if (p->part[i].bay == bay)
            return p->part[i].pieces;
    }
    return 0;
}

/* V4 and V6 for one item. A cut hides at most what hung in the air: one piece, or twins. */
static int check_item(const struct witness *w, const struct fill *f, int64_t bay, int64_t requested,
                      int64_t counted, struct error *err)
{
    const struct pouch *p = f->seq < w->count ? &w->pouches[f->seq] : NULL;
    if (!p || (w->lossy && p->done == 0))
        return 0;
    int64_t fell = pieces_of(p, bay);
    if (strcmp(f->state, "good") == 0 && (fell != requested || counted != requested))
        return error_set(err, E_TAMPERED,
                         "V4: number %" PRIu32 " is good, bay %" PRId64 ": %" PRId64 " wanted, %" PRId64
                         " counted, %" PRId64 " fell",
                         f->seq, bay, requested, counted, fell);
    bool whole = p->life_started == p->life_done;
    if (w->lossy && !whole)
        return 0; /* the lines about the last drops may be missing */
    if (strcmp(f->state, "intended") != 0 && (counted > fell || (!whole && fell > counted + 2)))
        return error_set(err, E_TAMPERED,
                         "V6: number %" PRIu32 ", bay %" PRId64 ": %" PRId64 " pieces by the books, %" PRId64
                         " fell",
                         f->seq, bay, counted, fell);
    return 0;
}

static int check_fills(const struct witness *w, struct store *store, const char *serial, bool settled,
                       struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(
        store, &rows, err,
        "SELECT f.seq, f.state, f.token, f.job_hash, f.job_id, i.bay, i.requested,"
        " coalesce(i.counted, 0), i.entry, (SELECT count(*) FROM fill_item x WHERE x.fill_id = f.id)"
        " FROM fill f JOIN fill_item i ON i.fill_id = f.id WHERE f.serial = ?"
        " ORDER BY f.seq, i.entry",
        "t", serial);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        struct fill fill = {.seq = (uint32_t)store_int(rows, 0), .hash = (uint32_t)store_int(rows, 3)};
        char state[16], token[MACHINE_TOKEN_BYTES];
        (void)snprintf(state, sizeof state, "%s", store_text(rows, 1)); /* the schema's list */
        (void)snprintf(token, sizeof token, "%s", store_text(rows, 2)); /* as the mailbox bounds it */
        fill.state = state;
        fill.token = token;
        rc = store_int(rows, 8) == 0 ? check_fill(w, &fill, settled, err) : 0;
        if (rc == 0)
            rc = check_item(w, &fill, store_int(rows, 5), store_int(rows, 6), store_int(rows, 7), err);
        const struct pouch *p = fill.seq < w->count ? &w->pouches[fill.seq] : NULL;
        if (rc == 0 && p && p->done && strcmp(state, "good") == 0 && p->parts != store_int(rows, 9))
            rc = error_set(err, E_TAMPERED, "V4: number %" PRIu32 " is good and holds pieces of %u bays",
                           fill.seq, p->parts);
    }
    store_done(rows);
    return rc < 0 ? rc : 0;
}

/* V2 and V3 from the machine's side. */
static int check_pouches(const struct witness *w, struct store *store, const char *serial, struct error *err)
{
    for (uint32_t s = 1; s < w->count; s++) {
        const struct pouch *p = &w->pouches[s];
        int64_t known = 0, twice = 0;
        if (!p->started && !p->printed && !p->done)
            continue;
        int rc = store_get_int(store, &known, err, "SELECT count(*) FROM fill WHERE serial = ? AND seq = ?",
                               "ti", serial, (int64_t)s);
        if (rc == 0 && known == 0)
            return error_set(err, E_TAMPERED,
                             "V2: number %" PRIu32 " was begun and the store does not know it", s);
        /* Void in the store on the controller's own word (a late pill of the pouch before) is not good. */
        if (rc == 0 && left_as_good(p))
            rc = store_get_int(
                store, &twice, err,
                "SELECT count(*) FROM fill f JOIN fill g ON g.job_id = f.job_id AND g.id <> f.id"
                " WHERE f.serial = ? AND f.seq = ? AND f.state = 'good' AND g.state = 'good'",
                "ti", serial, (int64_t)s);
        if (rc < 0)
            return rc;
        if (twice)
            return error_set(err, E_TAMPERED, "V3: the job of number %" PRIu32 " has two good pouches", s);
    }
    return 0;
}

static int expect_none(struct store *store, const char *sql, const char *what, struct error *err)
{
    int64_t count = 0;
    int rc = store_get_int(store, &count, err, sql, "");
    if (rc < 0)
        return rc;
    return count == 0 ? 0 : error_set(err, E_TAMPERED, "%s (%" PRId64 ")", what, count);
}

/* The store alone. */
static int check_books(struct store *store, struct error *err)
{
    int rc = expect_none(store,
                         "SELECT count(*) FROM job j WHERE (j.state = 'good') <> (SELECT count(*) FROM fill f"
                         " WHERE f.job_id = j.id AND f.state = 'good')",
                         "V3: jobs whose state and good pouches differ", err);
    if (rc == 0)
        rc = expect_none(store,
                         "SELECT coalesce(sum(counted), 0) + (SELECT coalesce(sum(pieces), 0) FROM stock_move"
                         " WHERE kind IN ('packed', 'voided')) FROM fill_item",
                         "V6: pieces counted into pouches and pieces out of stock differ", err);
    if (rc == 0)
        rc = expect_none(store,
                         "SELECT count(*) FROM machine m JOIN fill f ON f.serial = m.serial WHERE"
                         " (f.seq <= m.retired) <> (f.state <> 'intended') OR f.seq >= m.next_seq",
                         "V5: numbers whose result and W differ", err);
    return rc;
}

/* A remake bears its pouch's number with another ending. */
static bool are_of_one_job(const struct pouch *a, const struct pouch *b)
{
    int64_t batch[2], pouch[2], remake;
    return token_parse(a->token, &batch[0], &pouch[0], &remake) &&
           token_parse(b->token, &batch[1], &pouch[1], &remake) && batch[0] == batch[1] &&
           pouch[0] == pouch[1];
}

int witness_check_log(const struct witness *w, struct error *err)
{
    if (w->no_memory)
        return error_set(err, E_MEMORY, "no memory for a witness");
    if (w->broken[0])
        return error_set(err, E_TAMPERED, "%s", w->broken);
    for (size_t s = 1; s < w->count; s++) {
        for (size_t k = 1; k < s && left_as_good(&w->pouches[s]); k++) {
            if (left_as_good(&w->pouches[k]) && are_of_one_job(&w->pouches[s], &w->pouches[k]))
                return error_set(err, E_TAMPERED, "V3: pouch %s was made twice, as number %zu and %zu",
                                 w->pouches[s].token, k, s);
        }
    }
    return 0;
}

int witness_check(const struct witness *w, struct store *store, const char *serial, bool settled,
                  struct error *err)
{
    int rc = w->broken[0] || w->no_memory ? witness_check_log(w, err) : 0;
    if (rc == 0)
        rc = check_fills(w, store, serial, settled, err);
    if (rc == 0)
        rc = check_pouches(w, store, serial, err);
    return rc == 0 ? check_books(store, err) : rc;
}
