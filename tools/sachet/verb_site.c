/* SPDX-License-Identifier: Apache-2.0 */
/* sachet init: a site is made whole or not at all. Also the rows of sachet check. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/store/store.h"
#include "tools/sachet/checks.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/verbs.h"

enum { PATH_BYTES = 4096, MADE_MAX = 64, SETTINGS_MAX = 32, NAME_BYTES_MAX = 255 };

/* What init has made so far, so that a failure leaves the folder as it was. */
struct making {
    const char *folder;
    int count;
    struct {
        char *path;
        bool folder;
    } made[MADE_MAX];
};

static int path_join(char path[PATH_BYTES], const char *folder, const char *name, struct error *err)
{
    int n = snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    if (n < 0 || n >= PATH_BYTES)
        return error_set(err, E_LIMIT, "%s/%s: path too long, at most %d bytes", folder, name,
                         PATH_BYTES - 1);
    return 0;
}

static int making_note(struct making *making, const char *path, bool folder, struct error *err)
{
    char *copy = making->count < MADE_MAX ? strdup(path) : NULL;
    if (!copy)
        return error_set(err, making->count < MADE_MAX ? E_MEMORY : E_LIMIT,
                         "%s: more than %d files in the default folder", path, MADE_MAX);
    making->made[making->count].path = copy;
    making->made[making->count].folder = folder;
    making->count++;
    return 0;
}

static void making_undo(struct making *making)
{
    while (making->count > 0) {
        making->count--;
        if (making->made[making->count].folder)
            (void)rmdir(making->made[making->count].path); /* best effort: the error is told already */
        else
            (void)unlink(making->made[making->count].path);
        free(making->made[making->count].path);
    }
}

static void making_keep(struct making *making)
{
    while (making->count > 0)
        free(making->made[--making->count].path);
}

static int make_folder(struct making *making, const char *path, mode_t mode, struct error *err)
{
    if (mkdir(path, mode) != 0)
        return error_set_errno(err, E_FILE, errno, "%s: folder cannot be made", path);
    return making_note(making, path, true, err);
}

static int make_file(struct making *making, const char *name, const void *data, size_t len, struct error *err)
{
    char path[PATH_BYTES];
    int code = path_join(path, making->folder, name, err);
    if (code)
        return code;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return error_set_errno(err, E_FILE, errno, "%s: cannot be made", path);
    code = making_note(making, path, false, err);
    if (file_fill(fd, data, len) != 0 && !code)
        code = error_set_errno(err, errno == ENOSPC ? E_FULL : E_FILE, errno, "%s: cannot be written", path);
    if (close(fd) != 0 && !code)
        code = error_set_errno(err, E_FILE, errno, "%s: cannot be written", path);
    return code;
}

/* Copies a file that comes with the program. */
static int copy_file(struct making *making, const char *from, const char *name, struct error *err)
{
    struct buf text;
    buf_init(&text);
    int code = file_read(from, CONF_BYTES_MAX, &text, err);
    if (!code)
        code = make_file(making, name, buf_string(&text), text.len, err);
    buf_finish(&text);
    return code;
}

/* Copies every .yaml and .csv of a folder that comes with the program. */
static int copy_rule_files(struct making *making, const char *folder, struct error *err)
{
    char source[PATH_BYTES];
    char target[PATH_BYTES];
    int code = paths_data(folder, source, sizeof source, err);
    if (!code)
        code = path_join(target, making->folder, folder, err);
    if (!code)
        code = make_folder(making, target, 0750, err);
    if (code)
        return code;
    struct dirent **names;
    int count = scandir(source, &names, NULL, alphasort);
    if (count < 0)
        return error_set_errno(err, E_FILE, errno, "%s: cannot be read", source);
    for (int i = 0; i < count; i++) {
        const char *dot = strrchr(names[i]->d_name, '.');
        if (!code && dot && dot != names[i]->d_name &&
            (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".csv") == 0)) {
            char from[PATH_BYTES];
            char name[NAME_BYTES_MAX + 32];
            (void)snprintf(name, sizeof name, "%s/%s", folder, names[i]->d_name); /* a name has 255 bytes */
            code = path_join(from, source, names[i]->d_name, err);
            if (!code)
                code = copy_file(making, from, name, err);
        }
        free(names[i]);
    }
    free(names);
    return code;
}

