/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/source.h"

#include "config/base/error.h"
#include "controller/intake/hl7/hl7.h"
#include "controller/intake/intake.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK_BYTES = 256 * 1024 };

struct reader {
    gzFile gz;
    char *chunk;
    size_t at, end;
    bool eof, failed;
    int64_t told; /* packed bytes that progress knows of */
    const struct source_events *events;
};

/* A line, or a whole file, as far as it was read. */
struct run {
    char *data;
    size_t len, cap;
};

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);
    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

static bool by_lines(const char *name)
{
    return ends_with(name, ".ndjson") || ends_with(name, ".jsonl") || ends_with(name, ".ndjson.gz") ||
           ends_with(name, ".jsonl.gz");
}

static bool by_name(const char *name)
{
    return by_lines(name) || ends_with(name, ".json") || ends_with(name, ".json.gz") ||
           ends_with(name, ".hl7") || ends_with(name, ".hl7.gz");
}

/* More bytes into chunk; false at the end or on an error (reader->failed). */
static bool fill(struct reader *reader)
{
    if (reader->eof)
        return false;
    int got = gzread(reader->gz, reader->chunk, CHUNK_BYTES);
    int64_t packed = gzoffset(reader->gz);
    if (packed > reader->told && reader->events->progress != NULL)
        reader->events->progress(reader->events->data, packed - reader->told);
    reader->told = packed > reader->told ? packed : reader->told;
    reader->at = 0;
    reader->end = got > 0 ? (size_t)got : 0;
    if (got > 0)
        return true;
    reader->eof = true;
    int code = Z_OK;
    (void)gzerror(reader->gz, &code);
    reader->failed = got < 0 || (code != Z_OK && code != Z_STREAM_END);
    return false;
}

static int run_add(struct run *run, const char *data, size_t len, struct error *err)
{
    if (run->len + len + 1 > run->cap) {
        size_t cap = run->cap == 0 ? CHUNK_BYTES : run->cap;
        while (cap < run->len + len + 1)
            cap *= 2;
        char *bigger = realloc(run->data, cap);
        if (bigger == NULL)
            return error_set(err, E_MEMORY, "intake: out of memory for a line of %zu bytes", run->len + len);
        run->data = bigger;
        run->cap = cap;
    }
    memcpy(run->data + run->len, data, len);
    run->len += len;
    run->data[run->len] = '\0';
    return 0;
}

enum line { LINE_END, LINE_READ, LINE_LONG };

/* Adds up to and without the next line feed. A line over the limit is read over and told as LINE_LONG. */
static int read_line(struct reader *reader, struct run *run, size_t limit, enum line *ret, struct error *err)
{
    bool any = false, too_long = false;
    for (;;) {
        if (reader->at == reader->end && !fill(reader))
            break;
        any = true;
        const char *start = reader->chunk + reader->at;
        const char *feed = memchr(start, '\n', reader->end - reader->at);
        size_t len = feed != NULL ? (size_t)(feed - start) : reader->end - reader->at;
        reader->at += len + (feed != NULL);
        if (run->len + len > limit)
            too_long = true;
        int rc = too_long ? 0 : run_add(run, start, len, err);
        if (rc != 0)
            return rc;
        if (feed != NULL)
            break;
    }
    *ret = !any ? LINE_END : too_long ? LINE_LONG : LINE_READ;
    return 0;
}

