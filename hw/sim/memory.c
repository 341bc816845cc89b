/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/memory.h"

#include <string.h>

#include "config/base/crc.h"

_Static_assert(sizeof(struct nv_head) == offsetof(struct nv_head, crc) + 2, "the CRC closes the head");
_Static_assert(sizeof(struct nv_fill) == 12 + 4 * MACHINE_ENTRIES_MAX, "no holes in the head");

void nv_head_close(struct nv_head *head)
{
    head->crc = crc16(head, offsetof(struct nv_head, crc));
}

bool nv_head_right(const struct nv_head *head)
{
    return head->generation > 0 && head->crc == crc16(head, offsetof(struct nv_head, crc));
}

void nv_slot_close(struct nv_slot *slot)
{
    slot->crc = crc16(slot, offsetof(struct nv_slot, crc));
}

bool nv_slot_right(const struct nv_slot *slot)
{
    return slot->crc == crc16(slot, offsetof(struct nv_slot, crc));
}

const struct nv_head *memory_newest(const struct world_memory *memory)
{
    const struct nv_head *newest = NULL;
    for (int i = 0; i < MEMORY_COPIES; i++) {
        const struct nv_head *head = &memory->heads[i];
        if (nv_head_right(head) && (!newest || head->generation > newest->generation))
            newest = head;
    }
    return newest;
}

size_t world_memory_bytes(void)
{
    return sizeof(struct world_memory);
}
