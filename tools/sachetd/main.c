/* SPDX-License-Identifier: Apache-2.0 */
/* sachetd: owns the machines of a site and packs the batches that people start. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "config/conf.h"
#include "controller/review/sign.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"
#include "tools/sachetd/daemon.h"
#include "tools/sachetd/instance.h"
#include "tools/version.h"

enum { PATH_BYTES = 4096 };

struct arguments {
    const char *site;
    const char *trace;
    bool attend;
    bool once;
    enum log_level level;
};

static const char help[] =
    "usage: sachetd --site DIR [--once] [--attend] [--trace DIR] [--log-level LEVEL]\n"
    "\n"
    "Owns the packing machines of a site and packs the batches that people start with 'sachet batch\n"
    "start'. Listens on no port: people and screens speak with it through the store.\n"
    "\n"
    "  --site DIR         the site's folder (else $SACHET_SITE, else the working folder)\n"
    "  --once             end when no batch is running, paused or asked for; status 1 when one stopped\n"
    "  --attend           stand in for the operator: confirm that doubtful pouches were removed, clear,\n"
    "                     reset and start after a stop. For demos and tests on SIMULATED machines; a real\n"
    "                     machine is refused\n"
    "  --trace DIR        record every request and answer of each line in a new file there\n"
    "  --log-level LEVEL  error, warning, info or debug, default info; lines go to stderr and carry ids, "
    "never names\n"
    "  --version, --help\n"
    "\n"
    "SIGTERM and SIGINT finish the pouches that were started, suspend the machines and end with status 0.\n"
    "It may be killed at any moment: started again, it goes on where the machine really is.\n";

static int parse(int argc, char **argv, struct arguments *ret_arguments, struct error *err)
{
    static const struct option options[] = {
        {"site", required_argument, NULL, 's'},      {"once", no_argument, NULL, 'o'},
        {"attend", no_argument, NULL, 'a'},          {"trace", required_argument, NULL, 't'},
        {"log-level", required_argument, NULL, 'l'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},         {NULL, 0, NULL, 0},
    };
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    const char *site = getenv("SACHET_SITE");
    struct arguments arguments = {.site = site && site[0] ? site : ".", .level = LOG_INFO};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        size_t level = 0;
        switch (option) {
        case 's':
            arguments.site = optarg;
            break;
        case 't':
            arguments.trace = optarg;
            break;
        case 'o':
            arguments.once = true;
            break;
        case 'a':
            arguments.attend = true;
            break;
        case 'l':
            while (level < 4 && strcmp(levels[level], optarg) != 0)
                level++;
            if (level == 4)
                return error_set(err, E_ARG, "--log-level %s: error, warning, info or debug", optarg);
            arguments.level = (enum log_level)level;
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        case 'v':
            puts("sachetd " SACHET_VERSION);
            exit(0);
        default:
            return error_set(err, E_ARG, "%s: not understood; see 'sachetd --help'", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return error_set(err, E_ARG, "%s: not understood; see 'sachetd --help'", argv[optind]);
    *ret_arguments = arguments;
    return 0;
}

static int run(const struct arguments *arguments, struct error *err)
{
    char path[PATH_BYTES], records[PATH_BYTES];
    struct conf *site = NULL;
    struct store *store = NULL;
    struct daemon *daemon = NULL;
    struct review_rules rules = {0};
    int lock = -1;
    int n = snprintf(path, sizeof path, "%s/site.yaml", arguments->site);
    int m = snprintf(records, sizeof records, "%s/records", arguments->site);
    if (n < 0 || n >= PATH_BYTES || m < 0 || m >= PATH_BYTES)
        return error_set(err, E_LIMIT, "--site: path too long, at most %d bytes", PATH_BYTES - 16);
    int rc = conf_load(&conf_site, path, &site, err);
    if (rc == 0)
        rc = review_rules_of(site, clock_system(), &rules, err);
    if (rc == 0)
        rc = instance_take(conf_text(site, "store"), &lock, err);
    if (rc == 0) {
        store = store_open(conf_text(site, "store"), true, err);
        rc = store ? 0 : err->code;
    }
    if (rc == 0) {
        const struct daemon_params params = {.records = records,
                                             .trace = arguments->trace,
                                             .site = site,
                                             .store = store,
                                             .rules = &rules,
                                             .clock = clock_system(),
                                             .attend = arguments->attend,
                                             .once = arguments->once};
        daemon = daemon_create(&params, err);
        rc = daemon ? 0 : err->code;
    }
    if (rc == 0) {
        log_info("sachetd", "version=" SACHET_VERSION " machines=%d%s", conf_count(site, "machines"),
                 arguments->attend ? " ATTENDED BY THE PROGRAM (SIMULATED machines only)" : "");
        rc = daemon_run(daemon, err);
    }
    daemon_destroy(daemon);
    review_rules_finish(&rules);
    store_close(store);
    conf_destroy(site);
    if (lock >= 0)
        (void)close(lock); /* gives the lock back */
    return rc;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct error err = {0};
    (void)signal(SIGPIPE, SIG_IGN); /* a lost connection is an error code, not the end */
    int rc = parse(argc, argv, &arguments, &err);
    if (rc == 0) {
        log_init("sachetd", arguments.level, clock_system());
        rc = seal_init(&err);
    }
    if (rc == 0)
        rc = run(&arguments, &err);
    if (rc < 0)
        fprintf(stderr, "sachetd: %s\n", err.message);
    return error_exit_status(rc);
}
