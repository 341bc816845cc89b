/* SPDX-License-Identifier: Apache-2.0 */
/* A machine of quite another kind, one-result/1: what its profile says is what goes over the wire. */
#include "tests/unit/hw/map_rig.h"

#include "hw/sim/image.h"

enum { COILS = 160, CONTROL = 5000, MAILBOX = 6000, STATUS = 3000, RESULT = 4000 };

static struct profile profile;

struct slave {
    struct rig rig;
    struct image image;
    uint8_t answer[IMAGE_PDU_MAX];
    size_t len;
    uint16_t seq;
};

static void slave_init(struct slave *s)
{
    struct world_params params = rig_params();
    params.map_version = profile.map_version;
    params.queue_depth = profile.queue_depth;
    params.ring_size = profile.ring_size;
    *s = (struct slave){.seq = 0};
    rig_init(&s->rig, params);
    rig_wait(&s->rig, 20);
    image_init(&s->image, &profile, s->rig.world, IMAGE_SCAN_US);
}

static void ask(struct slave *s, const uint8_t *request, size_t len)
{
    s->len = image_answer(&s->image, s->rig.now_us, request, len, s->answer);
    assert_true(s->len > 0);
}

static void expect_exception(struct slave *s, uint8_t exception)
{
    assert_int_equal(s->len, 2);
    assert_int_equal(s->answer[0] & 0x80, 0x80);
    assert_int_equal(s->answer[1], exception);
}

static void head(uint8_t *request, uint8_t function, unsigned address, unsigned count)
{
    const uint8_t bytes[5] = {function, (uint8_t)(address >> 8), (uint8_t)address, (uint8_t)(count >> 8),
                              (uint8_t)count};
    memcpy(request, bytes, sizeof bytes);
}

static void read_inputs(struct slave *s, unsigned address, unsigned count, uint16_t *ret_registers)
{
    uint8_t request[5];
    head(request, 4, address, count);
    ask(s, request, sizeof request);
    assert_int_equal(s->len, 2 + 2 * count);
    for (unsigned i = 0; i < count; i++)
        ret_registers[i] = (uint16_t)(s->answer[2 + 2 * i] << 8 | s->answer[3 + 2 * i]);
}

static void write_registers(struct slave *s, unsigned address, const uint16_t *registers, unsigned count)
{
    uint8_t request[IMAGE_PDU_MAX];
    head(request, 16, address, count);
    request[5] = (uint8_t)(2 * count);
    for (unsigned i = 0; i < count; i++) {
        request[6 + 2 * i] = (uint8_t)(registers[i] >> 8);
        request[7 + 2 * i] = (uint8_t)registers[i];
    }
    ask(s, request, 6 + 2u * count);
}

static void write_coils(struct slave *s, const uint8_t *coils, unsigned count)
{
    uint8_t request[6 + PROFILE_COILS_MAX / 8] = {0};
    head(request, 15, COILS, count);
    request[5] = (uint8_t)((count + 7) / 8);
    for (unsigned i = 0; i < count; i++)
        request[6 + i / 8] |= (uint8_t)(coils[i] << i % 8);
    ask(s, request, 6u + request[5]);
}

static void write_control(struct slave *s)
{
    const struct machine_control control = {
        .nonce = ++s->seq, .session = 4, .heartbeat = s->seq, .command_seq = s->seq};
    uint16_t registers[MAP_BLOCK_MAX];
    assert_int_equal(map_encode_control(&profile, &control, registers, NULL), 0);
    write_registers(s, CONTROL, registers, 20);
}

static struct machine_status status_of(struct slave *s)
{
    uint16_t registers[MAP_BLOCK_MAX];
    struct machine_status status;
    struct error err = {0};
    rig_wait(&s->rig, 30);
    read_inputs(s, STATUS, 60, registers);
    if (map_decode_status(&profile, registers, &status, &err) < 0)
        fail_msg("%s", err.message);
    return status;
}

static void command(struct slave *s, enum machine_command command)
{
    uint8_t coils[PROFILE_COILS_MAX];
    unsigned count = map_encode_command(&profile, command, coils);
    assert_int_equal(count, 24);
    write_coils(s, coils, count);
    assert_int_equal(s->answer[0], 15);
    write_control(s);
    assert_int_equal(s->answer[0], 16);
}

static void commands_are_coils(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s);
    command(&s, MACHINE_COMMAND_RESET);
    assert_int_equal(status_of(&s).command_result, MACHINE_COMMAND_TAKEN);
    command(&s, MACHINE_COMMAND_START);
    assert_string_equal(machine_state_name(status_of(&s).state), "Execute");
    uint8_t read[5] = {0};
    head(read, 1, COILS, 24);
    ask(&s, read, sizeof read);
    assert_int_equal(s.len, 5);
    assert_int_equal(s.answer[2], 1 << MACHINE_COMMAND_START);
    assert_int_equal(s.answer[3] | s.answer[4], 0);
    rig_finish(&s.rig);
}

