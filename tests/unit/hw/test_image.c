/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/hw/map_rig.h"

#include "config/base/rng.h"
#include "hw/sim/image.h"

static struct profile profile;

struct slave {
    struct rig rig;
    struct image image;
    uint8_t answer[IMAGE_PDU_MAX];
    size_t len;
};

static void slave_init(struct slave *s, struct world_params params)
{
    rig_profile(&profile);
    rig_init(&s->rig, params);
    rig_wait(&s->rig, 20);
    image_init(&s->image, &profile, s->rig.world, IMAGE_SCAN_US);
}

static void ask(struct slave *s, const uint8_t *request, size_t len)
{
    memset(s->answer, 0xEE, sizeof s->answer);
    s->len = image_answer(&s->image, s->rig.now_us, request, len, s->answer);
}

static void expect_exception(struct slave *s, uint8_t function, uint8_t exception)
{
    assert_int_equal(s->len, 2);
    assert_int_equal(s->answer[0], function | 0x80);
    assert_int_equal(s->answer[1], exception);
}

static void read_registers(struct slave *s, uint16_t address, uint16_t count)
{
    const uint8_t request[] = {3, (uint8_t)(address >> 8), (uint8_t)address, (uint8_t)(count >> 8),
                               (uint8_t)count};
    ask(s, request, sizeof request);
}

static uint16_t answered(const struct slave *s, unsigned i)
{
    return (uint16_t)(s->answer[2 + 2 * i] << 8 | s->answer[3 + 2 * i]);
}

static void write_registers(struct slave *s, uint16_t address, const uint16_t *registers, uint16_t count)
{
    uint8_t request[IMAGE_PDU_MAX] = {16, (uint8_t)(address >> 8), (uint8_t)address,
                                      0,  (uint8_t)count,          (uint8_t)(2 * count)};
    for (unsigned i = 0; i < count; i++) {
        request[6 + 2 * i] = (uint8_t)(registers[i] >> 8);
        request[7 + 2 * i] = (uint8_t)registers[i];
    }
    ask(s, request, 6 + 2u * count);
}

static void write_control(struct slave *s, uint32_t session)
{
    struct machine_control control = {.nonce = 0x55AA, .session = session, .heartbeat = ++s->rig.beat};
    uint16_t registers[MAP_BLOCK_MAX];
    assert_int_equal(map_encode_control(&profile, &control, registers, NULL), 0);
    write_registers(s, 64, registers, 16);
}

static void write_mailbox(struct slave *s, uint32_t seq, uint32_t session)
{
    struct machine_job job = rig_job(seq);
    uint16_t registers[MAP_BLOCK_MAX];
    assert_int_equal(map_encode_mailbox(&profile, &job, session, registers, NULL), 0);
    write_registers(s, 128, registers, 112);
}

static void expect_accepted(struct slave *s, uint16_t accepted)
{
    read_registers(s, 21, 2);
    assert_int_equal(s->answer[0], 3);
    assert_int_equal(answered(s, 1), accepted);
}

static void whole_and_part_of_blocks_can_be_read(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s, rig_params());
    read_registers(&s, 0, 64); /* identity and status lie side by side */
    assert_int_equal(s.len, 130);
    assert_int_equal(answered(&s, 0), profile.magic);
    assert_int_equal(answered(&s, 20), MACHINE_STATE_STOPPED);
    read_registers(&s, 2048 + 8 * 19, 8);
    assert_int_equal(answered(&s, 1), 20); /* canister of the last bay */
    read_registers(&s, 512 + 64 * 7, 64);
    assert_int_equal(s.len, 130);
    rig_finish(&s.rig);
}

