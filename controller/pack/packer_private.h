/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packer_private: the memory of one packer, shared by the files that make it up: packer.c (steps, requests,
 * answers), packer_store.c (effects in the store), packer_orders.c (what people asked), packer_state.c (what
 * watchers see).
 */
#ifndef CONTROLLER_PACK_PACKER_PRIVATE_H
#define CONTROLLER_PACK_PACKER_PRIVATE_H

#include "config/base/rng.h"
#include "controller/pack/fills_private.h"
#include "controller/pack/packer.h"
#include "hw/machine_latency.h"

enum {
    PACKER_RING_MAX = 64,          /* largest result ring that a machine may have */
    PACKER_NAME_BYTES = 64,        /* of a machine */
    PACKER_NOTE_BYTES = 256,       /* a sentence for a person */
    PACKER_LOGIN_BYTES = 64,       /* who asked */
    PACKER_RATE_SAMPLES = 32,      /* good pouches that the rate is taken from */
    PACKER_COMMAND_WAIT_MS = 2000, /* until a command that the mirror does not show is decided anew */
    PACKER_COMMAND_REST_MS = 1000, /* between two of the same command in the same state */
    PACKER_PUT_WAIT_MS = 50,       /* until the same job is written again */
    PACKER_IDLE_POLL_MS = 250,     /* status mirror without a batch */
    PACKER_CALM_POLLS = 2,         /* polls apart while nothing is on its way */
    PACKER_BACK_OFF_MIN_MS = 50,
    PACKER_BACK_OFF_MAX_MS = 2000,
    PACKER_FROZEN_MS = 2000,      /* a machine whose own heartbeat stands still so long is not there */
    PACKER_SAMPLES = 64,          /* kept as evidence: at full speed some seconds */
    PACKER_MISSES_MAX = 50,       /* reads of a result that D promises and the ring does not show */
    PACKER_REFUSALS_MAX = 3,      /* of one command in a row */
    PACKER_ATTEND_MAX = 60,       /* commands of the stand-in without a pouch between them */
    PACKER_SEATS_FRESH_MS = 1000, /* a machine that stands is let go on seats read so long ago at most */
};

/* The batch that runs or is paused on this line, with its jobs counted. */
struct packer_batch {
    int64_t id; /* 0 none */
    bool paused;
    bool checked; /* signatures and SIMULATED mark, in this process */
    int64_t jobs;
    int64_t waiting;
    int64_t sent;
    int64_t good;
    int64_t blocked;
    int64_t cancelled;
    int64_t voids; /* fills, not jobs */
};

/* What the line saw or said, for the evidence of alarms. */
enum packer_sample_kind { PACKER_SAW, PACKER_COMMANDED, PACKER_LOST };

struct packer_sample {
    enum packer_sample_kind kind;
    int64_t at_ms;
    enum machine_command command;
    enum machine_state state;
    uint32_t accepted;
    uint32_t started;
    uint32_t done;
    uint32_t retired;
    uint16_t first_alarm;
    uint16_t phase;
    bool door_closed;
    bool estop_healthy;
    int16_t seal_dc;
};

/* A command row that waits for the machine's answer. */
struct packer_person {
    int64_t row; /* command.id, 0 none */
    bool finished;
    char login[PACKER_LOGIN_BYTES];
    char result[PACKER_NOTE_BYTES];
};

struct packer {
    struct packer_config config;
    char name[PACKER_NAME_BYTES];
    char serial[MACHINE_SERIAL_BYTES]; /* configured, "" any */
    struct machine *machine;
    struct store *store;
    struct trust *trust;
    struct rng rng;

    enum line_state state;
    struct line_view view;
    struct fills_line line;
    struct packer_batch batch;
    struct packer_person person;
    char adopter[PACKER_LOGIN_BYTES];   /* who said "adopt", "" nobody */
    char adoptee[MACHINE_SERIAL_BYTES]; /* of which machine; the word is for no other */

    const struct line_row *pending; /* its store part must be carried out by packer_write */
    bool asked;                     /* a person's word leads to the event ASKED */
    bool ending;
    bool orders_waiting;
    bool book_known; /* the view's numbers are those of the connected machine */
    bool swapped;    /* at this connection: another machine stood here before, or has open pouches of ours */
    bool ran;        /* the machine was seen running since the last start */
    struct machine_result results[PACKER_RING_MAX]; /* kept: number modulo PACKER_RING_MAX */

