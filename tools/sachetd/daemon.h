/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon: the machines of one site, their packers and one event loop. The composition root of sachetd: only
 * here a backend is named and a clock is read.
 *
 * One thread owns loop, store and packers; each machine's wire has a thread of its own behind the port. A
 * round lets every packer decide, stores what they all want stored in one transaction, and lets them go on.
 * No listening socket; people speak through the table `command`. Ends when asked (SIGTERM, SIGINT: started
 * pouches are finished), when nothing is left (--once), or when the store fails: then nothing is written any
 * more and the machines suspend by themselves (rule M7).
 */
#ifndef TOOLS_SACHETD_DAEMON_H
#define TOOLS_SACHETD_DAEMON_H

#include <stdbool.h>

struct clock;
struct conf;
struct daemon;
struct error;
struct review_rules;
struct store;

struct daemon_params {
    const char *records; /* folder for batch records */
    const char *trace;   /* folder for traces of the lines; NULL: none */
    const struct conf *site;
    struct store *store;
    const struct review_rules *rules; /* of the site */
    struct clock *clock;
    bool attend; /* stand in for the operator; packers refuse it on real machines */
    bool once;   /* end when no batch is running, paused or asked for */
};

/* All of params is borrowed and must outlive the daemon. */
struct daemon *daemon_create(const struct daemon_params *params, struct error *err);
void daemon_destroy(struct daemon *daemon);
/* Runs until the end. 0, CLASS input E_STATE when a batch stopped and a person must look (--once), or the
 * error that ended it. */
int daemon_run(struct daemon *daemon, struct error *err);

#endif
