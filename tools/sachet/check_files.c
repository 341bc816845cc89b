/* SPDX-License-Identifier: Apache-2.0 */
/* sachet check: files are held against the format that their own first lines name. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "tools/sachet/checks.h"
#include "tools/sachet/cli.h"

enum { PATH_BYTES = 4096 };

struct checking {
    const struct cli *cli;
    json_t *findings; /* of the current file, with --json */
    int files;
    int count;
    bool environment; /* a file could not be read at all */
};

static void report(void *user, const char *file, int line, int column, int code, const char *message)
{
    struct checking *checking = user;
    checking->count++;
    checking->environment = checking->environment || error_exit_status(code) == 3;
    if (checking->cli->json) {
        /* A name or message that is not UTF-8 makes no JSON; the count still tells. */
        json_t *finding = json_pack("{s:s, s:i, s:i, s:s, s:s}", "file", file, "line", line, "column", column,
                                    "code", error_name(code), "message", message);
        if (finding)
            (void)json_array_append_new(checking->findings, finding);
    } else if (line > 0) {
        fprintf(checking->cli->out, "%s:%d:%d: %s\n", file, line, column, message);
    } else {
        fprintf(checking->cli->out, "%s: %s\n", file, message);
    }
}

/* An error whose message begins "file:line:column: " or "file: ". */
static void report_error(struct checking *checking, const char *file, const struct error *err)
{
    size_t skip = strlen(file);
    const char *message = strncmp(err->message, file, skip) == 0 ? err->message + skip : err->message;
    int line = 0;
    int column = 0;
    int n = 0;
    if (sscanf(message, ":%d:%d: %n", &line, &column, &n) == 2 && n > 0)
        message += n;
    else
        message += strspn(message, ": ");
    report(checking, file, line, column, err->code, message);
}

static void check_file(struct checking *checking, const char *file, const char *wanted);

/* The rule files and machine profiles that a right site file names. */
static void check_companions(struct checking *checking, const char *file)
{
    struct conf *conf = NULL;
    if (conf_load(&conf_site, file, &conf, NULL))
        return;
    check_file(checking, conf_text(conf, "rules.timing"), "sachet-timing/1");
    check_file(checking, conf_text(conf, "rules.packing"), "sachet-packing/1");
    check_file(checking, conf_text(conf, "rules.clinical"), "sachet-clinical/1");
    check_file(checking, conf_text(conf, "rules.jurisdiction"), "sachet-jurisdiction/1");
    for (int i = 0; i < conf_count(conf, "machines"); i++) {
        bool seen = false;
        for (int k = 0; k < i; k++)
            seen = seen || strcmp(conf_text(conf, "machines[%d].profile", i),
                                  conf_text(conf, "machines[%d].profile", k)) == 0;
        if (!seen)
            check_file(checking, conf_text(conf, "machines[%d].profile", i), "sachet-machine/1");
    }
    conf_destroy(conf);
}

/* Checks a JSON file by its member "format", that of the first object in an array or of NDJSON. NULL when it
 * is none of ours (reported). */
static const char *check_json(struct checking *checking, const char *file)
{
    json_error_t problem;
    json_t *value = json_load_file(file, JSON_DISABLE_EOF_CHECK, &problem);
    if (!value) {
        char message[JSON_ERROR_TEXT_LENGTH + 32];
        (void)snprintf(message, sizeof message, "not JSON: %s", problem.text); /* fits by its length */
        report(checking, file, problem.line, problem.column > 0 ? problem.column : 1, E_SYNTAX, message);
        return NULL;
    }
    json_t *object = json_is_array(value) ? json_array_get(value, 0) : value;
    const char *format = json_string_value(json_object_get(object, "format"));
    const struct json_check *row = json_checks;
    while (row->format && (!format || strcmp(row->format, format) != 0))
        row++;
    json_decref(value);
    if (row->format)
        row->check(file, report, checking);
    else
        report(checking, file, 1, 1, E_VERSION,
               "JSON of no known kind, a member \"format\" with one of our formats is required");
    return row->format;
}

static bool looks_like_json(const char *file)
{
    FILE *in = fopen(file, "re");
    int c = in ? fgetc(in) : EOF;
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        c = fgetc(in);
    if (in)
        (void)fclose(in); /* read only */
    return c == '{' || c == '[';
}

/* Returns the format's name, NULL when it is none of ours (reported). */
static const char *check_content(struct checking *checking, const char *file, const char *wanted)
{
    struct error err = {0};
    struct stat st;
    if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && looks_like_json(file))
        return check_json(checking, file);
    const struct conf_schema *schema = conf_kind_of(file, &err);
    if (!schema) {
        report_error(checking, file, &err);
        return NULL;
    }
    if (wanted && strcmp(schema->format, wanted) != 0) {
        char message[160];
        (void)snprintf(message, sizeof message, "format is %s, but the site names it where %s is wanted",
                       schema->format, wanted); /* both are ours and short */
        report(checking, file, 1, 1, E_VERSION, message);
    }
    const struct json_check *deeper = json_checks;
    while (deeper->format && strcmp(deeper->format, schema->format) != 0)
        deeper++;
    if (deeper->format)
        deeper->check(file, report, checking);
    else
        conf_check_file(schema, file, report, checking);
    return schema->format;
}

/* Who has looked at the rules of a file that is right, and whose look is overdue: nothing wrong with the
 * file, but a person must know. */
