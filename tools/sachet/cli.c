/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "controller/seal/seal.h"
#include "controller/store/store.h"
#include "controller/user/user.h"

const struct cli_option_row cli_common_options[] = {
    {"site", "DIR", "the site's folder (else $SACHET_SITE, else the working folder)"},
    {"json", NULL, "machine-readable output"},
    {"today", "DATE", "act as if today were DATE (YYYY-MM-DD)"},
    {"user", "LOGIN", "who acts"},
    {"password-file", "FILE", "first line is the password (else $SACHET_PASSWORD, else asked)"},
    {"help", NULL, "show this help"},
    {NULL, NULL, NULL},
};

const char *cli_option(const struct cli *cli, const char *name)
{
    for (int i = cli->given_count - 1; i >= 0; i--) {
        if (strcmp(cli->given[i].name, name) == 0)
            return cli->given[i].value;
    }
    return NULL;
}

bool cli_flag(const struct cli *cli, const char *name)
{
    for (int i = 0; i < cli->given_count; i++) {
        if (strcmp(cli->given[i].name, name) == 0)
            return true;
    }
    return false;
}

int cli_option_int(const struct cli *cli, const char *name, int64_t min, int64_t max, int64_t fallback,
                   int64_t *ret_value, struct error *err)
{
    const char *text = cli_option(cli, name);
    if (!text) {
        *ret_value = fallback;
        return 0;
    }
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < min || value > max)
        return error_set(err, E_ARG, "--%s %s: a whole number from %" PRId64 " to %" PRId64 " is wanted",
                         name, text, min, max);
    *ret_value = value;
    return 0;
}

int cli_option_day(const struct cli *cli, const char *name, int32_t fallback, int32_t *ret_day,
                   struct error *err)
{
    const char *text = cli_option(cli, name);
    if (!text) {
        *ret_day = fallback;
        return 0;
    }
    if (!civil_parse(text, ret_day))
        return error_set(err, E_ARG, "--%s %s: a date that exists is wanted, as YYYY-MM-DD", name, text);
    return 0;
}

char *cli_site_path(const struct cli *cli, const char *relative)
{
    struct buf path;
    buf_init(&path);
    if (relative[0] == '/')
        buf_text(&path, relative);
    else
        buf_printf(&path, "%s/%s", cli->site_dir ? cli->site_dir : ".", relative);
    return buf_take(&path);
}

int cli_lock_after(const struct cli *cli)
{
    return (int)conf_int(cli->site, "users.lock_after");
}

/* Milliseconds that the site's clocks are ahead of UTC at an instant. */
static int64_t site_ahead_ms(const struct cli *cli, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local;
    if (strcmp(conf_text(cli->site, "time.zone"), "fixed") == 0)
        return conf_int(cli->site, "time.offset") * 60000;
    return localtime_r(&seconds, &local) ? (int64_t)local.tm_gmtoff * 1000 : 0;
}

void cli_time(const struct cli *cli, int64_t ms, char text[CLI_TIME_BYTES])
{
    char utc[INSTANT_TEXT_BYTES];
    instant_format(ms + site_ahead_ms(cli, ms), utc);
    utc[CLI_TIME_CLOCK - 1] = ' ';
    (void)snprintf(text, CLI_TIME_BYTES, "%.19s", utc); /* cut to seconds, and the Z is not true */
}

