/* SPDX-License-Identifier: Apache-2.0 */
/* sachet user: people, logins, passwords. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/store/store.h"
#include "controller/user/user.h"
#include "controller/user/user_key.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"
#include "tools/sachet/verbs.h"

enum { PASSWORD_BYTES = SEAL_PASSWORD_MAX + 2 };

/* The acting user, or nobody while the store has none. */
static int acting_user(struct cli *cli, struct user *ret_user, bool *ret_somebody, struct error *err)
{
    int64_t count = 0;
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = store_get_int(cli->store, &count, err, "SELECT count(*) FROM user", "");
    if (rc)
        return rc;
    *ret_somebody = count > 0;
    return count > 0 ? cli_login(cli, USER_PHARMACIST, ret_user, err) : 0;
}

static int run_add(struct cli *cli, struct error *err)
{
    const char *login = cli->argv[0];
    const char *name = cli_option(cli, "name") ? cli_option(cli, "name") : login;
    const char *role = cli_option(cli, "role");
    char password[PASSWORD_BYTES];
    struct user by = {0};
    bool somebody = false;
    int64_t id = 0;
    if (!role)
        return error_set(err, E_ARG, "give --role technician or --role pharmacist");
    int rc = acting_user(cli, &by, &somebody, err);
    if (rc == 0)
        rc = cli_new_password(cli, !somebody, login, password, sizeof password, err);
    if (rc == 0)
        rc = user_add(cli->store, somebody ? &by : NULL, login, name, role, password,
                      clock_wall_ms(cli->clock), &id, err);
    seal_wipe(password, sizeof password);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli, json_pack("{s:I, s:s, s:s}", "id", (json_int_t)id, "login", login, "role", role),
                        err);
    fprintf(cli->out, "%s (%s) added\n", login, role);
    return 0;
}

static const char *user_state(const struct user *user, int64_t wall_ms)
{
    if (user->disabled)
        return "disabled";
    return wall_ms < user->locked_until_ms ? "locked" : "active";
}

static int run_list(struct cli *cli, struct error *err)
{
    struct user *users = NULL;
    int count = 0;
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = user_list(cli->store, &users, &count, err);
    if (rc)
        return rc;
    int64_t now = clock_wall_ms(cli->clock);
    json_t *list = cli->json ? json_array() : NULL;
    if (!cli->json)
        fprintf(cli->out, "%-20s %-11s %-8s %6s  %s\n", "login", "role", "state", "failed", "name");
    for (int i = 0; i < count; i++) {
        const struct user *u = &users[i];
        if (cli->json)
            (void)json_array_append_new(list,
                                        json_pack("{s:I, s:s, s:s, s:s, s:s, s:i}", "id", (json_int_t)u->id,
                                                  "login", u->login, "name", u->name, "role", u->role,
                                                  "state", user_state(u, now), "failed", u->failed_logins));
        else
            fprintf(cli->out, "%-20s %-11s %-8s %6d  %s\n", u->login, u->role, user_state(u, now),
                    u->failed_logins, u->name);
    }
    free(users);
    return cli->json ? out_json(cli, json_pack("{s:o}", "users", list), err) : 0;
}

static int set_disabled(struct cli *cli, bool disabled, struct error *err)
{
    struct user by;
    const char *login = cli->argv[0];
    int64_t now = clock_wall_ms(cli->clock);
    int rc = cli_login(cli, USER_PHARMACIST, &by, err);
    if (rc == 0)
        rc = disabled ? user_disable(cli->store, &by, login, now, err)
                      : user_enable(cli->store, &by, login, now, err);
    if (rc)
        return rc;
    const char *state = disabled ? "disabled" : "active";
    if (cli->json)
        return out_json(cli, json_pack("{s:s, s:s}", "login", login, "state", state), err);
    fprintf(cli->out, "%s is %s\n", login, state);
    return 0;
}

static int run_disable(struct cli *cli, struct error *err)
{
    return set_disabled(cli, true, err);
}

static int run_enable(struct cli *cli, struct error *err)
{
    return set_disabled(cli, false, err);
}

static int run_password(struct cli *cli, struct error *err)
{
    const char *login = cli_option(cli, "user");
    char password[PASSWORD_BYTES];
    char new_password[PASSWORD_BYTES];
    if (!login)
        return error_set(err, E_ARG, "whose password? give --user LOGIN");
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = cli_password(cli, "Present password", password, sizeof password, err);
    if (rc == 0)
        rc = cli_new_password(cli, false, login, new_password, sizeof new_password, err);
    if (rc == 0)
        rc = user_password_change(cli->store, cli_lock_after(cli), login, password, new_password,
                                  clock_wall_ms(cli->clock), err);
    seal_wipe(password, sizeof password);
    seal_wipe(new_password, sizeof new_password);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli, json_pack("{s:s}", "login", login), err);
    fprintf(cli->out, "the password of %s is changed\n", login);
    return 0;
}

