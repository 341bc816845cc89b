/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/crc.h"

static uint16_t crc16_byte(uint16_t crc, uint8_t byte)
{
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++)
        crc = (uint16_t)(crc & 1 ? (crc >> 1) ^ 0xA001 : crc >> 1);
    return crc;
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
