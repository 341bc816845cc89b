/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of STORE.anchors:
 *   sachet-anchor/1 DATE SEQ HASH AT_MS PUBLIC SIGNATURE
 * The signature is over everything before it. The line is on the disk before the day counts as anchored; a
 * line that was cut off by a power cut is the last one, lacks its LF, and is written again.
 */
#include "controller/store/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "config/base/utf8.h"
#include "controller/seal/seal.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "controller/store/store_private.h"

enum {
    HEX_PIECE = 2 * SEAL_HASH_BYTES, /* seal_hash_text writes 32 bytes a time */
    SECRET_PIECES = SEAL_SECRET_BYTES / SEAL_HASH_BYTES,
    KEY_FILE_BYTES_MAX = 4096,
    LINE_BYTES_MAX = 512,
    PASSWORD_BYTES = HEX_PIECE + 1,
};

struct key {
    char password[PASSWORD_BYTES];
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    uint8_t secret[SEAL_SECRET_BYTES];
};

struct line {
    int32_t day;
    int64_t seq;
    uint8_t hash[SEAL_HASH_BYTES];
    int64_t at_ms;
    uint8_t public_key[SEAL_PUBLIC_BYTES];
    uint8_t signature[SEAL_SIGNATURE_BYTES];
};

static int path_of(const struct store *store, const char *tail, char path[STORE_PATH_BYTES + 32],
                   struct error *err)
{
    int n = snprintf(path, STORE_PATH_BYTES + 32, "%s%s", store->path, tail);
    return n > 0 && n < STORE_PATH_BYTES + 32 ? 0 : error_set(err, E_LIMIT, "%s: path too long", store->path);
}

static void hex_add(struct buf *out, const uint8_t *bytes, int pieces)
{
    char text[SEAL_HASH_TEXT_BYTES];
    for (int i = 0; i < pieces; i++) {
        seal_hash_text(bytes + (size_t)i * SEAL_HASH_BYTES, text);
        buf_text(out, text);
    }
}

static bool hex_read(const char **at, uint8_t *bytes, int pieces)
{
    for (int i = 0; i < pieces; i++) {
        char text[SEAL_HASH_TEXT_BYTES];
        if (strlen(*at) < HEX_PIECE)
            return false;
        memcpy(text, *at, HEX_PIECE);
        text[HEX_PIECE] = '\0';
        if (!seal_hash_parse(text, bytes + (size_t)i * SEAL_HASH_BYTES))
            return false;
        *at += HEX_PIECE;
    }
    return true;
}

/* Appends or makes, with the bytes on the disk before it returns. */
static int write_synced(const char *path, int flags, const struct buf *bytes, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    if (fd < 0)
        return error_set_errno(err, E_FILE, errno, "%s cannot be written", path);
    errno = ENOSPC; /* a short write sets nothing */
    bool done = !bytes->failed && write(fd, bytes->data, bytes->len) == (ssize_t)bytes->len && fsync(fd) == 0;
    int failed = errno;
    if (close(fd) != 0 && done) {
        failed = errno;
        done = false;
    }
    return done ? store_sync_folder(path, err)
                : error_set_errno(err, E_FILE, failed, "%s cannot be written", path);
}

/* ---- the key ---- */

static int key_read(const char *path, struct key *key, struct error *err)
{
    struct buf bytes;
    buf_init(&bytes);
    int rc = file_read(path, KEY_FILE_BYTES_MAX, &bytes, err);
    const char *at = buf_string(&bytes);
    static const char head[] = "sachet-anchor-key/1\n";
    bool right = rc == 0 && strncmp(at, head, sizeof head - 1) == 0;
    if (right) {
        at += sizeof head - 1;
        uint8_t password[SEAL_HASH_BYTES];
        right = hex_read(&at, password, 1) && hex_read(&at, key->public_key, 1) &&
                hex_read(&at, key->secret, SECRET_PIECES);
        seal_hash_text(password, key->password);
        seal_wipe(password, sizeof password);
    }
    seal_wipe(bytes.data, bytes.len);
    buf_finish(&bytes);
    if (rc == 0 && !right)
        rc = error_set(err, E_TAMPERED,
                       "%s is damaged; move it away, and the next anchor is signed with a new key", path);
    return rc;
}

