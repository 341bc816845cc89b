/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service: what sachetd tells a service manager that started it: ready, alive, stopping, one line of status.
 * The datagrams of sd_notify(3) on the socket that $NOTIFY_SOCKET names (a path, or @name in the abstract
 * space); without it every call does nothing. Never blocks: a manager that does not read loses the message.
 * One thread.
 */
#ifndef TOOLS_SACHETD_SERVICE_H
#define TOOLS_SACHETD_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

struct service {
    int fd;              /* -1: nobody listens */
    int64_t watchdog_ms; /* between two signs of life that the manager wants at most; 0: it wants none */
    int64_t alive_at_ms;
};

/* Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, and removes them from the environment. */
void service_open(struct service *service);
void service_close(struct service *service);
/* "READY=1", "STOPPING=1", "STATUS=...": lines with \n between them. */
void service_tell(struct service *service, const char *text);
/* From the loop, in each round: a sign of life when it is due. */
void service_alive(struct service *service, int64_t now_ms);
/* When service_alive wants to be called again; INT64_MAX never. */
int64_t service_due_ms(const struct service *service);

#endif
