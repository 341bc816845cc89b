/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A serial line with two machines on it: a pseudo-terminal whose far end is a slave on its own thread that
 * misbehaves as told. Nothing that comes late, twice, damaged or from someone else may be taken for an
 * answer.
 */
#include "tests/unit/hw/map_rig.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <termios.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/crc.h"
#include "hw/machine.h"
#include "hw/modbus/bus.h"
#include "hw/modbus/modbus_machine.h"
#include "hw/sim/image.h"

enum { UNITS = 2, ADU_BYTES = 1 + IMAGE_PDU_MAX + 2, RESPONSE_MS = 80, LATE_MS = 80 };

static struct profile profile;

enum misdeed {
    MISDEED_NONE,
    MISDEED_SILENT,   /* does the request, never answers */
    MISDEED_LATE,     /* answers after the time-out */
    MISDEED_HOLD,     /* answers only when the next request with an answer of the same length has come, before
                         that one's own answer: later than anybody expects */
    MISDEED_SWAP,     /* answers only instead of the fourth answer from now, whatever its length */
    MISDEED_TWICE,    /* the answer comes two times */
    MISDEED_NOISE,    /* a flipped bit */
    MISDEED_SHORT,    /* half an answer */
    MISDEED_IMPOSTER, /* the answer carries another unit */
    MISDEED_CHATTER,  /* bytes that belong to nothing, before the answer's turn */
};

struct slave {
    int fd;      /* far end */
    int kept_fd; /* near end, open so that the line exists while nobody uses it */
    char device[64];
    pthread_t thread;
    struct rig rigs[UNITS];
    struct image images[UNITS];
    pthread_mutex_t lock; /* over all below, and the worlds */
    enum misdeed misdeed; /* of the next request only */
    bool dead[UNITS];
    bool noisy[UNITS]; /* each of its answers is damaged */
    bool stop;
    unsigned requests[UNITS];
    uint8_t held[ADU_BYTES];
    size_t held_len;
    bool swallows;
    unsigned swallow_in; /* answers */
};

static void put_bytes(struct slave *s, const uint8_t *bytes, size_t len)
{
    (void)!write(s->fd, bytes, len); /* the line may be gone on purpose */
}

static size_t close_frame(uint8_t *frame, size_t len)
{
    uint16_t crc = crc16(frame, len);
    frame[len] = (uint8_t)(crc & 0xFF); /* low byte first on a serial line */
    frame[len + 1] = (uint8_t)(crc >> 8);
    return len + 2;
}

static void misbehave_with(struct slave *s, enum misdeed misdeed, uint8_t *answer, size_t len)
{
    switch (misdeed) {
    case MISDEED_NONE:
        break;
    case MISDEED_SILENT:
        return;
    case MISDEED_LATE:
        usleep((RESPONSE_MS + 30 + LATE_MS / 2) * 1000); /* 23 ms of them are the characters */
        break;
    case MISDEED_HOLD:
    case MISDEED_SWAP:
        memcpy(s->held, answer, len);
        s->held_len = len;
        s->swallows = misdeed == MISDEED_SWAP;
        s->swallow_in = s->swallows ? 4 : 0; /* identity, control, mirror come between */
        return;
    case MISDEED_TWICE:
        put_bytes(s, answer, len);
        break;
    case MISDEED_NOISE:
        answer[len / 2] ^= 4;
        break;
    case MISDEED_SHORT:
        len /= 2;
        break;
    case MISDEED_IMPOSTER:
        answer[0] ^= 3;
        close_frame(answer, len - 2);
        break;
    case MISDEED_CHATTER:
        put_bytes(s, answer, len);
        put_bytes(s, (const uint8_t *)"\1\3\x55", 3);
        return;
    }
    put_bytes(s, answer, len);
}

