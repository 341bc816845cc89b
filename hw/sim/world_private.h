/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a world, shared by the world_*.c files and by nobody else.
 *
 * Invariants, asserted after every event:
 *   I1  W <= D <= S <= A and A - W <= R.
 *   I2  S - D pouches stand in the two stations while the machine runs; after a stop they are in doubt.
 *   I3  a pouch in a station has its number in the board memory (rule M3).
 *   I4  a result is written before D moves onto it, and D moves in one record (rule M4).
 */
#ifndef HW_SIM_WORLD_PRIVATE_H
#define HW_SIM_WORLD_PRIVATE_H

#include "config/base/rng.h"
#include "hw/sim/memory.h"
#include "hw/sim/world.h"

enum { WORLD_LATE_MAX = 8, WORLD_NEVER_STEP = 0 };
#define WORLD_NEVER INT64_MAX

/* Of a pouch in a station; the number of the filling station's stands in the status mirror. */
enum pouch_phase { POUCH_NONE, POUCH_INTENT, POUCH_PRINT, POUCH_DROP, POUCH_FULL, POUCH_SEAL, POUCH_RECORD };

/* One bay at work on one pouch. */
struct lane {
    uint16_t bay;
    uint32_t canister; /* that the job was accepted for */
    uint16_t want;
    uint16_t counted;
    uint16_t fallen; /* pieces that really lie in the pouch */
    uint16_t pieces; /* about to fall: 0 for a missed one */
    uint16_t pulses; /* that the sensor will see */
    enum world_fault fault;
    uint8_t reversals;
    bool done;
    int64_t due_us; /* WORLD_NEVER when nothing is on its way */
};

struct pouch {
    enum pouch_phase phase;
    int64_t due_us;
    struct machine_job job;
    struct lane lanes[MACHINE_ENTRIES_MAX];
    enum machine_reason reason; /* first cause against it */
    enum machine_alarm alarm;   /* raised once it has left the filling station; MACHINE_ALARM_NONE */
    uint16_t checks;
    uint16_t foreign; /* pieces of another pouch's job in it, truly */
    int32_t foreign_mg;
    bool shifted; /* it bears another pouch's number */
    bool cold;    /* the sealing bar was, whatever the thermocouple said */
    uint16_t broken;
    int16_t seal_min_dc;
    int16_t seal_max_dc;
    int64_t drop_begun_us;
    uint32_t drop_ms;
    size_t truth; /* row, or SIZE_MAX */
};

enum { STATION_FILL, STATION_SEAL, STATIONS };

/* Why the machine is suspended: bits. */
enum { SUSPEND_COMMAND = 1, SUSPEND_STARVED = 2, SUSPEND_SILENT = 4, SUSPEND_RING = 8 };

struct queued {
    struct machine_job job;
    bool cancelled;
    uint32_t canisters[MACHINE_ENTRIES_MAX]; /* that sat in its bays when it was accepted */
};

struct late_piece {
    uint16_t bay;
    uint32_t canister;
    int64_t due_us;
};

struct world {
    struct world_params params;
    struct rng rng;
    uint64_t draws;
    struct world_director director; /* data NULL and no functions: none */
    struct world_memory *memory;
    struct world_memory *own_memory;
    int64_t now_us; /* mechanics' time */
    bool powered;
    bool booting;
    uint32_t boots; /* in this process */
    uint64_t steps;
    uint64_t cut_at; /* step that the power does not survive; WORLD_NEVER_STEP */

    /* Lost with the power. */
    struct nv_head head; /* working copy of what is in the memory */
    bool nv_bad;
    int64_t boot_begun_us;
    int64_t boot_due_us;
    enum machine_state state;
    int64_t state_due_us; /* earliest end of an acting state */
    unsigned suspend;     /* SUSPEND_* */
    uint32_t accepted;
    struct queued queue[WORLD_QUEUE_MAX]; /* by seq mod WORLD_QUEUE_MAX */
    uint32_t session;
    uint16_t nonce;
    uint16_t heard;       /* controller's last heartbeat */
    int64_t heard_due_us; /* it is silent from then on; WORLD_NEVER before its first word */
    uint16_t command_seq;
    enum machine_command_result command_result;
    uint16_t alarms[MACHINE_ALARM_WORDS];
    uint16_t first_alarm;
    struct pouch stations[STATIONS];
    int64_t next_start_us; /* cycle pace */
    int64_t starve_due_us; /* WORLD_NEVER while there is work */
    char last_token[MACHINE_TOKEN_BYTES];
    bool late_seen;                    /* a piece fell between two pouches: the next one is void */
    uint16_t misses[MACHINE_BAYS_MAX]; /* drops without a pulse in a row */

    /* Physical, in this process. */
    struct late_piece late[WORLD_LATE_MAX];
    unsigned late_count;
    struct late_piece chute[WORLD_TRUE_PARTS_MAX]; /* lie on the gate and fall into the next pouch */
    unsigned chute_count;
    int64_t seal_mc; /* seal temperature, milli-degrees */
    int64_t seal_tick_us;
    int16_t seal_set_dc;
    int64_t seal_drift_mc; /* by which the set point has run away */
    bool door_closed;
    bool estop_healthy;
    int64_t out_until_us;    /* a pouch lies under the sensor where they leave */
    int64_t disagree_due_us; /* two channels have disagreed for too long then; WORLD_NEVER: they agree */
    uint8_t planted[MACHINE_BAYS_MAX];      /* enum world_fault of the next piece */
    uint32_t planted_pouch;                 /* bits 1 << enum world_fault */
    uint8_t bay_troubles[MACHINE_BAYS_MAX]; /* bits 1 << enum world_trouble */
    int32_t troubles[WORLD_TROUBLES];
    int64_t base_us;     /* mechanics' time at which the present speed began */
    int64_t base_out_us; /* the outside's at that instant */

