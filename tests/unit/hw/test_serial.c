/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated serial line on a virtual clock: modelled time, frames by silence, who is answered and who
 * not, and the link at its path. */
#include "tests/unit/hw/map_rig.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/crc.h"
#include "config/base/loop.h"
#include "hw/sim/serial.h"
#include "tests/support/scratch.h"

enum { IDENTITY_ANSWER = 1 + 1 + 1 + 32 + 2 };

struct bench {
    struct profile profile;
    struct clock_virtual clock;
    struct loop *loop;
    struct world *worlds[2];
    struct serial *serial;
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    int fd; /* a master */
};

static void turn(struct bench *b, int64_t ms)
{
    struct error err = {0};
    clock_virtual_advance(&b->clock, ms);
    for (int i = 0; i < 4; i++)
        assert_int_equal(loop_step(b->loop, 0, &err), 0);
}

static struct serial_params params_of(struct bench *b, uint32_t baud, uint32_t noise_ppm)
{
    return (struct serial_params){.loop = b->loop,
                                  .clock = &b->clock.clock,
                                  .profile = &b->profile,
                                  .worlds = b->worlds,
                                  .count = 2,
                                  .path = b->path,
                                  .baud = baud,
                                  .noise_ppm = noise_ppm,
                                  .seed = 3,
                                  .scan_ms = 10};
}

