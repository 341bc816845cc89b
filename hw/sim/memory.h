/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory: what outlives a power loss of a simulated machine, as bytes that may be a file mapping.
 *
 * Board memory: a head record (boot counter, S, D, W and the counts of the pouches in progress) in two copies
 * that are written in turn, each closed by a generation and a CRC, so that a record torn by a power cut loses
 * only itself; and the result ring, where each record has its own CRC. A result is written before D moves
 * onto it, and its place is free until then, so that the head's one record is what makes it count (rule M4).
 *
 * Beside it lies what simply stays where it is: pieces in canisters, film on the reel. Private to hw/sim; one
 * thread.
 */
#ifndef HW_SIM_MEMORY_H
#define HW_SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/machine_values.h"
#include "hw/sim/world_params.h"

enum { MEMORY_PIPELINE = 2, MEMORY_MAGIC = 0x534D454D, MEMORY_VERSION = 1, MEMORY_COPIES = 2 };

/* A pouch begun and not yet recorded. */
struct nv_fill {
    uint32_t seq; /* 0: none */
    uint32_t hash;
    uint16_t reason; /* enum machine_reason so far */
    uint16_t entry_count;
    uint16_t requested[MACHINE_ENTRIES_MAX];
    uint16_t counted[MACHINE_ENTRIES_MAX];
};

struct nv_head {
    uint32_t generation;
    uint32_t boot;
    uint32_t started;
    uint32_t done;
    uint32_t retired;
    struct nv_fill fills[MEMORY_PIPELINE]; /* by seq mod MEMORY_PIPELINE */
    uint16_t spare;
    uint16_t crc; /* of all before it */
};

struct nv_slot {
    struct machine_result result;
    uint16_t spare;
    uint16_t crc;
};

struct memory_bay {
    uint32_t canister;
    uint16_t pieces; /* the truth */
    uint16_t level;  /* what the machine believes */
    uint16_t empty;
    uint16_t last_fault;
};

struct world_memory {
    uint32_t magic; /* 0: from the factory */
    uint32_t version;
    uint16_t ring_size;
    uint16_t bays;
    char serial[MACHINE_SERIAL_BYTES];
    struct nv_head heads[MEMORY_COPIES];
    struct nv_slot ring[WORLD_RING_MAX];
    int64_t film_um;
    int64_t ribbon_um;
    struct memory_bay bay[MACHINE_BAYS_MAX];
};

/* Closes a record with its CRC. */
void nv_head_close(struct nv_head *head);
bool nv_head_right(const struct nv_head *head);
void nv_slot_close(struct nv_slot *slot);
bool nv_slot_right(const struct nv_slot *slot);
/* The newest right copy; NULL when both are bad. */
const struct nv_head *memory_newest(const struct world_memory *memory);

#endif
