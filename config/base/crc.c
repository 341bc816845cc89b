/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/crc.h"

/* Four bits at a time: crc16_nibbles[n] is what the bit-wise rule makes of the remainder n. A fifth of the
 * bit-wise time, which was nearly all of a simulated pouch's. */
static const uint16_t crc16_nibbles[16] = {0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
                                           0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400};

static uint16_t crc16_byte(uint16_t crc, uint8_t byte)
{
    crc ^= byte;
    crc = (uint16_t)((crc >> 4) ^ crc16_nibbles[crc & 15]);
    return (uint16_t)((crc >> 4) ^ crc16_nibbles[crc & 15]);
}

uint16_t crc16(const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < len; i++)
        crc = crc16_byte(crc, bytes[i]);
    return crc;
}

uint16_t crc16_registers(const uint16_t *registers, size_t count)
{
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < count; i++) {
        crc = crc16_byte(crc, (uint8_t)(registers[i] >> 8));
        crc = crc16_byte(crc, (uint8_t)(registers[i] & 0xFF));
    }
    return crc;
}