static int copy_sample(struct making *making, struct error *err)
{
    char from[PATH_BYTES];
    /* Installed beside the other data; in the source tree config/sample stands beside config/defaults. */
    if (paths_data("sample/formulary.csv", from, sizeof from, err) &&
        paths_data("../sample/formulary.csv", from, sizeof from, err))
        return err->code;
    return copy_file(making, from, "formulary.csv", err);
}

static int make_store(struct making *making, const char *path, struct error *err)
{
    static const char *const beside[] = {"", "-wal", "-shm", ".lock", ".reserve"};
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        char file[PATH_BYTES + 16];
        (void)snprintf(file, sizeof file, "%s%s", path, beside[i]); /* room for the longest ending */
        int code = making_note(making, file, false, err);
        if (code)
            return code;
    }
    return store_create(path, err);
}

/* The settings of --set KEY=VALUE; texts[] holds the keys, which the caller frees. */
static int read_settings(const struct cli *cli, struct conf_setting *settings, char **texts,
                         size_t *ret_count, struct error *err)
{
    size_t count = 0;
    for (int i = 0; i < cli->given_count; i++) {
        if (strcmp(cli->given[i].name, "set") != 0)
            continue;
        const char *equals = strchr(cli->given[i].value, '=');
        if (!equals || equals == cli->given[i].value)
            return error_set(err, E_ARG, "--set %s: KEY=VALUE is wanted, for example pharmacy.name=Corner",
                             cli->given[i].value);
        if (count == SETTINGS_MAX)
            return error_set(err, E_ARG, "more than %d --set, edit site.yaml instead", SETTINGS_MAX);
        texts[count] = strndup(cli->given[i].value, (size_t)(equals - cli->given[i].value));
        if (!texts[count])
            return error_set(err, E_MEMORY, "out of memory");
        settings[count] = (struct conf_setting){.path = texts[count], .value = equals + 1};
        *ret_count = ++count;
    }
    return 0;
}

/* The text of site.yaml, checked before anything is made. */
static int write_site(const struct cli *cli, struct buf *ret_text, struct error *err)
{
    struct conf_setting settings[SETTINGS_MAX];
    char *texts[SETTINGS_MAX] = {0};
    size_t count = 0;
    struct conf *conf = NULL;
    int code = read_settings(cli, settings, texts, &count, err);
    if (!code)
        code = conf_write_settings(&conf_site, settings, count, ret_text, err);
    if (!code && ret_text->failed)
        code = error_set(err, E_MEMORY, "out of memory");
    if (!code) {
        code = conf_parse(&conf_site, "site.yaml", ret_text->data, ret_text->len, &conf, err);
        conf_destroy(conf);
    }
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    return code;
}

/* 1: a site is here, 0: empty or absent (*ret_exists says which), else why it can't become one. */
static int look_at_folder(const char *folder, bool *ret_exists, struct error *err)
{
    char path[PATH_BYTES];
    struct stat st;
    int code = path_join(path, folder, "site.yaml", err);
    if (code)
        return code;
    if (lstat(path, &st) == 0)
        return 1;
    DIR *dir = opendir(folder);
    *ret_exists = dir != NULL;
    if (!dir)
        return errno == ENOENT ? 0 : error_set_errno(err, E_FILE, errno, "%s: cannot become a site", folder);
    int entries = 0;
    for (const struct dirent *entry; (entry = readdir(dir));)
        entries += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(dir); /* read only */
    if (entries > 0)
        return error_set(err, E_EXISTS, "%s: not empty and no site, give a new or an empty folder", folder);
    return 0;
}

