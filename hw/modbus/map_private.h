/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record on its way in or out: reads and writes single points and remembers the first thing that was
 * wrong, so that an encoder or decoder reads as a list of points. Private to hw/modbus.
 */
#ifndef HW_MODBUS_MAP_PRIVATE_H
#define HW_MODBUS_MAP_PRIVATE_H

#include <stddef.h>

#include "hw/modbus/map.h"

struct reader {
    const struct profile *profile;
    const uint16_t *registers;
    int refuse_with; /* code of a value outside its range */
    int code;        /* of the first thing that was wrong, 0 none */
    struct error *err;
};

struct writer {
    const struct profile *profile;
    uint16_t *registers;
    bool clamps; /* values that do not fit stand at the end of the range */
    int code;
    struct error *err;
};

/* Value `index` of a point; 0 for a point that the profile does not have. In range, or reader->code is set.
 */
int64_t read_value(struct reader *reader, enum profile_point_id point, unsigned index);
/* As it stands in the registers, without the range test. */
int64_t read_raw(const struct reader *reader, enum profile_point_id point, unsigned index);
/* ASCII without spaces and NULs at its end; size includes the NUL. Only printable characters. */
void read_ascii(struct reader *reader, enum profile_point_id point, char *text, size_t size);
/* E_FRAME when the CRC point does not close what is before it. */
void read_crc(struct reader *reader, enum profile_point_id crc);

void write_value(struct writer *writer, enum profile_point_id point, unsigned index, int64_t value);
void write_ascii(struct writer *writer, enum profile_point_id point, const char *text);
void write_crc(struct writer *writer, enum profile_point_id crc);

#endif
