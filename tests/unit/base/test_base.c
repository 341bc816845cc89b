/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/crc.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "config/base/loop.h"
#include "config/base/rng.h"

static void every_error_has_text_class_and_exit_status(void **state)
{
    (void)state;
#define CHECK(name, code, text, class)            \
    assert_string_equal(error_name(code), #name); \
    assert_true(strlen(error_text(code)) > 0);    \
    assert_in_range(error_exit_status(code), 1, 3);
    ERROR_TABLE(CHECK)
#undef CHECK
    assert_int_equal(error_exit_status(0), 0);
    assert_int_equal(error_exit_status(E_ARG), 2);
    assert_int_equal(error_exit_status(E_INPUT), 1);
    assert_int_equal(error_exit_status(E_LINK), 3);
}

static void messages_are_cut_not_overrun(void **state)
{
    (void)state;
    struct error err;
    char big[2000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_int_equal(error_set(&err, E_INPUT, "%s", big), E_INPUT);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_BYTES - 1);
    assert_int_equal(error_set(&err, E_INPUT, "line %d", 3), E_INPUT);
    assert_int_equal(error_prefix(&err, E_INPUT, "file %s", "a"), E_INPUT);
    assert_string_equal(err.message, "file a: line 3");
    assert_int_equal(error_prefix(NULL, E_STATE, "nobody listens"), E_STATE); /* a refusal all the same */
}

static void messages_stay_on_one_line(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(error_set(&err, E_ARG, "%s: no file", "two\nlines\033[2J\x7f\xc2\x9b"), E_ARG);
    assert_string_equal(err.message, "two?lines?[2J???: no file");
    error_set_errno(&err, E_FILE, 0, "a\tb");
    assert_memory_equal(err.message, "a?b: ", 5);
    error_set(&err, E_ARG, "caf\xc3\xa9 \xe2\x82\xac");
    (void)error_prefix(&err, E_ARG, "x\ry");
    assert_string_equal(err.message, "x?y: caf\xc3\xa9 \xe2\x82\xac");
    /* Cut within a character of three bytes: the whole character goes. */
    char big[ERROR_MESSAGE_BYTES + 8];
    memset(big, 'x', sizeof big);
    (void)snprintf(big + ERROR_MESSAGE_BYTES - 3, 4, "\xe2\x82\xac");
    error_set(&err, E_ARG, "%s", big);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_BYTES - 3);
}

static void a_fixed_buf_fails_and_stays_inside(void **state)
{
    (void)state;
    char mem[8];
    struct buf buf;
    buf_init_fixed(&buf, mem, sizeof mem);
    buf_text(&buf, "1234567");
    assert_false(buf.failed);
    buf_char(&buf, '8');
    assert_true(buf.failed);
    assert_string_equal(buf_string(&buf), "1234567");
}

static void a_growing_buf_keeps_everything(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf);
    for (int i = 0; i < 1000; i++)
        buf_printf(&buf, "%03d", i);
    assert_int_equal(buf.len, 3000);
    char *text = buf_take(&buf);
    assert_int_equal(strlen(text), 3000);
    assert_memory_equal(text + 2997, "999", 3);
    free(text);
}

static void an_arena_gives_zeroed_memory_up_to_its_limit(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1000000);
    for (int i = 0; i < 100; i++) {
        unsigned char *p = arena_alloc(&arena, 1000);
        assert_non_null(p);
        for (int k = 0; k < 1000; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xFF, 1000);
    }
    assert_non_null(arena_alloc(&arena, 500000));
    assert_null(arena_alloc(&arena, 500000));
    assert_null(arena_array(&arena, SIZE_MAX / 2, 4));
    arena_finish(&arena);
}

static void crc_matches_the_published_check_value(void **state)
{
    (void)state;
    assert_int_equal(crc16("123456789", 9), 0x4B37); /* CRC-16/MODBUS check value */
    const uint16_t registers[] = {0x3132, 0x3334};
    assert_int_equal(crc16_registers(registers, 2), crc16("1234", 4));
}

