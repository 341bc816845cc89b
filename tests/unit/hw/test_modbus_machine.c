/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Modbus line against a server of the same process on its own thread, and against a server that
 * misbehaves as told.
 */
#include "tests/unit/hw/map_rig.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/log.h"
#include "hw/machine.h"
#include "hw/modbus/bus.h"
#include "hw/modbus/modbus_machine.h"
#include "hw/sim/image.h"

static struct profile profile;

/* ---- a slave behind a TCP socket that misbehaves as told; one connection at a time ---- */

enum misdeed {
    MISDEED_NONE,
    MISDEED_SILENT,   /* does the request, never answers */
    MISDEED_LATE,     /* answers after the time-out */
    MISDEED_WRONG_ID, /* another transaction id */
    MISDEED_SHORT,    /* half an answer, then nothing */
    MISDEED_RESET,    /* closes instead of answering */
    MISDEED_BAD_CRC,  /* a flipped bit in the block */
    MISDEED_SLOWLY,   /* one byte at a time: allowed */
    MISDEED_UNSURE,   /* exception 04 */
};

struct bad_server {
    int fd;
    uint16_t port;
    pthread_t thread;
    struct rig rig;
    struct image image;
    pthread_mutex_t lock; /* over misdeed and the world */
    enum misdeed misdeed; /* of the next request only */
    bool stop;
};

static bool read_whole(struct bad_server *s, int fd, uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        if (poll(&waiting, 1, 20) == 0) {
            pthread_mutex_lock(&s->lock);
            bool stop = s->stop;
            pthread_mutex_unlock(&s->lock);
            if (stop)
                return false;
            continue;
        }
        ssize_t got = recv(fd, bytes + at, len - at, 0);
        if (got <= 0)
            return false;
        at += (size_t)got;
    }
    return true;
}

static void send_bytes(int fd, const uint8_t *bytes, size_t len)
{
    (void)!send(fd, bytes, len, MSG_NOSIGNAL); /* the client may have closed on purpose */
}

/* False: the connection ends. */
static bool serve_one(struct bad_server *s, int fd)
{
    uint8_t frame[7 + IMAGE_PDU_MAX], answer[7 + IMAGE_PDU_MAX];
    if (!read_whole(s, fd, frame, 7) || !read_whole(s, fd, frame + 7, (size_t)frame[5] - 1))
        return false;
    pthread_mutex_lock(&s->lock);
    enum misdeed misdeed = s->misdeed;
    s->misdeed = MISDEED_NONE;
    s->rig.now_us += 10000;
    size_t len = image_answer(&s->image, s->rig.now_us, frame + 7, (size_t)frame[5] - 1, answer + 7);
    pthread_mutex_unlock(&s->lock);
    memcpy(answer, frame, 7);
    answer[5] = (uint8_t)(len + 1);
    len += 7;
    switch (misdeed) {
    case MISDEED_NONE:
        break;
    case MISDEED_SILENT:
        return true;
    case MISDEED_LATE:
        usleep(150000);
        break;
    case MISDEED_WRONG_ID:
        answer[1] ^= 1;
        break;
    case MISDEED_SHORT:
        send_bytes(fd, answer, len / 2);
        return true;
    case MISDEED_RESET:
        return false;
    case MISDEED_BAD_CRC:
        answer[12] ^= 1;
        break;
    case MISDEED_SLOWLY:
        for (size_t i = 0; i < len; i++) {
            send_bytes(fd, answer + i, 1);
            usleep(200);
        }
        return true;
    case MISDEED_UNSURE:
        answer[7] |= 0x80;
        answer[8] = 4;
        answer[5] = 3;
        len = 9;
        break;
    }
    send_bytes(fd, answer, len);
    return true;
}

static void *run_server(void *data)
{
    struct bad_server *s = data;
    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL; /* shut down */
        while (serve_one(s, fd)) {
        }
        close(fd);
    }
}

static void server_open(struct bad_server *s)
{
    memset(s, 0, sizeof *s);
    rig_init(&s->rig, rig_params());
    rig_wait(&s->rig, 20);
    image_init(&s->image, &profile, s->rig.world, IMAGE_SCAN_US);
    pthread_mutex_init(&s->lock, NULL);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&address, len) == 0 && listen(s->fd, 8) == 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&address, &len), 0);
    s->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, run_server, s), 0);
}

static void server_close(struct bad_server *s)
{
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    pthread_mutex_destroy(&s->lock);
    rig_finish(&s->rig);
}

static void misbehave(struct bad_server *s, enum misdeed misdeed)
{
    pthread_mutex_lock(&s->lock);
    s->misdeed = misdeed;
    pthread_mutex_unlock(&s->lock);
}

