/* SPDX-License-Identifier: Apache-2.0 */
/* The Modbus server on a virtual clock: what depends on time, and what a machine without power looks like. */
#include "tests/unit/hw/map_rig.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/loop.h"
#include "hw/sim/server.h"

struct bench {
    struct profile profile;
    struct clock_virtual clock;
    struct loop *loop;
    struct world *worlds[2];
    struct server *server;
    unsigned flushed;
};

static void count_flush(void *data)
{
    ((struct bench *)data)->flushed++;
}

static void turn(struct bench *b, int64_t ms)
{
    struct error err = {0};
    clock_virtual_advance(&b->clock, ms);
    for (int i = 0; i < 4; i++)
        assert_int_equal(loop_step(b->loop, 0, &err), 0);
}

static void bench_open_as(struct bench *b, uint32_t answer_least_ms, uint32_t answer_most_ms,
                          unsigned connections_max)
{
    struct error err = {0};
    *b = (struct bench){0};
    rig_profile(&b->profile);
    clock_virtual_init(&b->clock, 5000, 0);
    b->loop = loop_create(&b->clock.clock, &err);
    assert_non_null(b->loop);
    for (unsigned i = 0; i < 2; i++) {
        struct world_params params = rig_params();
        params.index = i;
        params.now_us = 5000000;
        b->worlds[i] = world_create(&params, &err);
        assert_non_null(b->worlds[i]);
    }
    const struct server_params params = {.loop = b->loop,
                                         .clock = &b->clock.clock,
                                         .profile = &b->profile,
                                         .worlds = b->worlds,
                                         .count = 2,
                                         .host = "127.0.0.1",
                                         .scan_ms = 10,
                                         .answer_least_ms = answer_least_ms,
                                         .answer_most_ms = answer_most_ms,
                                         .connections_max = connections_max,
                                         .flush = count_flush,
                                         .flush_data = b};
    b->server = server_create(&params, &err);
    if (!b->server)
        fail_msg("%s", err.message);
    turn(b, 30); /* boots */
}

static void bench_open(struct bench *b)
{
    bench_open_as(b, 0, 0, 0);
}

static void bench_close(struct bench *b)
{
    server_destroy(b->server);
    loop_destroy(b->loop);
    world_destroy(b->worlds[0]);
    world_destroy(b->worlds[1]);
}

static int client(struct bench *b)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server_port(b->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    int on = 1;
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0); /* pieces leave at once */
    turn(b, 1);
    return fd;
}

static const uint8_t read_magic[2][12] = {{0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1},
                                          {0, 2, 0, 0, 0, 6, 2, 3, 0, 0, 0, 1}};

/* Bytes that wait at the client; -1: the server closed it. */
static int waiting_bytes(int fd)
{
    uint8_t bytes[512];
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    if (poll(&waiting, 1, 50) == 0)
        return 0;
    ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    return got > 0 ? (int)got : -1;
}

static void a_half_frame_is_closed_after_its_time(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    int half = client(&b), idle = client(&b);
    assert_int_equal(send(half, read_magic[0], 7, 0), 7);
    turn(&b, 1); /* it is seen now */
    turn(&b, SERVER_HALF_FRAME_MS - 100);
    assert_int_equal(waiting_bytes(half), 0);
    turn(&b, 200);
    assert_int_equal(waiting_bytes(half), -1);
    assert_int_equal(waiting_bytes(idle), 0); /* who waits with nothing begun may wait */
    struct server_counters counters;
    server_counters(b.server, &counters);
    assert_int_equal(counters.closed_bad, 1);
    close(half);
    close(idle);
    bench_close(&b);
}

static void a_steady_client_in_pieces_is_not_closed(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    int fd = client(&b);
    assert_int_equal(send(fd, read_magic[0], 7, 0), 7);
    for (int i = 0; i < 8; i++) { /* always half a frame left over, for 16 seconds */
        turn(&b, 2000);
        assert_int_equal(send(fd, read_magic[0] + 7, 5, 0), 5);
        assert_int_equal(send(fd, read_magic[0], 7, 0), 7);
        turn(&b, 1);
        assert_int_equal(waiting_bytes(fd), 11);
    }
    close(fd);
    bench_close(&b);
}

static void a_machine_without_power_closes_and_its_neighbour_answers(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    int first = client(&b), second = client(&b);
    world_power_off(b.worlds[0]);
    assert_int_equal(send(first, read_magic[0], 12, 0), 12);
    assert_int_equal(send(second, read_magic[1], 12, 0), 12);
    turn(&b, 10);
    assert_int_equal(waiting_bytes(first), -1);
    assert_int_equal(waiting_bytes(second), 11);
    world_power_on(b.worlds[0]);
    turn(&b, 30);
    close(first);
    first = client(&b);
    assert_int_equal(send(first, read_magic[0], 12, 0), 12);
    turn(&b, 10);
    assert_int_equal(waiting_bytes(first), 11);
    assert_true(b.flushed > 0);
    close(first);
    close(second);
    bench_close(&b);
}

/* ---- faults of the line ---- */

/* Sends the read request of machine 1 under a transaction id and lets a millisecond pass. */
static void ask(struct bench *b, int fd, uint8_t id)
{
    uint8_t frame[12];
    memcpy(frame, read_magic[0], sizeof frame);
    frame[1] = id;
    assert_int_equal(send(fd, frame, sizeof frame, MSG_NOSIGNAL), sizeof frame);
    turn(b, 1);
}

