/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alarm: every alarm that a line can raise, in one table: the machine's own and ours. A row says how bad it
 * is, where it comes from, what becomes of the pouch under way, one safe next step, and what Resume will do.
 * Screens, records, `sachet alarms` and the manual page are made from it.
 *
 * alarm_raise and alarm_clear run inside the caller's write transaction. One thread a store.
 */
#ifndef CONTROLLER_PACK_ALARM_H
#define CONTROLLER_PACK_ALARM_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct store;

/* Numbers below 128 are the machine's (hw/machine_codes.h). */
enum {
    ALARM_HALTED = 900,
    ALARM_BATCH_STOPPED = 901,
    ALARM_REPLACED = 902,
    ALARM_WITHDRAWN = 903,
    ALARM_SAFETY = 904,
    ALARM_FROZEN = 905,
    ALARM_BAY_LOCKED = 1000, /* and the number of the bay */
    ALARM_BAYS = 512,
};

enum alarm_severity { ALARM_STOP, ALARM_HOLD, ALARM_NOTICE };

/* X(name, what becomes of the pouch under way) */
#define ALARM_POUCH_TABLE(X)                                                                             \
    X(NONE, "none is touched")                                                                           \
    X(DOUBT, "every pouch that was begun is doubtful: it is taken out, void, and made again")            \
    X(FINISHED, "what was begun is finished; if its counts or seal are wrong it is void and made again") \
    X(VOID, "void and made again")                                                                       \
    X(MADE, "it is made and good, and must be taken out of the roll by hand")

enum alarm_pouch {
#define ALARM_POUCH_ENUM(name, text) ALARM_POUCH_##name,
    ALARM_POUCH_TABLE(ALARM_POUCH_ENUM)
#undef ALARM_POUCH_ENUM
        ALARM_POUCHES,
};

struct alarm_row {
    int number;
    enum alarm_severity severity;
    const char *text;
    const char *cause;
    enum alarm_pouch pouch;
    const char *next;   /* one safe step */
    const char *resume; /* what Resume or Start of the batch does afterwards */
};

/* The row of a number; a general one for numbers that nobody wrote down. Never NULL. */
const struct alarm_row *alarm_row(int number);
const struct alarm_row *alarm_rows(size_t *ret_count);
const char *alarm_severity_text(enum alarm_severity severity);
const char *alarm_pouch_text(enum alarm_pouch pouch);

struct alarm_event {
    const char *machine;
    int number;
    const char *text;     /* NULL: the row's; else more exact words */
    const char *next;     /* NULL: the row's */
    int64_t batch;        /* 0 none */
    int64_t fill;         /* 0 none */
    const char *evidence; /* JSON object; NULL: {} */
    int64_t wall_ms;
};

int alarm_raise(struct store *store, const struct alarm_event *event, struct error *err);
/* A person did what an alarm asked for. E_NOT_FOUND; E_STATE: it is over, or ends by itself when its cause
 * does. Leaves an audit row. */
int alarm_settle(struct store *store, int64_t id, const char *actor, int64_t wall_ms, struct error *err);
/* Every open alarm of this number. */
int alarm_clear(struct store *store, const char *machine, int number, int64_t wall_ms, struct error *err);

#endif
