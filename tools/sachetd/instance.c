/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachetd/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "config/base/error.h"

enum { PATH_BYTES = 4096 };

int instance_take(const char *store_path, int *ret_fd, struct error *err)
{
    char path[PATH_BYTES], owner[32] = "";
    const char *slash = strrchr(store_path, '/');
    int folder = slash ? (int)(slash - store_path) + 1 : 0;
    int n = snprintf(path, sizeof path, "%.*ssachetd.lock", folder, store_path);
    if (n < 0 || n >= PATH_BYTES)
        return error_set(err, E_LIMIT, "%s: path too long, at most %d bytes", store_path, PATH_BYTES - 1);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return error_set_errno(err, E_FILE, errno, "%s: cannot be opened", path);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (read(fd, owner, sizeof owner - 1) <= 0)
            owner[0] = '\0';
        owner[strcspn(owner, "\n")] = '\0';
        (void)close(fd); /* nothing was written */
        return error_set(err, E_LOCKED,
                         "sachetd runs already on this store (process %s); stop that one first",
                         owner[0] ? owner : "unknown");
    }
    n = snprintf(owner, sizeof owner, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, owner, (size_t)n, 0) != n) {
        int why = errno;
        (void)close(fd);
        return error_set_errno(err, E_FILE, why, "%s: cannot be written", path);
    }
    *ret_fd = fd;
    return 0;
}
