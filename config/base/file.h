/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: an ordinary file, or a stream, read whole and bounded; a file replaced whole or not at all. Blocks
 * for the disk. Any thread.
 */
#ifndef CONFIG_BASE_FILE_H
#define CONFIG_BASE_FILE_H

#include <stddef.h>
#include <stdio.h>

struct buf;
struct error;

/* Adds the bytes of `path` to out. E_FILE (cannot be read; a device, a pipe or a folder, which have no end),
 * E_LIMIT (more than `most` bytes), E_MEMORY. */
int file_read(const char *path, size_t most, struct buf *out, struct error *err);
/* The same from an open stream; name stands in messages. */
int file_read_stream(FILE *stream, const char *name, size_t most, struct buf *out, struct error *err);
/* As file_read; "-" is standard input. */
int file_read_or_stdin(const char *path, size_t most, struct buf *out, struct error *err);

/*
 * Puts bytes at `path`, durably: written beside it as ".NAME.new", synced, renamed over it, the folder
 * synced. A reader sees the old file or the new one, whole; a failure leaves the old one. One writer a path
 * at a time. E_FILE, E_LIMIT (path).
 */
int file_replace(const char *path, const void *bytes, size_t len, struct error *err);
/* Writes all of it and syncs. 0, or -1 with errno. */
int file_fill(int fd, const void *bytes, size_t len);
/* A file's or a folder's own entry durable. E_FILE. */
int file_sync(const char *path, struct error *err);

#endif
