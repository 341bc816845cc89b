/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries are kept in singly linked lists and only marked when removed; the marks are swept after each round,
 * so that a callback may remove any entry, its own included, without breaking the walk. Twenty entries are
 * the ordinary size; nothing here is clever on purpose.
 */
#include "config/base/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"

struct loop_io {
    struct loop_io *next;
    int fd;
    short events;
    bool removed;
    void (*ready)(void *data, short revents);
    void *data;
};

struct loop_timer {
    struct loop_timer *next;
    int64_t due_ms;
    bool removed;
    int64_t (*due)(void *data, int64_t now_ms);
    void *data;
};

struct loop {
    struct clock *clock;
    struct loop_io *ios;
    struct loop_timer *timers;
    struct pollfd *fds; /* scratch of one round */
    struct loop_io **fd_owners;
    size_t fd_cap;
    bool stopped;
    int64_t worst_ms;
    int signal_fd;
    void (*caught)(void *data, int signal);
    void *caught_data;
};

struct loop *loop_create(struct clock *clock, struct error *err)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        error_set(err, E_MEMORY, "no memory for the event loop");
        return NULL;
    }
    loop->clock = clock;
    loop->signal_fd = -1;
    return loop;
}

static void sweep(struct loop *loop, bool all)
{
    for (struct loop_io **at = &loop->ios; *at;) {
        struct loop_io *io = *at;
        if (all || io->removed) {
            *at = io->next;
            free(io);
        } else {
            at = &io->next;
        }
    }
    for (struct loop_timer **at = &loop->timers; *at;) {
        struct loop_timer *timer = *at;
        if (all || timer->removed) {
            *at = timer->next;
            free(timer);
        } else {
            at = &timer->next;
        }
    }
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    sweep(loop, true);
    if (loop->signal_fd >= 0)
        close(loop->signal_fd);
    free(loop->fds);
    free(loop->fd_owners);
    free(loop);
}

struct loop_io *loop_add_io(struct loop *loop, int fd, short events, void (*ready)(void *data, short revents),
                            void *data)
{
    struct loop_io *io = calloc(1, sizeof *io);
    if (!io)
        return NULL;
    *io = (struct loop_io){.next = loop->ios, .fd = fd, .events = events, .ready = ready, .data = data};
    loop->ios = io;
    return io;
}

void loop_set_events(struct loop_io *io, short events)
{
    io->events = events;
}

void loop_remove_io(struct loop_io *io)
{
    if (io)
        io->removed = true;
}

struct loop_timer *loop_add_timer(struct loop *loop, int64_t due_ms,
                                  int64_t (*due)(void *data, int64_t now_ms), void *data)
{
    struct loop_timer *timer = calloc(1, sizeof *timer);
    if (!timer)
        return NULL;
    *timer = (struct loop_timer){.next = loop->timers, .due_ms = due_ms, .due = due, .data = data};
    loop->timers = timer;
    return timer;
}

void loop_set_timer(struct loop_timer *timer, int64_t due_ms)
{
    timer->due_ms = due_ms;
}

void loop_remove_timer(struct loop_timer *timer)
{
    if (timer)
        timer->removed = true;
}

static void signal_ready(void *data, short revents)
{
    (void)revents; /* POLLIN is all we asked for */
    struct loop *loop = data;
    struct signalfd_siginfo info;
    while (read(loop->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        loop->caught(loop->caught_data, (int)info.ssi_signo);
}

int loop_add_signals(struct loop *loop, const int *signals, int count, void (*caught)(void *data, int signal),
                     void *data, struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return error_set_errno(err, E_SYSTEM, errno, "signals cannot be blocked");
    loop->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (loop->signal_fd < 0)
        return error_set_errno(err, E_SYSTEM, errno, "signals cannot be watched");
    loop->caught = caught;
    loop->caught_data = data;
    if (!loop_add_io(loop, loop->signal_fd, POLLIN, signal_ready, loop))
        return error_set(err, E_MEMORY, "no memory for the event loop");
    return 0;
}

int64_t loop_next_due_ms(const struct loop *loop)
{
    int64_t due_ms = INT64_MAX;
    for (const struct loop_timer *timer = loop->timers; timer; timer = timer->next) {
        if (!timer->removed && timer->due_ms < due_ms)
            due_ms = timer->due_ms;
    }
    return due_ms;
}

int64_t loop_worst_ms(struct loop *loop)
{
    int64_t worst_ms = loop->worst_ms;
    loop->worst_ms = 0;
    return worst_ms;
}

static void note_length(struct loop *loop, int64_t begin_ms)
{
    int64_t length_ms = clock_mono_ms(loop->clock) - begin_ms;
    if (length_ms > loop->worst_ms)
        loop->worst_ms = length_ms;
}

/* Fills the scratch arrays; the number of entries or an error code. */
static int collect_fds(struct loop *loop, struct error *err)
{
    size_t count = 0;
    for (struct loop_io *io = loop->ios; io; io = io->next)
        count++;
    if (count > loop->fd_cap) {
        struct pollfd *fds = realloc(loop->fds, count * sizeof *fds);
        if (fds)
            loop->fds = fds;
        struct loop_io **owners = realloc(loop->fd_owners, count * sizeof(struct loop_io *));
        if (owners)
            loop->fd_owners = owners;
        if (!fds || !owners)
            return error_set(err, E_MEMORY, "no memory for the event loop");
        loop->fd_cap = count;
    }
    int used = 0;
    for (struct loop_io *io = loop->ios; io; io = io->next) {
        if (io->removed)
            continue;
        loop->fds[used] = (struct pollfd){.fd = io->fd, .events = io->events};
        loop->fd_owners[used++] = io;
    }
    return used;
}

static void run_timers(struct loop *loop)
{
    int64_t now_ms = clock_mono_ms(loop->clock);
    for (struct loop_timer *timer = loop->timers; timer; timer = timer->next) {
        if (timer->removed || timer->due_ms > now_ms)
            continue;
        int64_t begin_ms = clock_mono_ms(loop->clock);
        int64_t next_ms = timer->due(timer->data, now_ms);
        note_length(loop, begin_ms);
        if (next_ms == LOOP_TIMER_DONE)
            timer->removed = true;
        else
            timer->due_ms = next_ms;
    }
}

int loop_step(struct loop *loop, int64_t wait_ms, struct error *err)
{
    int used = collect_fds(loop, err);
    if (used < 0)
        return used;
    int64_t due_ms = loop_next_due_ms(loop);
    int64_t now_ms = clock_mono_ms(loop->clock);
    if (due_ms != INT64_MAX && due_ms - now_ms < wait_ms)
        wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    if (wait_ms > 60000)
        wait_ms = 60000; /* an idle loop still looks around */
    int ready = poll(loop->fds, (nfds_t)used, (int)wait_ms);
    if (ready < 0 && errno != EINTR)
        return error_set_errno(err, E_SYSTEM, errno, "poll failed");
    for (int i = 0; i < used && ready > 0; i++) {
        struct loop_io *io = loop->fd_owners[i];
        if (!loop->fds[i].revents || io->removed)
            continue;
        int64_t begin_ms = clock_mono_ms(loop->clock);
        io->ready(io->data, loop->fds[i].revents);
        note_length(loop, begin_ms);
    }
    run_timers(loop);
    sweep(loop, false);
    return 0;
}

int loop_run(struct loop *loop, struct error *err)
{
    loop->stopped = false;
    while (!loop->stopped) {
        int rc = loop_step(loop, INT64_MAX, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}
