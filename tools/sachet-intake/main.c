/* SPDX-License-Identifier: Apache-2.0 */
/* sachet-intake: HL7 v2 orders over MLLP into a site's store. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "config/base/loop.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/intake/sig/sigtext.h"
#include "controller/orders/hl7_feed.h"
#include "controller/plan/policy.h"
#include "controller/refill/change.h"
#include "controller/refill/refill.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"
#include "tools/sachet-intake/listener.h"
#include "tools/version.h"

enum { PATH_BYTES = 4096 };

struct arguments {
    const char *site;
    const char *address; /* NULL: the site's */
    int port;            /* -1: the site's */
    int64_t frame_ms;
};

static const char help[] =
    "usage: sachet-intake --site DIR [--address ADDRESS] [--port PORT]\n"
    "\n"
    "Takes HL7 v2 orders over MLLP into a site's store: RDE, OMP, ORM and RDS "
    "(controller/intake/hl7/hl7-format.md).\n"
    "A message is stored before it is answered; the same message again gets the same answer.\n"
    "\n"
    "  --site DIR         the site's folder (else $SACHET_SITE, else the working folder)\n"
    "  --address ADDRESS  a loopback address, default intake.mllp.address of site.yaml\n"
    "  --port PORT        default intake.mllp.port of site.yaml; 0: any free port, told on stdout\n"
    "  --frame-ms MS      how long a message may take from its first byte to its last, default 30000\n"
    "  --version, --help\n"
    "\n"
    "MLLP has no encryption and no login: other addresses are refused. For senders on other machines let\n"
    "stunnel accept TLS with client certificates and connect to this port.\n"
    "SIGTERM and SIGINT end it with status 0 after the message in hand. It may be killed at any moment: "
    "what\n"
    "was stored and not answered is read at the next start, and the sender gets its answer when it asks "
    "again.\n";

static int read_number(const char *name, const char *text, long most, long *ret, struct error *err)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 0 || value > most)
        return error_set(err, E_ARG, "--%s %s: a number from 0 to %ld", name, text, most);
    *ret = value;
    return 0;
}