static void streams_of_one_seed_differ_and_repeat(void **state)
{
    (void)state;
    struct rng a, b, again;
    rng_init(&a, 42, 1);
    rng_init(&b, 42, 2);
    rng_init(&again, 42, 1);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        uint32_t value = rng_u32(&a);
        same += value == rng_u32(&b);
        assert_int_equal(value, rng_u32(&again));
        assert_true(rng_below(&a, 7) < 7);
        (void)rng_below(&again, 7);
    }
    assert_true(same < 3);
}

struct ticks {
    struct loop *loop;
    struct loop_io *io;
    int fired;
    int read;
};

static int64_t tick(void *data, int64_t now_ms)
{
    struct ticks *ticks = data;
    return ++ticks->fired == 3 ? LOOP_TIMER_DONE : now_ms + 10;
}

static void drain(void *data, short revents)
{
    struct ticks *ticks = data;
    char c;
    assert_true(revents & POLLIN);
    assert_int_equal(read(ticks->fired, &c, 1), 1);
    ticks->read++;
    loop_remove_io(ticks->io);
}

static void timers_follow_the_injected_clock(void **state)
{
    (void)state;
    struct clock_virtual v;
    clock_virtual_init(&v, 1000, 0);
    struct ticks ticks = {.loop = loop_create(&v.clock, NULL)};
    assert_non_null(loop_add_timer(ticks.loop, 1010, tick, &ticks));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(loop_step(ticks.loop, 0, NULL), 0);
        clock_virtual_advance(&v, 5);
    }
    assert_int_equal(ticks.fired, 3);
    assert_int_equal(loop_next_due_ms(ticks.loop), INT64_MAX);
    loop_destroy(ticks.loop);
}

static void an_entry_may_remove_itself(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "xy", 2), 2);
    struct clock_virtual v;
    clock_virtual_init(&v, 0, 0);
    struct ticks ticks = {.loop = loop_create(&v.clock, NULL), .fired = fds[0]};
    ticks.io = loop_add_io(ticks.loop, fds[0], POLLIN, drain, &ticks);
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_step(ticks.loop, 0, NULL), 0);
    assert_int_equal(ticks.read, 1);
    loop_destroy(ticks.loop);
    close(fds[0]);
    close(fds[1]);
}

static void file_or_fail(const char *path, const char *wanted)
{
    struct buf text;
    buf_init(&text);
    assert_int_equal(file_read(path, 100, &text, NULL), 0);
    assert_string_equal(buf_string(&text), wanted);
    buf_finish(&text);
}

static void a_file_is_replaced_whole_or_stays(void **state)
{
    (void)state;
    char folder[] = "/tmp/sachet-file-XXXXXX", path[64], beside[64];
    struct error err;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/a.txt", folder);
    (void)snprintf(beside, sizeof beside, "%s/.a.txt.new", folder);
    assert_int_equal(file_replace(path, "old", 3, &err), 0);
    assert_int_equal(file_replace(path, "", 0, &err), 0);
    file_or_fail(path, "");
    assert_int_equal(file_replace(path, "new", 3, &err), 0);
    file_or_fail(path, "new");
    assert_int_equal(access(beside, F_OK), -1);
    /* What is in the way of the file beside it stops the write; the old one stands, and its name is told. */
    assert_int_equal(mkdir(beside, 0700), 0);
    assert_int_equal(file_replace(path, "worse", 5, &err), E_FILE);
    assert_non_null(strstr(err.message, path));
    file_or_fail(path, "new");
    assert_int_equal(rmdir(beside), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_text_class_and_exit_status),
        cmocka_unit_test(messages_stay_on_one_line),
        cmocka_unit_test(messages_are_cut_not_overrun),
        cmocka_unit_test(a_fixed_buf_fails_and_stays_inside),
        cmocka_unit_test(a_growing_buf_keeps_everything),
        cmocka_unit_test(an_arena_gives_zeroed_memory_up_to_its_limit),
        cmocka_unit_test(crc_matches_the_published_check_value),
        cmocka_unit_test(streams_of_one_seed_differ_and_repeat),
        cmocka_unit_test(timers_follow_the_injected_clock),
        cmocka_unit_test(an_entry_may_remove_itself),
        cmocka_unit_test(a_file_is_replaced_whole_or_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