#define NEW_PASSWORD_OPTION                                                             \
    {                                                                                   \
        .name = "new-password-file", .arg = "FILE",                                     \
        .doc = "first line is the new password (else $SACHET_NEW_PASSWORD, else asked)" \
    }

static int run_key(struct cli *cli, struct error *err)
{
    const char *login = cli_option(cli, "user");
    char password[PASSWORD_BYTES];
    if (!login)
        return error_set(err, E_ARG, "whose key? give --user LOGIN");
    int rc = cli_open_store(cli, err);
    if (rc == 0)
        rc = cli_password(cli, "Password, for a new signing key", password, sizeof password, err);
    if (rc == 0)
        rc =
            user_key_rotate(cli->store, cli_lock_after(cli), login, password, clock_wall_ms(cli->clock), err);
    seal_wipe(password, sizeof password);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli, json_pack("{s:s}", "login", login), err);
    fprintf(cli->out, "%s has a new signing key; what the old one signed holds\n", login);
    return 0;
}

static int run_revoke(struct cli *cli, struct error *err)
{
    enum { DAY_MS = 24 * 60 * 60 * 1000 };
    struct user by;
    const char *login = cli->argv[0], *reason = cli_option(cli, "reason");
    int32_t from = 0;
    int64_t now = clock_wall_ms(cli->clock);
    if (!reason || !cli_option(cli, "from"))
        return error_set(err, E_ARG, "since when, and why? give --from DATE and --reason TEXT");
    int rc = cli_option_day(cli, "from", 0, &from, err);
    if (rc == 0)
        rc = cli_login(cli, USER_PHARMACIST, &by, err);
    if (rc == 0)
        rc = user_key_revoke(cli->store, &by, login, (int64_t)from * DAY_MS, reason, now, err);
    if (rc)
        return rc;
    if (cli->json)
        return out_json(cli, json_pack("{s:s}", "login", login), err);
    fprintf(cli->out, "the key of %s is revoked; plans signed with it since then must be signed again\n",
            login);
    return 0;
}

static const struct cli_option_row add_options[] = {
    {.name = "name", .arg = "NAME", .doc = "full name, as it stands in signatures (else the login)"},
    {.name = "role", .arg = "ROLE", .doc = "technician or pharmacist"},
    NEW_PASSWORD_OPTION,
    {.name = NULL},
};
static const struct cli_option_row password_options[] = {NEW_PASSWORD_OPTION, {.name = NULL}};

static const struct cli_option_row revoke_options[] = {
    {.name = "from", .arg = "DATE", .doc = "first day (UTC) whose signatures do not hold"},
    {.name = "reason", .arg = "TEXT", .doc = "why, 10 to 500 characters"},
    {.name = NULL},
};

static const struct cli_verb rows[] = {
    {
        .name = "user add",
        .args = "LOGIN",
        .args_min = 1,
        .args_max = 1,
        .summary = "Add a technician or pharmacist, with a signing key of his own",
        .details = "A pharmacist does it (--user). The first user of a store must be a pharmacist and needs "
                   "nobody; his password may then come from --password-file or $SACHET_PASSWORD, too.",
        .options = add_options,
        .run = run_add,
    },
    {.name = "user list",
     .args = "",
     .summary = "List the users and which logins are locked",
     .run = run_list},
    {
        .name = "user disable",
        .args = "LOGIN",
        .args_min = 1,
        .args_max = 1,
        .summary = "Shut a user out; what he signed stays",
        .run = run_disable,
    },
    {
        .name = "user enable",
        .args = "LOGIN",
        .args_min = 1,
        .args_max = 1,
        .summary = "Let a disabled or locked user in again",
        .run = run_enable,
    },
    {
        .name = "user password",
        .args = "",
        .summary = "Change the password of --user; the signing key stays the same",
        .options = password_options,
        .run = run_password,
    },
    {
        .name = "user key",
        .args = "",
        .summary = "Make a new signing key for --user; what the old one signed holds",
        .run = run_key,
    },
    {
        .name = "user revoke",
        .args = "LOGIN",
        .args_min = 1,
        .args_max = 1,
        .summary = "Revoke a user's signing key: what it signed since a day does not hold",
        .details = "For a key or password that somebody else may have had. The user makes a new key with\n"
                   "'sachet user key'.",
        .options = revoke_options,
        .run = run_revoke,
    },
};
const struct cli_group verbs_user = {.title = "People", .rows = rows, .count = sizeof rows / sizeof rows[0]};
