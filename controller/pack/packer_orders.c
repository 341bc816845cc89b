/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people ask of a line: rows of the table `command`, taken in order, each once. A row is marked as taken
 * in the transaction that carries out its part in the store; what it wants from the machine is written after
 * that commit, so that a crash may lose a command (the person sees it and asks again) but never repeats one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "config/base/log.h"
#include "controller/pack/alarm.h"
#include "controller/pack/packer_private.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"

struct order {
    int64_t row;
    int64_t batch; /* 0 none */
    char verb[16];
    char login[PACKER_LOGIN_BYTES];
};

static int next_order(struct packer *p, struct order *ret_order, struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(p->store, &rows, err,
                         "SELECT id, coalesce(batch_id, 0), verb, actor FROM command WHERE machine = ?"
                         " AND taken_ms IS NULL ORDER BY id LIMIT 1",
                         "t", p->name);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        ret_order->row = store_int(rows, 0);
        ret_order->batch = store_int(rows, 1);
        (void)snprintf(ret_order->verb, sizeof ret_order->verb, "%s",
                       store_text(rows, 2)); /* schema's list */
        (void)snprintf(ret_order->login, sizeof ret_order->login, "%s",
                       store_text(rows, 3)); /* for records */
    }
    store_done(rows);
    return rc;
}

static int settle(struct packer *p, int64_t row, const char *result, struct error *err)
{
    return store_exec(p->store, err,
                      "UPDATE command SET taken_ms = coalesce(taken_ms, ?), result = ? WHERE id = ?", "iti",
                      p->wall_ms, result, row);
}

static int batch_state(struct packer *p, int64_t batch, char ret_state[16], struct error *err)
{
    struct store_rows *rows = NULL;
    int rc = store_query(p->store, &rows, err, "SELECT state FROM batch WHERE id = ? AND machine = ?", "it",
                         batch, p->name);
    if (rc == 0)
        rc = store_next(rows, err);
    ret_state[0] = '\0';
    if (rc == 1)
        (void)snprintf(ret_state, 16, "%s", store_text(rows, 0)); /* schema's list */
    store_done(rows);
    return rc < 0 ? rc : 0;
}

static bool is_one_of(const char *text, const char *const *list)
{
    for (; *list; list++) {
        if (strcmp(text, *list) == 0)
            return true;
    }
    return false;
}

static int audit_batch(struct packer *p, const struct order *order, struct error *err)
{
    char action[32], subject[32];
    (void)snprintf(action, sizeof action, "batch.%s", order->verb); /* both always fit */
    (void)snprintf(subject, sizeof subject, "batch:%" PRId64, order->batch);
    return audit_add(p->store, p->wall_ms, order->login, action, subject, "{}", err);
}

/* Start and resume: the person's word that lets the machine walk to Execute. */
static int do_start(struct packer *p, struct order *order, const char **ret_result, struct error *err)
{
    static const char *const startable[] = {"created", "paused", "stopped", "running", NULL};
    char state[16];
    int rc = 0;
    if (p->view.tripped) {
        (void)snprintf(p->refusal, sizeof p->refusal, "refused: %s", p->view.tripped); /* fits */
        *ret_result = p->refusal;
        return 0;
    }
    if (order->batch == 0 && p->batch.id)
        order->batch = p->batch.id;
    if (order->batch == 0) {
        rc = store_get_int(
            p->store, &order->batch, err,
            "SELECT id FROM batch WHERE machine = ? AND state = 'stopped' ORDER BY id DESC LIMIT 1", "t",
            p->name);
        if (rc == E_NOT_FOUND) {
            *ret_result = "refused: no batch waits on this machine";
            return 0;
        }
    }
    if (rc == 0)
        rc = batch_state(p, order->batch, state, err);
    if (rc < 0)
        return rc;
    if (!is_one_of(state, startable)) {
        *ret_result = "refused: the batch is done or cancelled, or belongs to another machine";
        return 0;
    }
    if (p->batch.id && p->batch.id != order->batch) {
        *ret_result = "refused: another batch is under way on this machine";
        return 0;
    }
    rc =
        store_exec(p->store, err,
                   "UPDATE batch SET state = 'running', note = '', ended_ms = NULL,"
                   " started_by = coalesce(started_by, ?), started_ms = coalesce(started_ms, ?) WHERE id = ?",
                   "tii", order->login, p->wall_ms, order->batch);
    if (rc == 0)
        rc =
            store_exec(p->store, err,
                       "UPDATE job SET state = 'waiting', note = '' WHERE batch_id = ? AND state = 'blocked'",
                       "i", order->batch);
    if (rc == 0)
        rc = packer_batch_load(p, err);
    if (rc == 0)
        rc = audit_batch(p, order, err);
    if (rc < 0)
        return rc;
    rc = alarm_clear(p->store, p->name, ALARM_BATCH_STOPPED, p->wall_ms, err); /* a person goes on */
    if (rc < 0)
        return rc;
    p->batch.checked = false;
    p->view.permit = true;
    p->ran = false;
    p->refusals = 0;
    p->attended = 0;
    p->bays_read = 0;
    packer_note_set(p, "");
    p->asked = p->state == LINE_HALTED;
    *ret_result = "taken";
    return 0;
}