static void what_is_not_there_is_exception_02(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s, rig_params());
    const uint16_t holes[] = {80, 127, 240, 511, 1024, 2047, 2048 + 8 * 20, 65535};
    for (size_t i = 0; i < sizeof holes / sizeof holes[0]; i++) {
        read_registers(&s, holes[i], 1);
        expect_exception(&s, 3, 2);
    }
    read_registers(&s, 79, 2); /* into a hole */
    expect_exception(&s, 3, 2);
    read_registers(&s, 65535, 2); /* over the end */
    expect_exception(&s, 3, 2);
    const uint16_t word[2] = {0, 0};
    write_registers(&s, 0, word, 1); /* identity is read-only */
    expect_exception(&s, 16, 2);
    write_registers(&s, 16, word, 1);
    expect_exception(&s, 16, 2);
    write_registers(&s, 79, word, 2);
    expect_exception(&s, 16, 2);
    const uint8_t input[] = {4, 0, 0, 0, 1};
    ask(&s, input, sizeof input);
    expect_exception(&s, 4, 2);
    rig_finish(&s.rig);
}

static void wrong_lengths_are_exception_03_and_other_functions_01(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s, rig_params());
    read_registers(&s, 0, 0);
    expect_exception(&s, 3, 3);
    read_registers(&s, 0, 126);
    expect_exception(&s, 3, 3);
    const uint8_t short_read[] = {3, 0, 0};
    ask(&s, short_read, sizeof short_read);
    expect_exception(&s, 3, 3);
    const uint8_t lying_write[] = {16, 0, 64, 0, 2, 4, 0, 0};
    ask(&s, lying_write, sizeof lying_write);
    expect_exception(&s, 16, 3);
    for (unsigned function = 0; function < 128; function++) {
        const uint8_t other[] = {(uint8_t)function, 0, 0, 0, 1};
        if (function == 3 || function == 4 || function == 6 || function == 16)
            continue;
        ask(&s, other, sizeof other);
        expect_exception(&s, (uint8_t)function, 1); /* FC23, too: this machine does not declare it */
    }
    rig_finish(&s.rig);
}

static void a_control_block_must_be_right_and_not_older(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s, rig_params());
    write_control(&s, 7);
    assert_int_equal(s.len, 5);
    read_registers(&s, 16, 1);
    assert_int_equal(answered(&s, 0), 0x55AA); /* a write ends the scan */
    write_control(&s, 6);
    expect_exception(&s, 16, 6);
    write_control(&s, 0);
    expect_exception(&s, 16, 3);
    const uint16_t crc = 1;
    write_registers(&s, 79, &crc, 1);
    expect_exception(&s, 16, 3);
    write_control(&s, 8);
    assert_int_equal(s.len, 5);
    rig_finish(&s.rig);
}

static void the_mailbox_counts_with_its_commit_register(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s, rig_params());
    write_mailbox(&s, 1, 3);
    expect_exception(&s, 16, 6); /* nobody owns the machine */
    write_control(&s, 3);
    write_mailbox(&s, 1, 2);
    expect_exception(&s, 16, 6); /* a stale request of an old connection */
    write_mailbox(&s, 1, 3);
    assert_int_equal(s.len, 5);
    expect_accepted(&s, 1);

    struct machine_job job = rig_job(2);
    uint16_t registers[MAP_BLOCK_MAX];
    map_encode_mailbox(&profile, &job, 3, registers, NULL);
    write_registers(&s, 128 + 50, registers + 50, 61); /* in pieces, in any order */
    write_registers(&s, 128, registers, 50);
    expect_accepted(&s, 1);
    const uint8_t commit[] = {6, 0, 239, 0, 2};
    ask(&s, commit, sizeof commit);
    assert_memory_equal(s.answer, commit, 5);
    expect_accepted(&s, 2);
    rig_finish(&s.rig);
}