static void passports_show(struct checking *checking, const char *file, const struct conf_schema *schema,
                           json_t *object)
{
    struct conf *conf = NULL;
    int to_check = 0;
    json_t *overdue = json_array();
    if (conf_load(schema, file, &conf, NULL) < 0) {
        json_decref(overdue);
        return;
    }
    for (int i = 0; i < conf_count(conf, "rules"); i++) {
        int64_t due = conf_int(conf, "rules[%d].review_by", i);
        to_check += strcmp(conf_text(conf, "rules[%d].state", i), "checked") != 0;
        if (due == CONF_NONE || due >= checking->cli->today)
            continue;
        (void)json_array_append_new(overdue, json_string(conf_text(conf, "rules[%d].id", i)));
        if (!checking->cli->json)
            fprintf(checking->cli->out, "%s: rule %s: its review was due by %s (reviewer %s)\n", file,
                    conf_text(conf, "rules[%d].id", i), conf_text(conf, "rules[%d].review_by", i),
                    conf_has(conf, "rules[%d].reviewer", i) ? conf_text(conf, "rules[%d].reviewer", i)
                                                            : "nobody");
    }
    if (!checking->cli->json)
        fprintf(checking->cli->out,
                "%s: %d rules, %d not compared with their source yet, %zu reviews overdue\n", file,
                conf_count(conf, "rules"), to_check, json_array_size(overdue));
    conf_destroy(conf);
    if (!object) {
        json_decref(overdue);
        return;
    }
    (void)json_object_set_new(object, "rules_to_check", json_integer(to_check));
    (void)json_object_set_new(object, "rules_overdue", overdue);
}

/* The formats whose rules carry a passport; NULL: this one does not. */
static const struct conf_schema *with_passports(const char *format)
{
    static const struct conf_schema *const schemas[] = {&conf_packing, &conf_jurisdiction};
    for (size_t i = 0; format && i < sizeof schemas / sizeof *schemas; i++) {
        if (strcmp(schemas[i]->format, format) == 0)
            return schemas[i];
    }
    return NULL;
}

static void check_file(struct checking *checking, const char *file, const char *wanted)
{
    const struct cli *cli = checking->cli;
    int before = checking->count;
    checking->findings = cli->json ? json_array() : NULL;
    const char *format = check_content(checking, file, wanted);
    checking->files++;
    if (cli->json) {
        json_t *object = json_pack("{s:s, s:s?, s:i, s:o}", "file", file, "format", format, "found",
                                   checking->count - before, "findings", checking->findings);
        if (object && checking->count == before && with_passports(format))
            passports_show(checking, file, with_passports(format), object);
        if (object)
            (void)json_dumpf(object, cli->out, 0); /* the frame looks at ferror(out) */
        fputc('\n', cli->out);
        json_decref(object);
    } else if (checking->count == before) {
        fprintf(cli->out, "%s: %s, nothing found\n", file, format ? format : "?");
        if (with_passports(format))
            passports_show(checking, file, with_passports(format), NULL);
    }
    if (format && strcmp(format, conf_site.format) == 0 && checking->count == before)
        check_companions(checking, file);
}

/* The reference page of a format: every key as a commented file. */
static int explain(const struct cli *cli, const char *name, struct error *err)
{
    size_t len = strcspn(name, "/");
    for (int i = 0; conf_schemas[i]; i++) {
        const char *format = conf_schemas[i]->format;
        if (strncmp(format, name, len) != 0 || format[len] != '/')
            continue;
        struct buf text;
        buf_init(&text);
        conf_write_commented(conf_schemas[i], &text);
        int code = text.failed ? error_set(err, E_MEMORY, "out of memory") : 0;
        (void)fputs(buf_string(&text), cli->out); /* the frame looks at ferror(out) */
        buf_finish(&text);
        return code;
    }
    return error_set(err, E_ARG,
                     "--explain %s: no such format; there are sachet-site, sachet-machine, sachet-timing, "
                     "sachet-packing, sachet-sync, sachet-sig, sachet-csv and sachet-scenario",
                     name);
}

int run_check(struct cli *cli, struct error *err)
{
    if (cli_option(cli, "explain"))
        return explain(cli, cli_option(cli, "explain"), err);
    struct checking checking = {.cli = cli};
    int count = cli->argc > 0 ? cli->argc : 1;
    for (int i = 0; i < count; i++) {
        const char *name = cli->argc > 0 ? cli->argv[i] : cli_option(cli, "site");
        struct stat st;
        if (!name)
            name = getenv("SACHET_SITE");
        if (!name || !name[0])
            name = ".";
        if (stat(name, &st) == 0 && S_ISDIR(st.st_mode)) {
            char path[PATH_BYTES];
            int n = snprintf(path, sizeof path, "%s/site.yaml", name);
            if (n < 0 || n >= PATH_BYTES)
                return error_set(err, E_LIMIT, "%s: path too long, at most %d bytes", name, PATH_BYTES - 1);
            check_file(&checking, path, conf_site.format);
        } else {
            check_file(&checking, name, NULL);
        }
    }
    if (!cli->json && checking.files > 1)
        fprintf(cli->out, "%d files, %d found\n", checking.files, checking.count);
    if (checking.environment)
        return error_set(err, E_FILE, "not every file could be read: see the findings");
    return checking.count > 0 ? CLI_FOUND : 0;
}
