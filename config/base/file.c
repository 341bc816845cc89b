/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/error.h"

enum { PATH_BYTES = 4096 };

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

int file_read_or_stdin(const char *path, size_t most, struct buf *out, struct error *err)
{
    if (strcmp(path, "-") == 0)
        return file_read_stream(stdin, "standard input", most, out, err);
    return file_read(path, most, out, err);
}

int file_fill(int fd, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t wrote = write(fd, (const char *)bytes + done, len - done);
        if (wrote < 0 && errno != EINTR)
            return -1;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    return fsync(fd);
}

int file_sync(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) < 0 ? errno : 0;
    if (fd >= 0)
        (void)close(fd); /* nothing was written through it */
    return failed ? error_set_errno(err, E_FILE, failed, "%s: cannot be synced to disk", path) : 0;
}

int file_replace(const char *path, const void *bytes, size_t len, struct error *err)
{
    char folder[PATH_BYTES], beside[PATH_BYTES];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t above = (size_t)(name - path);
    if (strlen(path) + sizeof "..new" > PATH_BYTES)
        return error_set(err, E_LIMIT, "%s: path too long, at most %zu bytes", path,
                         PATH_BYTES - sizeof "..new");
    (void)snprintf(beside, sizeof beside, "%.*s.%s.new", (int)above, path, name); /* both fit */
    (void)snprintf(folder, sizeof folder, "%.*s", (int)above, above ? path : "");
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return error_set_errno(err, E_FILE, errno, "%s: cannot be written", path);
    int failed = file_fill(fd, bytes, len) < 0 ? errno : 0;
    if (close(fd) < 0 && !failed)
        failed = errno;
    if (!failed && rename(beside, path) < 0)
        failed = errno;
    if (failed) {
        (void)unlink(beside); /* best effort: the error is told */
        return error_set_errno(err, E_FILE, failed, "%s: cannot be written", path);
    }
    return file_sync(above ? folder : ".", err);
}
