/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: an ordinary file, or a stream, read whole and bounded. Blocks for the disk. Any thread.
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

#endif
