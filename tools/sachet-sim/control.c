/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-sim/control.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/loop.h"
#include "config/base/scenario.h"
#include "hw/sim/director.h"
#include "hw/sim/world.h"
#include "tools/sachet-sim/view.h"

struct client {
    struct control *control;
    int fd; /* -1: free */
    struct loop_io *io;
    char line[CONTROL_LINE_MAX];
    size_t len;
};

struct control {
    struct control_params params;
    char path[108];
    int fd;
    struct loop_io *io;
    struct client clients[CONTROL_CLIENTS_MAX];
};

/* ---- one command ---- */

struct command {
    char *words[8];
    int count;
    unsigned machine; /* from 1; 0: not said */
    struct scenario_deed deed;
};

static int read_number(const char *text, int64_t least, int64_t most, int64_t *ret_value, struct error *err)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end != '\0' || value < least || value > most)
        return error_set(err, E_ARG, "%.40s: a whole number from %" PRId64 " to %" PRId64 " is needed", text,
                         least, most);
    *ret_value = value;
    return 0;
}

/* WORD [ARGUMENT] key=value...: keys are taken out of the words. */
static int read_command(const struct control *control, char *line, struct command *ret_command,
                        struct error *err)
{
    static const struct {
        const char *key;
        int64_t least, most;
    } keys[] = {{"m=", 1, 0}, {"bay=", 0, 511}, {"canister=", 0, UINT32_MAX}, {"value=", -1000000, 1000000}};
    struct command c = {.deed = {.value = 1, .text = ""}};
    char *save = NULL;
    for (char *word = strtok_r(line, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
        size_t k = 0;
        int64_t value = 0;
        while (k < 4 && strncmp(word, keys[k].key, strlen(keys[k].key)) != 0)
            k++;
        if (k == 4) {
            if (c.count == 8)
                return error_set(err, E_ARG, "too many words");
            c.words[c.count++] = word;
            continue;
        }
        int rc = read_number(word + strlen(keys[k].key), keys[k].least,
                             k == 0 ? (int64_t)control->params.count : keys[k].most, &value, err);
        if (rc < 0)
            return rc;
        if (k == 0)
            c.machine = (unsigned)value;
        if (k == 1)
            c.deed.bay = (uint16_t)value;
        if (k == 2)
            c.deed.canister = (uint32_t)value;
        if (k == 3)
            c.deed.value = (int32_t)value;
    }
    if (c.count == 0)
        return error_set(err, E_ARG, "a word is needed; 'help' lists them");
    *ret_command = c;
    return 0;
}

static void advance_all(const struct control *control)
{
    for (unsigned i = 0; i < control->params.count; i++)
        world_advance(control->params.worlds[i], clock_mono_ms(control->params.clock) * 1000);
}

static int do_state(const struct control *control, const struct command *c, struct buf *out)
{
    buf_text(out, " {\"machines\":[");
    for (unsigned i = 0; i < control->params.count; i++) {
        if (c->machine && c->machine != i + 1)
            continue;
        if (i > 0 && !c->machine)
            buf_char(out, ',');
        view_json(control->params.worlds[i], i + 1, out);
    }
    buf_text(out, "]}");
    return 0;
}

static int do_speed(const struct control *control, const struct command *c, struct error *err)
{
    int64_t speed = 0;
    if (c->count != 2)
        return error_set(err, E_ARG, "speed N: seconds of mechanics in one second");
    int rc = read_number(c->words[1], 1, WORLD_SPEED_MAX, &speed, err);
    for (unsigned i = 0; rc == 0 && i < control->params.count; i++) {
        if (!c->machine || c->machine == i + 1)
            world_set_speed(control->params.worlds[i], (uint32_t)speed);
    }
    return rc;
}

static int do_step(const struct control *control, const struct command *c, struct error *err)
{
    int64_t ms = 0;
    if (!control->params.held)
        return error_set(err, E_STATE,
                         "step: time passes by itself here; start sachet-sim with --clock virtual");
    if (c->count != 2)
        return error_set(err, E_ARG, "step MS: milliseconds to let pass");
    int rc = read_number(c->words[1], 1, CONTROL_STEP_MAX_MS, &ms, err);
    if (rc == 0) {
        clock_virtual_advance(control->params.held, ms);
        advance_all(control);
    }
    return rc;
}

static void do_help(struct buf *out)
{
    buf_text(out, " state speed step help");
    for (unsigned i = SCENARIO_FAULT_MISSED; i < SCENARIO_CREW; i++)
        buf_printf(out, " %s", scenario_action_words[i]);
}

static int fail_line(const struct control *control, unsigned machine, const struct scenario_deed *deed,
                     struct error *err)
{
    enum sim_fault fault = (enum sim_fault)(deed->action - SCENARIO_LINE_FAULTS);
    if (deed->value < 1)
        return error_set(err, E_ARG, "%s: value is the number of the request from here, from 1",
                         scenario_action_words[deed->action]);
    if (!control->params.fail_line(control->params.fail_data, machine, fault, (uint64_t)deed->value))
        return error_set(err, E_LIMIT, "%d faults of this line are planned already", LINE_FAULTS_PLANNED);
    return 0;
}

static int perform(const struct control *control, struct command *c, struct buf *out, struct error *err)
{
    const char *word = c->words[0];
    if (strcmp(word, "state") == 0)
        return do_state(control, c, out);
    if (strcmp(word, "speed") == 0)
        return do_speed(control, c, err);
    if (strcmp(word, "step") == 0)
        return do_step(control, c, err);
    if (strcmp(word, "help") == 0) {
        do_help(out);
        return 0;
    }
    c->deed.action = scenario_action_find(word);
    if (c->deed.action == SCENARIO_ACTIONS || c->count > 1)
        return error_set(err, E_ARG, "%.40s: no such word; 'help' lists them",
                         c->count > 1 ? c->words[1] : word);
    unsigned machine = c->machine ? c->machine - 1 : 0;
    if (c->deed.action >= SCENARIO_LINE_FAULTS && c->deed.action < SCENARIO_CREW)
        return fail_line(control, machine, &c->deed, err);
    return deed_do(control->params.worlds[machine], &c->deed, err);
}

static void answer(struct control *control, char *line, struct buf *out)
{
    struct command c;
    struct error err = {0};
    advance_all(control);
    buf_text(out, "ok");
    int rc = read_command(control, line, &c, &err);
    if (rc == 0)
        rc = perform(control, &c, out, &err);
    if (rc < 0) {
        buf_reset(out);
        buf_printf(out, "error %s", err.message);
    }
    buf_char(out, '\n');
    if (control->params.flush)
        control->params.flush(control->params.flush_data);
}

/* ---- clients ---- */

static void drop(struct client *client)
{
    loop_remove_io(client->io);
    close(client->fd);
    client->fd = -1;
    client->io = NULL;
    client->len = 0;
}

/* A client that does not read its answer is dropped: the rig waits for each one. */
static bool send_all(int fd, const struct buf *out)
{
    return !out->failed && send(fd, out->data, out->len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)out->len;
}

static void read_client(void *data, short revents)
{
    struct client *client = data;
    (void)revents; /* whatever it is, recv tells */
    ssize_t got =
        recv(client->fd, client->line + client->len, sizeof client->line - client->len, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        drop(client);
        return;
    }
    client->len += (size_t)got;
    for (char *end; client->len > 0 && (end = memchr(client->line, '\n', client->len));) {
        struct buf out;
        size_t used = (size_t)(end - client->line) + 1;
        *end = '\0';
        buf_init(&out);
        answer(client->control, client->line, &out);
        bool sent = send_all(client->fd, &out);
        buf_finish(&out);
        if (!sent) {
            drop(client);
            return;
        }
        memmove(client->line, client->line + used, client->len - used);
        client->len -= used;
    }
    if (client->len == sizeof client->line)
        drop(client); /* no line is that long */
}

static void take_client(void *data, short revents)
{
    struct control *control = data;
    (void)revents;
    int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct client *client = &control->clients[i];
        if (client->fd >= 0)
            continue;
        int size = 1 << 20; /* a state of many machines in one go */
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size); /* then a long one may not fit */
        *client = (struct client){.control = control, .fd = fd};
        client->io = loop_add_io(control->params.loop, fd, POLLIN, read_client, client);
        if (client->io)
            return;
        client->fd = -1;
        break;
    }
    close(fd);
}