static int key_make(const char *path, struct key *key, struct error *err)
{
    struct buf bytes;
    uint8_t random[SEAL_HASH_BYTES];
    seal_random(random, sizeof random);
    seal_hash_text(random, key->password);
    int rc = seal_key_create(key->password, key->public_key, key->secret, err);
    buf_init(&bytes);
    buf_text(&bytes, "sachet-anchor-key/1\n");
    hex_add(&bytes, random, 1);
    hex_add(&bytes, key->public_key, 1);
    hex_add(&bytes, key->secret, SECRET_PIECES);
    buf_char(&bytes, '\n');
    if (rc == 0)
        rc = write_synced(path, O_EXCL, &bytes, err);
    seal_wipe(random, sizeof random);
    if (bytes.data)
        seal_wipe(bytes.data, bytes.len);
    buf_finish(&bytes);
    return rc;
}

static int key_get(const struct store *store, struct key *key, struct error *err)
{
    char path[STORE_PATH_BYTES + 32];
    int rc = path_of(store, ".anchor-key", path, err);
    if (rc)
        return rc;
    return access(path, F_OK) == 0 ? key_read(path, key, err) : key_make(path, key, err);
}

/* ---- lines ---- */

static void line_begin(const struct line *line, struct buf *out)
{
    char day[CIVIL_TEXT_BYTES];
    civil_format(line->day, day);
    buf_printf(out, "sachet-anchor/1 %s %" PRId64 " ", day, line->seq);
    hex_add(out, line->hash, 1);
    buf_printf(out, " %" PRId64 " ", line->at_ms);
    hex_add(out, line->public_key, 1);
}