static void answer_frame(struct slave *s, const uint8_t *frame, size_t len)
{
    uint8_t answer[ADU_BYTES];
    unsigned unit = frame[0];
    if (len < 4 || crc16(frame, len) != 0 || unit < 1 || unit > UNITS) /* a right CRC leaves nothing */
        return;
    pthread_mutex_lock(&s->lock);
    s->requests[unit - 1]++;
    if (s->dead[unit - 1]) {
        pthread_mutex_unlock(&s->lock);
        return;
    }
    struct rig *rig = &s->rigs[unit - 1];
    rig->now_us += 10000;
    size_t got = image_answer(&s->images[unit - 1], rig->now_us, frame + 1, len - 3, answer + 1);
    enum misdeed misdeed = s->noisy[unit - 1] ? MISDEED_NOISE : s->misdeed;
    s->misdeed = MISDEED_NONE;
    pthread_mutex_unlock(&s->lock);
    if (got == 0)
        return;
    answer[0] = (uint8_t)unit;
    got = close_frame(answer, got + 1);
    if (s->held_len > 0 && misdeed == MISDEED_NONE &&
        (s->swallow_in ? --s->swallow_in == 0 : s->held_len == got)) {
        bool lost = s->swallows;
        put_bytes(s, s->held, s->held_len);
        s->held_len = 0;
        if (lost)
            return;
        usleep(8000);
    }
    misbehave_with(s, misdeed, answer, got);
}

static bool stops(struct slave *s)
{
    pthread_mutex_lock(&s->lock);
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    return stop;
}

static void *run_slave(void *data)
{
    struct slave *s = data;
    uint8_t frame[ADU_BYTES];
    size_t len = 0;
    while (!stops(s)) {
        struct pollfd line = {.fd = s->fd, .events = POLLIN};
        if (poll(&line, 1, len > 0 ? 3 : 20) == 0) { /* silence ends a frame */
            if (len > 0)
                answer_frame(s, frame, len);
            len = 0;
            continue;
        }
        ssize_t got = read(s->fd, frame + len, sizeof frame - len);
        if (got < 0)
            return NULL;
        len += (size_t)got;
    }
    return NULL;
}

static void line_open(struct slave *s)
{
    memset(s, 0, sizeof *s);
    s->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(s->fd >= 0 && grantpt(s->fd) == 0 && unlockpt(s->fd) == 0);
    assert_int_equal(ptsname_r(s->fd, s->device, sizeof s->device), 0);
    s->kept_fd = open(s->device, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(s->kept_fd >= 0);
    struct termios raw;
    tcgetattr(s->kept_fd, &raw);
    cfmakeraw(&raw);
    tcsetattr(s->kept_fd, TCSANOW, &raw);
    pthread_mutex_init(&s->lock, NULL);
    for (unsigned i = 0; i < UNITS; i++) {
        struct world_params params = rig_params();
        params.index = i;
        params.serial[7] = (char)('1' + i);
        params.bays = 40;
        rig_init(&s->rigs[i], params);
        rig_wait(&s->rigs[i], 20);
        image_init(&s->images[i], &profile, s->rigs[i].world, IMAGE_SCAN_US);
    }
    assert_int_equal(pthread_create(&s->thread, NULL, run_slave, s), 0);
}

static void line_close(struct slave *s)
{
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    if (s->kept_fd >= 0)
        close(s->kept_fd);
    if (s->fd >= 0)
        close(s->fd);
    for (unsigned i = 0; i < UNITS; i++)
        rig_finish(&s->rigs[i]);
    pthread_mutex_destroy(&s->lock);
}

static void misbehave(struct slave *s, enum misdeed misdeed)
{
    pthread_mutex_lock(&s->lock);
    s->misdeed = misdeed;
    pthread_mutex_unlock(&s->lock);
}

static void set_ill(struct slave *s, bool *ill, bool is)
{
    pthread_mutex_lock(&s->lock);
    *ill = is;
    pthread_mutex_unlock(&s->lock);
}

/* ---- the controller's end ---- */

struct master {
    struct bus *bus;
    struct machine *machines[UNITS];
};

static void master_open(struct master *m, const struct slave *s)
{
    struct error err = {0};
    const struct bus_params line = {
        .clock = clock_system(), .device = s->device, .baud = 115200, .parity = 'E', .seed = 5};
    m->bus = bus_create(&line, &err);
    if (!m->bus)
        fail_msg("%s", err.message);
    for (uint8_t i = 0; i < UNITS; i++) {
        const struct modbus_machine_params params = {
            .profile = &profile, .clock = clock_system(), .bus = m->bus, .unit = (uint8_t)(i + 1)};
        m->machines[i] = modbus_machine_create(&params, &err);
        if (!m->machines[i])
            fail_msg("%s", err.message);
    }
}

static void master_close(struct master *m)
{
    for (unsigned i = 0; i < UNITS; i++)
        machine_destroy(m->machines[i]);
    bus_destroy(m->bus);
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
    return (struct machine_request){.kind = kind};
}

static struct machine_request bays_request(uint16_t first)
{
    return (struct machine_request){.kind = MACHINE_READ_BAYS, .bay = first};
}

static struct machine_request control_request(uint32_t session, uint16_t nonce)
{
    return (struct machine_request){.kind = MACHINE_CONTROL,
                                    .control = {.nonce = nonce, .session = session, .heartbeat = nonce}};
}

static struct machine_request put_request(uint32_t seq)
{
    return (struct machine_request){.kind = MACHINE_PUT_JOB, .job = rig_job(seq)};
}

static void connect_or_fail(struct machine *machine, uint32_t session, uint16_t nonce)
{
    assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, 0);
    assert_int_equal(ask(machine, control_request(session, nonce)).code, 0);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).status.nonce, nonce);
}