/* Is the text a whole object, as far as brackets tell? */
static bool balanced(const char *text, size_t len)
{
    int depth = 0;
    bool string = false, any = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (string) {
            i += c == '\\';
            string = c != '"';
        } else if (c == '"') {
            string = true;
        } else if (c == '{' || c == '[') {
            depth++;
            any = true;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return any && depth == 0 && !string;
}

static bool blank(const struct run *run)
{
    for (size_t i = 0; i < run->len; i++) {
        if (!isspace((unsigned char)run->data[i]))
            return false;
    }
    return true;
}

static void refuse(struct reader *reader, const char *path, int64_t line, const char *what)
{
    reader->events->refused(reader->events->data, path, line, what);
}

static int give(struct reader *reader, const char *path, int64_t line, int whole, struct run *run,
                struct error *err)
{
    char *text = run->data;
    size_t len = run->len;
    if (line == 1 && len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
        text += 3;
        len -= 3;
    }
    return reader->events->text(reader->events->data, path, line, whole, text, len, err);
}

static int read_lines(struct reader *reader, const char *path, struct run *run, int64_t line,
                      struct error *err)
{
    for (;;) {
        int rc = 0;
        if (run->len > 0 && !blank(run))
            rc = give(reader, path, line, 0, run, err);
        if (rc != 0)
            return rc;
        enum line what;
        run->len = 0;
        rc = read_line(reader, run, INTAKE_LINE_MAX, &what, err);
        if (rc != 0 || what == LINE_END)
            return rc;
        line++;
        if (what == LINE_LONG) {
            refuse(reader, path, line, "the line is longer than 64 MiB; split it");
            run->len = 0;
        }
    }
}

static int read_whole(struct reader *reader, const char *path, struct run *run, bool hl7, struct error *err)
{
    for (;;) {
        if (reader->at == reader->end && !fill(reader))
            break;
        if (run->len + (reader->end - reader->at) > INTAKE_FILE_MAX) {
            refuse(reader, path, 0,
                   hl7 ? "larger than 64 MiB; split it between messages"
                       : "larger than 64 MiB; give it as NDJSON, one resource or Bundle a line");
            return 0;
        }
        int rc = run_add(run, reader->chunk + reader->at, reader->end - reader->at, err);
        if (rc != 0)
            return rc;
        reader->at = reader->end;
    }
    if (reader->failed)
        return 0;
    return hl7 ? reader->events->hl7(reader->events->data, path, run->data, run->len, err)
               : give(reader, path, 1, 1, run, err);
}

static int read_stream(struct reader *reader, const char *path, struct error *err)
{
    struct run run = {0};
    enum line what = LINE_END;
    int64_t line = 0;
    int rc = 0;
    /* The first line that is not empty shows how the file is built. */
    do {
        run.len = 0;
        rc = read_line(reader, &run, INTAKE_LINE_MAX, &what, err);
        line++;
    } while (rc == 0 && what == LINE_READ && blank(&run));
    if (rc == 0 && what == LINE_END) {
        if (!reader->failed && !reader->events->only_hl7)
            refuse(reader, path, 0, "the file is empty");
    } else if (rc == 0 && what == LINE_LONG) {
        refuse(reader, path, line, "the line is longer than 64 MiB; split it");
        run.len = 0;
        rc = read_lines(reader, path, &run, line, err);
    } else if (rc == 0 && reader->events->only_hl7 && !hl7_looks_like(run.data, run.len)) {
        free(run.data);
        return 0;
    } else if (rc == 0 && !hl7_looks_like(run.data, run.len) &&
               (by_lines(path) || balanced(run.data, run.len))) {
        rc = read_lines(reader, path, &run, line, err);
    } else if (rc == 0) {
        /* Back together with its line feeds, so that lines and columns of messages are those of the file. */
        struct run whole = {0};
        const bool hl7 = hl7_looks_like(run.data, run.len);
        for (int64_t i = 1; i < line && rc == 0; i++)
            rc = run_add(&whole, "\n", 1, err);
        if (rc == 0)
            rc = run_add(&whole, run.data, run.len, err);
        if (rc == 0)
            rc = run_add(&whole, "\n", 1, err);
        if (rc == 0)
            rc = read_whole(reader, path, &whole, hl7, err);
        free(whole.data);
    }
    free(run.data);
    if (reader->failed)
        refuse(reader, path, 0, "cannot be read to its end: damaged or cut off");
    return rc;
}

static int read_file(const char *path, const struct source_events *events, struct error *err)
{
    struct reader reader = {.events = events};
    struct stat st;
    int rc = 0;
    events->opened(events->data, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        refuse(&reader, path, 0, fd < 0 ? strerror(errno) : "not a plain file");
    } else {
        reader.chunk = malloc(CHUNK_BYTES);
        reader.gz = reader.chunk != NULL ? gzdopen(fd, "rb") : NULL;
        if (reader.gz == NULL) {
            rc = error_set(err, E_MEMORY, "%s: out of memory", path);
        } else {
            fd = -1; /* belongs to gz now */
            (void)gzbuffer(reader.gz, CHUNK_BYTES);
            rc = read_stream(&reader, path, err);
            (void)gzclose(reader.gz); /* read only: nothing can be lost */
        }
        free(reader.chunk);
    }
    if (fd >= 0)
        (void)close(fd);
    events->closed(events->data, path);
    return rc;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of a folder, sorted as bytes; hidden ones left out. */
static int list_folder(const char *path, char ***ret_names, size_t *ret_count, struct error *err)
{
    DIR *dir = opendir(path);
    char **names = NULL;
    size_t count = 0, cap = 0;
    int rc = 0;
    if (dir == NULL)
        return error_set_errno(err, E_FILE, errno, "%s", path);
    for (const struct dirent *entry; rc == 0 && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (count == INTAKE_FOLDER_FILES_MAX) {
            rc = error_set(err, E_LIMIT, "%s: more than %d files in one folder", path,
                           INTAKE_FOLDER_FILES_MAX);
            break;
        }
        if (count == cap) {
            cap = cap == 0 ? 64 : cap * 2;
            char **bigger = realloc(names, cap * sizeof(char *));
            if (bigger == NULL) {
                rc = error_set(err, E_MEMORY, "%s: out of memory", path);
                break;
            }
            names = bigger;
        }
        names[count] = strdup(entry->d_name);
        if (names[count] == NULL)
            rc = error_set(err, E_MEMORY, "%s: out of memory", path);
        else
            count++;
    }
    (void)closedir(dir); /* read only */
    if (count > 0)
        qsort(names, count, sizeof(char *), compare_names);
    *ret_names = names;
    *ret_count = count;
    return rc;
}

static int walk_folder(const char *path, int depth, const struct source_events *events, struct error *err)
{
    char **names = NULL;
    size_t count = 0;
    int rc = list_folder(path, &names, &count, err);
    for (size_t i = 0; i < count && rc == 0; i++) {
        char child[PATH_MAX];
        struct stat st;
        size_t path_len = strlen(path);
        const char *slash = path_len > 0 && path[path_len - 1] == '/' ? "" : "/";
        if ((size_t)snprintf(child, sizeof child, "%s%s%s", path, slash, names[i]) >= sizeof child ||
            lstat(child, &st) != 0) {
            events->skipped(events->data, names[i]);
        } else if (S_ISDIR(st.st_mode)) {
            if (depth >= INTAKE_FOLDER_DEPTH_MAX)
                events->refused(events->data, child, 0, "folders within folders, more than 16 deep");
            else
                rc = walk_folder(child, depth + 1, events, err);
        } else if (by_name(names[i]) && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))) {
            rc = read_file(child, events, err);
        } else {
            events->skipped(events->data, child);
        }
    }
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return rc;
}