static int do_pause(struct packer *p, struct order *order, const char **ret_result, struct error *err)
{
    if (p->batch.id == 0 || (order->batch && order->batch != p->batch.id)) {
        *ret_result = "refused: the batch is not running";
        return 0;
    }
    order->batch = p->batch.id;
    int rc = store_exec(p->store, err, "UPDATE batch SET state = 'paused' WHERE id = ?", "i", order->batch);
    if (rc == 0)
        rc = audit_batch(p, order, err);
    if (rc == 0)
        rc = packer_batch_load(p, err);
    *ret_result = "taken";
    return rc;
}

/* C8. What waits is cancelled now; numbers that were given out end by the machine's own results. */
static int do_cancel(struct packer *p, struct order *order, const char **ret_result, struct error *err)
{
    static const char *const over[] = {"done", "cancelled", "", NULL};
    char state[16];
    int rc = batch_state(p, order->batch, state, err);
    if (rc == 0 && is_one_of(state, over)) {
        *ret_result = "refused: the batch is over, or belongs to another machine";
        return 0;
    }
    if (rc == 0)
        rc = store_exec(
            p->store, err,
            "UPDATE job SET state = 'cancelled' WHERE batch_id = ? AND state IN ('waiting', 'blocked')", "i",
            order->batch);
    if (rc == 0)
        rc = store_exec(p->store, err,
                        "UPDATE batch SET state = 'cancelled', note = 'cancelled', ended_ms = ? WHERE id = ?",
                        "ii", p->wall_ms, order->batch);
    if (rc == 0)
        rc = audit_batch(p, order, err);
    if (rc < 0)
        return rc;
    if (order->batch == p->batch.id) {
        p->batch = (struct packer_batch){0};
        p->view.permit = false;
    }
    p->ended_batch = order->batch;
    *ret_result = "taken";
    rc = packer_batch_load(p, err);
    return rc == 0 ? packer_book_refresh(p, err) : rc;
}

static int do_adopt(struct packer *p, struct order *order, const char **ret_result, struct error *err)
{
    (void)err;
    if (p->state != LINE_HALTED) {
        *ret_result = "refused: nothing is in doubt, the machine is not halted";
        return 0;
    }
    (void)snprintf(p->adopter, sizeof p->adopter, "%s", order->login);   /* for the record */
    (void)snprintf(p->adoptee, sizeof p->adoptee, "%s", p->line.serial); /* same size */
    p->asked = true;
    *ret_result = "taken";
    return 0;
}

