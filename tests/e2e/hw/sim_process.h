/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_process: a sachet-sim of its own for a test, on a free loopback port; its program is $SACHET_SIM. Every
 * wait has an end, and failing to start fails the test. Header only.
 */
#ifndef TESTS_E2E_HW_SIM_PROCESS_H
#define TESTS_E2E_HW_SIM_PROCESS_H

#include "tests/unit/hw/map_rig.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "tests/support/scratch.h"

enum { SIM_ARGS_MAX = 32 };

struct sim_process {
    pid_t pid;
    uint16_t port;
};

static inline void sim_start(struct sim_process *sim, const struct scratch *scratch, const char *const *args)
{
    char port_file[SCRATCH_PATH_BYTES];
    scratch_path(scratch, "port", port_file);
    (void)unlink(port_file); /* of an earlier start */
    const char *program = getenv("SACHET_SIM");
    assert_non_null(program);
    const char *argv[SIM_ARGS_MAX] = {program, "--tcp", "127.0.0.1:0", "--port-file", port_file};
    int n = 5;
    for (int i = 0; args[i]; i++)
        argv[n++] = args[i];
    argv[n] = NULL;
    sim->pid = fork();
    assert_true(sim->pid >= 0);
    if (sim->pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(126);
        execv(program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    for (int i = 0; i < 500; i++) {
        FILE *file = fopen(port_file, "r");
        unsigned port = 0;
        if (file && fscanf(file, "%u", &port) == 1) {
            fclose(file);
            sim->port = (uint16_t)port;
            return;
        }
        if (file)
            fclose(file);
        usleep(10000);
    }
    fail_msg("sachet-sim did not say its port");
}

/* Ends it with the signal and gives its exit status, or 128 + signal. */
static inline int sim_end(struct sim_process *sim, int signal)
{
    int status = 0;
    if (sim->pid <= 0)
        return -1;
    kill(sim->pid, signal);
    assert_int_equal(waitpid(sim->pid, &status, 0), sim->pid);
    sim->pid = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int tcp_open(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Bytes that came within wait_ms of silence; 0 also when the other end closed. */
static inline size_t tcp_read(int fd, uint8_t *bytes, size_t wanted, int wait_ms)
{
    size_t at = 0;
    while (at < wanted) {
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        if (poll(&waiting, 1, wait_ms) <= 0)
            break;
        ssize_t got = recv(fd, bytes + at, wanted - at, 0);
        if (got <= 0)
            break;
        at += (size_t)got;
    }
    return at;
}

static inline void tcp_write(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

#endif