int source_walk(const char *path, const struct source_events *events, struct error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return error_set_errno(err, E_FILE, errno, "%s", path);
    if (S_ISDIR(st.st_mode))
        return walk_folder(path, 1, events, err);
    return read_file(path, events, err);
}

/* Files below a folder, by the same names and limits as walk_folder. */
static int64_t folder_bytes(const char *path, int depth)
{
    char **names = NULL;
    size_t count = 0;
    int64_t bytes = 0;
    (void)list_folder(path, &names, &count, NULL); /* the walk itself tells what is wrong */
    for (size_t i = 0; i < count; i++) {
        char child[PATH_MAX];
        struct stat st;
        if ((size_t)snprintf(child, sizeof child, "%s/%s", path, names[i]) < sizeof child &&
            lstat(child, &st) == 0) {
            if (S_ISDIR(st.st_mode) && depth < INTAKE_FOLDER_DEPTH_MAX)
                bytes += folder_bytes(child, depth + 1);
            else if (S_ISREG(st.st_mode) && by_name(names[i]))
                bytes += st.st_size;
        }
        free(names[i]);
    }
    free(names);
    return bytes;
}

int64_t source_bytes(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return 0;
    return S_ISDIR(st.st_mode) ? folder_bytes(path, 1) : S_ISREG(st.st_mode) ? st.st_size : 0;
}