int cli_open_site(struct cli *cli, struct error *err)
{
    if (cli->site)
        return 0;
    cli->site_dir = cli_option(cli, "site");
    if (!cli->site_dir)
        cli->site_dir = getenv("SACHET_SITE");
    if (!cli->site_dir || !cli->site_dir[0])
        cli->site_dir = ".";
    char *file = cli_site_path(cli, "site.yaml");
    if (!file)
        return error_set(err, E_MEMORY, "no memory for a path");
    int rc;
    if (access(file, R_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        rc = error_set(err, E_FILE,
                       "%s: no site here; make one with 'sachet init DIR' or name it with --site DIR", file);
    else
        rc = conf_load(&conf_site, file, &cli->site, err);
    free(file);
    if (rc == 0 &&
        !cli_option(cli, "today")) { /* until now it was the computer's day, now it is the site's */
        int64_t wall_ms = clock_wall_ms(cli->clock);
        cli->today = instant_day(wall_ms + site_ahead_ms(cli, wall_ms));
    }
    return rc;
}

int cli_open_store(struct cli *cli, struct error *err)
{
    if (cli->store)
        return 0;
    int rc = cli_open_site(cli, err);
    if (rc < 0)
        return rc;
    /* A file of the site counts from the site's folder already. */
    cli->store = store_open(conf_text(cli->site, "store"), true, err);
    return cli->store ? 0 : err->code;
}

/* Reads one line into password without its newline. */
static int read_password(FILE *in, const char *from, char *password, size_t size, struct error *err)
{
    if (!fgets(password, (int)size, in))
        return error_set(err, E_DENIED, "%s: no password there", from);
    size_t len = strcspn(password, "\r\n");
    if (len == size - 1)
        return error_set(err, E_LIMIT, "%s: the password is longer than %zu characters", from, size - 2);
    password[len] = '\0';
    return 0;
}

static int ask_password(const char *prompt, char *password, size_t size, struct error *err)
{
    FILE *tty = fopen("/dev/tty", "r+");
    if (!tty)
        return error_set(
            err, E_DENIED,
            "no terminal to ask for a password; give --password-file FILE or set SACHET_PASSWORD");
    struct termios before, quiet;
    bool echo_off = tcgetattr(fileno(tty), &before) == 0;
    if (echo_off) {
        quiet = before;
        quiet.c_lflag &= (tcflag_t)~ECHO;
        (void)tcsetattr(fileno(tty), TCSAFLUSH, &quiet); /* a visible password is still a password */
    }
    fprintf(tty, "%s: ", prompt);
    fflush(tty);
    int rc = read_password(tty, "terminal", password, size, err);
    if (echo_off)
        (void)tcsetattr(fileno(tty), TCSAFLUSH, &before); /* nothing more can be done */
    fputc('\n', tty);
    fclose(tty);
    return rc;
}

static int password_file(const char *file, char *password, size_t size, struct error *err)
{
    FILE *in = fopen(file, "re");
    if (!in)
        return error_set_errno(err, E_FILE, errno, "%s", file);
    int rc = read_password(in, file, password, size, err);
    fclose(in);
    return rc;
}

static int password_variable(const char *name, char *password, size_t size, struct error *err)
{
    const char *given = getenv(name);
    if (strlen(given) >= size)
        return error_set(err, E_LIMIT, "%s is longer than %zu characters", name, size - 1);
    memcpy(password, given, strlen(given) + 1);
    return 0;
}

int cli_password(struct cli *cli, const char *prompt, char *ret_password, size_t size, struct error *err)
{
    const char *file = cli_option(cli, "password-file");
    if (file)
        return password_file(file, ret_password, size, err);
    if (getenv("SACHET_PASSWORD"))
        return password_variable("SACHET_PASSWORD", ret_password, size, err);
    return ask_password(prompt, ret_password, size, err);
}

static int ask_twice(const char *login, char *password, size_t size, struct error *err)
{
    char prompt[128];
    char again[SEAL_PASSWORD_MAX + 2];
    (void)snprintf(prompt, sizeof prompt, "New password of %s", login); /* a cut prompt still asks */
    int rc = ask_password(prompt, password, size, err);
    if (rc == 0)
        rc = ask_password("The same again", again, sizeof again, err);
    if (rc == 0 && strcmp(password, again) != 0)
        rc = error_set(err, E_INPUT, "the two passwords differ: try again");
    seal_wipe(again, sizeof again);
    return rc;
}

static int new_password(struct cli *cli, bool first_user, const char *login, char *ret_password, size_t size,
                        struct error *err)
{
    const char *file = cli_option(cli, "new-password-file");
    if (file)
        return password_file(file, ret_password, size, err);
    if (getenv("SACHET_NEW_PASSWORD"))
        return password_variable("SACHET_NEW_PASSWORD", ret_password, size, err);
    if (first_user && (cli_option(cli, "password-file") || getenv("SACHET_PASSWORD")))
        return cli_password(cli, "", ret_password, size, err);
    return ask_twice(login, ret_password, size, err);
}

int cli_new_password(struct cli *cli, bool first_user, const char *login, char *ret_password, size_t size,
                     struct error *err)
{
    int rc = new_password(cli, first_user, login, ret_password, size, err);
    int64_t least = conf_int(cli->site, "users.password_min");
    size_t count = 0;
    for (const char *at = ret_password; rc == 0 && *at; at++)
        count += ((unsigned char)*at & 0xC0) != 0x80; /* characters, not bytes */
    if (rc == 0 && (int64_t)count < least)
        rc = error_set(err, E_INPUT, "a password has at least %d characters here (users.password_min)",
                       (int)least);
    return rc;
}

int cli_login(struct cli *cli, const char *role, struct user *ret_user, struct error *err)
{
    const char *login = cli_option(cli, "user");
    if (!login)
        return error_set(err, E_ARG, "who acts? give --user LOGIN");
    int rc = cli_open_store(cli, err);
    if (rc < 0)
        return rc;
    char prompt[128];
    char password[SEAL_PASSWORD_MAX + 2];
    (void)snprintf(prompt, sizeof prompt, "Password of %s", login); /* a cut prompt still asks */
    rc = cli_password(cli, prompt, password, sizeof password, err);
    if (rc == 0)
        rc = user_login(cli->store, cli_lock_after(cli), login, password, clock_wall_ms(cli->clock), ret_user,
                        err);
    seal_wipe(password, sizeof password);
    if (rc == 0 && role && strcmp(ret_user->role, role) != 0)
        rc = error_set(err, E_DENIED, "%s is a %s; this needs a %s", login, ret_user->role, role);
    return rc;
}

/* "1:05:09", "5:09" or "9 s" */
static void format_left(int64_t seconds, char *text, size_t size)
{
    if (seconds >= 3600)
        (void)snprintf(text, size, "%" PRId64 ":%02d:%02d left", seconds / 3600, (int)(seconds / 60 % 60),
                       (int)(seconds % 60));
    else if (seconds >= 60)
        (void)snprintf(text, size, "%d:%02d left", (int)(seconds / 60), (int)(seconds % 60));
    else
        (void)snprintf(text, size, "%d s left", (int)seconds);
}

void cli_progress(struct cli *cli, const char *what, int64_t done, int64_t total)
{
    /* One series at a time; another name, another total or a step back begins a new one. */
    static struct {
        const char *what;
        int64_t total, first, done, begin_ms, tenth;
    } series;
    if (total <= 0 || done < 0 || done > total)
        return;
    int64_t now_ms = clock_mono_ms(cli->clock);
    bool fresh = series.what != what || series.total != total || done < series.done;
    if (fresh) {
        series.what = what;
        series.total = total;
        series.first = done;
        series.begin_ms = now_ms;
        series.tenth = -1;
    }
    series.done = done;
    char left[32] = "";
    if (done > series.first && done < total)
        format_left((now_ms - series.begin_ms) * (total - done) / (done - series.first) / 1000, left,
                    sizeof left);
    if (isatty(STDERR_FILENO) && !getenv("NO_COLOR")) {
        enum { WIDTH = 40 };
        int filled = (int)(done * WIDTH / total);
        fprintf(stderr, "\r%-10s [%.*s%*s] %" PRId64 "/%" PRId64 " %-14s%s", what, filled,
                "########################################", WIDTH - filled, "", done, total, left,
                done == total ? "\n" : "");
        return;
    }
    int64_t tenth = done * 10 / total;
    if (tenth == series.tenth)
        return;
    series.tenth = tenth;
    fprintf(stderr, "%s: %" PRId64 " of %" PRId64 "%s%s\n", what, done, total, left[0] ? ", " : "", left);
}