/* ---- the line ---- */

static struct machine *line_open(uint16_t port)
{
    const struct modbus_machine_params params = {
        .profile = &profile, .clock = clock_system(), .host = "127.0.0.1", .port = port, .unit = 1};
    struct error err = {0};
    struct machine *machine = modbus_machine_create(&params, &err);
    if (!machine)
        fail_msg("%s", err.message);
    return machine;
}

static void submit(struct machine *machine, struct machine_request request)
{
    struct error err = {0};
    if (machine_submit(machine, &request, &err) < 0)
        fail_msg("%s", err.message);
}

static struct machine_answer wait_answer(struct machine *machine)
{
    struct machine_answer answer;
    struct pollfd waiting = {.fd = machine_fd(machine), .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, 5000), 1);
    assert_true(machine_poll(machine, &answer));
    return answer;
}

static struct machine_answer ask(struct machine *machine, struct machine_request request)
{
    submit(machine, request);
    return wait_answer(machine);
}

static struct machine_request plain(enum machine_request_kind kind)
{
    return (struct machine_request){.kind = kind, .id = 3};
}

static struct machine_request control_request(uint32_t session)
{
    return (struct machine_request){.kind = MACHINE_CONTROL,
                                    .control = {.nonce = 77, .session = session, .heartbeat = 1}};
}

static struct machine_request put_request(uint32_t seq)
{
    return (struct machine_request){.kind = MACHINE_PUT_JOB, .job = rig_job(seq)};
}

static void every_request_works(void **state)
{
    (void)state;
    struct bad_server server;
    server_open(&server);
    struct machine *machine = line_open(server.port);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).code, E_LINK);
    struct machine_answer answer = ask(machine, plain(MACHINE_IDENTIFY));
    assert_int_equal(answer.code, 0);
    assert_string_equal(answer.identity.serial, "SIM00001");
    assert_int_equal(ask(machine, control_request(2)).code, 0);
    answer = ask(machine, plain(MACHINE_READ_STATUS));
    assert_int_equal(answer.status.nonce, 77);
    assert_int_equal(answer.status.session, 2);
    answer = ask(machine, put_request(1));
    assert_int_equal(answer.code, 0);
    assert_int_equal(answer.did, MACHINE_DONE);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).status.accepted, 1);
    answer = ask(machine, (struct machine_request){.kind = MACHINE_READ_BAYS, .bay = 15});
    assert_int_equal(answer.bays.count, 5);
    assert_int_equal(answer.bays.rows[4].canister, 20);
    answer = ask(machine, (struct machine_request){.kind = MACHINE_READ_RESULT, .seq = 1});
    assert_int_equal(answer.code, E_NOT_FOUND);
    struct machine_request bad = put_request(2);
    bad.job.entries[0].bay = 20;
    struct error err;
    assert_int_equal(machine_check(machine, &bad, &err), E_LIMIT);
    machine_destroy(machine);
    server_close(&server);
}

static void answers_come_in_order_and_the_queue_is_bounded(void **state)
{
    (void)state;
    struct bad_server server;
    server_open(&server);
    struct machine *machine = line_open(server.port);
    submit(machine, plain(MACHINE_IDENTIFY));
    for (uint32_t i = 1; i < MACHINE_QUEUE; i++) {
        struct machine_request request = plain(MACHINE_READ_STATUS);
        request.id = i;
        submit(machine, request);
    }
    struct machine_request more = plain(MACHINE_READ_STATUS);
    struct error err;
    assert_int_equal(machine_submit(machine, &more, &err), E_LIMIT);
    assert_int_equal(wait_answer(machine).kind, MACHINE_IDENTIFY);
    for (uint32_t i = 1; i < MACHINE_QUEUE; i++)
        assert_int_equal(wait_answer(machine).id, i);
    machine_destroy(machine);
    server_close(&server);
}

