/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/conf.h"
#include "controller/pack/batch.h"
#include "tools/sachet/cli.h"
#include "tools/sachet/out.h"

enum { ANSWER_WAIT_MS = 4000, ANSWER_STEP_MS = 50, PATH_BYTES = 4096 };

int ask_number(const char *text, const char *what, int64_t *ret_number, struct error *err)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < 1)
        return error_set(err, E_ARG, "%s \"%.40s\": a whole number from 1 on is wanted", what, text);
    *ret_number = value;
    return 0;
}

const char *ask_machine(struct cli *cli, const char *name, struct error *err)
{
    int count = conf_count(cli->site, "machines");
    if (!name && count == 1)
        return conf_text(cli->site, "machines[0].name");
    for (int i = 0; name && i < count; i++) {
        if (strcmp(conf_text(cli->site, "machines[%d].name", i), name) == 0)
            return conf_text(cli->site, "machines[%d].name", i);
    }
    if (!name)
        error_set(err, E_ARG, "which machine? give --machine NAME; 'sachet machine list' shows them");
    else
        error_set(err, E_NOT_FOUND, "machine %s is not in %s; 'sachet machine list' shows those that are",
                  name, conf_file(cli->site));
    return NULL;
}

bool ask_daemon_runs(struct cli *cli)
{
    char path[PATH_BYTES];
    const char *store = conf_text(cli->site, "store");
    const char *slash = strrchr(store, '/');
    int n = snprintf(path, sizeof path, "%.*ssachetd.lock", slash ? (int)(slash - store) + 1 : 0, store);
    if (n < 0 || n >= PATH_BYTES)
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool runs = flock(fd, LOCK_EX | LOCK_NB) < 0;
    (void)close(fd); /* nothing was written */
    return runs;
}

void ask_sleep_ms(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&time, NULL); /* a signal only makes it shorter */
}

int ask_tell(struct cli *cli, int64_t command, const char *what, struct error *err)
{
    char result[BATCH_NOTE_BYTES] = "";
    int rc = 0;
    bool runs = ask_daemon_runs(cli);
    for (int waited = 0; runs && waited < ANSWER_WAIT_MS; waited += ANSWER_STEP_MS) {
        rc = command_result(cli->store, command, result, err);
        if (rc != 0)
            break;
        ask_sleep_ms(ANSWER_STEP_MS);
    }
    if (rc < 0)
        return rc;
    if (strncmp(result, "refused", 7) == 0)
        return error_set(err, E_STATE, "%s: %s", what, result);
    const char *state = result[0] ? result
                        : runs    ? "asked; sachetd is at work"
                                  : "asked; sachetd is not running";
    if (cli->json)
        return out_json(
            cli, json_pack("{s:I,s:s,s:s}", "command", (json_int_t)command, "what", what, "result", state),
            err);
    fprintf(cli->out, "%s: %s\n", what, state);
    if (!runs)
        fprintf(cli->out, "start it with: sachetd --site %s\n", cli->site_dir);
    return 0;
}