static void bench_open(struct bench *b, uint32_t baud, uint32_t noise_ppm)
{
    struct error err = {0};
    *b = (struct bench){0};
    rig_profile(&b->profile);
    scratch_init(&b->scratch);
    scratch_path(&b->scratch, "tty", b->path);
    clock_virtual_init(&b->clock, 5000, 0);
    b->loop = loop_create(&b->clock.clock, &err);
    assert_non_null(b->loop);
    for (unsigned i = 0; i < 2; i++) {
        struct world_params params = rig_params();
        params.index = i;
        params.serial[7] = (char)('1' + i);
        params.now_us = 5000000;
        b->worlds[i] = world_create(&params, &err);
        assert_non_null(b->worlds[i]);
    }
    const struct serial_params params = params_of(b, baud, noise_ppm);
    b->serial = serial_create(&params, &err);
    if (!b->serial)
        fail_msg("%s", err.message);
    b->fd = open(b->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    assert_true(b->fd >= 0);
    turn(b, 30); /* boots */
}

static void bench_close(struct bench *b)
{
    close(b->fd);
    serial_destroy(b->serial);
    assert_int_equal(access(b->path, F_OK), -1);
    loop_destroy(b->loop);
    world_destroy(b->worlds[0]);
    world_destroy(b->worlds[1]);
    scratch_finish(&b->scratch);
}

static void identity_request(uint8_t frame[8], uint8_t unit)
{
    const uint8_t bytes[6] = {unit, 3, 0, 0, 0, 16};
    memcpy(frame, bytes, sizeof bytes);
    uint16_t crc = crc16(frame, 6);
    frame[6] = (uint8_t)(crc & 0xFF);
    frame[7] = (uint8_t)(crc >> 8);
}

static void send_bytes(struct bench *b, const uint8_t *bytes, size_t len)
{
    assert_int_equal(write(b->fd, bytes, len), len);
    turn(b, 0);
}

static ssize_t hear(struct bench *b, uint8_t *bytes, size_t size)
{
    return read(b->fd, bytes, size);
}

/* Milliseconds until the answer is there; -1: none within limit_ms. */
static int64_t wait_answer(struct bench *b, uint8_t answer[IDENTITY_ANSWER], int64_t limit_ms)
{
    for (int64_t ms = 0; ms <= limit_ms; ms++) {
        ssize_t got = hear(b, answer, IDENTITY_ANSWER);
        if (got > 0) {
            assert_int_equal(got, IDENTITY_ANSWER); /* in one piece, when its last character is over */
            return ms;
        }
        turn(b, 1);
    }
    return -1;
}

/* 8 characters, the gap, 2 to 20 ms, 37 characters. */
static void answers_take_their_time_on_the_line(void **state)
{
    (void)state;
    static const struct {
        uint32_t baud;
        int64_t min_ms, max_ms;
    } rows[] = {{9600, 57, 79}, {19200, 29, 50}, {115200, 8, 28}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench b;
        uint8_t frame[8], answer[IDENTITY_ANSWER];
        bench_open(&b, rows[i].baud, 0);
        int64_t least_ms = INT64_MAX, most_ms = 0;
        for (int n = 0; n < 60; n++) {
            uint8_t unit = (uint8_t)(1 + n % 2);
            identity_request(frame, unit);
            send_bytes(&b, frame, sizeof frame);
            int64_t ms = wait_answer(&b, answer, 200);
            assert_in_range(ms, rows[i].min_ms, rows[i].max_ms);
            assert_int_equal(crc16(answer, sizeof answer), 0);
            assert_int_equal(answer[0], unit);
            assert_int_equal(answer[3 + 11], '0' + unit);
            least_ms = ms < least_ms ? ms : least_ms;
            most_ms = ms > most_ms ? ms : most_ms;
            turn(&b, 5);
        }
        assert_true(most_ms - least_ms >= 12); /* the turnaround varies */
        bench_close(&b);
    }
}

static void frames_end_by_silence(void **state)
{
    (void)state;
    struct bench b;
    uint8_t frame[8], answer[IDENTITY_ANSWER];
    bench_open(&b, 115200, 0);
    identity_request(frame, 1);
    for (size_t i = 0; i < sizeof frame; i++) { /* 1 ms apart: less than the gap */
        send_bytes(&b, frame + i, 1);
        turn(&b, 1);
    }
    assert_true(wait_answer(&b, answer, 200) >= 0);
    send_bytes(&b, frame, 4); /* 4 ms apart: two pieces, no frame */
    turn(&b, 4);
    send_bytes(&b, frame + 4, 4);
    assert_int_equal(wait_answer(&b, answer, 200), -1);
    uint8_t flood[600] = {1, 3};
    send_bytes(&b, flood, sizeof flood);
    assert_int_equal(wait_answer(&b, answer, 200), -1);
    struct serial_counters counters;
    serial_counters(b.serial, &counters);
    assert_int_equal(counters.damaged, 3);
    send_bytes(&b, frame, sizeof frame);
    assert_true(wait_answer(&b, answer, 200) >= 0);
    bench_close(&b);
}

static void nobody_answers_for_others_or_to_all(void **state)
{
    (void)state;
    static const uint8_t units[] = {0, 3, 247, 255};
    struct bench b;
    uint8_t frame[8], answer[IDENTITY_ANSWER];
    bench_open(&b, 115200, 0);
    for (size_t i = 0; i < sizeof units; i++) {
        identity_request(frame, units[i]);
        send_bytes(&b, frame, sizeof frame);
        assert_int_equal(wait_answer(&b, answer, 100), -1);
    }
    identity_request(frame, 1);
    frame[4] ^= 1; /* the CRC is wrong now */
    send_bytes(&b, frame, sizeof frame);
    assert_int_equal(wait_answer(&b, answer, 100), -1);
    world_power_off(b.worlds[0]);
    identity_request(frame, 1);
    send_bytes(&b, frame, sizeof frame);
    assert_int_equal(wait_answer(&b, answer, 100), -1);
    identity_request(frame, 2);
    send_bytes(&b, frame, sizeof frame);
    assert_true(wait_answer(&b, answer, 100) >= 0);
    bench_close(&b);
}

static void noise_damages_frames_at_its_rate(void **state)
{
    (void)state;
    struct bench b;
    uint8_t frame[8], answer[IDENTITY_ANSWER];
    unsigned right = 0, wrong = 0, silent = 0;
    bench_open(&b, 115200, 5000);
    identity_request(frame, 1);
    for (int i = 0; i < 400; i++) {
        send_bytes(&b, frame, sizeof frame);
        if (wait_answer(&b, answer, 60) < 0)
            silent++;
        else if (crc16(answer, sizeof answer) == 0)
            right++;
        else
            wrong++;
    }
    /* 0.5 % of characters: 4 % of 8 and 17 % of 37 characters have one. */
    assert_in_range(silent, 4, 40);
    assert_in_range(wrong, 35, 100);
    assert_int_equal(right + wrong + silent, 400);
    bench_close(&b);
}

static void the_path_is_a_link_that_comes_and_goes(void **state)
{
    (void)state;
    struct bench b;
    struct error err = {0};
    char file[SCRATCH_PATH_BYTES];
    bench_open(&b, 115200, 0);
    struct serial_params params = params_of(&b, 115200, 0);
    struct serial *other = serial_create(&params, &err); /* takes the name over */
    assert_non_null(other);
    serial_destroy(b.serial);
    assert_int_equal(access(b.path, F_OK), 0); /* no longer its own */
    b.serial = other;
    params.path = scratch_write(&b.scratch, "file", "precious", file);
    assert_null(serial_create(&params, &err));
    assert_int_equal(err.code, E_EXISTS);
    params.path = "/nonexistent/line";
    assert_null(serial_create(&params, &err));
    assert_int_equal(err.code, E_SYSTEM);
    params.path = b.path;
    params.baud = 300;
    assert_null(serial_create(&params, &err));
    assert_int_equal(err.code, E_ARG);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_take_their_time_on_the_line),
        cmocka_unit_test(frames_end_by_silence),
        cmocka_unit_test(nobody_answers_for_others_or_to_all),
        cmocka_unit_test(noise_damages_frames_at_its_rate),
        cmocka_unit_test(the_path_is_a_link_that_comes_and_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
