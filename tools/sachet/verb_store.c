/* SPDX-License-Identifier: Apache-2.0 */
/* sachet audit, backup, store check: the store itself. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"
#include "tools/sachetd/instance.h"

enum { SHOW_MOST = 1000000, SHOW_DEFAULT = 50 };

static int run_verify(struct cli *cli, struct error *err)
{
    int64_t rows = 0;
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = audit_verify(cli->store, &rows, err);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli, json_pack("{s:I, s:b}", "rows", (json_int_t)rows, "holds", 1), err);
    fprintf(cli->out, "%" PRId64 " audit rows, the chain holds\n", rows);
    return 0;
}

static json_t *audit_json(struct store_rows *rows, const char *at)
{
    json_t *detail = json_loads(store_text(rows, 5), 0, NULL);
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:o}", "seq", (json_int_t)store_int(rows, 0), "at", at,
                     "actor", store_text(rows, 2), "action", store_text(rows, 3), "subject",
                     store_text(rows, 4), "detail", detail ? detail : json_string(store_text(rows, 5)));
}

static int run_show(struct cli *cli, struct error *err)
{
    int64_t last = 0;
    struct store_rows *rows = NULL;
    int rc = cli_option_int(cli, "last", 1, SHOW_MOST, SHOW_DEFAULT, &last, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = store_query(cli->store, &rows, err,
                         "SELECT * FROM (SELECT seq, at_ms, actor, action, subject, detail FROM audit "
                         "WHERE (?1 IS NULL OR actor = ?1) AND (?2 IS NULL OR subject = ?2) "
                         "AND (?3 IS NULL OR action = ?3) ORDER BY seq DESC LIMIT ?4) ORDER BY seq",
                         "ttti", cli_option(cli, "actor"), cli_option(cli, "subject"),
                         cli_option(cli, "action"), last);
    while (rc == 0 && (rc = store_next(rows, err)) == 1) {
        char at[INSTANT_TEXT_BYTES];
        instant_format(store_int(rows, 1), at);
        if (cli->json) {
            rc = out_json(cli, audit_json(rows, at), err); /* NDJSON: a row a line */
            continue;
        }
        fprintf(cli->out, "%6" PRId64 "  %s  %-12s %-20s %-16s %s\n", store_int(rows, 0), at,
                store_text(rows, 2), store_text(rows, 3), store_text(rows, 4), store_text(rows, 5));
        rc = 0;
    }
    store_done(rows);
    return rc;
}

/* Into the file that was named, or into the site's folder under a name of its time. */
static int make_backup(struct cli *cli, char *path, int *ret_deleted, struct error *err)
{
    int64_t wall_ms = clock_wall_ms(cli->clock);
    const char *folder = conf_text(cli->site, "backup.folder");
    int keep = (int)conf_int(cli->site, "backup.keep"), rc = 0;
    *ret_deleted = 0;
    if (cli->argc == 0)
        rc = store_backup_name(folder, wall_ms, path, STORE_PATH_BYTES, err);
    else if (snprintf(path, STORE_PATH_BYTES, "%s", cli->argv[0]) >= STORE_PATH_BYTES)
        rc = error_set(err, E_LIMIT, "backup: path too long, at most %d bytes", STORE_PATH_BYTES - 1);
    if (rc == 0)
        rc = store_backup(cli->store, path, err);
    if (rc == 0 && cli->argc == 0)
        rc = store_backup_rotate(folder, path, keep, ret_deleted, err);
    return rc;
}

static int run_backup(struct cli *cli, struct error *err)
{
    char file[STORE_PATH_BYTES];
    int deleted = 0;
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = make_backup(cli, file, &deleted, err);
    if (rc == 0)
        rc = store_write_begin(cli->store, err);
    if (rc)
        return rc;
    rc = audit_add(cli->store, clock_wall_ms(cli->clock), "sachet", "store.backup", "store", NULL, err);
    if (rc == 0)
        rc = store_write_commit(cli->store, err);
    store_write_rollback(cli->store);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli, json_pack("{s:s,s:i}", "file", file, "deleted", deleted), err);
    fprintf(cli->out, "backup %s is written and checked\n", file);
    if (deleted > 0)
        fprintf(cli->out, "%d older %s deleted (backup.keep)\n", deleted,
                deleted == 1 ? "backup was" : "backups were");
    return 0;
}

