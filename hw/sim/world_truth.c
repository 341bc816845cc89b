/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "hw/sim/world_private.h"

const char *world_fate_name(enum world_fate fate)
{
    switch (fate) {
    case WORLD_FATE_OPEN:
        return "open";
    case WORLD_FATE_GOOD:
        return "good";
    case WORLD_FATE_VOID:
        return "void";
    case WORLD_FATE_DOUBT:
        return "doubt";
    case WORLD_FATE_CANCELLED:
        return "cancelled";
    }
    return "?";
}

static const char *const trouble_words[] = {
#define TROUBLE_WORD(name, word, of_bay, text) word,
    TROUBLE_TABLE(TROUBLE_WORD)
#undef TROUBLE_WORD
};

const char *world_trouble_word(enum world_trouble trouble)
{
    return trouble < WORLD_TROUBLES ? trouble_words[trouble] : "?";
}

bool world_trouble_is_of_bay(enum world_trouble trouble)
{
    return trouble < WORLD_TROUBLE_OF_MACHINE;
}

bool world_truth_fits(const struct world_truth *truth, const struct machine_job *job)
{
    if (truth->foreign || truth->broken || truth->weak || truth->part_count != job->entry_count)
        return false;
    for (unsigned i = 0; i < job->entry_count; i++) {
        bool found = false;
        for (unsigned k = 0; k < truth->part_count; k++)
            found = found || (truth->parts[k].bay == job->entries[i].bay &&
                              truth->parts[k].pieces == job->entries[i].count);
        if (!found)
            return false;
    }
    return true;
}

void world_event_write(const struct world_event *event, struct buf *out)
{
    buf_printf(out, "{\"t\":%" PRId64 ",\"m\":%u,\"seq\":%" PRIu32 ",\"ev\":\"%s\"", event->t_us,
               event->machine, event->seq, event->name);
    if (event->text) {
        buf_text(out, ",\"text\":\"");
        for (const char *c = event->text; *c; c++) {
            if (*c == '"' || *c == '\\')
                buf_char(out, '\\');
            buf_char(out, *c);
        }
        buf_char(out, '"');
    }
    for (int i = 0; i < event->values; i++)
        buf_printf(out, ",\"%s\":%" PRId64, event->value[i].key, event->value[i].value);
    buf_text(out, "}\n");
}

void world_event(struct world *world, uint32_t seq, const char *name, const char *text, int values, ...)
{
    if (!world->params.log && !world->director.event)
        return;
    assert(values <= WORLD_EVENT_VALUES);
    struct world_event event = {.t_us = world->now_us,
                                .machine = world->params.index,
                                .seq = seq,
                                .name = name,
                                .text = text,
                                .values = values};
    va_list args;
    va_start(args, values);
    for (int i = 0; i < values; i++) {
        event.value[i].key = va_arg(args, const char *);
        event.value[i].value = va_arg(args, int64_t);
    }
    va_end(args);
    if (world->params.log)
        world->params.log(world->params.log_data, &event);
    if (world->director.event)
        world->director.event(world->director.data, &event);
}

size_t world_truth_bytes(const struct world *world)
{
    return world->truth_cap * sizeof *world->truth;
}

size_t world_truth_count(const struct world *world)
{
    return world->truth_count;
}

const struct world_truth *world_truth(const struct world *world, size_t row)
{
    return row < world->truth_count ? &world->truth[row] : NULL;
}

struct world_truth *truth_row(struct world *world, size_t row)
{
    return row < world->truth_count ? &world->truth[row] : NULL;
}

size_t truth_begin(struct world *world, const struct machine_job *job)
{
    if (!world->params.keep_truth)
        return SIZE_MAX;
    if (world->truth_count == world->truth_cap) {
        size_t cap = world->truth_cap ? world->truth_cap * 2 : 64;
        struct world_truth *truth = realloc(world->truth, cap * sizeof *truth);
        if (!truth)
            abort(); /* a checker that silently lost a pouch would be worse than none */
        world->truth = truth;
        world->truth_cap = cap;
    }
    struct world_truth *row = &world->truth[world->truth_count];
    *row = (struct world_truth){
        .seq = job->seq, .hash = job->hash, .boot = world->head.boot, .begun_us = world->now_us};
    memcpy(row->token, job->token, sizeof row->token);
    return world->truth_count++;
}

void truth_give(struct world *world, uint16_t bay, uint16_t pieces)
{
    uint32_t canister = world->memory->bay[bay].canister;
    size_t row = world->given_row[bay];
    if (!world->params.keep_truth || pieces == 0)
        return;
    if (row >= world->given_count || world->given[row].canister != canister) {
        row = 0;
        while (row < world->given_count && world->given[row].canister != canister)
            row++;
    }
    if (row == world->given_cap) {
        size_t cap = world->given_cap ? world->given_cap * 2 : 16;
        struct given *given = realloc(world->given, cap * sizeof *given);
        if (!given)
            abort(); /* as above */
        world->given = given;
        world->given_cap = cap;
    }
    if (row == world->given_count)
        world->given[world->given_count++] = (struct given){.canister = canister};
    world->given[row].pieces += pieces;
    world->given_row[bay] = (uint32_t)row;
}

uint64_t world_given(const struct world *world, uint32_t canister)
{
    for (size_t i = 0; i < world->given_count; i++) {
        if (world->given[i].canister == canister)
            return world->given[i].pieces;
    }
    return 0;
}

size_t truth_find(const struct world *world, uint32_t seq)
{
    for (size_t i = world->truth_count; i > 0; i--) {
        if (world->truth[i - 1].seq == seq)
            return i - 1;
    }
    return SIZE_MAX;
}

void truth_add_piece(struct world *world, size_t row, uint16_t bay, uint32_t canister, uint16_t pieces,
                     bool foreign)
{
    struct world_truth *truth = truth_row(world, row);
    if (!truth || pieces == 0)
        return;
    if (foreign)
        truth->foreign = (uint16_t)(truth->foreign + pieces);
    for (unsigned i = 0; i < truth->part_count; i++) {
        if (truth->parts[i].bay == bay && truth->parts[i].canister == canister) {
            truth->parts[i].pieces = (uint16_t)(truth->parts[i].pieces + pieces);
            return;
        }
    }
    assert(truth->part_count < WORLD_TRUE_PARTS_MAX); /* the job's bays and at most WORLD_LATE_MAX others */
    truth->parts[truth->part_count].bay = bay;
    truth->parts[truth->part_count].pieces = pieces;
    truth->parts[truth->part_count++].canister = canister;
}
