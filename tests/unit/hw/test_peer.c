/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hw/modbus against a machine by other hands: what it wrote and what npm's modbus-serial answered as a server
 * is recorded in peer/frames.txt and played back here, byte by byte. With a port the same dialogue is held
 * with a live one (peer/run).
 */
#include "tests/unit/hw/map_rig.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "hw/machine.h"
#include "hw/modbus/modbus_machine.h"

enum { FRAME_BYTES = 300, FRAMES_MAX = 64, WAIT_MS = 5000 };

static struct profile profile;
static uint16_t live_port;

struct frame {
    bool request;
    uint8_t bytes[FRAME_BYTES];
    size_t len;
};

/* The recorded machine: expects each request and gives the answer that was given. */
struct player {
    struct frame frames[FRAMES_MAX];
    size_t count;
    int fd;
    uint16_t port;
    pthread_t thread;
    char wrong[80]; /* read after the thread has ended */
    size_t played;
};

static void load(struct player *p)
{
    char line[2 * FRAME_BYTES + 8];
    FILE *file = fopen(FRAMES, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (line[0] != '>' && line[0] != '<')
            continue;
        assert_true(p->count < FRAMES_MAX);
        struct frame *f = &p->frames[p->count++];
        f->request = line[0] == '>';
        unsigned byte;
        for (const char *at = line + 2; sscanf(at, "%2x", &byte) == 1 && f->len < FRAME_BYTES; at += 2)
            f->bytes[f->len++] = (uint8_t)byte;
    }
    fclose(file);
    assert_true(p->count >= 14);
}

static void play(struct player *p, int fd)
{
    for (; p->played < p->count; p->played++) {
        const struct frame *f = &p->frames[p->played];
        uint8_t came[FRAME_BYTES];
        if (!f->request) {
            (void)!send(fd, f->bytes, f->len, MSG_NOSIGNAL); /* the other end says what is missing */
            continue;
        }
        ssize_t got = recv(fd, came, f->len, MSG_WAITALL);
        if (got == (ssize_t)f->len && memcmp(came, f->bytes, f->len) == 0)
            continue;
        (void)snprintf(p->wrong, sizeof p->wrong, "request %zu is not the recorded one (%zd bytes)",
                       p->played, got);
        return;
    }
}

static void *run_player(void *data)
{
    struct player *p = data;
    int fd = accept(p->fd, NULL, NULL);
    if (fd >= 0) {
        play(p, fd);
        close(fd);
    }
    return NULL;
}

static void player_open(struct player *p)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    memset(p, 0, sizeof *p);
    load(p);
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(p->fd >= 0 && bind(p->fd, (struct sockaddr *)&address, len) == 0 && listen(p->fd, 1) == 0);
    assert_int_equal(getsockname(p->fd, (struct sockaddr *)&address, &len), 0);
    p->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&p->thread, NULL, run_player, p), 0);
}

static void player_close(struct player *p)
{
    (void)shutdown(p->fd, SHUT_RDWR); /* ends an accept that nobody came to */
    pthread_join(p->thread, NULL);
    close(p->fd);
}

/* ---- the dialogue ---- */

static struct machine_answer ask(struct machine *machine, struct machine_request request)
{
    struct error err = {0};
    struct machine_answer answer;
    struct pollfd waiting = {.fd = machine_fd(machine), .events = POLLIN};
    request.id = 5;
    if (machine_check(machine, &request, &err) < 0 || machine_submit(machine, &request, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(poll(&waiting, 1, WAIT_MS), 1);
    assert_true(machine_poll(machine, &answer));
    return answer;
}

static struct machine_request plain(enum machine_request_kind kind)
{
    return (struct machine_request){.kind = kind};
}

static void look_around(struct machine *machine)
{
    struct machine_answer a = ask(machine, plain(MACHINE_IDENTIFY));
    assert_int_equal(a.code, 0);
    assert_string_equal(a.identity.serial, "PEER0001");
    assert_int_equal(a.identity.firmware, 0x0203);
    assert_int_equal(a.identity.bays, 5);
    assert_true((a.identity.caps & MACHINE_CAP_SIMULATED) != 0);
    const struct machine_request claim = {.kind = MACHINE_CONTROL,
                                          .control = {.nonce = 0xABCD, .session = 65539, .heartbeat = 1}};
    assert_int_equal(ask(machine, claim).code, 0);
    a = ask(machine, plain(MACHINE_READ_STATUS));
    assert_int_equal(a.code, 0);
    assert_int_equal(a.status.nonce, 0xABCD);
    assert_int_equal(a.status.session, 65539);
    assert_int_equal(a.status.boot, 65538);
    assert_int_equal(a.status.state, MACHINE_STATE_EXECUTE);
    assert_int_equal(a.status.film_mm, 300001);
    assert_int_equal(a.status.seal_actual_dc, 1500);
    assert_int_equal(a.status.first_alarm, MACHINE_ALARM_NONE);
    a = ask(machine, plain(MACHINE_READ_BAYS));
    assert_int_equal(a.code, 0);
    assert_int_equal(a.bays.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(a.bays.rows[i].canister, 70001 + i);
        assert_int_equal(a.bays.rows[i].level, 400 - i);
    }
}

static void make_one(struct machine *machine)
{
    const struct machine_request put = {.kind = MACHINE_PUT_JOB,
                                        .job = {.seq = 1,
                                                .hash = 0x12345678,
                                                .entry_count = 2,
                                                .entries = {{.bay = 0, .count = 1}, {.bay = 4, .count = 3}},
                                                .token = "1-1-0"}};
    assert_int_equal(ask(machine, put).code, 0);
    struct machine_answer a = ask(machine, plain(MACHINE_READ_STATUS));
    assert_int_equal(a.status.accepted, 1);
    assert_int_equal(a.status.done, 1);
    a = ask(machine, (struct machine_request){.kind = MACHINE_READ_RESULT, .seq = 1});
    assert_int_equal(a.code, 0);
    assert_int_equal(a.result.hash, 0x12345678);
    assert_int_equal(a.result.outcome, MACHINE_GOOD);
    assert_int_equal(a.result.boot, 65538);
    assert_int_equal(a.result.entry_count, 2);
    assert_int_equal(a.result.entries[1].requested, 3);
    assert_int_equal(a.result.entries[1].counted, 3);
    a = ask(machine, (struct machine_request){.kind = MACHINE_READ_RESULT, .seq = 2});
    assert_int_equal(a.code, E_NOT_FOUND);
}

static void a_machine_by_other_hands_is_read_and_written_right(void **state)
{
    (void)state;
    static struct player player;
    struct error err = {0};
    if (!live_port)
        player_open(&player);
    const struct modbus_machine_params params = {.profile = &profile,
                                                 .clock = clock_system(),
                                                 .host = "127.0.0.1",
                                                 .port = live_port ? live_port : player.port,
                                                 .unit = 1};
    struct machine *machine = modbus_machine_create(&params, &err);
    assert_non_null(machine);
    look_around(machine);
    make_one(machine);
    machine_destroy(machine);
    if (live_port)
        return;
    player_close(&player);
    assert_string_equal(player.wrong, "");
    assert_int_equal(player.played, player.count);
}

static int group_setup(void **state)
{
    (void)state;
    rig_profile(&profile);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_machine_by_other_hands_is_read_and_written_right),
    };
    live_port = argc > 1 ? (uint16_t)atoi(argv[1]) : 0;
    return cmocka_run_group_tests_name("peer", tests, group_setup, NULL);
}
