/* SPDX-License-Identifier: Apache-2.0 */
/* Raw sockets against sachet-sim: exceptions, half frames, many in one segment, floods, a hundred clients. */
#include "tests/e2e/hw/sim_process.h"

static struct scratch scratch;
static struct sim_process sim;

static int start(void **state)
{
    (void)state;
    scratch_init(&scratch);
    const char *const args[] = {"--machines", "3", "--speed", "100", NULL};
    sim_start(&sim, &scratch, args);
    usleep(200000); /* the boot takes 80 ms at this speed */
    return 0;
}

static int end(void **state)
{
    (void)state;
    int status = sim_end(&sim, SIGTERM);
    scratch_finish(&scratch);
    return status;
}

static void read_request(uint8_t frame[12], uint16_t id, uint8_t unit, uint16_t address, uint16_t count)
{
    const uint8_t bytes[12] = {
        (uint8_t)(id >> 8),    (uint8_t)id,   0, 0, 0, 6, unit, 3, (uint8_t)(address >> 8), (uint8_t)address,
        (uint8_t)(count >> 8), (uint8_t)count};
    memcpy(frame, bytes, sizeof bytes);
}

static void expect_identity(int fd, uint16_t id, uint8_t unit)
{
    uint8_t frame[12], answer[41];
    read_request(frame, id, unit, 0, 16);
    tcp_write(fd, frame, sizeof frame);
    assert_int_equal(tcp_read(fd, answer, sizeof answer, 2000), sizeof answer);
    assert_memory_equal(answer, frame, 4);
    assert_int_equal(answer[6], unit);
    assert_int_equal(answer[9 + 11], '0' + unit); /* last but one byte of the serial number: SIM0000N */
}

static void expect_exception(int fd, const uint8_t *pdu, size_t len, uint8_t unit, uint8_t exception)
{
    uint8_t frame[260] = {0, 9, 0, 0, 0, (uint8_t)(len + 1), unit};
    uint8_t answer[9];
    memcpy(frame + 7, pdu, len);
    tcp_write(fd, frame, 7 + len);
    assert_int_equal(tcp_read(fd, answer, sizeof answer, 2000), sizeof answer);
    assert_int_equal(answer[7], pdu[0] | 0x80);
    assert_int_equal(answer[8], exception);
}

static void units_are_machines_and_exceptions_are_modbus(void **state)
{
    (void)state;
    int fd = tcp_open(sim.port);
    for (uint8_t unit = 1; unit <= 3; unit++)
        expect_identity(fd, unit, unit);
    const uint8_t read_nothing[] = {3, 0, 100, 0, 1};
    expect_exception(fd, read_nothing, 5, 1, 2);
    expect_exception(fd, read_nothing, 5, 4, 0x0B);
    expect_exception(fd, read_nothing, 5, 0, 0x0B);
    const uint8_t too_many[] = {3, 0, 0, 0, 200};
    expect_exception(fd, too_many, 5, 1, 3);
    const uint8_t no_function[] = {99};
    expect_exception(fd, no_function, 1, 1, 1);
    uint8_t mailbox[6 + 224] = {16, 0, 128, 0, 112, 224};
    struct profile profile;
    rig_profile(&profile);
    struct machine_job job = rig_job(1);
    uint16_t registers[MAP_BLOCK_MAX];
    map_encode_mailbox(&profile, &job, 5, registers, NULL);
    for (int i = 0; i < 112; i++) {
        mailbox[6 + 2 * i] = (uint8_t)(registers[i] >> 8);
        mailbox[7 + 2 * i] = (uint8_t)registers[i];
    }
    expect_exception(fd, mailbox, sizeof mailbox, 1, 6);
    close(fd);
}

static void frames_may_come_in_pieces_or_many_at_once(void **state)
{
    (void)state;
    int fd = tcp_open(sim.port);
    uint8_t frame[12], answer[41];
    read_request(frame, 1, 2, 0, 16);
    for (size_t i = 0; i < sizeof frame; i++) {
        tcp_write(fd, frame + i, 1);
        usleep(1000);
    }
    assert_int_equal(tcp_read(fd, answer, sizeof answer, 2000), sizeof answer);
    uint8_t many[100 * 12];
    for (uint16_t i = 0; i < 100; i++)
        read_request(many + 12 * i, i, (uint8_t)(1 + i % 3), 0, 16);
    tcp_write(fd, many, sizeof many);
    for (uint16_t i = 0; i < 100; i++) {
        assert_int_equal(tcp_read(fd, answer, sizeof answer, 2000), sizeof answer);
        assert_int_equal(answer[0] << 8 | answer[1], i); /* in order */
    }
    close(fd);
}

static void a_broken_frame_closes_only_its_connection(void **state)
{
    (void)state;
    int good = tcp_open(sim.port);
    static const uint8_t broken[][8] = {
        {0, 1, 0, 1, 0, 6, 1, 3}, /* another protocol */
        {0, 1, 0, 0, 0, 0, 1, 3}, /* too short to be one */
        {0, 1, 0, 0, 1, 0, 1, 3}, /* too long to be one */
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        uint8_t byte;
        int bad = tcp_open(sim.port);
        tcp_write(bad, broken[i], sizeof broken[i]);
        struct pollfd waiting = {.fd = bad, .events = POLLIN};
        assert_int_equal(poll(&waiting, 1, 2000), 1);
        assert_true(recv(bad, &byte, 1, 0) <= 0);
        close(bad);
        expect_identity(good, 7, 1);
    }
    close(good);
}

