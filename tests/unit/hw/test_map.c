/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/hw/map_rig.h"

#include "config/base/crc.h"
#include "config/base/rng.h"

static struct profile profile;

static int load_profile(void **state)
{
    (void)state;
    rig_profile(&profile);
    return 0;
}

static void close_block(uint16_t *registers, enum profile_point_id crc)
{
    uint16_t at = profile.points[crc].at;
    registers[at] = crc16_registers(registers, at);
}

static struct machine_status some_status(void)
{
    struct machine_status status = {.nonce = 0xBEEF,
                                    .boot = 0x10002,
                                    .mode = MACHINE_MODE_PRODUCTION,
                                    .state = MACHINE_STATE_EXECUTE,
                                    .accepted = 0x12345678,
                                    .started = 0x12345677,
                                    .done = 0x12345676,
                                    .retired = 0x12345670,
                                    .heartbeat = 9,
                                    .session = 0x80000001,
                                    .first_alarm = MACHINE_ALARM_NONE,
                                    .film_mm = 299999,
                                    .ribbon_mm = 12,
                                    .seal_actual_dc = -12,
                                    .seal_set_dc = 1500,
                                    .door_closed = true,
                                    .phase = 3,
                                    .command_seq = 77,
                                    .command_result = 2};
    status.alarms[7] = 0x8001;
    return status;
}

/* Structs have holes, so what came back is encoded again: every point of these values differs from 0. */
static void every_block_comes_back_as_it_went(void **state)
{
    (void)state;
    uint16_t registers[MAP_BLOCK_MAX], again[MAP_BLOCK_MAX];
    struct error err;

    struct machine_identity identity = {.map_version = 1,
                                        .serial = "SIM00001",
                                        .firmware = 0x0102,
                                        .bays = 60,
                                        .queue_depth = 8,
                                        .ring_size = 8,
                                        .caps = MACHINE_CAP_SIMULATED};
    map_encode_identity(&profile, &identity, registers);
    assert_int_equal(map_decode_identity(&profile, registers, &identity, &err), 0);
    map_encode_identity(&profile, &identity, again);
    assert_memory_equal(again, registers, 16 * sizeof *again);
    assert_string_equal(identity.serial, "SIM00001");

    struct machine_status status = some_status();
    map_encode_status(&profile, &status, registers);
    memset(&status, 0, sizeof status);
    assert_int_equal(map_decode_status(&profile, registers, &status, &err), 0);
    map_encode_status(&profile, &status, again);
    assert_memory_equal(again, registers, 48 * sizeof *again);
    assert_int_equal(status.accepted, 0x12345678);
    assert_int_equal(status.seal_actual_dc, -12);
    assert_true(machine_alarm_is_up(&status, 127));

    struct machine_control control = {.nonce = 1,
                                      .session = 0xFFFFFFFF,
                                      .heartbeat = 2,
                                      .command = MACHINE_COMMAND_CANCEL_FROM,
                                      .command_seq = 3,
                                      .argument = 70000,
                                      .retire = 65536,
                                      .seal_set_dc = 1450};
    assert_int_equal(map_encode_control(&profile, &control, registers, &err), 0);
    memset(&control, 0, sizeof control);
    assert_int_equal(map_decode_control(&profile, registers, &control, &err), 0);
    assert_int_equal(map_encode_control(&profile, &control, again, &err), 0);
    assert_memory_equal(again, registers, 16 * sizeof *again);
    assert_int_equal(control.session, 0xFFFFFFFF);

    struct machine_job job = {
        .seq = 0x10001, .hash = 0xDEADBEEF, .flags = 1, .entry_count = MACHINE_ENTRIES_MAX};
    for (unsigned i = 0; i < MACHINE_ENTRIES_MAX; i++)
        job.entries[i] = (struct machine_entry){.bay = (uint16_t)(i + 1), .count = (uint16_t)(i + 2)};
    memset(job.token, 'T', MACHINE_TOKEN_BYTES - 1);
    uint32_t session = 0;
    assert_int_equal(map_encode_mailbox(&profile, &job, 0x20003, registers, &err), 0);
    assert_int_equal(registers[111], 1); /* the commit register closes the block */
    memset(&job, 0, sizeof job);
    assert_int_equal(map_decode_mailbox(&profile, registers, &job, &session, &err), 0);
    assert_int_equal(session, 0x20003);
    assert_int_equal(map_encode_mailbox(&profile, &job, session, again, &err), 0);
    assert_memory_equal(again, registers, 112 * sizeof *again);
    assert_int_equal(job.entries[23].count, 25);

    struct machine_result result = {.seq = 5,
                                    .hash = 6,
                                    .outcome = MACHINE_VOID,
                                    .reason = MACHINE_REASON_JAM,
                                    .entry_count = MACHINE_ENTRIES_MAX,
                                    .checks = 31,
                                    .seal_min_dc = 1499,
                                    .seal_max_dc = 1501,
                                    .drop_ms = 65000,
                                    .seal_ms = 70000,
                                    .boot = 3};
    for (unsigned i = 0; i < MACHINE_ENTRIES_MAX; i++)
        result.entries[i].counted = (uint16_t)(result.entries[i].requested = (uint16_t)(i + 1));
    map_encode_result(&profile, &result, registers);
    memset(&result, 0, sizeof result);
    assert_int_equal(map_decode_result(&profile, registers, &result, &err), 0);
    map_encode_result(&profile, &result, again);
    assert_memory_equal(again, registers, 64 * sizeof *again);
    assert_int_equal(result.reason, MACHINE_REASON_JAM);

    struct machine_bay bay = {
        .canister = 70001, .level = 400, .empty = true, .last_fault = MACHINE_REASON_EMPTY};
    map_encode_bay(&profile, &bay, registers);
    memset(&bay, 0, sizeof bay);
    assert_int_equal(map_decode_bay(&profile, registers, &bay, &err), 0);
    map_encode_bay(&profile, &bay, again);
    assert_memory_equal(again, registers, 8 * sizeof *again);
    assert_int_equal(bay.canister, 70001);
}