static int parse(int argc, char **argv, struct arguments *ret_arguments, struct error *err)
{
    static const struct option options[] = {
        {"site", required_argument, NULL, 's'},
        {"address", required_argument, NULL, 'a'},
        {"port", required_argument, NULL, 'p'},
        {"frame-ms", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    const char *site = getenv("SACHET_SITE");
    struct arguments arguments = {.site = site && site[0] ? site : ".", .port = -1};
    int option, rc = 0;
    opterr = 0;
    while (rc == 0 && (option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        long value = 0;
        switch (option) {
        case 's':
            arguments.site = optarg;
            break;
        case 'a':
            arguments.address = optarg;
            break;
        case 'p':
            rc = read_number("port", optarg, 65535, &value, err);
            arguments.port = (int)value;
            break;
        case 'f':
            rc = read_number("frame-ms", optarg, 3600000, &value, err);
            arguments.frame_ms = value;
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        case 'v':
            puts("sachet-intake " SACHET_VERSION);
            exit(0);
        default:
            return error_set(err, E_ARG, "%s: not understood; see 'sachet-intake --help'", argv[optind - 1]);
        }
    }
    if (rc == 0 && optind < argc)
        rc = error_set(err, E_ARG, "%s: not understood; see 'sachet-intake --help'", argv[optind]);
    *ret_arguments = arguments;
    return rc;
}

static int32_t local_today(void)
{
    int64_t wall_ms = clock_wall_ms(clock_system());
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    if (!localtime_r(&seconds, &local))
        return instant_day(wall_ms);
    return instant_day(wall_ms + (int64_t)local.tm_gmtoff * 1000);
}

static void on_signal(void *data, int signal)
{
    log_info("intake", "signal=%d ending", signal);
    loop_stop(data);
}

/* What imported orders change in signed plans: packing of it stops, made pouches are called back. */
struct watch {
    struct policy *policy;
    struct refill_site site;
    int64_t since_ms; /* everything before was looked at */
};

/* A message is answered only when this is done; what a crash leaves is done at the next start. */
static int notice(void *data, const struct intake_import *import, struct error *err)
{
    struct watch *watch = data;
    int64_t changes = 0, pouches = 0;
    const struct record_by by = {import->actor, "an imported order", import->policy.today, import->wall_ms};
    int rc = change_notice_since(import->store, watch->policy, &watch->site, watch->since_ms, &by, &changes,
                                 &pouches, err);
    if (rc == 0)
        watch->since_ms = import->wall_ms;
    if (changes > 0)
        log_info("intake", "changes=%" PRId64 " pouches=%" PRId64, changes, pouches);
    return rc;
}

static int serve(const struct arguments *arguments, const struct conf *site, struct watch *watch,
                 struct intake_import *import, struct error *err)
{
    static const int signals[] = {SIGTERM, SIGINT};
    int64_t pending = 0;
    struct loop *loop = loop_create(clock_system(), err);
    struct listener *listener = NULL;
    int rc = loop != NULL ? loop_add_signals(loop, signals, 2, on_signal, loop, err) : err->code;
    const char *processing = conf_text(site, "intake.mllp.processing");
    if (rc == 0)
        rc = hl7_receive_pending(import, processing, &pending, err);
    if (rc == 0)
        rc = notice(watch, import, err);
    if (rc == 0) {
        const struct listener_params params = {
            .loop = loop,
            .clock = clock_system(),
            .address = arguments->address ? arguments->address : conf_text(site, "intake.mllp.address"),
            .port = arguments->port >= 0 ? arguments->port : (int)conf_int(site, "intake.mllp.port"),
            .processing = processing,
            .frame_ms = arguments->frame_ms,
            .import = import,
            .today = local_today,
            .stored = notice,
            .data = watch,
        };
        listener = listener_create(&params, err);
        rc = listener != NULL ? 0 : err->code;
    }
    if (rc == 0) {
        printf("listening on port %d\n", listener_port(listener));
        (void)fflush(stdout); /* whoever waits for the port reads it */
        log_info("intake", "version=" SACHET_VERSION " port=%d pending=%" PRId64, listener_port(listener),
                 pending);
        rc = loop_run(loop, err);
        if (rc == 0 && listener_broken(listener))
            rc = error_set(err, E_STORE, "the store failed; what was not answered will be sent again");
        log_info("intake", "answered=%" PRId64, listener_answered(listener));
    }
    listener_destroy(listener);
    loop_destroy(loop);
    return rc;
}

static int run(const struct arguments *arguments, struct error *err)
{
    char path[PATH_BYTES];
    struct conf *site = NULL, *packing = NULL, *timing = NULL, *jurisdiction = NULL;
    struct watch watch = {.since_ms = 0};
    struct store *store = NULL;
    struct sigtext_table *words = NULL;
    int n = snprintf(path, sizeof path, "%s/site.yaml", arguments->site);
    if (n < 0 || n >= PATH_BYTES)
        return error_set(err, E_LIMIT, "--site: path too long, at most %d bytes", PATH_BYTES - 16);
    int rc = conf_load(&conf_site, path, &site, err);
    if (rc == 0)
        rc = conf_load(&conf_packing, conf_text(site, "rules.packing"), &packing, err);
    if (rc == 0)
        rc = conf_load(&conf_timing, conf_text(site, "rules.timing"), &timing, err);
    if (rc == 0)
        rc = paths_rules(site, "jurisdiction", path, sizeof path, err);
    if (rc == 0)
        rc = conf_load(&conf_jurisdiction, path, &jurisdiction, err);
    if (rc == 0)
        rc = policy_create(site, timing, packing, jurisdiction, &watch.policy, err);
    if (rc == 0)
        rc = sigtext_table_load(NULL, &words, err);
    if (rc == 0) {
        store = store_open(conf_text(site, "store"), true, err);
        rc = store ? 0 : err->code;
    }
    if (rc == 0) {
        struct intake_import import = {
            .store = store,
            .policy = {.today = local_today(),
                       .max_order_age_days = (int)conf_int(site, "intake.max_order_age_days"),
                       .packing = packing,
                       .words = words,
                       .language = (int)conf_int(site, "intake.language")},
            .actor = "sachet-intake",
            .wall_ms = clock_wall_ms(clock_system()),
        };
        refill_site_load(site, &watch.site);
        rc = serve(arguments, site, &watch, &import, err);
    }
    store_close(store);
    sigtext_table_destroy(words);
    policy_destroy(watch.policy);
    conf_destroy(jurisdiction);
    conf_destroy(timing);
    conf_destroy(packing);
    conf_destroy(site);
    return rc;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct error err = {0};
    (void)signal(SIGPIPE, SIG_IGN); /* a lost connection is an error code, not the end */
    int rc = parse(argc, argv, &arguments, &err);
    if (rc == 0) {
        log_init("sachet-intake", LOG_INFO, clock_system());
        rc = seal_init(&err);
    }
    if (rc == 0)
        rc = run(&arguments, &err);
    if (rc < 0)
        fprintf(stderr, "sachet-intake: %s\n", err.message);
    return error_exit_status(rc);
}