static int make_site(struct making *making, bool exists, const struct buf *text, bool sample,
                     struct error *err)
{
    char path[PATH_BYTES];
    int code = exists ? 0 : make_folder(making, making->folder, 0750, err);
    if (!code)
        code = copy_rule_files(making, "machines", err);
    if (!code)
        code = copy_rule_files(making, "rules", err);
    if (!code && sample)
        code = copy_sample(making, err);
    if (!code)
        code = path_join(path, making->folder, "store", err);
    if (!code)
        code = make_folder(making, path, 0700, err);
    if (!code)
        code = path_join(path, making->folder, "store/sachet.db", err);
    if (!code)
        code = make_store(making, path, err);
    /* Last, because a folder with a site.yaml is a site. */
    if (!code)
        code = make_file(making, "site.yaml", text->data, text->len, err);
    return code;
}

static void say_init(const struct cli *cli, const char *folder, bool made, bool sample)
{
    if (cli->json) {
        json_t *object =
            json_pack("{s:s?, s:b, s:b}", "site", folder, "made", made, "sample", made && sample);
        if (object)
            (void)json_dumpf(object, cli->out, 0); /* the frame looks at ferror(out) */
        fputc('\n', cli->out);
        json_decref(object);
        return;
    }
    if (!made) {
        fprintf(cli->out, "%s is a site already, nothing was changed\n", folder);
        return;
    }
    fprintf(cli->out, "made the site %s\n", folder);
    fprintf(cli->out, "next: edit %s/site.yaml, then 'sachet check %s'\n", folder, folder);
}

static int run_init(struct cli *cli, struct error *err)
{
    struct making making = {.folder = cli->argv[0]};
    struct buf text;
    bool exists = false;
    bool sample = cli_flag(cli, "sample");
    int code = look_at_folder(making.folder, &exists, err);
    if (code < 0)
        return code;
    if (code == 1) {
        say_init(cli, making.folder, false, sample);
        return 0;
    }
    buf_init(&text);
    code = write_site(cli, &text, err);
    if (!code)
        code = make_site(&making, exists, &text, sample, err);
    buf_finish(&text);
    if (code) {
        making_undo(&making);
        return code;
    }
    making_keep(&making);
    say_init(cli, making.folder, true, sample);
    return 0;
}

static const struct cli_option_row init_options[] = {
    {.name = "sample", .doc = "take the sample formulary along, for trials"},
    {.name = "set",
     .arg = "KEY=VALUE",
     .doc = "a value for site.yaml, for example machines[].port=1502; repeatable"},
    {.name = NULL},
};

static const struct cli_option_row check_options[] = {
    {.name = "explain",
     .arg = "FORMAT",
     .doc = "check nothing, print every key of a format, for example sachet-site"},
    {.name = NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "init",
        .args = "DIR",
        .args_min = 1,
        .args_max = 1,
        .summary = "Make a site: settings, rules, machine profile and an empty store",
        .details =
            "DIR must be new or empty. It gets site.yaml with every key and what it means, rules/, machines/ "
            "and store/. Where DIR is a site already, nothing is changed and the exit status is 0.",
        .options = init_options,
        .run = run_init,
    },
    {
        .name = "check",
        .args = "[FILE|DIR…]",
        .args_max = -1,
        .summary = "Check files of any of our formats and report every mistake",
        .details =
            "The kind of a file is read from its format line. A site is checked with the rules and profiles "
            "that it names; without an argument it is the site itself. Each mistake is a line "
            "file:line:column: what, what is allowed, what to do. Exit status 1 when something was found, 3 "
            "when "
            "a file could not be read at all.",
        .options = check_options,
        .run = run_check,
        .findings = true,
    },
};
const struct cli_group verbs_site = {.title = "Site", .rows = rows, .count = sizeof rows / sizeof rows[0]};
