/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachetd/service.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/base/log.h"

/* A third of what the manager allows: two signs may be late. */
enum { SIGNS = 3 };

static int64_t watchdog_of(void)
{
    const char *pid = getenv("WATCHDOG_PID"), *microseconds = getenv("WATCHDOG_USEC");
    char *end = NULL;
    if (!microseconds || !microseconds[0] || (pid && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    long long us = strtoll(microseconds, &end, 10);
    return *end || us <= 0 ? 0 : us / 1000 / SIGNS > 0 ? us / 1000 / SIGNS : 1;
}

static int connect_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, size) < 0) {
        (void)close(fd); /* nothing was sent */
        return -1;
    }
    return fd;
}

void service_open(struct service *service)
{
    const char *name = getenv("NOTIFY_SOCKET");
    *service = (struct service){.fd = -1};
    if (name && name[0]) {
        service->fd = connect_to(name);
        if (service->fd < 0)
            log_warning("service", "the manager's socket cannot be had: %s", strerror(errno));
    }
    if (service->fd >= 0)
        service->watchdog_ms = watchdog_of();
    (void)unsetenv("NOTIFY_SOCKET"); /* nobody whom we start may speak for us */
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
}

void service_close(struct service *service)
{
    if (service->fd >= 0)
        (void)close(service->fd); /* datagrams: nothing is left behind */
    service->fd = -1;
}

void service_tell(struct service *service, const char *text)
{
    if (service->fd < 0)
        return;
    /* Lost when the manager's queue is full; the next sign of life comes soon. */
    if (send(service->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("service", "not told: %s", strerror(errno));
}

void service_alive(struct service *service, int64_t now_ms)
{
    if (service->watchdog_ms == 0 || now_ms < service->alive_at_ms)
        return;
    service->alive_at_ms = now_ms + service->watchdog_ms;
    service_tell(service, "WATCHDOG=1");
}

int64_t service_due_ms(const struct service *service)
{
    return service->watchdog_ms ? service->alive_at_ms : INT64_MAX;
}
