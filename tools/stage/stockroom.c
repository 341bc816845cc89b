/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/stage/stockroom.h"

#include <stdlib.h>

#include "config/base/error.h"
#include "controller/pack/batch.h"
#include "controller/pack/packer.h"
#include "controller/stock/stock.h"
#include "controller/store/store.h"
#include "hw/sim/world.h"
#include "tools/stage/demo_store.h"
#include "tools/stage/stage.h"

enum { STILL_MS = 5000 /* longer than any piece hangs */ };

static struct stock_act act_now(const struct stockroom *room)
{
    return (struct stock_act){.actor = "tech", .wall_ms = room->stage->clock.wall_now_ms, .simulated = true};
}

/* Ends what a write did: committed, or taken back. */
static int end_write(struct store *store, int rc, struct error *err)
{
    if (rc == 0)
        return store_write_commit(store, err);
    store_write_rollback(store);
    return rc;
}

int stockroom_begin(struct stockroom *room, struct error *err)
{
    struct store *store = room->stage->store;
    int rc = store_write_begin(store, err);
    for (unsigned bay = 0; bay < DEMO_BAYS && rc == 0; bay++)
        rc = store_exec(store, err, "UPDATE canister SET level = ? WHERE machine = ? AND bay = ?", "iti",
                        (int64_t)world_pieces(room->stage->world, bay), DEMO_MACHINE, (int64_t)bay);
    return end_write(store, rc, err);
}

int stockroom_refill(struct stockroom *room, unsigned bay, uint16_t pieces, struct error *err)
{
    struct store *store = room->stage->store;
    const struct stock_act act = act_now(room);
    struct canister c;
    uint16_t there = world_pieces(room->stage->world, bay);
    int rc = stock_in_bay(store, DEMO_MACHINE, (int)bay, &c, err);
    if (rc < 0 || pieces <= there)
        return rc;
    world_seat(room->stage->world, bay, (uint32_t)c.id, pieces);
    rc = store_write_begin(store, err);
    if (rc == 0)
        rc = stock_load(store, &act, c.id, c.product_code, c.piece, c.lot, c.expiry_day, pieces - there, err);
    rc = end_write(store, rc, err);
    packer_orders(room->stage->packer);
    return rc;
}

/* Asks the batch, when it is in that state. */
static int ask_in(struct stockroom *room, const char *state, const char *verb, bool *ret_asked,
                  struct error *err)
{
    int64_t is = 0, command = 0;
    int rc = store_get_int(room->stage->store, &is, err,
                           "SELECT count(*) FROM batch WHERE id = ? AND state = ?", "it", room->batch, state);
    if (rc < 0 || is == 0)
        return rc;
    *ret_asked = true;
    rc = batch_ask(room->stage->store, room->batch, verb, "tech", 3, &command, err);
    packer_orders(room->stage->packer);
    return rc;
}

int stockroom_want_count(struct stockroom *room, struct error *err)
{
    if (room->wanted)
        return 0;
    room->wanted = true;
    room->still_ms = 0;
    room->paused = false;
    return ask_in(room, "running", "pause", &room->paused, err);
}

static int count_canister(struct stockroom *room, const struct canister *c, struct error *err)
{
    const struct stock_act act = act_now(room);
    int64_t truth = world_pieces(room->stage->world, (unsigned)c->bay), unexplained = 0;
    int rc = stock_correct(room->stage->store, &act, c->id, truth, &unexplained, err);
    room->corrected += llabs(truth - c->level);
    room->unexplained += llabs(unexplained);
    return rc;
}

int stockroom_count(struct stockroom *room, struct error *err)
{
    struct store *store = room->stage->store;
    struct canister *canisters = NULL;
    int count = 0;
    int rc = stock_list(store, DEMO_MACHINE, &canisters, &count, err);
    if (rc == 0)
        rc = store_write_begin(store, err);
    if (rc == 0) {
        for (int i = 0; i < count && rc == 0; i++)
            rc = count_canister(room, &canisters[i], err);
        rc = end_write(store, rc, err);
    }
    free(canisters);
    room->counts++;
    return rc;
}

static bool is_still(struct stockroom *room)
{
    struct machine_status status;
    int64_t now_ms = room->stage->clock.mono_now_ms;
    world_status(room->stage->world, &status);
    if (!world_answers(room->stage->world) || status.started != status.done ||
        world_pending(room->stage->world) > 0)
        room->still_ms = 0;
    else if (room->still_ms == 0)
        room->still_ms = now_ms;
    return room->still_ms > 0 && now_ms - room->still_ms >= STILL_MS;
}

int stockroom_turn(struct stockroom *room, struct error *err)
{
    bool asked = false;
    if (!room->wanted)
        return 0;
    if (!is_still(room)) /* somebody may have begun the batch again, or the controller did not hear it */
        return ask_in(room, "running", "pause", &room->paused, err);
    room->wanted = false;
    int rc = stockroom_count(room, err);
    return rc == 0 && room->paused ? ask_in(room, "paused", "resume", &asked, err) : rc;
}