static int say_restored(struct cli *cli, const struct store_restored *restored, struct error *err)
{
    if (cli->json)
        return out_json(cli,
                        json_pack("{s:s, s:s, s:s, s:I}", "store", store_path(cli->store), "backup",
                                  cli->argv[0], "aside", restored->aside, "audit_rows",
                                  (json_int_t)restored->audit_rows),
                        err);
    fprintf(cli->out, "store %s is now what backup %s holds, %" PRId64 " audit rows, all checked\n",
            store_path(cli->store), cli->argv[0], restored->audit_rows);
    if (restored->aside[0])
        fprintf(cli->out, "the store that was there lies in %s\n", restored->aside);
    fprintf(cli->out, "next: start sachetd; a machine that has worked since the backup stops and asks\n");
    return 0;
}

static int run_restore(struct cli *cli, struct error *err)
{
    struct store_restored restored;
    int lock = -1;
    int rc = cli_open_site(cli, err);
    if (rc == 0)
        rc = instance_take(conf_text(cli->site, "store"), &lock, err);
    if (rc == 0)
        rc = store_restore(conf_text(cli->site, "store"), cli->argv[0], &restored, err);
    if (rc == 0)
        rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = store_write_begin(cli->store, err);
    if (rc == 0)
        rc = audit_add(cli->store, clock_wall_ms(cli->clock), "sachet", "store.restore", "store", NULL, err);
    if (rc == 0)
        rc = store_write_commit(cli->store, err);
    if (cli->store)
        store_write_rollback(cli->store);
    if (lock >= 0)
        (void)close(lock); /* gives the lock back */
    return rc == 0 ? say_restored(cli, &restored, err) : rc;
}

static int run_check(struct cli *cli, struct error *err)
{
    int64_t rows = 0;
    int rc = cli_open_store(cli, err); /* quick_check and version are part of it */
    if (rc == 0)
        rc = store_check(cli->store, err);
    if (rc == 0)
        rc = audit_verify(cli->store, &rows, err);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli,
                        json_pack("{s:s, s:b, s:I}", "store", store_path(cli->store), "sound", 1,
                                  "audit_rows", (json_int_t)rows),
                        err);
    fprintf(cli->out, "store %s is sound: all pages, all references, %" PRId64 " audit rows\n",
            store_path(cli->store), rows);
    return 0;
}

static const struct cli_option_row show_options[] = {
    {.name = "last", .arg = "N", .doc = "at most so many rows, the newest (50)"},
    {.name = "actor", .arg = "LOGIN", .doc = "only what this user or program did"},
    {.name = "action", .arg = "ACTION", .doc = "only this action, for example plan.sign"},
    {.name = "subject", .arg = "SUBJECT", .doc = "only what was done to this, for example plan:17"},
    {.name = NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "audit verify",
        .args = "",
        .summary = "Check the whole chain of the audit trail",
        .details =
            "Each row's hash covers what it says and the hash before it. The first row that does not hold "
            "is named. A cut at the very end shows only against a backup.",
        .run = run_verify,
    },
    {
        .name = "audit show",
        .args = "",
        .summary = "Show who did what, when",
        .options = show_options,
        .run = run_show,
    },
    {
        .name = "backup",
        .args = "[FILE]",
        .args_max = 1,
        .summary = "Copy the store into a new file while others work, and check the copy",
        .details =
            "Without FILE the copy goes into the folder backup.folder of the site, under a name that tells "
            "its "
            "time, and the oldest copies of such names are deleted until backup.keep are left. Every page, "
            "every reference and the audit chain of the copy are checked before it gets its name.",
        .run = run_backup,
    },
    {
        .name = "restore",
        .args = "FILE",
        .args_min = 1,
        .args_max = 1,
        .summary = "Put a backup in the place of the store",
        .details =
            "The backup is copied and checked, every page, every reference and the audit chain, before "
            "anything "
            "changes. The store that was there is moved aside beside it, not deleted. sachetd must not run.\n"
            "\n"
            "What was stored after the backup is gone: orders, plans and signatures of that time must come "
            "in "
            "again. Machines remember what they did: where their numbers are ahead of the restored store, "
            "the "
            "line stops and asks. Find out which pouches were made meanwhile before you let it go on with "
            "'sachet machine adopt', else they are made a second time.",
        .run = run_restore,
    },
    {
        .name = "store check",
        .args = "",
        .summary = "Check every page, every reference and the audit chain of the store",
        .run = run_check,
    },
};
const struct cli_group verbs_store = {.title = "Store", .rows = rows, .count = sizeof rows / sizeof rows[0]};