static struct machine_counters counters_of(struct machine *machine)
{
    struct machine_counters counters;
    machine_counters(machine, &counters);
    return counters;
}

/* ---- */

static void two_machines_work_on_one_line(void **state)
{
    (void)state;
    struct slave slave;
    struct master m;
    line_open(&slave);
    master_open(&m, &slave);
    for (unsigned i = 0; i < UNITS; i++) {
        struct machine *machine = m.machines[i];
        assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).code, E_LINK);
        struct machine_answer answer = ask(machine, plain(MACHINE_IDENTIFY));
        assert_int_equal(answer.code, 0);
        assert_int_equal(answer.identity.serial[7], '1' + (int)i);
        connect_or_fail(machine, 4 + i, (uint16_t)(70 + i));
        assert_int_equal(ask(machine, put_request(1)).code, 0);
        answer = ask(machine, plain(MACHINE_READ_STATUS));
        assert_int_equal(answer.status.accepted, 1);
        assert_int_equal(answer.status.session, 4 + i);
        assert_int_equal(ask(machine, (struct machine_request){.kind = MACHINE_READ_RESULT, .seq = 1}).code,
                         E_NOT_FOUND);
        assert_int_equal(ask(machine, control_request(3, 90)).code, E_FENCED);
        uint16_t bay = 0, pages = 0;
        for (uint16_t before = 0; bay < 40; pages++) {
            answer = ask(machine, bays_request(bay));
            assert_int_equal(answer.code, 0);
            assert_true(answer.bays.count != before); /* an answer never fits the next page */
            before = answer.bays.count;
            for (uint16_t k = 0; k < answer.bays.count; k++)
                assert_int_equal(answer.bays.rows[k].canister, 1000 * i + 1 + bay + k);
            bay = (uint16_t)(bay + answer.bays.count);
        }
        assert_int_equal(pages, 3);
    }
    master_close(&m);
    line_close(&slave);
}