/* ---- life ---- */

static int open_socket(struct control *control, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    size_t len = strlen(control->params.path);
    if (len == 0 || len >= sizeof address.sun_path)
        return error_set(err, E_ARG, "--control: the name of the socket has 1 to %zu bytes",
                         sizeof address.sun_path - 1);
    memcpy(address.sun_path, control->params.path, len);
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->fd < 0)
        return error_set_errno(err, E_SYSTEM, errno, "no socket");
    const struct sockaddr *any = (const struct sockaddr *)&address;
    if (lstat(control->params.path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        if (connect(control->fd, any, sizeof address) == 0)
            return error_set(err, E_SYSTEM, "%s: another program listens there; take another name",
                             control->params.path);
        (void)unlink(control->params.path); /* bind tells when it is still there */
    }
    if (bind(control->fd, any, sizeof address) < 0)
        return error_set_errno(err, E_SYSTEM, errno, "%s", control->params.path);
    memcpy(control->path, address.sun_path, sizeof control->path);
    if (chmod(control->path, 0600) < 0 || listen(control->fd, CONTROL_CLIENTS_MAX) < 0)
        return error_set_errno(err, E_SYSTEM, errno, "%s", control->path);
    return 0;
}

struct control *control_create(const struct control_params *params, struct error *err)
{
    struct control *control = calloc(1, sizeof *control);
    if (!control) {
        error_set(err, E_MEMORY, "no memory for the control socket");
        return NULL;
    }
    control->params = *params;
    control->fd = -1;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
        control->clients[i].fd = -1;
    int rc = open_socket(control, err);
    if (rc == 0) {
        control->io = loop_add_io(params->loop, control->fd, POLLIN, take_client, control);
        rc = control->io ? 0 : error_set(err, E_MEMORY, "no memory for the control socket");
    }
    if (rc == 0)
        return control;
    control_destroy(control);
    return NULL;
}

void control_destroy(struct control *control)
{
    if (!control)
        return;
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (control->clients[i].fd >= 0)
            drop(&control->clients[i]);
    }
    if (control->io)
        loop_remove_io(control->io);
    if (control->fd >= 0)
        close(control->fd);
    if (control->path[0])
        (void)unlink(control->path);
    free(control);
}