/* After each misdeed: UNKNOWN, link down, and a new connection that works and shows what really happened. */
static void a_broken_answer_is_unknown_and_closes_the_link(void **state)
{
    (void)state;
    static const struct {
        enum misdeed misdeed;
        int code;
    } rows[] = {
        {MISDEED_SILENT, E_TIMEOUT}, {MISDEED_LATE, E_TIMEOUT}, {MISDEED_WRONG_ID, E_FRAME},
        {MISDEED_SHORT, E_TIMEOUT},  {MISDEED_RESET, E_LINK},
    };
    struct bad_server server;
    server_open(&server);
    struct machine *machine = line_open(server.port);
    uint32_t seq = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, 0);
        assert_int_equal(ask(machine, control_request((uint32_t)i + 1)).code, 0);
        misbehave(&server, rows[i].misdeed);
        struct machine_answer answer = ask(machine, put_request(++seq));
        assert_int_equal(answer.code, rows[i].code);
        assert_int_equal(answer.did, MACHINE_UNKNOWN);
        answer = ask(machine, plain(MACHINE_READ_STATUS));
        assert_int_equal(answer.code, E_LINK);
        assert_int_equal(answer.did, MACHINE_NOT_DONE);
        assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, 0);
        assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).status.accepted, seq); /* it was done */
    }
    struct machine_counters counters;
    machine_counters(machine, &counters);
    assert_int_equal(counters.timeouts, 3);
    assert_int_equal(counters.frame_errors, 1);
    assert_true(counters.reconnects >= 9);
    assert_true(counters.worst_ms >= 100);
    machine_destroy(machine);
    server_close(&server);
}

static void a_damaged_block_closes_the_link_and_a_slow_one_does_not(void **state)
{
    (void)state;
    struct bad_server server;
    server_open(&server);
    struct machine *machine = line_open(server.port);
    assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, 0);
    misbehave(&server, MISDEED_SLOWLY);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).code, 0);
    misbehave(&server, MISDEED_BAD_CRC);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).code, E_FRAME);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).code, E_LINK);
    machine_destroy(machine);
    server_close(&server);
}

static void exceptions_are_told_apart(void **state)
{
    (void)state;
    struct bad_server server;
    server_open(&server);
    struct machine *machine = line_open(server.port);
    assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, 0);
    struct machine_answer answer =
        ask(machine, put_request(1)); /* no session yet: refused, nobody fences us */
    assert_int_equal(answer.code, E_DEVICE);
    assert_int_equal(answer.did, MACHINE_NOT_DONE);
    assert_int_equal(ask(machine, control_request(5)).code, 0);
    misbehave(&server, MISDEED_UNSURE);
    answer = ask(machine, put_request(1));
    assert_int_equal(answer.code, E_DEVICE);
    assert_int_equal(answer.did, MACHINE_UNKNOWN);
    struct machine_request far = control_request(5);
    far.control.retire = 99; /* above D: exception 03 */
    answer = ask(machine, far);
    assert_int_equal(answer.code, E_DEVICE);
    assert_int_equal(answer.did, MACHINE_NOT_DONE);
    answer = ask(machine, control_request(4)); /* an older session */
    assert_int_equal(answer.code, E_FENCED);
    assert_int_equal(answer.did, MACHINE_NOT_DONE);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).code, 0); /* the link is up all the time */
    machine_destroy(machine);
    server_close(&server);
}

static void nobody_at_the_other_end_is_no_link(void **state)
{
    (void)state;
    struct bad_server server;
    server_open(&server);
    uint16_t port = server.port;
    server_close(&server);
    struct machine *machine = line_open(port);
    struct machine_answer answer = ask(machine, plain(MACHINE_IDENTIFY));
    assert_int_equal(answer.code, E_LINK);
    assert_int_equal(answer.did, MACHINE_NOT_DONE);
    machine_destroy(machine);
}

static void another_map_is_a_mismatch(void **state)
{
    (void)state;
    struct bad_server server;
    server_open(&server);
    struct profile mine = profile;
    profile.magic++;
    struct machine *machine = line_open(server.port); /* copies the profile */
    profile = mine;
    assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, E_MISMATCH);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).code, E_LINK);
    machine_destroy(machine);
    server_close(&server);
}

static void a_mailbox_in_pieces_gets_through(void **state)
{
    (void)state;
    struct bad_server server;
    server_open(&server);
    uint16_t whole = profile.write_max;
    profile.write_max = 20;
    struct machine *machine = line_open(server.port);
    profile.write_max = whole;
    assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, 0);
    assert_int_equal(ask(machine, control_request(1)).code, 0);
    assert_int_equal(ask(machine, put_request(1)).code, 0);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).status.accepted, 1);
    machine_destroy(machine);
    server_close(&server);
}

static int64_t mono_ms(void)
{
    return clock_mono_ms(clock_system());
}

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* Requests that left within so long, of which the owner knows nothing; it polls or not. */
static int count_kept(struct machine *machine, bool polls, int64_t ms)
{
    struct machine_answer answer;
    struct machine_counters before, after;
    machine_counters(machine, &before);
    for (int64_t end_ms = mono_ms() + ms; mono_ms() < end_ms; pause_ms(20))
        assert_false(polls && machine_poll(machine, &answer));
    machine_counters(machine, &after);
    return (int)(after.requests - before.requests);
}

