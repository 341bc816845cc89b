/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/mutant.h"

#include <string.h>

#include "hw/machine.h"
#include "hw/sim/memory.h"
#include "hw/sim/world.h"

void mutant_retire(struct world *world, uint32_t seq)
{
    struct machine_status status;
    if (!world_answers(world))
        return;
    world_status(world, &status);
    const struct machine_control control = {.nonce = status.nonce,
                                            .session = status.session,
                                            .heartbeat = status.heartbeat,
                                            .command_seq = status.command_seq,
                                            .retire = seq};
    (void)world_control(world, &control);
}

void mutant_overwrite(struct world *world, struct world_memory *memory)
{
    struct machine_status status;
    world_status(world, &status);
    if (status.done >= status.retired + 2)
        memory->ring[(status.retired + 1) % 8] = memory->ring[status.done % 8];
}

void mutant_forget_begun(struct world_memory *memory)
{
    for (int i = 0; i < MEMORY_COPIES; i++) {
        struct nv_head *head = &memory->heads[i];
        if (!nv_head_right(head))
            continue;
        head->started = head->done;
        memset(head->fills, 0, sizeof head->fills);
        nv_head_close(head);
    }
}
