/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map: the blocks of a packing machine as registers, and back. Pure: registers in, values out.
 *
 * Where each point lies comes from the machine profile; what may stand in it comes from one table here
 * (map_point_row), which also feeds the register page. A block's CRC-16 (that of Modbus RTU, over the
 * registers as they travel) closes all registers of the record before it.
 *
 * Registers are untrusted input. Decoders refuse a wrong CRC with E_FRAME and a value outside its range with
 * E_DEVICE (from a machine) or E_INPUT (from a controller), say which point it was, and leave the output
 * untouched. `registers` always holds one record of the block: map_length(profile, block) of them.
 */
#ifndef HW_MODBUS_MAP_H
#define HW_MODBUS_MAP_H

#include "config/base/profile.h"
#include "hw/machine_values.h"

struct buf;
struct error;

enum { MAP_BLOCK_MAX = 125 /* registers of one record */ };

/* What a point may say, in our unit; text points have no range. */
struct map_point_row {
    enum profile_point_id point;
    int64_t min;
    int64_t max;
    const char *unit;
    const char *doc;
};

const struct map_point_row *map_point_row(enum profile_point_id point);
uint16_t map_length(const struct profile *profile, enum profile_block_id block);
/* Where the record of sequence number `seq` lies in the ring. */
uint32_t map_result_address(const struct profile *profile, uint32_t seq, uint16_t ring_size);
uint32_t map_bay_address(const struct profile *profile, uint16_t bay);
/* Whether a backend can speak it: 0, or E_VERSION with what it lacks. */
int map_check_profile(const struct profile *profile, struct error *err);

/* The controller's side. Identity: magic, map version, queue depth or ring size other than the profile's are
 * E_MISMATCH. Encoders refuse with E_LIMIT what the profile's registers cannot say. */
int map_decode_identity(const struct profile *profile, const uint16_t *registers,
                        struct machine_identity *ret_identity, struct error *err);
int map_decode_status(const struct profile *profile, const uint16_t *registers,
                      struct machine_status *ret_status, struct error *err);
/* A record that was never written (seq 0) is right, too. */
int map_decode_result(const struct profile *profile, const uint16_t *registers,
                      struct machine_result *ret_result, struct error *err);
int map_decode_bay(const struct profile *profile, const uint16_t *registers, struct machine_bay *ret_bay,
                   struct error *err);
int map_encode_control(const struct profile *profile, const struct machine_control *control,
                       uint16_t *ret_registers, struct error *err);
/* Where commands are coils: one byte a coil, 0 or 1, at most one of them 1; how many coils. 0: the command
 * stands in the control block. */
uint16_t map_encode_command(const struct profile *profile, enum machine_command command,
                            uint8_t ret_coils[PROFILE_COILS_MAX]);
int map_encode_mailbox(const struct profile *profile, const struct machine_job *job, uint32_t session,
                       uint16_t *ret_registers, struct error *err);

/* The machine's side, for simulators. Values too large for their register stand at its end. A mailbox whose
 * CRC or commit register is wrong is E_FRAME: torn, to be ignored (rule M1). */
void map_encode_identity(const struct profile *profile, const struct machine_identity *identity,
                         uint16_t *ret_registers);
void map_encode_status(const struct profile *profile, const struct machine_status *status,
                       uint16_t *ret_registers);
void map_encode_result(const struct profile *profile, const struct machine_result *result,
                       uint16_t *ret_registers);
void map_encode_bay(const struct profile *profile, const struct machine_bay *bay, uint16_t *ret_registers);
int map_decode_control(const struct profile *profile, const uint16_t *registers,
                       struct machine_control *ret_control, struct error *err);
/* Where commands are coils: the one that is on. Two of them, or one that is no command, are E_INPUT. */
int map_decode_command(const struct profile *profile, const uint8_t coils[PROFILE_COILS_MAX],
                       enum machine_command *ret_command, struct error *err);
int map_decode_mailbox(const struct profile *profile, const uint16_t *registers, struct machine_job *ret_job,
                       uint32_t *ret_session, struct error *err);

/* The profile as a page for integrators (Markdown): blocks, addresses, types, ranges, meaning. */
void map_write_page(const struct profile *profile, struct buf *out);

#endif