static void one_flipped_bit_anywhere_before_the_crc_is_seen(void **state)
{
    (void)state;
    uint16_t registers[MAP_BLOCK_MAX];
    struct machine_status status = some_status(), back;
    struct error err;
    map_encode_status(&profile, &status, registers);
    for (unsigned bit = 0; bit < 48 * 16; bit++) {
        registers[bit / 16] ^= (uint16_t)(1u << bit % 16);
        assert_int_equal(map_decode_status(&profile, registers, &back, &err), E_FRAME);
        registers[bit / 16] ^= (uint16_t)(1u << bit % 16);
    }
}

/* Hazard H23. */
static void another_device_is_a_mismatch(void **state)
{
    (void)state;
    uint16_t registers[MAP_BLOCK_MAX] = {0};
    struct machine_identity identity;
    struct error err;
    assert_int_equal(map_decode_identity(&profile, registers, &identity, &err), E_MISMATCH);
    const struct machine_identity good = {
        .map_version = 2, .serial = "A", .bays = 1, .queue_depth = 8, .ring_size = 8};
    map_encode_identity(&profile, &good, registers);
    assert_int_equal(map_decode_identity(&profile, registers, &identity, &err), E_MISMATCH);
    const struct machine_identity ring = {
        .map_version = 1, .serial = "A", .bays = 1, .queue_depth = 8, .ring_size = 4};
    map_encode_identity(&profile, &ring, registers);
    assert_int_equal(map_decode_identity(&profile, registers, &identity, &err), E_MISMATCH);
}

static void expect_status_refused(struct machine_status status)
{
    uint16_t registers[MAP_BLOCK_MAX];
    struct machine_status back;
    struct error err;
    map_encode_status(&profile, &status, registers);
    assert_int_equal(map_decode_status(&profile, registers, &back, &err), E_DEVICE);
    assert_true(strlen(err.message) > 0);
}

static void values_outside_their_range_are_refused(void **state)
{
    (void)state;
    struct machine_status status = some_status();
    status.state = (enum machine_state)18;
    expect_status_refused(status);
    status = some_status();
    status.mode = (enum machine_mode)0;
    expect_status_refused(status);
    status = some_status();
    status.started = status.accepted + 1; /* S above A */
    expect_status_refused(status);
    status = some_status();
    status.retired = status.done + 1;
    expect_status_refused(status);
    status = some_status();
    status.command_result = 3;
    expect_status_refused(status);

    uint16_t registers[MAP_BLOCK_MAX];
    struct machine_result result = {.seq = 1, .outcome = MACHINE_GOOD, .entry_count = 1}, result_back;
    struct error err;
    map_encode_result(&profile, &result, registers);
    registers[6] = 25; /* entries */
    close_block(registers, PROFILE_RESULT_CRC);
    assert_int_equal(map_decode_result(&profile, registers, &result_back, &err), E_DEVICE);
    registers[6] = 1;
    registers[4] = 4; /* outcome */
    close_block(registers, PROFILE_RESULT_CRC);
    assert_int_equal(map_decode_result(&profile, registers, &result_back, &err), E_DEVICE);
}

static void a_torn_mailbox_is_told_from_a_wrong_one(void **state)
{
    (void)state;
    uint16_t registers[MAP_BLOCK_MAX];
    struct machine_job job = rig_job(7), back;
    uint32_t session;
    struct error err;
    assert_int_equal(map_encode_mailbox(&profile, &job, 1, registers, &err), 0);
    registers[111] = 8; /* commit of another number */
    assert_int_equal(map_decode_mailbox(&profile, registers, &back, &session, &err), E_FRAME);
    registers[111] = 7;
    registers[6] ^= 1;
    assert_int_equal(map_decode_mailbox(&profile, registers, &back, &session, &err), E_FRAME);
    registers[5] = 0; /* no entries */
    close_block(registers, PROFILE_MAILBOX_CRC);
    assert_int_equal(map_decode_mailbox(&profile, registers, &back, &session, &err), E_INPUT);
}

