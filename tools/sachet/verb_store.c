/* SPDX-License-Identifier: Apache-2.0 */
/* sachet backup, restore, store check: the store itself. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"
#include "tools/sachetd/instance.h"

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

static const struct cli_verb rows[] = {
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
