/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/alarm.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "config/base/error.h"
#include "config/base/log.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "hw/machine_codes.h"

#define AFTER_HOLD  "reads the seats, unholds the machine and goes on with the next pouch"
#define AFTER_ABORT "starts the machine anew and makes every void pouch again under a new number"

/*
 * What this house adds to each alarm of the machine: severity, cause, pouch under way, what Resume does.
 * Numbers, texts and next steps stand in hw/machine_codes.h; an alarm there without its words here does not
 * compile.
 */
#define WORDS_ESTOP             STOP, "somebody pressed the button, or its wire broke", DOUBT, AFTER_ABORT
#define WORDS_GUARD_OPEN        STOP, "the door was opened while the machine ran", DOUBT, AFTER_ABORT
#define WORDS_GUARD_DISCREPANCY STOP, "one channel of a safety switch failed", DOUBT, AFTER_ABORT
#define WORDS_DOUBTFUL_POUCH \
    STOP, "the machine stopped or lost power with a pouch under way", DOUBT, AFTER_ABORT
#define WORDS_NV_FAULT                                                  \
    STOP, "both copies of the machine's own record are damaged", DOUBT, \
        "is refused until the machine was serviced and adopted"
#define WORDS_CANISTER_EMPTY                                  \
    HOLD, "the canister gave no piece in its time", FINISHED, \
        "takes the next canister of the product, or sets its pouches aside and makes the others"
#define WORDS_JAM HOLD, "a piece is stuck in the chute of a bay", FINISHED, AFTER_HOLD
#define WORDS_SENSOR_FAULT \
    HOLD, "the count sensor of a bay sees nothing, or always something", FINISHED, AFTER_HOLD
#define WORDS_FILM_OUT     HOLD, "the roll of film is at its end or torn", FINISHED, AFTER_HOLD
#define WORDS_RIBBON_OUT   HOLD, "the print ribbon is at its end or torn", FINISHED, AFTER_HOLD
#define WORDS_PRINTER      HOLD, "the print head is hot, dirty or not answering", FINISHED, AFTER_HOLD
#define WORDS_SEAL_COLD    NOTICE, "the sealer is warming up, or its heater is broken", FINISHED, AFTER_HOLD
#define WORDS_SEAL_HOT     HOLD, "the sealer's control overshoots, or its sensor is loose", FINISHED, AFTER_HOLD
#define WORDS_THERMOCOUPLE HOLD, "the sealer's sensor has no contact", FINISHED, AFTER_HOLD
#define WORDS_CONTROLLER_SILENT                                                          \
    NOTICE, "no heartbeat of sachetd for 2 s: it stopped, or the line is cut", FINISHED, \
        "is not needed: the machine goes on when the heartbeat is back"
#define WORDS_CANISTER_WRONG                                                         \
    HOLD, "another canister sits in the bay than the job was written for", FINISHED, \
        "reads the seats; pouches whose canister is not there are taken back and set aside"
#define WORDS_CANISTER_LID  HOLD, "the lid of a canister is open", FINISHED, AFTER_HOLD
#define WORDS_FILM_SLIP     HOLD, "the film moved less than the feed roller", FINISHED, AFTER_HOLD
#define WORDS_VISION_FAULT  HOLD, "the camera does not answer", FINISHED, AFTER_HOLD
#define WORDS_WEIGHER_FAULT HOLD, "the weigher does not answer", FINISHED, AFTER_HOLD

#define ROW(number_, text_, next_, severity_, cause_, pouch_, resume_)                    \
    {                                                                                     \
        .number = number_, .severity = ALARM_##severity_, .text = text_, .cause = cause_, \
        .pouch = ALARM_POUCH_##pouch_, .next = next_, .resume = resume_                   \
    }
#define ROW_OF(...)                           ROW(__VA_ARGS__) /* after the words have become arguments */
#define MACHINE(name_, number_, text_, next_) ROW_OF(number_, text_, next_, WORDS_##name_),

static const struct alarm_row table[] = {
    MACHINE_ALARM_TABLE(MACHINE)
    /* ours */
    ROW(ALARM_HALTED, "what the machine did cannot be explained",
        "find out what happened; then 'sachet machine clear' looks again, 'sachet machine adopt' accepts it",
        STOP,
        "another machine stands there, the store was restored or copied, the machine's memory was cleared, or"
        " another controller was there",
        DOUBT, "is refused until a person decided; then " AFTER_ABORT),
    ROW(ALARM_BATCH_STOPPED, "the batch stopped", "remove the cause, then start the batch again", STOP,
        "see the alarm before it", FINISHED, AFTER_HOLD),
    ROW(ALARM_REPLACED, "another machine took the place of one with open pouches",
        "take every pouch that may lie in the old machine out of use: see the numbers in the evidence", STOP,
        "a person said so with 'machine adopt'", VOID, AFTER_ABORT),
    ROW(ALARM_WITHDRAWN, "a pouch was made before the machine heard that it is withdrawn",
        "take that pouch out of the roll", NOTICE,
        "the order was stopped or changed while the pouch was under way", MADE, "does not make it again"),
    ROW(ALARM_SAFETY, "a safety switch of the panel opened",
        "make it safe, close the switch, press Reset, then confirm, clear and start", STOP,
        "emergency stop pressed, guard opened, a wire broken, or one channel failed", DOUBT, AFTER_ABORT),
    ROW(ALARM_FROZEN, "the machine answers, but its heartbeat stands still",
        "look at the machine's own controller; switch it off and on if it hangs", STOP,
        "the machine's program hangs behind a gateway that goes on answering", DOUBT,
        "is not needed if it comes back by itself; after a power cycle it " AFTER_ABORT),
    ROW(ALARM_BAY_LOCKED, "a bay is locked", "look at the bay; then load it or unlock it", NOTICE,
        "wrong counts in a row, or its canister is empty", VOID,
        "takes the next canister of the product, or sets its pouches aside and makes the others"),
};