/* Clear, reset, stop, confirm: for the machine itself. *ret_result stays NULL until the mirror answers. */
static int do_machine(struct packer *p, struct order *order, const char **ret_result, struct error *err)
{
    static const struct {
        const char *verb;
        enum machine_command command;
    } commands[] = {
        {"clear", MACHINE_COMMAND_CLEAR},
        {"reset", MACHINE_COMMAND_RESET},
        {"stop", MACHINE_COMMAND_STOP},
        {"confirm", MACHINE_COMMAND_CONFIRM_REMOVED},
    };
    if (p->state == LINE_HALTED && strcmp(order->verb, "clear") == 0) {
        p->asked = true;
        *ret_result = "taken: looking at the machine again";
        return 0;
    }
    if (p->state != LINE_READY) {
        *ret_result = "refused: the machine is not connected";
        return 0;
    }
    if (p->view.tripped && (strcmp(order->verb, "clear") == 0 || strcmp(order->verb, "reset") == 0)) {
        (void)snprintf(p->refusal, sizeof p->refusal, "refused: %s", p->view.tripped); /* fits */
        *ret_result = p->refusal;
        return 0;
    }
    char subject[PACKER_NAME_BYTES + 16], action[32];
    (void)snprintf(subject, sizeof subject, "machine:%s", p->name); /* both always fit */
    (void)snprintf(action, sizeof action, "machine.%s", order->verb);
    int rc = audit_add(p->store, p->wall_ms, order->login, action, subject, "{}", err);
    if (rc == 0 && strcmp(order->verb, "stop") == 0 && p->batch.id)
        rc = packer_batch_rest(p, "stopped", "stopped by a person", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].verb, order->verb) == 0)
            p->view.person = commands[i].command;
    }
    p->view.command_open = false; /* a person goes first */
    p->spent_state = (enum machine_state)0;
    p->person = (struct packer_person){.row = order->row};
    (void)snprintf(p->person.login, sizeof p->person.login, "%s", order->login); /* for the record */
    *ret_result = NULL;
    return 0;
}

static const struct {
    const char *verb;
    int (*run)(struct packer *p, struct order *order, const char **ret_result, struct error *err);
} verbs[] = {
    {"start", do_start},   {"resume", do_start}, {"pause", do_pause},
    {"cancel", do_cancel}, {"adopt", do_adopt},  {"clear", do_machine},
    {"reset", do_machine}, {"stop", do_machine}, {"confirm", do_machine},
};

/* Pouches were withdrawn since the batch was counted: count again, and see what is in the machine. */
static int see_withdrawn(struct packer *p, struct error *err)
{
    int64_t newest = 0;
    int rc = store_get_int(p->store, &newest, err, "SELECT coalesce(max(id), 0) FROM withdrawn", "");
    if (rc < 0 || newest == p->withdrawn_seen)
        return rc;
    p->withdrawn_seen = newest;
    rc = packer_batch_load(p, err);
    return rc == 0 ? packer_book_refresh(p, err) : rc;
}

int packer_take_orders(struct packer *p, struct error *err)
{
    p->orders_waiting = false;
    int rc = see_withdrawn(p, err);
    if (rc == 0)
        rc = packer_take_buttons(p, err);
    if (rc < 0)
        return rc;
    for (;;) {
        struct order order = {0};
        const char *result = "refused: unknown command";
        rc = next_order(p, &order, err);
        if (rc <= 0)
            return rc;
        rc = 0;
        for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
            if (strcmp(verbs[i].verb, order.verb) == 0)
                rc = verbs[i].run(p, &order, &result, err);
            if (rc < 0)
                return rc;
        }
        rc = settle(p, order.row, result, err);
        if (rc < 0)
            return rc;
        log_info("line", "machine=%s order=%s by=%s batch=%" PRId64 " result=\"%s\"", p->name, order.verb,
                 order.login, order.batch, result ? result : "waiting for the machine");
        if (p->asked || !result) {
            p->orders_waiting = true; /* the next one after the machine has answered */
            return 0;
        }
    }
}

int packer_person_settle(struct packer *p, struct error *err)
{
    int rc = settle(p, p->person.row, p->person.result, err);
    p->person = (struct packer_person){0};
    return rc;
}
