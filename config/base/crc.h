/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-16 as Modbus over serial line V1.02 (section 6.2.2) has it: polynomial 0xA001 reflected, start 0xFFFF.
 * Pure. */
#ifndef CONFIG_BASE_CRC_H
#define CONFIG_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

uint16_t crc16(const void *data, size_t len);
/* Over registers, each high byte first, as they travel on the wire. */
uint16_t crc16_registers(const uint16_t *registers, size_t count);

#endif