static const struct alarm_row unknown = {.number = -1,
                                         .severity = ALARM_HOLD,
                                         .text = "unknown alarm",
                                         .cause =
                                             "the machine tells a number that its contract does not have",
                                         .pouch = ALARM_POUCH_FINISHED,
                                         .next = "call service with the number",
                                         .resume = AFTER_HOLD};

const struct alarm_row *alarm_rows(size_t *ret_count)
{
    *ret_count = sizeof table / sizeof table[0];
    return table;
}

const struct alarm_row *alarm_row(int number)
{
    size_t count = 0;
    const struct alarm_row *rows = alarm_rows(&count);
    if (number >= ALARM_BAY_LOCKED && number < ALARM_BAY_LOCKED + ALARM_BAYS)
        number = ALARM_BAY_LOCKED;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].number == number)
            return &rows[i];
    }
    return &unknown;
}

const char *alarm_severity_text(enum alarm_severity severity)
{
    static const char *const texts[] = {"stop", "hold", "notice"};
    return texts[severity];
}

const char *alarm_pouch_text(enum alarm_pouch pouch)
{
    static const char *const texts[] = {
#define ALARM_POUCH_TEXT(name, text) text,
        ALARM_POUCH_TABLE(ALARM_POUCH_TEXT)
#undef ALARM_POUCH_TEXT
    };
    return texts[pouch];
}

int alarm_raise(struct store *store, const struct alarm_event *event, struct error *err)
{
    const struct alarm_row *row = alarm_row(event->number);
    const char *text = event->text ? event->text : row->text, *next = event->next ? event->next : row->next;
    log_warning("line", "machine=%s alarm=%d text=\"%s\"", event->machine, event->number, text);
    return store_exec(
        store, err,
        "INSERT INTO alarm (machine, number, text, next_step, fill_id, batch_id, evidence, raised_ms)"
        " VALUES (?, ?, ?, ?, nullif(?, 0), nullif(?, 0), ?, ?)",
        "tittiiti", event->machine, (int64_t)event->number, text, next, event->fill, event->batch,
        event->evidence ? event->evidence : "{}", event->wall_ms);
}

int alarm_clear(struct store *store, const char *machine, int number, int64_t wall_ms, struct error *err)
{
    return store_exec(
        store, err, "UPDATE alarm SET cleared_ms = ? WHERE machine = ? AND number = ? AND cleared_ms IS NULL",
        "iti", wall_ms, machine, (int64_t)number);
}

/* Alarms whose cause no machine and no table can see to be gone. */
static bool ends_by_hand(int64_t number)
{
    return number == ALARM_REPLACED || number == ALARM_WITHDRAWN || number == ALARM_BATCH_STOPPED;
}

int alarm_settle(struct store *store, int64_t id, const char *actor, int64_t wall_ms, struct error *err)
{
    struct store_rows *rows = NULL;
    char subject[32];
    int64_t number = 0;
    bool over = false;
    int rc = store_query(store, &rows, err, "SELECT number, cleared_ms IS NOT NULL FROM alarm WHERE id = ?",
                         "i", id);
    if (rc == 0)
        rc = store_next(rows, err);
    if (rc == 1) {
        number = store_int(rows, 0);
        over = store_int(rows, 1) != 0;
    }
    store_done(rows);
    if (rc == 0)
        return error_set(err, E_NOT_FOUND,
                         "alarm %" PRId64 " does not exist; 'sachet alarms --all' lists them", id);
    if (rc < 0)
        return rc;
    if (over)
        return error_set(err, E_STATE, "alarm %" PRId64 " is over already", id);
    if (!ends_by_hand(number))
        return error_set(err, E_STATE, "alarm %" PRId64 " ends by itself when its cause is gone; next: %s",
                         id, alarm_row((int)number)->next);
    rc = store_exec(store, err, "UPDATE alarm SET cleared_ms = ? WHERE id = ?", "ii", wall_ms, id);
    (void)snprintf(subject, sizeof subject, "alarm:%" PRId64, id); /* always fits */
    return rc == 0 ? audit_add(store, wall_ms, actor, "alarm.done", subject, "{}", err) : rc;
}
