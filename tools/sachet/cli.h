/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli: the frame of the command line `sachet VERB [NOUN]`.
 *
 * A verb is a row of a table: name, arguments, options, texts and a function. The same rows make the parser,
 * --help, the man page and the shell completion. A verb function returns 0 or an error code with its sentence
 * in err; main() prints it once and turns its class into the exit status (0 done, 1 a person must look, 2
 * used wrongly, 3 environment).
 *
 * Results go to cli->out: text for people, or with --json one object (or one a line) for machines. Progress
 * and remarks go to stderr. One thread.
 */
#ifndef TOOLS_SACHET_CLI_H
#define TOOLS_SACHET_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct clock;
struct conf;
struct error;
struct store;
struct user;

enum {
    CLI_ARGUMENTS_MAX = 4096,
    CLI_OPTIONS_MAX = 64, /* given on one command line */
};

struct cli_option_row {
    const char *name; /* without the dashes */
    const char *arg;  /* NULL: a flag; else the name of its value in help, for example "DATE" */
    const char *doc;
};

struct cli;

struct cli_verb {
    const char *name; /* "plan" or "batch create" */
    const char *args; /* for help: "[PATIENT…]"; "" for none */
    int args_min;
    int args_max;        /* -1: any number */
    const char *summary; /* one line, no full stop */
    const char *details; /* some paragraphs for --help and the man page; may be NULL */
    const struct cli_option_row
        *options; /* beside the common ones; ends with a row whose name is NULL; may be NULL */
    int (*run)(struct cli *cli, struct error *err);
    bool findings; /* run may return CLI_FOUND: done, but a person must look */
};

/* A verb's "done, and something was found": exit status 1 without another message. */
enum { CLI_FOUND = 1 };

struct cli_given {
    const char *name;
    const char *value; /* NULL for flags */
};

struct cli {
    const char *program;
    const struct cli_verb *verb;
    struct clock *clock;
    FILE *out;
    bool json;
    bool terminal; /* out is a terminal and NO_COLOR is not set: colours and bars are welcome */
    int32_t today; /* civil day: --today, else the clock's day */
    int argc;      /* positional arguments */
    const char *argv[CLI_ARGUMENTS_MAX];
    int given_count;
    struct cli_given given[CLI_OPTIONS_MAX];

    /* Filled by cli_open_site and cli_open_store, given back by the frame. */
    const char *site_dir;
    struct conf *site;
    struct store *store;
};

/* The value of --name, or NULL when it was not given (the last one wins). */
const char *cli_option(const struct cli *cli, const char *name);
bool cli_flag(const struct cli *cli, const char *name);
/* --name as an integer min..max; fallback when it was not given; E_ARG names option, value and range. */
int cli_option_int(const struct cli *cli, const char *name, int64_t min, int64_t max, int64_t fallback,
                   int64_t *ret_value, struct error *err);
/* --name as a date YYYY-MM-DD. */
int cli_option_day(const struct cli *cli, const char *name, int32_t fallback, int32_t *ret_day,
                   struct error *err);

/* Loads SITE/site.yaml: --site DIR, else $SACHET_SITE, else the working folder. */
int cli_open_site(struct cli *cli, struct error *err);
/* Opens the site's store, too (and the site first where needed). */
int cli_open_store(struct cli *cli, struct error *err);
/* SITE/relative for a file that site.yaml does not name (those that it names come whole from conf_text); the
 * caller frees it. NULL: no memory. */
char *cli_site_path(const struct cli *cli, const char *relative);
/*
 * Who acts: --user LOGIN, the password from --password-file FILE, else $SACHET_PASSWORD, else asked on the
 * terminal. role NULL: any. ret_user is filled by value. E_DENIED with the reason. Needs the store.
 */
int cli_login(struct cli *cli, const char *role, struct user *ret_user, struct error *err);
/* Only the password of cli_login's sources; size includes the NUL. Wipe it after use. */
int cli_password(struct cli *cli, const char *prompt, char *ret_password, size_t size, struct error *err);
/*
 * A password that shall be: from --new-password-file FILE, else $SACHET_NEW_PASSWORD, else (first_user:
 * nobody acts yet) from cli_password's --password-file or $SACHET_PASSWORD, else asked twice on the terminal.
 */
int cli_new_password(struct cli *cli, bool first_user, const char *login, char *ret_password, size_t size,
                     struct error *err);

/* Wrong passwords in a row until a login is locked, as the site says. Needs the site. */
int cli_lock_after(const struct cli *cli);

/* "2026-11-22 01:05:09" where the site is (time.zone, time.offset), for people; machines get UTC. Needs the
 * site. */
enum { CLI_TIME_BYTES = 24, CLI_TIME_CLOCK = 11 /* where the clock begins */ };
void cli_time(const struct cli *cli, int64_t ms, char text[CLI_TIME_BYTES]);

/* Progress on stderr with the time left: a bar on a terminal, a plain line every tenth otherwise (and with
 * NO_COLOR). what must stay valid. total 0: nothing to show. */
void cli_progress(struct cli *cli, const char *what, int64_t done, int64_t total);

/* A group of verbs under one title in help. Each verb_*.c defines one, verbs.c lists them in the order of
 * help. */
struct cli_group {
    const char *title;
    const struct cli_verb *rows;
    size_t count;
};
extern const struct cli_group *const cli_groups[];
extern const size_t cli_group_count;
extern const struct cli_option_row cli_common_options[];

/* tools/sachet/help.c */
void help_all(FILE *out);
void help_verb(const struct cli_verb *verb, FILE *out);
void help_json(const struct cli_verb *verb, FILE *out); /* one object on a line */
void help_man(FILE *out);
void help_completion_bash(FILE *out);

#endif