/* One line without its LF. The signature is checked here: a line that does not verify is no anchor. */
static bool line_read(const char *text, size_t len, struct line *line)
{
    char copy[LINE_BYTES_MAX], day[CIVIL_TEXT_BYTES];
    struct buf again;
    int n = 0;
    if (len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (sscanf(copy, "sachet-anchor/1 %10[0-9-] %" SCNd64 " %n", day, &line->seq, &n) != 2 || n == 0 ||
        !civil_parse(day, &line->day))
        return false;
    const char *at = copy + n;
    if (!hex_read(&at, line->hash, 1) || sscanf(at, " %" SCNd64 " %n", &line->at_ms, &n) != 1)
        return false;
    at += n;
    if (!hex_read(&at, line->public_key, 1) || *at++ != ' ' || !hex_read(&at, line->signature, 2) ||
        *at != '\0')
        return false;
    buf_init(&again);
    line_begin(line, &again);
    bool right = !again.failed && seal_verify(line->public_key, again.data, again.len, line->signature);
    buf_finish(&again);
    return right;
}

/* Calls each for every whole line. E_TAMPERED names the first that is no anchor. */
static int lines_each(const struct store *store,
                      int (*each)(void *data, const struct line *line, struct error *err), void *data,
                      struct error *err)
{
    char path[STORE_PATH_BYTES + 32];
    struct buf bytes;
    int rc = path_of(store, ".anchors", path, err);
    if (rc || access(path, F_OK) != 0)
        return rc;
    buf_init(&bytes);
    rc = file_read(path, (size_t)ANCHOR_LINES_MAX * LINE_BYTES_MAX, &bytes, err);
    const char *at = buf_string(&bytes), *end = at + bytes.len;
    for (int number = 1; rc == 0 && at < end; number++) {
        struct line line;
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            break; /* cut off while it was written */
        if (!line_read(at, (size_t)(stop - at), &line))
            rc = error_set(err, E_TAMPERED, "%s:%d: is no anchor that this site signed", path, number);
        else
            rc = each(data, &line, err);
        at = stop + 1;
    }
    buf_finish(&bytes);
    return rc;
}

/* The newest day that has its anchor, and the last word on a clock that had been set ahead. */
struct newest {
    int32_t day;      /* CIVIL_DAY_NONE: none */
    int64_t word_seq; /* 0: nobody said so */
    int32_t word_day;
};

static int newest_take(void *data, const struct line *line, struct error *err)
{
    struct newest *newest = data;
    (void)err;
    if (line->seq < newest->word_seq && line->day > newest->word_day)
        return 0; /* made ahead of its time, as a person said */
    newest->day = newest->day == CIVIL_DAY_NONE || line->day > newest->day ? line->day : newest->day;
    return 0;
}

static int newest_of(struct store *store, struct newest *ret_newest, struct error *err)
{
    struct store_rows *rows = NULL;
    struct newest newest = {.day = CIVIL_DAY_NONE};
    int rc =
        store_query(store, &rows, err,
                    "SELECT seq, at_ms FROM audit WHERE subject = 'clock' AND action = '" ANCHOR_CLOCK_WORD
                    "' ORDER BY seq DESC LIMIT 1",
                    "");
    int found = rc < 0 ? rc : store_next(rows, err);
    if (found > 0) {
        newest.word_seq = store_int(rows, 0);
        newest.word_day = instant_day(store_int(rows, 1));
    }
    store_done(rows);
    if (found < 0)
        return found;
    rc = lines_each(store, newest_take, &newest, err);
    if (rc == 0)
        *ret_newest = newest;
    return rc;
}

int anchor_clock_word(struct store *store, const char *actor, const char *reason, int64_t wall_ms,
                      struct error *err)
{
    char day[CIVIL_TEXT_BYTES], detail[ANCHOR_REASON_MAX + 64];
    struct newest newest;
    size_t len = strlen(reason);
    if (len < ANCHOR_REASON_MIN || len > ANCHOR_REASON_MAX || !utf8_printable(reason, len) ||
        strpbrk(reason, "\"\\"))
        return error_set(err, E_INPUT, "a reason has %d to %d printable characters, without quotes",
                         ANCHOR_REASON_MIN, ANCHOR_REASON_MAX);
    int rc = newest_of(store, &newest, err);
    if (rc == 0 && (newest.day == CIVIL_DAY_NONE || newest.day <= instant_day(wall_ms)))
        rc = error_set(err, E_STATE, "no anchor lies ahead of today: nothing is to be said of the clock");
    if (rc == 0)
        rc = store_write_begin(store, err);
    if (rc)
        return rc;
    civil_format(newest.day, day);
    (void)snprintf(detail, sizeof detail, "{\"anchor\":\"%s\",\"reason\":\"%s\"}", day, reason); /* fits */
    rc = audit_add(store, wall_ms, actor, ANCHOR_CLOCK_WORD, "clock", detail, err);
    if (rc == 0)
        rc = store_write_commit(store, err);
    store_write_rollback(store);
    return rc;
}

static int line_append(const struct store *store, const struct line *line, const struct key *key,
                       struct error *err)
{
    char path[STORE_PATH_BYTES + 32];
    struct seal_key *open_key = NULL;
    struct buf out;
    uint8_t signature[SEAL_SIGNATURE_BYTES];
    int rc = path_of(store, ".anchors", path, err);
    if (rc == 0)
        rc = seal_key_open(key->secret, key->password, &open_key, err);
    if (rc)
        return rc;
    buf_init(&out);
    line_begin(line, &out);
    if (!out.failed)
        seal_key_sign(open_key, out.data, out.len, signature);
    seal_key_close(open_key);
    buf_char(&out, ' ');
    hex_add(&out, signature, 2);
    buf_char(&out, '\n');
    rc = write_synced(path, O_APPEND, &out, err);
    buf_finish(&out);
    return rc;
}

/* A torn last line would swallow the next one. */
static int trim_torn(const struct store *store, struct error *err)
{
    char path[STORE_PATH_BYTES + 32];
    struct buf bytes;
    int rc = path_of(store, ".anchors", path, err);
    if (rc || access(path, F_OK) != 0)
        return rc;
    buf_init(&bytes);
    rc = file_read(path, (size_t)ANCHOR_LINES_MAX * LINE_BYTES_MAX, &bytes, err);
    size_t whole = bytes.len;
    while (whole > 0 && bytes.data[whole - 1] != '\n')
        whole--;
    if (rc == 0 && whole < bytes.len && truncate(path, (off_t)whole) != 0)
        rc = error_set_errno(err, E_FILE, errno, "%s: its torn last line cannot be cut off", path);
    buf_finish(&bytes);
    return rc;
}

int anchor_make(struct store *store, int64_t wall_ms, bool *ret_made, struct error *err)
{
    struct line line = {.day = instant_day(wall_ms), .at_ms = wall_ms};
    struct key key = {0};
    struct newest last;
    if (ret_made)
        *ret_made = false;
    int rc = newest_of(store, &last, err);
    if (rc || (last.day != CIVIL_DAY_NONE && line.day <= last.day))
        return rc;
    rc = audit_head(store, &line.seq, line.hash, err);
    if (rc || line.seq == 0)
        return rc;
    rc = trim_torn(store, err);
    if (rc == 0)
        rc = key_get(store, &key, err);
    memcpy(line.public_key, key.public_key, sizeof line.public_key);
    if (rc == 0)
        rc = line_append(store, &line, &key, err);
    seal_wipe(&key, sizeof key);
    if (rc == 0 && ret_made)
        *ret_made = true;
    return rc;
}

/* ---- comparing ---- */

struct checking {
    struct store *store;
    struct anchor_report *report;
};

/* The first row that tells of a restore behind `seq`: a head of that number is gone by a recorded act. */
static int restore_of(struct store *store, int64_t at_ms, int64_t *ret_seq, struct error *err)
{
    int rc = store_get_int(
        store, ret_seq, err,
        "SELECT seq FROM audit WHERE action = 'store.restore' AND at_ms >= ? ORDER BY seq LIMIT 1", "i",
        at_ms);
    if (rc == E_NOT_FOUND) {
        *ret_seq = 0;
        rc = 0;
    }
    return rc;
}

static int anchor_check(void *data, const struct line *line, struct error *err)
{
    struct checking *checking = data;
    struct anchor_report *report = checking->report;
    struct store_rows *rows = NULL;
    char day[CIVIL_TEXT_BYTES];
    bool same = false;
    int64_t restore = 0;
    civil_format(line->day, day);
    int rc = store_query(checking->store, &rows, err, "SELECT hash FROM audit WHERE seq = ?", "i", line->seq);
    int found = rc < 0 ? rc : store_next(rows, err);
    if (found > 0) {
        size_t len = 0;
        const void *hash = store_blob(rows, 0, &len);
        same = len == SEAL_HASH_BYTES && memcmp(hash, line->hash, len) == 0;
    }
    store_done(rows);
    if (found < 0)
        return found;
    if (!same) {
        rc = restore_of(checking->store, line->at_ms, &restore, err);
        if (rc < 0)
            return rc;
        if (restore == 0)
            return error_set(
                err, E_TAMPERED,
                found > 0 ? "audit row %" PRId64 " is not what it was on %s: the trail was written anew"
                          : "audit row %" PRId64 " was there on %s and is gone: an older copy of the "
                            "store was put in place",
                line->seq, day);
        report->restored_to = restore - 1;
    }
    report->anchors++;
    report->last_day = line->day;
    return 0;
}

int anchor_verify(struct store *store, struct anchor_report *ret_report, struct error *err)
{
    struct anchor_report report = {.last_day = CIVIL_DAY_NONE};
    struct checking checking = {.store = store, .report = &report};
    int rc = audit_verify(store, &report.rows, err);
    if (rc == 0)
        rc = store_get_int(store, &report.set_back, err,
                           "SELECT count(*) FROM audit WHERE action = '" AUDIT_CLOCK_BACK "'", "");
    if (rc == 0)
        rc = store_get_int(store, &report.set_ahead, err,
                           "SELECT count(*) FROM audit WHERE action = '" ANCHOR_CLOCK_WORD "'", "");
    if (rc == 0)
        rc = lines_each(store, anchor_check, &checking, err);
    *ret_report = report;
    return rc;
}