static int64_t worst_identity_ms(int fd, int times)
{
    int64_t worst_ms = 0;
    for (int i = 0; i < times; i++) {
        int64_t begin_ms = clock_mono_ms(clock_system());
        expect_identity(fd, (uint16_t)i, 1);
        int64_t took_ms = clock_mono_ms(clock_system()) - begin_ms;
        worst_ms = took_ms > worst_ms ? took_ms : worst_ms;
    }
    return worst_ms;
}

static void half_frames_floods_and_a_hundred_clients_stall_nobody(void **state)
{
    (void)state;
    enum { HALF = 60, IDLE = 40, FLOOD = 4 };
    int fds[HALF + IDLE + FLOOD];
    for (int i = 0; i < HALF + IDLE + FLOOD; i++)
        fds[i] = tcp_open(sim.port);
    for (int i = 0; i < HALF; i++)
        tcp_write(fds[i], "\0\1\0\0\0\6\1", 7);
    /* These ask and never read: answers pile up until the server stops listening to them. */
    static uint8_t flood[12 * 2000];
    for (uint16_t i = 0; i < 2000; i++)
        read_request(flood + 12 * i, i, 1, 0, 64);
    for (int i = HALF + IDLE; i < HALF + IDLE + FLOOD; i++) {
        for (int k = 0; k < 50; k++)
            (void)!send(fds[i], flood, sizeof flood, MSG_NOSIGNAL | MSG_DONTWAIT); /* until it is full */
    }
    int good = tcp_open(sim.port);
    int64_t worst_ms = worst_identity_ms(good, 200);
    print_message("worst answer beside the abuse: %d ms\n", (int)worst_ms);
    assert_in_range(worst_ms, 0, 500);
    close(good);
    for (int i = 0; i < HALF + IDLE + FLOOD; i++)
        close(fds[i]);
}

static void more_connections_than_the_limit_are_closed_at_once(void **state)
{
    (void)state;
    enum { MANY = 320 };
    int fds[MANY];
    for (int i = 0; i < MANY; i++)
        fds[i] = tcp_open(sim.port);
    usleep(100000);
    int closed = 0;
    for (int i = 0; i < MANY; i++) {
        uint8_t byte;
        closed += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0;
    }
    assert_in_range(closed, 10, MANY - 250);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    usleep(100000);
    int good = tcp_open(sim.port);
    expect_identity(good, 1, 1);
    close(good);
}

static void mbpoll_reads_and_writes(void **state)
{
    (void)state;
    if (system("command -v mbpoll >/dev/null 2>&1") != 0) {
        print_message("mbpoll is not installed: skipped\n");
        skip();
    }
    char command[256];
    (void)snprintf(command, sizeof command,
                   "mbpoll -1 -0 -q -p %u -a 2 -t 4 -r 0 -c 2 127.0.0.1 | grep -q '21315'", sim.port);
    assert_int_equal(system(command), 0);
    (void)snprintf(command, sizeof command,
                   "mbpoll -1 -0 -q -p %u -a 2 -t 4 -r 130 127.0.0.1 42 43 >/dev/null", sim.port);
    assert_int_equal(system(command), 0);
    (void)snprintf(command, sizeof command,
                   "mbpoll -1 -0 -q -p %u -a 2 -t 4 -r 130 -c 2 127.0.0.1 | grep -q '43'", sim.port);
    assert_int_equal(system(command), 0);
    (void)snprintf(command, sizeof command,
                   "mbpoll -1 -0 -q -p %u -a 2 -t 4 -r 0 127.0.0.1 1 2>&1 | grep -qi 'illegal data address'",
                   sim.port);
    assert_int_equal(system(command), 0);
}

/* "> 0001..." into bytes; their number. */
static size_t read_hex(const char *line, uint8_t *bytes, size_t most)
{
    size_t len = 0;
    unsigned value;
    for (const char *at = line + 2; len < most && sscanf(at, "%2x", &value) == 1; at += 2)
        bytes[len++] = (uint8_t)value;
    return len;
}

/* What others' clients said once is answered as it was then: same transaction, same function or exception,
 * as many bytes. They spoke with machine 1 and its first jobs; here it is machine 3. */
static void recorded_clients_are_answered_as_recorded(void **state)
{
    (void)state;
    char line[1024];
    FILE *file = fopen(FRAMES, "r");
    assert_non_null(file);
    int fd = tcp_open(sim.port), asked = 0, exceptions = 0;
    uint8_t request[300] = {0}, wanted[300], answer[300];
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '>') {
            size_t len = read_hex(line, request, sizeof request);
            request[6] = 3;
            tcp_write(fd, request, len);
            asked++;
        } else if (line[0] == '<') {
            size_t len = read_hex(line, wanted, sizeof wanted);
            assert_int_equal(tcp_read(fd, answer, len, 2000), len);
            assert_memory_equal(answer, wanted, 6);
            assert_int_equal(answer[6], 3);
            assert_int_equal(answer[7], wanted[7]);
            if (wanted[7] & 0x80) {
                assert_int_equal(answer[8], wanted[8]);
                exceptions++;
            }
        }
    }
    fclose(file);
    close(fd);
    assert_int_equal(asked, 20);
    assert_int_equal(exceptions, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_are_machines_and_exceptions_are_modbus),
        cmocka_unit_test(frames_may_come_in_pieces_or_many_at_once),
        cmocka_unit_test(a_broken_frame_closes_only_its_connection),
        cmocka_unit_test(half_frames_floods_and_a_hundred_clients_stall_nobody),
        cmocka_unit_test(more_connections_than_the_limit_are_closed_at_once),
        cmocka_unit_test(mbpoll_reads_and_writes),
        cmocka_unit_test(recorded_clients_are_answered_as_recorded),
    };
    return cmocka_run_group_tests(tests, start, end);
}