/* A damaged or missing answer is UNKNOWN and ends this machine's link; the other's goes on. */
static void a_broken_answer_is_unknown_and_ends_one_link(void **state)
{
    (void)state;
    static const struct {
        enum misdeed misdeed;
        int code;
    } rows[] = {
        {MISDEED_SILENT, E_TIMEOUT}, {MISDEED_LATE, E_TIMEOUT},   {MISDEED_NOISE, E_FRAME},
        {MISDEED_SHORT, E_TIMEOUT},  {MISDEED_IMPOSTER, E_FRAME},
    };
    struct slave slave;
    struct master m;
    line_open(&slave);
    master_open(&m, &slave);
    connect_or_fail(m.machines[1], 1, 7);
    uint32_t seq = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        connect_or_fail(m.machines[0], (uint32_t)i + 1, (uint16_t)(i + 1));
        misbehave(&slave, rows[i].misdeed);
        struct machine_answer answer = ask(m.machines[0], put_request(++seq));
        assert_int_equal(answer.code, rows[i].code);
        assert_int_equal(answer.did, MACHINE_UNKNOWN);
        answer = ask(m.machines[0], plain(MACHINE_READ_STATUS));
        assert_int_equal(answer.code, E_LINK);
        assert_int_equal(answer.did, MACHINE_NOT_DONE);
        assert_int_equal(ask(m.machines[1], plain(MACHINE_READ_STATUS)).code, 0);
        assert_int_equal(ask(m.machines[0], plain(MACHINE_IDENTIFY)).code, 0);
        assert_int_equal(ask(m.machines[0], plain(MACHINE_READ_STATUS)).status.accepted,
                         seq); /* it was done */
    }
    struct machine_counters counters = counters_of(m.machines[0]);
    assert_int_equal(counters.timeouts, 3);
    assert_int_equal(counters.frame_errors, 2);
    assert_true(counters.reconnects >= 9);
    assert_true(counters.worst_ms >= RESPONSE_MS && counters.p99_ms <= counters.worst_ms);
    assert_int_equal(counters_of(m.machines[1]).timeouts, 0);
    master_close(&m);
    line_close(&slave);
}

/* The mirror of before the last control block comes as the answer to a later question. */
static void an_old_mirror_is_never_handed_out(void **state)
{
    (void)state;
    struct slave slave;
    struct master m;
    line_open(&slave);
    master_open(&m, &slave);
    struct machine *machine = m.machines[0];
    connect_or_fail(machine, 1, 21);
    misbehave(&slave, MISDEED_HOLD);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).code, E_TIMEOUT);
    assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, 0);
    assert_int_equal(ask(machine, control_request(2, 22)).code, 0);
    assert_int_equal(ask(machine, put_request(1)).code, 0);
    struct machine_answer answer = ask(machine, plain(MACHINE_READ_STATUS)); /* here the old one comes */
    assert_int_equal(answer.code, 0);
    assert_int_equal(answer.status.nonce, 22);
    assert_int_equal(answer.status.session, 2);
    assert_int_equal(answer.status.accepted, 1);
    master_close(&m);
    line_close(&slave);
}

static void an_old_mirror_of_this_session_is_read_again(void **state)
{
    (void)state;
    struct slave slave;
    struct master m;
    line_open(&slave);
    master_open(&m, &slave);
    struct machine *machine = m.machines[0];
    connect_or_fail(machine, 1, 31);
    misbehave(&slave, MISDEED_TWICE);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).status.nonce, 31);
    for (uint16_t nonce = 32; nonce < 40; nonce++) {
        assert_int_equal(ask(machine, control_request(1, nonce)).code, 0);
        assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).status.nonce, nonce);
    }
    assert_int_equal(counters_of(machine).frame_errors, 0); /* the second copy was thrown away in time */
    misbehave(&slave, MISDEED_CHATTER);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).code, 0);
    assert_int_equal(ask(machine, plain(MACHINE_READ_STATUS)).code, 0);
    master_close(&m);
    line_close(&slave);
}