static void an_owner_that_stalls_keeps_its_heartbeat_for_a_while(void **state)
{
    (void)state;
    struct bad_server server;
    struct machine_answer answer;
    server_open(&server);
    struct machine *machine = line_open(server.port);
    (void)ask(machine, plain(MACHINE_IDENTIFY));
    assert_int_equal(ask(machine, control_request(2)).code, 0);
    struct machine_status before = ask(machine, plain(MACHINE_READ_STATUS)).status;
    /* Who polls and writes nothing means it. */
    assert_int_equal(count_kept(machine, true, BUS_KEEP_AFTER_MS + 300), 0);
    /* Who stalls is kept up, and no longer than that. */
    assert_true(count_kept(machine, false, BUS_KEEP_MOST_MS + BUS_KEEP_AFTER_MS) >= 3);
    assert_int_equal(count_kept(machine, false, BUS_KEEP_AFTER_MS + 100), 0);
    assert_false(machine_poll(machine, &answer)); /* of which the owner hears nothing */
    struct machine_status after = ask(machine, plain(MACHINE_READ_STATUS)).status;
    assert_int_equal(after.nonce, before.nonce);
    assert_int_equal(after.command_seq, before.command_seq);
    assert_int_equal(after.retired, before.retired);
    assert_int_equal(after.session, before.session);
    machine_make_safe(machine);
    pause_ms(100);
    assert_int_equal(count_kept(machine, false, BUS_KEEP_AFTER_MS + 100), 0); /* nor after the end */
    machine_destroy(machine);
    server_close(&server);
}

static void making_safe_calls_off_what_waits(void **state)
{
    (void)state;
    struct bad_server server;
    server_open(&server);
    struct machine *machine = line_open(server.port);
    machine_make_safe(machine); /* in any state */
    assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, 0);
    assert_int_equal(ask(machine, control_request(1)).code, 0);
    misbehave(&server, MISDEED_LATE); /* holds the line for a moment */
    struct machine_request slow = plain(MACHINE_READ_STATUS);
    submit(machine, slow);
    submit(machine, put_request(1));
    submit(machine, put_request(2));
    usleep(20000);
    machine_make_safe(machine);
    assert_int_equal(wait_answer(machine).kind, MACHINE_READ_STATUS);
    for (int i = 0; i < 2; i++) {
        struct machine_answer answer = wait_answer(machine);
        assert_int_equal(answer.kind, MACHINE_PUT_JOB);
        assert_int_equal(answer.code, E_STATE);
        assert_int_equal(answer.did, MACHINE_NOT_DONE);
    }
    machine_destroy(machine);
    server_close(&server);
}

static void a_deadline_that_passed_in_the_queue_is_not_done(void **state)
{
    (void)state;
    struct bad_server server;
    server_open(&server);
    struct machine *machine = line_open(server.port);
    assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, 0);
    misbehave(&server, MISDEED_SILENT);
    submit(machine, plain(MACHINE_READ_STATUS));
    submit(machine, plain(MACHINE_IDENTIFY));
    struct machine_request request = put_request(1);
    request.deadline_ms = 20;
    submit(machine, request);
    assert_int_equal(wait_answer(machine).code, E_TIMEOUT);
    assert_int_equal(wait_answer(machine).code, 0);
    struct machine_answer answer = wait_answer(machine);
    assert_int_equal(answer.code, E_TIMEOUT);
    assert_int_equal(answer.did, MACHINE_NOT_DONE);
    machine_destroy(machine);
    server_close(&server);
}

static int set_up(void **state)
{
    (void)state;
    rig_profile(&profile);
    profile.response_timeout_ms = 100; /* short, so that waiting for nothing is short */
    profile.byte_timeout_ms = 50;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_works),
        cmocka_unit_test(answers_come_in_order_and_the_queue_is_bounded),
        cmocka_unit_test(a_broken_answer_is_unknown_and_closes_the_link),
        cmocka_unit_test(a_damaged_block_closes_the_link_and_a_slow_one_does_not),
        cmocka_unit_test(exceptions_are_told_apart),
        cmocka_unit_test(nobody_at_the_other_end_is_no_link),
        cmocka_unit_test(another_map_is_a_mismatch),
        cmocka_unit_test(a_mailbox_in_pieces_gets_through),
        cmocka_unit_test(an_owner_that_stalls_keeps_its_heartbeat_for_a_while),
        cmocka_unit_test(making_safe_calls_off_what_waits),
        cmocka_unit_test(a_deadline_that_passed_in_the_queue_is_not_done),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