    int64_t now_ms;
    int64_t wall_ms;
    int64_t back_off_until_ms;
    int64_t back_off_ms;
    int64_t control_at_ms;
    int64_t command_at_ms;
    int64_t put_at_ms;
    int64_t poll_at_ms;
    uint32_t request_id; /* of the outstanding request */
    uint32_t put_seq;
    uint32_t timed_seq; /* written and not yet seen accepted; 0 none */
    int64_t timed_at_ms;
    struct latency accepts; /* from the first write of a job until the mirror shows it */
    uint16_t nonce;
    uint16_t heartbeat;
    uint16_t command_seq;
    enum machine_command last_command;
    uint32_t spent_done;               /* D when last_command was answered */
    enum machine_state spent_state;    /* in which last_command was answered; 0 none */
    uint32_t seated[MACHINE_BAYS_MAX]; /* canisters as the machine reads them */
    uint16_t bays_read;                /* of identity.bays */
    int64_t bays_at_ms;                /* when the last of them was read */
    enum machine_state seats_state;    /* in which the seats were last thought of */
    uint32_t misplaced_from;           /* open numbers that count on a canister which is not there; 0 none */
    uint32_t misplaced_to;
    int64_t withdrawn_seen; /* newest row of `withdrawn` that the batch was counted with */
    int refusals;
    int misses;
    int attended; /* commands of the stand-in since the last pouch */

    struct packer_sample samples[PACKER_SAMPLES];
    struct packer_sample last_status;
    unsigned sample_count; /* ever */
    uint16_t beat;         /* the machine's own heartbeat, as last seen */
    bool beat_known;       /* on this connection */
    bool beats;            /* it was seen to change on this connection */
    int64_t beat_at_ms;    /* when it changed */
    bool made_safe;        /* the port suspended the machine by itself: its command number went on */
    bool pressed_start;    /* buttons of the panel, not taken yet */
    bool pressed_stop;
    bool pressed_reset;
    bool trip_noted;   /* the store has the alarm of the panel's switches */
    bool frozen_noted; /* the store has the alarm of a heartbeat that stands still */

    uint16_t noted_alarms[MACHINE_ALARM_WORDS]; /* as the store has them */
    bool alarms_noted;                          /* noted_alarms is right for this connection */
    char doubt[PACKER_NOTE_BYTES];
    char note[PACKER_NOTE_BYTES];
    char refusal[PACKER_NOTE_BYTES]; /* of the order in hand */
    int64_t ended_batch;

    int64_t rate_at_ms[PACKER_RATE_SAMPLES]; /* of good pouches, a ring */
    unsigned rate_count;
};

/* packer_store.c: the store part of an effect, inside the transaction. */
int packer_effect_write(struct packer *packer, enum line_effect effect, struct error *err);
/* Loads the batch of the store that runs or is paused here, if there is one. */
int packer_batch_load(struct packer *packer, struct error *err);
/* The store's alarm of a heartbeat that stands still must be raised, or is over: the heartbeat was seen to go
 * on. */
bool packer_frozen_differs(const struct packer *packer);
/* Which of our own alarms an earlier process left open. */
int packer_alarms_load(struct packer *packer, struct error *err);
/* Puts the batch into a resting state ('stopped' or 'done') with a note. */
int packer_batch_rest(struct packer *packer, const char *state, const char *note, struct error *err);
/* view.want, jobs, over, batch_new from the batch. */
void packer_batch_view(struct packer *packer);
int packer_book_refresh(struct packer *packer, struct error *err);
/* Numbers to cancel: those of the book and those that count on a canister which is not there. */
void packer_cancel_view(struct packer *packer, uint32_t from, uint32_t to);
/* Raises it with what was seen in the last seconds. text, next_step: NULL for those of the alarm's row. */
int packer_alarm_add(struct packer *packer, int number, const char *text, const char *next_step,
                     struct error *err);

/* packer_watch.c: evidence, and the panel beside the machine. */
void packer_trace_status(struct packer *packer);
void packer_trace_command(struct packer *packer, enum machine_command command);
void packer_trace_lost(struct packer *packer);
void packer_evidence(const struct packer *packer, struct buf *out);
/* packer_state.c: the printed numbers of the pouches that were begun and have no result, as a JSON array. */
void packer_begun(const struct packer *packer, struct buf *out);
void packer_watch_panel(struct packer *packer);
/* In the owner's transaction: pressed buttons become rows of `command`. */
int packer_take_buttons(struct packer *packer, struct error *err);

/* packer_orders.c: takes command rows in order until one must wait for the machine. */
int packer_take_orders(struct packer *packer, struct error *err);
/* Writes the outcome of the command that waited. */
int packer_person_settle(struct packer *packer, struct error *err);

void packer_note_set(struct packer *packer, const char *note);

#endif