/* The page of other bays comes as the answer for these: a wrong canister map would fill wrong pouches. */
static void another_page_of_bays_is_never_taken_for_this_one(void **state)
{
    (void)state;
    static const enum misdeed rows[] = {MISDEED_HOLD, MISDEED_SWAP};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slave slave;
        struct master m;
        line_open(&slave);
        master_open(&m, &slave);
        struct machine *machine = m.machines[0];
        connect_or_fail(machine, 1, 40);
        misbehave(&slave, rows[i]);
        assert_int_equal(ask(machine, bays_request(0)).code, E_TIMEOUT);
        connect_or_fail(machine, 2, 41);
        struct machine_answer answer;
        unsigned wrong = 0;
        for (uint16_t at = 15; at < 40;) {
            answer = ask(machine, bays_request(at));
            if (answer.code != 0) { /* and asked again on a new link */
                wrong++;
                connect_or_fail(machine, 2 + wrong, (uint16_t)(50 + wrong));
                continue;
            }
            assert_int_equal(answer.bays.first, at);
            for (uint16_t k = 0; k < answer.bays.count; k++)
                assert_int_equal(answer.bays.rows[k].canister, 1 + at + k);
            at = (uint16_t)(at + answer.bays.count);
        }
        assert_int_equal(wrong, rows[i] == MISDEED_SWAP ? 1 : 0);
        master_close(&m);
        line_close(&slave);
    }
}

/* The other machine of the line works on beside one that is dead, or whose answers are noise. */
static void work_beside(bool dead)
{
    enum { RUN_MS = 800 };
    struct slave slave;
    struct master m;
    struct clock *clock = clock_system();
    line_open(&slave);
    master_open(&m, &slave);
    connect_or_fail(m.machines[1], 1, 7);
    bool *ill = dead ? &slave.dead[0] : &slave.noisy[0];
    set_ill(&slave, ill, true);
    submit(m.machines[0], plain(MACHINE_IDENTIFY));
    int64_t begin_ms = clock_mono_ms(clock), worst_ms = 0;
    unsigned served = 0;
    while (clock_mono_ms(clock) - begin_ms < RUN_MS) {
        int64_t at_ms = clock_mono_ms(clock);
        assert_int_equal(ask(m.machines[1], plain(MACHINE_READ_STATUS)).code, 0);
        int64_t took_ms = clock_mono_ms(clock) - at_ms;
        worst_ms = took_ms > worst_ms ? took_ms : worst_ms;
        served++;
        struct machine_answer answer;
        if (machine_poll(m.machines[0], &answer)) { /* it is asked again and again */
            assert_true(answer.code == E_TIMEOUT || answer.code == E_LINK ||
                        (!dead && answer.code == E_FRAME));
            assert_int_equal(answer.did, MACHINE_NOT_DONE);
            submit(m.machines[0], plain(MACHINE_IDENTIFY));
        }
    }
    pthread_mutex_lock(&slave.lock);
    unsigned tried = slave.requests[0];
    pthread_mutex_unlock(&slave.lock);
    print_message("beside a %s machine: %u answers, worst %d ms; it was tried %u times\n",
                  dead ? "dead" : "noisy", served, (int)worst_ms, tried);
    assert_in_range(tried, 2,
                    dead ? 3 : 6); /* 80 + 40 ms each, then ten times as long a rest; noise is sooner heard */
    assert_in_range(served, 20, RUN_MS); /* on a busy host; alone it is some 80 */
    assert_in_range(worst_ms, 1, 400);
    set_ill(&slave, ill, false);
    while (machine_poll(m.machines[0], &(struct machine_answer){.code = 0}) == false)
        usleep(1000);
    int64_t end_ms = clock_mono_ms(clock) + 4000; /* it comes back when its rest is over */
    while (ask(m.machines[0], plain(MACHINE_IDENTIFY)).code != 0) {
        assert_true(clock_mono_ms(clock) < end_ms);
        usleep(20000);
    }
    connect_or_fail(m.machines[0], 1, 9);
    master_close(&m);
    line_close(&slave);
}

static void a_dead_machine_takes_at_most_its_share(void **state)
{
    (void)state;
    work_beside(true);
}

static void a_noisy_machine_takes_at_most_its_share(void **state)
{
    (void)state;
    work_beside(false);
}