static void a_torn_mailbox_is_ignored_without_error(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s, rig_params());
    write_control(&s, 3);
    struct machine_job job = rig_job(1);
    uint16_t registers[MAP_BLOCK_MAX];
    for (unsigned lost = 0; lost < 112; lost++) {
        map_encode_mailbox(&profile, &job, 3, registers, NULL);
        registers[lost] ^= 0x0100;
        write_registers(&s, 128, registers, 112);
        assert_int_equal(s.len, 5);
        expect_accepted(&s, 0);
    }
    write_mailbox(&s, 1, 3);
    expect_accepted(&s, 1);
    assert_non_null(strstr(buf_string(&s.rig.log), "put_torn"));
    rig_finish(&s.rig);
}

static void a_job_that_it_could_never_fill_is_exception_03(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s, rig_params());
    write_control(&s, 3);
    struct machine_job job = rig_job(1);
    job.entries[0].bay = 20;
    uint16_t registers[MAP_BLOCK_MAX];
    map_encode_mailbox(&profile, &job, 3, registers, NULL);
    write_registers(&s, 128, registers, 112);
    expect_exception(&s, 16, 3);
    expect_accepted(&s, 0);
    rig_finish(&s.rig);
}

static void values_are_frozen_between_two_scans(void **state)
{
    (void)state;
    struct world_params params = rig_params();
    params.boot_us = 29000;
    struct slave s;
    rig_profile(&profile);
    rig_init(&s.rig, params);
    image_init(&s.image, &profile, s.rig.world, IMAGE_SCAN_US);
    s.rig.now_us = 29999; /* the boot is over, but the last scan was at 20 ms */
    read_registers(&s, 0, 1);
    assert_int_equal(s.len, 0);
    s.rig.now_us = 30000;
    read_registers(&s, 0, 1);
    assert_int_equal(s.len, 4);
    rig_finish(&s.rig);
}

static void without_power_it_is_silent_and_forgets_what_was_written(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s, rig_params());
    write_control(&s, 3);
    read_registers(&s, 65, 2);
    assert_int_equal(answered(&s, 1), 3);
    world_power_off(s.rig.world);
    read_registers(&s, 0, 1);
    assert_int_equal(s.len, 0);
    world_power_on(s.rig.world);
    s.rig.now_us += 100000;
    read_registers(&s, 65, 2);
    assert_int_equal(answered(&s, 1), 0);
    write_mailbox(&s, 1, 3);
    expect_exception(&s, 16, 6);
    rig_finish(&s.rig);
}

static void random_requests_are_survived(void **state)
{
    (void)state;
    struct slave s;
    slave_init(&s, rig_params());
    struct rng rng;
    rng_init(&rng, 815, 0);
    print_message("seed 815\n");
    for (int turn = 0; turn < 20000; turn++) {
        uint8_t request[IMAGE_PDU_MAX];
        size_t len = 1 + rng_below(&rng, IMAGE_PDU_MAX);
        for (size_t i = 0; i < len; i++)
            request[i] = (uint8_t)rng_u32(&rng);
        static const uint8_t functions[] = {3, 4, 6, 16, 23};
        request[0] = functions[rng_below(&rng, 5)];
        request[1] = (uint8_t)rng_below(&rng, 3);
        if (len > 4)
            request[3] = 0;
        ask(&s, request, len);
        assert_in_range(s.len, 2, IMAGE_PDU_MAX);
    }
    expect_accepted(&s, 0);
    rig_finish(&s.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_and_part_of_blocks_can_be_read),
        cmocka_unit_test(what_is_not_there_is_exception_02),
        cmocka_unit_test(wrong_lengths_are_exception_03_and_other_functions_01),
        cmocka_unit_test(a_control_block_must_be_right_and_not_older),
        cmocka_unit_test(the_mailbox_counts_with_its_commit_register),
        cmocka_unit_test(a_torn_mailbox_is_ignored_without_error),
        cmocka_unit_test(a_job_that_it_could_never_fill_is_exception_03),
        cmocka_unit_test(values_are_frozen_between_two_scans),
        cmocka_unit_test(without_power_it_is_silent_and_forgets_what_was_written),
        cmocka_unit_test(random_requests_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