static void a_never_written_result_is_right_and_empty(void **state)
{
    (void)state;
    uint16_t registers[MAP_BLOCK_MAX];
    struct machine_result empty = {0}, back;
    struct error err;
    map_encode_result(&profile, &empty, registers);
    assert_int_equal(map_decode_result(&profile, registers, &back, &err), 0);
    assert_int_equal(back.seq, 0);
}

static void the_other_word_order_and_a_scale_work_too(void **state)
{
    (void)state;
    struct profile other = profile;
    other.low_word_first = true;
    other.points[PROFILE_STATUS_FILM_MM].type = PROFILE_U16;
    other.points[PROFILE_STATUS_FILM_MM].length = 1;
    other.points[PROFILE_STATUS_FILM_MM].scale_milli = 10000; /* registers in cm */
    uint16_t registers[MAP_BLOCK_MAX];
    struct machine_status status = some_status(), back;
    status.film_mm = 300000;
    struct error err;
    map_encode_status(&other, &status, registers);
    assert_int_equal(registers[5], 0x5678);
    assert_int_equal(registers[6], 0x1234);
    assert_int_equal(registers[25], 30000);
    assert_int_equal(map_decode_status(&other, registers, &back, &err), 0);
    assert_int_equal(back.accepted, status.accepted);
    assert_int_equal(back.film_mm, 300000);
}

static void a_profile_that_cannot_be_spoken_is_refused(void **state)
{
    (void)state;
    struct error err;
    struct profile other = profile;
    other.blocks[PROFILE_CONTROL].table = PROFILE_COIL;
    assert_int_equal(map_check_profile(&other, &err), E_VERSION);
    other = profile;
    other.blocks[PROFILE_BAY].stride = 0;
    assert_int_equal(map_check_profile(&other, &err), E_VERSION);
    other = profile;
    other.points[PROFILE_STATUS_DONE].present = false;
    assert_int_equal(map_check_profile(&other, &err), E_VERSION);
    other = profile;
    other.points[PROFILE_STATUS_DONE].at = 47; /* its second register would lie outside */
    assert_int_equal(map_check_profile(&other, &err), E_VERSION);
    other = profile;
    other.points[PROFILE_STATUS_FILM_MM].present = false; /* not needed */
    assert_int_equal(map_check_profile(&other, &err), 0);
}

/* Untrusted input: random registers, with and without a right CRC, never break a decoder. */
static void random_registers_are_survived(void **state)
{
    (void)state;
    const uint64_t seed = 4711;
    print_message("seed %u\n", (unsigned)seed);
    struct rng rng;
    rng_init(&rng, seed, 0);
    uint16_t registers[MAP_BLOCK_MAX];
    struct error err;
    for (int turn = 0; turn < 3000; turn++) {
        for (int i = 0; i < MAP_BLOCK_MAX; i++)
            registers[i] = (uint16_t)(rng_below(&rng, 3) ? rng_below(&rng, 30) : rng_u32(&rng));
        struct machine_status status;
        struct machine_result result;
        struct machine_job job;
        uint32_t session;
        close_block(registers, PROFILE_STATUS_CRC);
        (void)map_decode_status(&profile, registers, &status, &err);
        close_block(registers, PROFILE_RESULT_CRC);
        if (map_decode_result(&profile, registers, &result, &err) == 0)
            assert_true(result.entry_count <= MACHINE_ENTRIES_MAX);
        registers[111] = registers[1];
        close_block(registers, PROFILE_MAILBOX_CRC);
        if (map_decode_mailbox(&profile, registers, &job, &session, &err) == 0)
            assert_true(strnlen(job.token, sizeof job.token) < sizeof job.token);
    }
}

/* With SACHET_WRITE_PAGES set the page is written instead of compared. */
static void the_page_says_what_the_table_says(void **state)
{
    (void)state;
    struct buf page;
    buf_init(&page);
    map_write_page(&profile, &page);
    FILE *file = fopen(SOURCE_ROOT "/hw/modbus/registers.md", getenv("SACHET_WRITE_PAGES") ? "w+" : "r");
    assert_non_null(file);
    if (getenv("SACHET_WRITE_PAGES")) {
        assert_int_equal(fwrite(page.data, 1, page.len, file), page.len);
        rewind(file);
    }
    char *kept = calloc(1, page.len + 2);
    assert_non_null(kept);
    assert_int_equal(fread(kept, 1, page.len + 1, file), page.len);
    assert_string_equal(kept, buf_string(&page)); /* else: run this test with SACHET_WRITE_PAGES=1 */
    free(kept);
    fclose(file);
    buf_finish(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_block_comes_back_as_it_went),
        cmocka_unit_test(one_flipped_bit_anywhere_before_the_crc_is_seen),
        cmocka_unit_test(another_device_is_a_mismatch),
        cmocka_unit_test(values_outside_their_range_are_refused),
        cmocka_unit_test(a_torn_mailbox_is_told_from_a_wrong_one),
        cmocka_unit_test(a_never_written_result_is_right_and_empty),
        cmocka_unit_test(the_other_word_order_and_a_scale_work_too),
        cmocka_unit_test(a_profile_that_cannot_be_spoken_is_refused),
        cmocka_unit_test(random_registers_are_survived),
        cmocka_unit_test(the_page_says_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, load_profile, NULL);
}