static void a_machine_that_booted_has_lost_its_link(void **state)
{
    (void)state;
    struct slave slave;
    struct master m;
    line_open(&slave);
    master_open(&m, &slave);
    connect_or_fail(m.machines[0], 1, 7);
    pthread_mutex_lock(&slave.lock);
    world_power_off(slave.rigs[0].world);
    world_power_on(slave.rigs[0].world);
    rig_wait(&slave.rigs[0], 50);
    pthread_mutex_unlock(&slave.lock);
    struct machine_answer answer = ask(m.machines[0], plain(MACHINE_READ_STATUS));
    assert_int_equal(answer.code, E_LINK);
    assert_int_equal(answer.did, MACHINE_NOT_DONE);
    connect_or_fail(m.machines[0], 2, 8);
    master_close(&m);
    line_close(&slave);
}

static void a_line_that_is_taken_or_gone_is_no_link(void **state)
{
    (void)state;
    struct slave slave;
    struct master m, other;
    line_open(&slave);
    master_open(&m, &slave);
    connect_or_fail(m.machines[0], 1, 7);
    master_open(&other, &slave);
    assert_int_equal(ask(other.machines[0], plain(MACHINE_IDENTIFY)).code, E_LINK); /* two masters */
    master_close(&other);
    connect_or_fail(m.machines[1], 1, 8);
    close(slave.kept_fd);
    slave.kept_fd = -1;
    pthread_mutex_lock(&slave.lock);
    slave.stop = true;
    pthread_mutex_unlock(&slave.lock);
    pthread_join(slave.thread, NULL);
    close(slave.fd); /* the adapter is pulled out */
    slave.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    for (unsigned i = 0; i < UNITS; i++) {
        struct machine_answer answer = ask(m.machines[i], plain(MACHINE_READ_STATUS));
        assert_int_equal(answer.code, E_LINK);
        assert_true(answer.did != MACHINE_DONE);
    }
    master_close(&m);
    pthread_create(&slave.thread, NULL, run_slave, &slave); /* for line_close */
    line_close(&slave);
}

static void wrong_lines_and_units_are_refused(void **state)
{
    (void)state;
    static const struct bus_params wrong[] = {
        {.device = "", .baud = 9600, .parity = 'N'},
        {.device = "/dev/null", .baud = 9601, .parity = 'N'},
        {.device = "/dev/null", .baud = 9600, .parity = 'X'},
        {.host = "somewhere", .port = 0},
    };
    struct error err = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_null(bus_create(&wrong[i], &err));
        assert_int_equal(err.code, E_ARG);
    }
    const struct bus_params line = {
        .clock = clock_system(), .device = "/nonexistent/tty", .baud = 9600, .parity = 'N'};
    struct bus *bus = bus_create(&line, &err);
    assert_non_null(bus);
    struct modbus_machine_params params = {
        .profile = &profile, .clock = clock_system(), .bus = bus, .unit = 9};
    struct machine *machine = modbus_machine_create(&params, &err);
    assert_non_null(machine);
    assert_null(modbus_machine_create(&params, &err));
    assert_int_equal(err.code, E_EXISTS);
    params.unit = 0;
    assert_null(modbus_machine_create(&params, &err));
    assert_int_equal(err.code, E_ARG);
    assert_int_equal(ask(machine, plain(MACHINE_IDENTIFY)).code, E_LINK);
    machine_destroy(machine);
    bus_destroy(bus);
}

static int set_up(void **state)
{
    (void)state;
    rig_profile(&profile);
    profile.response_timeout_ms = RESPONSE_MS; /* short, so that waiting for nothing is short */
    profile.byte_timeout_ms = 30;
    profile.late_ms = LATE_MS;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_machines_work_on_one_line),
        cmocka_unit_test(a_broken_answer_is_unknown_and_ends_one_link),
        cmocka_unit_test(an_old_mirror_is_never_handed_out),
        cmocka_unit_test(an_old_mirror_of_this_session_is_read_again),
        cmocka_unit_test(another_page_of_bays_is_never_taken_for_this_one),
        cmocka_unit_test(a_dead_machine_takes_at_most_its_share),
        cmocka_unit_test(a_noisy_machine_takes_at_most_its_share),
        cmocka_unit_test(a_machine_that_booted_has_lost_its_link),
        cmocka_unit_test(a_line_that_is_taken_or_gone_is_no_link),
        cmocka_unit_test(wrong_lines_and_units_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
