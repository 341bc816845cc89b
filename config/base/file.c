/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/error.h"

int file_read_stream(FILE *stream, const char *name, size_t most, struct buf *out, struct error *err)
{
    char block[16384];
    size_t total = 0;
    for (size_t n; (n = fread(block, 1, sizeof block, stream)) > 0;) {
        total += n;
        if (total > most)
            return error_set(err, E_LIMIT, "%s: more than %zu bytes", name, most);
        buf_add(out, block, n);
    }
    if (ferror(stream))
        return error_set_errno(err, E_FILE, errno, "%s: cannot be read", name);
    return out->failed ? error_set(err, E_MEMORY, "%s: no memory for it", name) : 0;
}

int file_read(const char *path, size_t most, struct buf *out, struct error *err)
{
    struct stat st;
    /* Without O_NONBLOCK a pipe that nobody writes to would hold us for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_set_errno(err, E_FILE, errno, "%s: cannot be opened", path);
    FILE *stream = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "rb") : NULL;
    if (!stream) {
        (void)close(fd); /* nothing was written through it */
        return error_set(err, E_FILE, "%s: is not an ordinary file", path);
    }
    int status = file_read_stream(stream, path, most, out, err);
    (void)fclose(stream); /* nothing was written through it */
    return status;
}
