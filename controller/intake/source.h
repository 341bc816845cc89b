/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source: files and folders as a stream of texts, HL7 v2 files whole, JSON by texts: each line of an NDJSON
 * file, or a plain file as one text; gzip is unpacked on the way. A file whose first line is a whole object
 * is taken by lines, whatever its name says. Memory: one text at a time. Blocks for
 * files.
 */
#ifndef CONTROLLER_INTAKE_SOURCE_H
#define CONTROLLER_INTAKE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

struct source_events {
    void *data;
    /* One JSON text; line is its first line in the file, whole files have whole = 1. An error ends the walk.
     * text may be changed and has a NUL behind it. */
    int (*text)(void *data, const char *path, int64_t line, int whole, char *text, size_t len,
                struct error *err);
    /* A file (line 0) or a line that cannot be read. */
    void (*refused)(void *data, const char *path, int64_t line, const char *what);
    /* A file begins; and ends. */
    void (*opened)(void *data, const char *path);
    void (*closed)(void *data, const char *path);
    void (*skipped)(void *data, const char *path); /* nothing of ours by its name, in a folder */
    /* A file that begins as HL7 v2 does, whole. */
    int (*hl7)(void *data, const char *path, const char *text, size_t len, struct error *err);
    bool only_hl7; /* other files are not read beyond their first line, and not told */
    void (*progress)(void *data, int64_t bytes); /* packed bytes since the last call */
};

/* path: a file, or a folder that is read in the order of names. E_FILE when it does not exist. */
int source_walk(const char *path, const struct source_events *events, struct error *err);
/* Bytes that source_walk would read, packed as they are; for progress. 0 when there is nothing. */
int64_t source_bytes(const char *path);

#endif
