/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/signer.h"

#include <stdio.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "controller/seal/seal.h"
#include "controller/user/user.h"
#include "tools/sachet/cli.h"

int signer_open(struct cli *cli, const char *what, struct user *ret_user, struct seal_key **ret_key,
                struct error *err)
{
    char password[SEAL_PASSWORD_MAX + 2], prompt[128];
    struct user user;
    const char *login = cli_option(cli, "user");
    if (!login)
        return error_set(err, E_ARG, "who signs? give --user LOGIN");
    (void)snprintf(prompt, sizeof prompt, "Password of %s, %s", login, what); /* a cut prompt still asks */
    int status = cli_password(cli, prompt, password, sizeof password, err);
    if (status == 0)
        status = user_login(cli->store, cli_lock_after(cli), login, password, clock_wall_ms(cli->clock),
                            &user, err);
    if (status == 0 && !user_is_pharmacist(&user))
        status = error_set(err, E_DENIED, "%s is a %s: only a pharmacist signs", login, user.role);
    if (status == 0)
        status = user_key_open(&user, password, ret_key, err);
    seal_wipe(password, sizeof password);
    if (status == 0)
        *ret_user = user;
    return status;
}