    struct world_truth *truth;
    size_t truth_count;
    size_t truth_cap;
    struct given {
        uint32_t canister;
        uint64_t pieces;
    } * given; /* by first use */
    size_t given_count;
    size_t given_cap;
    uint32_t given_row[MACHINE_BAYS_MAX]; /* of the canister in the bay, when it is that one's */
};

/* world.c */
/* Everything that needs no time, until nothing moves. */
void world_settle(struct world *world);
/* Begins a micro-step; true: the power is gone, and the caller must return at once. */
bool world_step(struct world *world);
/* values: pairs of const char *key and int64_t value. */
void world_event(struct world *world, uint32_t seq, const char *name, const char *text, int values, ...);
/* Writes the working copy of the head as one record; false: the power went on the way. */
bool world_store_head(struct world *world);
/* Writes the result into the ring and then D (and S) = result->seq in one head record; false as above. */
bool world_store_result(struct world *world, const struct machine_result *result);
void world_raise(struct world *world, enum machine_alarm alarm);
void world_clear(struct world *world, enum machine_alarm alarm);
bool world_alarmed(const struct world *world, enum machine_alarm alarm);
int64_t world_seal_tick(struct world *world); /* brings the temperature up to now; milli-degrees, the truth */
int16_t world_seal_dc(struct world *world);   /* what the thermocouple says */
bool world_seal_warm(struct world *world);    /* the truth is in the band */
uint32_t world_draw(struct world *world);     /* all chance comes from here */
uint32_t world_draw_below(struct world *world, uint32_t bound);
bool world_seal_in_band(struct world *world);

/* world_power.c */
void power_finish_boot(struct world *world);

/* world_trouble.c */
bool trouble_of_bay(const struct world *world, enum world_trouble trouble, unsigned bay);
/* A planted fault of a pouch happens now: true once. */
bool trouble_take(struct world *world, enum world_fault fault);
/* What a patient operator cleans and closes without service. */
void trouble_clean(struct world *world);
/* Nothing lasts that a machine would see at once. */
bool trouble_is_mended(const struct world *world);
/* Both channels of door and E-stop read healthy. */
bool trouble_door_safe(const struct world *world);
bool trouble_estop_safe(const struct world *world);
/* Watches the channels; raises the alarm when they disagree for too long. */
void trouble_watch_channels(struct world *world);

/* world_state.c: PackML */
void state_enter(struct world *world, enum machine_state state);
/* True when the command is allowed and was begun. */
bool state_command(struct world *world, enum machine_command command, uint32_t argument);
/* What door and E-stop do to the present state. */
void state_guard(struct world *world);
/* One transition that is due by itself, if there is one. */
bool state_settle(struct world *world);
/* True in a state in which a new pouch may be begun. */
bool state_runs(const struct world *world);

/* world_lane.c */
/* Starts the lane's next piece on its way. */
void lane_drop(struct world *world, struct pouch *pouch, struct lane *lane);
/* What was on its way is due: a pulse, a jam's reversal, or nothing. */
void lane_fire(struct world *world, struct pouch *pouch, struct lane *lane);
/* The seat or lid of a bay is not what the job was accepted for: alarm, or MACHINE_ALARM_NONE. */
enum machine_alarm lane_seat_alarm(const struct world *world, unsigned bay, uint32_t canister);
/* Pieces land in the pouch; the sensor's pulses are counted where the board lives. */
void lane_land(struct world *world, struct pouch *pouch, struct lane *lane, bool counted);
/* True with a chance of `ppb` in a thousand million. */
bool lane_chance(struct world *world, uint32_t ppb);

/* The first cause against a pouch stays. */
void pouch_blame(struct pouch *pouch, enum machine_reason reason);
/* Its counts in the working copy of the head. */
struct nv_fill *pouch_fill(struct world *world, const struct pouch *pouch);

/* world_pouch.c: the two stations */
int64_t pouch_next_due_us(const struct world *world);
/* What is due in the stations and in the air at now_us. */
void pouch_fire(struct world *world);
/* Moves pouches on and begins the next one, as far as that needs no time. True: something moved. */
bool pouch_settle(struct world *world);
bool pouch_stations_empty(const struct world *world);
/* A stop under the pouches: what hangs in the air falls (counted while the board lives), motors rest. */
void pouch_stop(struct world *world, bool counted);
/* Rule M6: pouch D + 1 was taken out. False: none is in doubt, or the power went. */
bool pouch_confirm_removed(struct world *world);
/* Answers CANCELLED for what was cancelled at the head of the queue. True: something moved. */
bool pouch_cancel_head(struct world *world);
/* Empties gate and chute onto the floor. */
void pouch_purge(struct world *world);

/* world_truth.c */
size_t truth_begin(struct world *world, const struct machine_job *job);
struct world_truth *truth_row(struct world *world, size_t row); /* NULL when truth is not kept */
size_t truth_find(const struct world *world, uint32_t seq);
/* Pieces leave the canister that sits in a bay. */
void truth_give(struct world *world, uint16_t bay, uint16_t pieces);
void truth_add_piece(struct world *world, size_t row, uint16_t bay, uint32_t canister, uint16_t pieces,
                     bool foreign);

#endif