static void a_coil_alone_moves_nothing(void **state)
{
    (void)state;
    struct slave s;
    uint8_t one[5];
    slave_init(&s);
    head(one, 5, COILS + MACHINE_COMMAND_RESET, 0xFF00);
    ask(&s, one, sizeof one);
    assert_memory_equal(s.answer, one, sizeof one);
    assert_string_equal(machine_state_name(status_of(&s).state), "Stopped");
    write_control(&s); /* its new command number makes the coil count */
    assert_int_equal(status_of(&s).command_result, MACHINE_COMMAND_TAKEN);
    rig_finish(&s.rig);
}

static void two_coils_and_coils_of_nothing_are_refused(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s);
    uint8_t coils[PROFILE_COILS_MAX] = {[MACHINE_COMMAND_RESET] = 1, [MACHINE_COMMAND_START] = 1};
    write_coils(&s, coils, 24);
    write_control(&s);
    expect_exception(&s, 3);
    memset(coils, 0, sizeof coils);
    coils[15] = 1; /* no command has this number */
    write_coils(&s, coils, 24);
    write_control(&s);
    expect_exception(&s, 3);
    assert_int_equal(status_of(&s).command_result, MACHINE_COMMAND_UNSEEN);
    write_coils(&s, coils, 25); /* one too many */
    expect_exception(&s, 2);
    uint8_t request[5];
    head(request, 1, COILS - 1, 1);
    ask(&s, request, sizeof request);
    expect_exception(&s, 2);
    head(request, 5, COILS, 0x1234);
    ask(&s, request, sizeof request);
    expect_exception(&s, 3);
    rig_finish(&s.rig);
}

/* The only result register set holds the last pouch, and a job comes in three pieces. */
static void one_result_set_and_a_mailbox_in_pieces(void **state)
{
    (void)state;
    struct slave s;
    uint16_t registers[MAP_BLOCK_MAX];
    slave_init(&s);
    command(&s, MACHINE_COMMAND_RESET);
    rig_wait(&s.rig, 30);
    command(&s, MACHINE_COMMAND_START);
    rig_wait(&s.rig, 30);
    const struct machine_job job = rig_job(1);
    assert_int_equal(map_encode_mailbox(&profile, &job, 4, registers, NULL), 0);
    write_registers(&s, MAILBOX, registers, 32);
    write_registers(&s, MAILBOX + 32, registers + 32, 32);
    write_registers(&s, MAILBOX + 65, registers + 65, 5);
    assert_int_equal(status_of(&s).accepted, 0);
    write_registers(&s, MAILBOX + 64, registers + 64, 1);
    assert_int_equal(status_of(&s).accepted, 1);
    for (int i = 0; i < 40; i++) {
        write_control(&s);
        rig_wait(&s.rig, 100);
    }
    struct machine_status status = status_of(&s);
    assert_int_equal(status.done, 1);
    assert_in_range(status.film_mm, 290000, 300000); /* decimetres on the wire */
    struct machine_result result;
    struct error err = {0};
    assert_int_equal(map_result_address(&profile, 12345, 1), RESULT);
    read_inputs(&s, RESULT, 52, registers);
    if (map_decode_result(&profile, registers, &result, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(result.seq, 1);
    assert_int_equal(result.hash, job.hash); /* low word first */
    assert_int_equal(registers[4], job.hash & 0xFFFF);
    assert_int_equal(result.outcome, MACHINE_GOOD);
    assert_int_equal(result.drop_ms % 10, 0);
    assert_int_equal(result.entries[2].counted, 3);
    rig_finish(&s.rig);
}

static void jobs_that_its_mailbox_cannot_say_are_refused(void **state)
{
    (void)state;
    uint16_t registers[MAP_BLOCK_MAX];
    struct error err = {0};
    struct machine_job job = rig_job(1);
    job.entry_count = 13;
    assert_int_equal(map_encode_mailbox(&profile, &job, 4, registers, &err), E_LIMIT);
    struct profile few = profile;
    few.points[PROFILE_CONTROL_COMMAND].length = 21;
    assert_int_equal(map_check_profile(&few, &err), E_VERSION);
    assert_non_null(strstr(err.message, "22 to 64 coils"));
    few = profile;
    few.ring_size = 2; /* and yet one place */
    assert_int_equal(map_check_profile(&few, &err), E_VERSION);
}

static int set_up(void **state)
{
    (void)state;
    rig_profile_named("machines/one-result-1.yaml", &profile);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_coils),
        cmocka_unit_test(a_coil_alone_moves_nothing),
        cmocka_unit_test(two_coils_and_coils_of_nothing_are_refused),
        cmocka_unit_test(one_result_set_and_a_mailbox_in_pieces),
        cmocka_unit_test(jobs_that_its_mailbox_cannot_say_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
