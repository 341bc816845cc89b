/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world: one simulated pouch-packing machine, its mechanics and its hidden truth.
 *
 * The same model stands behind the in-process port (sim_machine.h) and the Modbus server (server.h). It keeps
 * the machine's rules M1-M7 to the letter, walks the PackML states, and knows which pills really lie in which
 * pouch, which nobody on the wire ever sees.
 *
 * Time comes from outside, in microseconds that never go back; with speed N the mechanics do N seconds in one
 * of them, while the watchdog over the controller (M7) counts the outside's. All chance comes from one
 * generator a machine: the same seed and the same calls at the same times give the same events, byte for
 * byte.
 *
 * Micro-steps: every event and every half of a write to non-volatile memory is one, and power can be cut at
 * each (world_cut_power). What outlives a cut is `struct world_memory`: board memory in two copies, and what
 * simply lies there (pills in canisters, film). A caller may lend that memory from a file mapping, so that a
 * killed process is a power cut, too.
 *
 * One thread; nothing blocks. Memory grows only with the truth list (keep_truth).
 */
#ifndef HW_SIM_WORLD_H
#define HW_SIM_WORLD_H

#include "hw/machine_values.h"
#include "hw/sim/world_params.h"
#include "hw/sim/world_truth.h"

struct error;
struct world;

/* Powers on at once unless params->start_off. NULL: E_ARG (params out of range, memory of another machine) or
 * E_MEMORY. */
struct world *world_create(const struct world_params *params, struct error *err);
void world_destroy(struct world *world);

/* Everything that happens up to now_us; never back. */
void world_advance(struct world *world, int64_t now_us);
/* The next instant at which something happens by itself; INT64_MAX: nothing. */
int64_t world_next_due_us(const struct world *world);

/* The wire side, at the time of the last world_advance. All of it is silent while there is no power or the
 * boot is under way. */
enum world_reply {
    WORLD_TAKEN,     /* or ignored on purpose (rules M1, M2): the mirror tells */
    WORLD_BAD_VALUE, /* Modbus exception 03 */
    WORLD_FENCED,    /* Modbus exception 06: not the owner's session */
    WORLD_SILENT,    /* no power */
};

bool world_answers(const struct world *world);
/* Times it was switched on: a connection does not outlive a change of it. */
uint32_t world_boots(const struct world *world);
void world_identity(const struct world *world, struct machine_identity *ret_identity);
void world_status(struct world *world, struct machine_status *ret_status);
enum world_reply world_control(struct world *world, const struct machine_control *control);
/* A mailbox whose CRC and commit register were right. */
enum world_reply world_put(struct world *world, const struct machine_job *job, uint32_t session);
/* A mailbox whose CRC or commit register was wrong: ignored, and logged. */
void world_put_torn(struct world *world);
/* Slot k of the result ring, whatever stands in it (seq 0: never written). */
void world_result(const struct world *world, unsigned slot, struct machine_result *ret_result);
void world_bay(const struct world *world, unsigned bay, struct machine_bay *ret_bay);

/* Hands: what people and the mains do to a machine. */
void world_power_off(struct world *world);
void world_power_on(struct world *world);
bool world_has_power(const struct world *world);
/* Cuts the power when `steps` more micro-steps have begun (1: at the next one); 0 calls it off. */
void world_cut_power(struct world *world, uint64_t steps);
/* Micro-steps so far. */
uint64_t world_steps(const struct world *world);
void world_set_door(struct world *world, bool closed);
void world_set_estop(struct world *world, bool healthy);
/* Seats a canister with that many pieces and clears the bay's empty flag; canister 0: takes it out. */
void world_seat(struct world *world, unsigned bay, uint32_t canister, uint16_t pieces);
/* The next piece that bay drops shows this fault; a fault of a pouch (bay is not looked at) meets the next
 * one that comes to the place where it can happen. Faults of pouches add up until then. */
void world_plant(struct world *world, unsigned bay, enum world_fault fault);
/* A trouble that lasts; value 0 mends it. bay is only looked at where the trouble is of a bay. */
void world_trouble(struct world *world, enum world_trouble trouble, unsigned bay, int32_t value);
int32_t world_troubled(const struct world *world, enum world_trouble trouble, unsigned bay);
/* Everything that lasts is mended, and nothing planted is left: a visit by service. */
void world_mend_all(struct world *world);
/* Levels of the digital lines beside it at this instant, with or without power. */
enum world_switch {
#define WORLD_SWITCH_ENUM(name, word) WORLD_SWITCH_##name,
    SWITCH_TABLE(WORLD_SWITCH_ENUM)
#undef WORLD_SWITCH_ENUM
        WORLD_SWITCHES,
};
bool world_switch(const struct world *world, enum world_switch line);
const char *world_switch_word(enum world_switch line);
/* Takes all pieces out of a canister without the machine's knowledge. */
void world_empty(struct world *world, unsigned bay);
/* From now on so many seconds of mechanics in one of the outside; 1..WORLD_SPEED_MAX. */
void world_set_speed(struct world *world, uint32_t speed);
uint32_t world_speed(const struct world *world);
/* Mechanics' time. */
int64_t world_now_us(const struct world *world);
/* Random numbers drawn so far. */
uint64_t world_draws(const struct world *world);
void world_set_film(struct world *world, uint32_t film_mm, uint32_t ribbon_mm);
/* Damages copy 0 or 1 of the board memory's head record; a later power_on sees it. */
void world_spoil_memory(struct world *world, unsigned copy);

/*
 * A director acts on the world at instants of its own: director.c plays scenarios that way. due_us is the
 * mechanics' time at which act wants to be called next (INT64_MAX: not), act may use every hand above; it is
 * called between two micro-steps, before anything else that is due at that instant, with or without power.
 * event sees every event at once and may only look, plant, set troubles and plan a power cut. A NULL director
 * takes it away.
 */
struct world_director {
    int64_t (*due_us)(void *data);
    void (*act)(void *data, int64_t now_us);
    void (*event)(void *data, const struct world_event *event);
    void *data;
};
void world_direct(struct world *world, const struct world_director *director);

/* Truth, for checkers only. Rows in the order in which pouches were begun; a pointer is valid until the next
 * world_advance. */
size_t world_truth_count(const struct world *world);
/* Memory that they take. */
size_t world_truth_bytes(const struct world *world);
const struct world_truth *world_truth(const struct world *world, size_t row);
/* Pieces that have left this canister through a rotor, wherever they lie now. Only with keep_truth. */
uint64_t world_given(const struct world *world, uint32_t canister);
/* Pieces that really lie in the canister of a bay. */
uint16_t world_pieces(const struct world *world, unsigned bay);
/* Pieces on the gate or hanging above it, that will fall into a pouch or onto the floor. */
unsigned world_pending(const struct world *world);
/* What it is like. */
const struct world_params *world_params(const struct world *world);

#endif
