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

static void bench_open(struct bench *b)
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
                                         .flush = count_flush,
                                         .flush_data = b};
    b->server = server_create(&params, &err);
    if (!b->server)
        fail_msg("%s", err.message);
    turn(b, 30); /* boots */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_frame_is_closed_after_its_time),
        cmocka_unit_test(a_steady_client_in_pieces_is_not_closed),
        cmocka_unit_test(a_machine_without_power_closes_and_its_neighbour_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
