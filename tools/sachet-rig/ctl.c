/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-rig/ctl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/error.h"

enum { ANSWER_MAX = 64 * 1024 * 1024 };

static int reach(const char *path, int *ret_fd, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval wait = {.tv_sec = CTL_WAIT_MS / 1000};
    if (strlen(path) >= sizeof address.sun_path)
        return error_set(err, E_ARG, "%.40s...: the name of a socket has at most %zu bytes", path,
                         sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int code = error_set_errno(err, E_LINK, errno,
                                   "%s: no sachet-sim answers there; start one with --control", path);
        if (fd >= 0)
            close(fd);
        return code;
    }
    *ret_fd = fd;
    return 0;
}

int ctl_ask(const char *socket_path, int count, char **words, struct buf *out, struct error *err)
{
    struct buf line;
    char chunk[65536];
    int fd = -1;
    int rc = reach(socket_path, &fd, err);
    if (rc < 0)
        return rc;
    buf_init(&line);
    for (int i = 0; i < count; i++)
        buf_printf(&line, "%s%s", i ? " " : "", words[i]);
    buf_char(&line, '\n');
    if (line.failed || send(fd, line.data, line.len, MSG_NOSIGNAL) != (ssize_t)line.len)
        rc = error_set(err, E_LINK, "%s: the command could not be sent", socket_path);
    while (rc == 0 && !memchr(buf_string(out), '\n', out->len)) {
        ssize_t got = recv(fd, chunk, sizeof chunk, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || out->len > ANSWER_MAX)
            rc = error_set(err, got < 0 ? E_TIMEOUT : E_LINK, "%s: no whole answer came", socket_path);
        else
            buf_add(out, chunk, (size_t)got);
    }
    buf_finish(&line);
    close(fd);
    return rc;
}
