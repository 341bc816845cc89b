/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/checks.h"

#include <stdio.h>
#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "config/conf.h"
#include "controller/plan/documents/regimen_json.h"
#include "controller/plan/documents/sync_read.h"

/* Each regimen of the file by itself: a refused one does not hide the next. */
static int check_regimens(const char *file, conf_report *report, void *user)
{
    struct json_documents *documents = NULL;
    struct error err = {0};
    struct buf text;
    int count = 0;
    buf_init(&text);
    int code = file_read(file, JSON_DOCUMENT_BYTES_MAX, &text, &err);
    if (!code)
        code = json_documents_open(&documents, buf_string(&text), text.len, &err);
    for (int place = 1; !code; place++) {
        struct arena arena;
        struct regimen *regimen;
        struct json_t *object = json_documents_next(documents, &code, &err);
        if (!object)
            break;
        arena_init(&arena, 0);
        int rc = regimen_from_json(object, &arena, &regimen, &err);
        if (rc < 0) {
            (void)error_prefix(&err, rc, "regimen %d", place);
            report(user, file, 0, 0, err.code, err.message);
            count++;
        }
        arena_finish(&arena);
    }
    if (code) {
        int line = 0;
        int column = 0;
        int skip = 0;
        size_t name = strlen(file);
        if (strncmp(err.message, file, name) == 0 && strncmp(err.message + name, ": ", 2) == 0)
            skip = (int)name + 2; /* the report names the file itself */
        else if (sscanf(err.message, "%d:%d: %n", &line, &column, &skip) != 2)
            skip = 0;
        report(user, file, line, column, code, err.message + skip);
        count++;
    }
    json_documents_close(documents);
    buf_finish(&text);
    return count;
}

/* JSON that the YAML loader reads; what one case says against itself is only known to its own reader. */
static int check_sync(const char *file, conf_report *report, void *user)
{
    struct arena arena;
    struct conf *conf = NULL;
    struct sync_case *cases;
    struct error err = {0};
    size_t count;
    int findings = conf_check_file(&conf_sync, file, report, user);
    if (findings > 0 || conf_load(&conf_sync, file, &conf, &err))
        return findings;
    arena_init(&arena, 0);
    if (sync_read_cases(conf, &arena, &cases, &count, &err)) {
        size_t skip = strlen(file);
        int line = 0, column = 0, n = 0;
        if (strncmp(err.message, file, skip) != 0 ||
            sscanf(err.message + skip, ":%d:%d: %n", &line, &column, &n) != 2)
            skip = 0;
        report(user, file, line, column, err.code, err.message + skip + n);
        findings = 1;
    }
    arena_finish(&arena);
    conf_destroy(conf);
    return findings;
}

const struct json_check json_checks[] = {
    {.format = "sachet-sync/1", .check = check_sync},
    {.format = "sachet-regimen/1", .check = check_regimens},
    {.format = NULL},
};