static void every_fault_of_the_line_does_what_its_row_says(void **state)
{
    (void)state;
    static const struct {
        enum sim_fault fault;
        int at_once;  /* bytes a millisecond after the request; -1 closed */
        int later;    /* and beyond the time-out of a late answer */
        int next;     /* bytes that a second request on the same connection brings; -1 closed */
        uint8_t id;   /* low byte of the first answer's transaction id */
        uint8_t code; /* exception in the first answer, 0 none */
    } rows[] = {
        {SIM_LOSE_REQUEST, 0, 0, 11, 0, 0}, {SIM_LOSE_ANSWER, 0, 0, 11, 0, 0},
        {SIM_LATE_ANSWER, 0, 11, 11, 7, 0}, {SIM_REPEAT_REQUEST, 11, 0, 11, 7, 0},
        {SIM_RESET_LINK, -1, -1, -1, 0, 0}, {SIM_TEAR_REQUEST, 0, 0, 11, 0, 0},
        {SIM_TEAR_ANSWER, 5, 0, 11, 7, 0},  {SIM_BUSY, 9, 0, 11, 7, 6},
        {SIM_GATEWAY, 9, 0, 11, 7, 0x0B},   {SIM_WRONG_ID, 11, 0, 11, 8, 0},
        {SIM_HALF_OPEN, 0, 0, 0, 0, 0},     {SIM_GLUE, 0, 0, 22, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench b;
        uint8_t bytes[64] = {0};
        bench_open(&b);
        int fd = client(&b), other = client(&b);
        assert_true(server_fail(b.server, 0, rows[i].fault, 1));
        ask(&b, fd, 7);
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK);
        assert_int_equal(waiting_bytes(fd), rows[i].at_once);
        if (rows[i].later > 0) {
            turn(&b, SERVER_LATE_MS);
            got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK);
        }
        if (rows[i].later >= 0)
            assert_int_equal(waiting_bytes(fd), rows[i].later);
        if (got > 0)
            assert_int_equal(bytes[1], rows[i].id);
        if (rows[i].code) {
            assert_int_equal(bytes[7], 0x83);
            assert_int_equal(bytes[8], rows[i].code);
        }
        if (rows[i].next >= 0) {
            ask(&b, fd, 20);
            assert_int_equal(waiting_bytes(fd), rows[i].next);
        }
        ask(&b, other, 30); /* nobody else is troubled */
        assert_int_equal(waiting_bytes(other), 11);
        close(fd);
        close(other);
        bench_close(&b);
    }
}

static void an_answer_may_come_one_byte_at_a_time(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    int fd = client(&b), pieces = 0, bytes = 0;
    assert_true(server_fail(b.server, 0, SIM_DRIP, 1));
    ask(&b, fd, 1);
    for (int i = 0; i < 100 && bytes < 11; i++) {
        uint8_t some[16];
        ssize_t got = recv(fd, some, sizeof some, MSG_DONTWAIT);
        pieces += got > 0;
        bytes += got > 0 ? (int)got : 0;
        turn(&b, SERVER_DRIP_MS);
    }
    assert_int_equal(bytes, 11);
    assert_true(pieces >= 10);
    close(fd);
    bench_close(&b);
}

static void planned_faults_meet_their_request_and_have_a_bound(void **state)
{
    (void)state;
    struct line_faults faults = {0};
    for (unsigned i = 0; i < LINE_FAULTS_PLANNED; i++)
        assert_true(line_faults_plan(&faults, SIM_BUSY, 2 + i));
    assert_false(line_faults_plan(&faults, SIM_BUSY, 1)); /* no room */
    assert_int_equal(line_faults_next(&faults), SIM_NO_FAULT);
    assert_int_equal(line_faults_next(&faults), SIM_BUSY);
    assert_true(line_faults_plan(&faults, SIM_DRIP, LINE_FAULTS_PLANNED));
}

static void answers_take_their_time_in_their_order(void **state)
{
    (void)state;
    struct bench b;
    bench_open_as(&b, 5, 20, 0);
    int fd = client(&b);
    for (uint8_t id = 1; id <= 3; id++) {
        uint8_t frame[12];
        memcpy(frame, read_magic[0], sizeof frame);
        frame[1] = id;
        assert_int_equal(send(fd, frame, sizeof frame, 0), sizeof frame);
    }
    turn(&b, 4);
    uint8_t bytes[33];
    assert_int_equal(recv(fd, bytes, sizeof bytes, MSG_DONTWAIT), -1);
    for (int i = 0; i < 20; i++)
        turn(&b, 1);
    assert_int_equal(recv(fd, bytes, sizeof bytes, MSG_DONTWAIT), 33);
    assert_true(bytes[1] == 1 && bytes[12] == 2 && bytes[23] == 3);
    close(fd);
    bench_close(&b);
}

static void a_small_machine_takes_four_connections(void **state)
{
    (void)state;
    struct bench b;
    int fds[5];
    bench_open_as(&b, 0, 0, 4);
    for (int i = 0; i < 5; i++)
        fds[i] = client(&b);
    assert_int_equal(waiting_bytes(fds[4]), -1);
    ask(&b, fds[3], 1);
    assert_int_equal(waiting_bytes(fds[3]), 11);
    for (int i = 0; i < 5; i++)
        close(fds[i]);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_frame_is_closed_after_its_time),
        cmocka_unit_test(a_steady_client_in_pieces_is_not_closed),
        cmocka_unit_test(a_machine_without_power_closes_and_its_neighbour_answers),
        cmocka_unit_test(every_fault_of_the_line_does_what_its_row_says),
        cmocka_unit_test(an_answer_may_come_one_byte_at_a_time),
        cmocka_unit_test(planned_faults_meet_their_request_and_have_a_bound),
        cmocka_unit_test(answers_take_their_time_in_their_order),
        cmocka_unit_test(a_small_machine_takes_four_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
