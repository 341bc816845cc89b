/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world_params: what one simulated machine is like: identity, mechanics, fault rates. Plain values, filled
 * with the defaults of the simulator's specification and then changed by whoever makes a world.
 */
#ifndef HW_SIM_WORLD_PARAMS_H
#define HW_SIM_WORLD_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/machine_values.h"

struct world_event;

enum {
    WORLD_RING_MAX = 16,
    WORLD_QUEUE_MAX = 16,
    WORLD_SPEED_MAX = 1000,
    WORLD_FILL_MAX = 60000, /* pieces in a canister */
};

/* Rates are in parts per billion of one dropped piece or of one pouch, as said. */
struct world_rates {
    uint32_t missed;       /* a piece: the pocket was empty */
    uint32_t twins;        /* a piece: two fall, the sensor sees two */
    uint32_t twins_unseen; /* a piece: two fall, the sensor sees one: a hidden wrong pouch */
    uint32_t broken;       /* a piece: it breaks, the sensor notices */
    uint32_t late;         /* a piece: hangs, and falls after its window closed */
    uint32_t jam;          /* a piece: the rotor sticks */
    uint32_t jam_clears;   /* of one automatic reversal */
    uint32_t print_unread; /* a pouch: its printed number is not readable */
    uint32_t bounce;       /* a piece: the sensor's contact-like edges (see WORLD_FAULT_BOUNCE) */
    uint32_t film_slip;    /* a pouch */
    uint32_t vision_alarm; /* a right pouch before a camera */
    uint32_t vision_miss;  /* a wrong pouch before a camera */
};

struct world_params {
    unsigned index; /* number of the machine, from 0: in the log, and its generator's stream */
    char serial[MACHINE_SERIAL_BYTES];
    uint64_t seed;
    int64_t now_us; /* outside's time at creation */
    uint32_t speed; /* seconds of mechanics in one of the outside */

    uint16_t map_version;
    uint16_t firmware;
    uint16_t bays;        /* 1..MACHINE_BAYS_MAX */
    uint16_t queue_depth; /* Q, 1..WORLD_QUEUE_MAX */
    uint16_t ring_size;   /* R, 1..WORLD_RING_MAX */
    uint16_t caps;        /* MACHINE_CAP_SIMULATED is added in any case */

    uint32_t cycle_us;        /* from one pouch's start to the next, when nothing is slower */
    uint32_t jitter_permille; /* of the cycle, either way */
    uint32_t advance_us;      /* film advance and print */
    uint32_t drop_floor_us;   /* shortest fall of a piece */
    uint32_t drop_median_us;  /* of the log-normal part on top of the floor */
    uint32_t no_pulse_us;     /* a drop without a pulse for so long is given up */
    uint32_t reversal_us;     /* one automatic attempt to clear a jam */
    uint32_t pulse_least_us;  /* pulse of a piece before the count sensor */
    uint32_t pulse_most_us;
    uint32_t debounce_us;    /* of the count sensors: pulses closer than this are one */
    uint32_t twin_gap_us;    /* between two pieces of one pocket, at least */
    uint32_t twin_spread_us; /* and at most so much more */
    uint32_t contact_us; /* contacts of a panel's switches and buttons chatter for so long (tools/stage) */
    uint32_t dwell_us;   /* seal */
    uint32_t discrepancy_us; /* two channels of a guard may disagree for so long */
    uint32_t boot_us;
    uint32_t starting_us;
    uint32_t resetting_us;
    uint32_t silence_us; /* outside time without a new controller heartbeat (M7) */
    uint32_t starve_us;  /* Execute without a job before Suspending */

    uint32_t pouch_mm;
    uint32_t reel_mm; /* film and ribbon of a new reel */
    int16_t seal_set_dc;
    int16_t seal_band_dc;
    bool cold_start;  /* the sealer begins at room temperature; else it has been on since the morning */
    uint32_t warm_ms; /* time constant of the sealer */

    uint32_t weight_sigma_permille; /* of one piece, before a weigher */
    uint16_t fill;                  /* pieces of a canister that was never seated by hand */
    bool operator_mends; /* a patient operator: on Unhold, Reset and Clear jams, film and empty canisters are
                            mended first */
    struct world_rates rates;

    bool start_off;
    bool keep_truth;
    struct world_memory *memory; /* lent, for the life of the world; NULL: the world's own */
    void (*log)(void *data, const struct world_event *event); /* may be NULL */
    void *log_data;
};

/* Defaults for machine `index`: serial "SIM00001" for index 0, and so on. */
void world_params_default(struct world_params *params, unsigned index);
/* So many percent of each rate. */
void world_rates_scale(struct world_rates *rates, uint32_t percent);
/* All fault rates 0: a machine that only obeys. */
void world_rates_none(struct world_rates *rates);

/* Bytes of a struct world_memory, for a caller that lends it; zeroed bytes are a board from the factory. */
size_t world_memory_bytes(void);

#endif
