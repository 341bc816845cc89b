/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/wrap/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "hw/wrap/values_private.h"

struct step {
    json_t *request; /* without t and number */
    bool answered;
    struct machine_answer answer;
};

struct replay {
    struct machine machine; /* first: the port's pointer is ours */
    struct clock *clock;
    struct step *steps;
    size_t count, room;
    size_t answers; /* while loading: answers seen; later: handed out of the trace */
    size_t next;    /* the request expected next */
    bool differs;
    char difference[ERROR_MESSAGE_BYTES];
    struct {
        struct machine_answer answer;
        int64_t due_ms;
        bool of_trace;
    } queue[MACHINE_QUEUE]; /* oldest first */
    unsigned queued;
    uint64_t requests;
};

static struct replay *replay_of(struct machine *machine)
{
    return (struct replay *)machine; /* it is the first member */
}

/* ---- loading ---- */

static int add_request(struct replay *r, json_t *line, struct error *err)
{
    if (r->count == REPLAY_REQUESTS_MAX)
        return error_set(err, E_LIMIT, "more than %d requests", REPLAY_REQUESTS_MAX);
    if (r->count == r->room) {
        size_t room = r->room ? 2 * r->room : 64;
        struct step *steps = realloc(r->steps, room * sizeof *steps);
        if (!steps)
            return error_set(err, E_MEMORY, "no memory for a replay");
        r->steps = steps;
        r->room = room;
    }
    (void)json_object_del(line, "t"); /* not there: nothing to take away */
    (void)json_object_del(line, "request");
    r->steps[r->count++] = (struct step){.request = json_incref(line)};
    return 0;
}

static int add_answer(struct replay *r, const json_t *line, struct error *err)
{
    if (r->answers == r->count)
        return error_set(err, E_INPUT, "an answer without a request");
    struct step *step = &r->steps[r->answers++];
    int rc = values_read_answer(line, &step->answer, err);
    step->answered = rc == 0;
    return rc;
}

static int take_line(struct replay *r, const char *text, int number, struct error *err)
{
    json_error_t why;
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    int rc = 0;
    if (!json_is_object(line))
        rc = error_set(err, E_INPUT, "no JSON object: %s", why.text);
    else if (number == 1) {
        const char *format = json_string_value(json_object_get(line, "format"));
        if (!format || strcmp(format, "sachet-trace/1") != 0)
            rc = error_set(err, E_VERSION, "the first line must say the format sachet-trace/1");
    } else if (json_object_get(line, "request")) {
        rc = add_request(r, line, err);
    } else if (json_object_get(line, "answer")) {
        rc = add_answer(r, line, err);
    }
    json_decref(line);
    return rc;
}

static int load(struct replay *r, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set_errno(err, E_FILE, errno, "%s", path);
    char *text = malloc(REPLAY_LINE_MAX);
    int rc = text ? 0 : error_set(err, E_MEMORY, "no memory for a replay");
    int number = 0;
    while (rc == 0 && fgets(text, REPLAY_LINE_MAX, file)) {
        number++;
        if (strlen(text) == REPLAY_LINE_MAX - 1)
            rc = error_set(err, E_LIMIT, "a line of more than %d bytes", REPLAY_LINE_MAX - 2);
        else if (strchr(text, '\n')) /* a last line that was cut off is left out */
            rc = take_line(r, text, number, err);
    }
    if (rc == 0 && number == 0)
        rc = error_set(err, E_INPUT, "the file is empty");
    if (rc < 0)
        error_prefix(err, rc, "%s:%d", path, number);
    free(text);
    fclose(file);
    r->answers = 0;
    return rc;
}

/* ---- playing ---- */

static void note_difference(struct replay *r, const json_t *made, const json_t *wanted)
{
    const char *key;
    json_t *value;
    r->differs = true;
    json_object_foreach((json_t *)(uintptr_t)wanted, key, value)
    {
        const json_t *other = json_object_get(made, key);
        if (other && json_equal(other, value))
            continue;
        char *a = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        char *b = other ? json_dumps(other, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        (void)snprintf(r->difference, sizeof r->difference, "request %zu: %s is %.120s, the trace has %.120s",
                       r->next, key, b ? b : "missing", a ? a : "?"); /* cut, never overrun */
        free(a);
        free(b);
        return;
    }
    (void)snprintf(r->difference, sizeof r->difference, "request %zu says more than the trace's", r->next);
}

static int replay_check(struct machine *machine, const struct machine_request *request, struct error *err)
{
    (void)machine; /* what the machine could take is not in a trace */
    (void)request;
    (void)err;
    return 0;
}

static int replay_submit(struct machine *machine, const struct machine_request *request, struct error *err)
{
    struct replay *r = replay_of(machine);
    if (r->queued == MACHINE_QUEUE)
        return error_set(err, E_LIMIT, "the line has %d requests outstanding already", MACHINE_QUEUE);
    struct machine_answer answer = {.did = MACHINE_NOT_DONE, .code = E_LINK};
    bool of_trace = false;
    if (!r->differs && r->next < r->count) {
        const struct step *step = &r->steps[r->next++];
        json_t *made = values_of_request(request);
        if (!made)
            return error_set(err, E_MEMORY, "no memory for a replay");
        if (!json_equal(made, step->request))
            note_difference(r, made, step->request);
        else if (step->answered)
            answer = step->answer;
        of_trace = !r->differs;
        json_decref(made);
    }
    if (r->differs)
        answer.code = E_MISMATCH;
    answer.kind = request->kind;
    answer.id = request->id;
    int64_t due_ms = clock_mono_ms(r->clock) + answer.took_ms;
    r->queue[r->queued].answer = answer;
    r->queue[r->queued].of_trace = of_trace;
    r->queue[r->queued++].due_ms = due_ms;
    r->requests++;
    return 0;
}

static bool replay_poll(struct machine *machine, struct machine_answer *ret_answer)
{
    struct replay *r = replay_of(machine);
    if (r->queued == 0 || r->queue[0].due_ms > clock_mono_ms(r->clock))
        return false;
    *ret_answer = r->queue[0].answer;
    r->answers += r->queue[0].of_trace;
    memmove(&r->queue[0], &r->queue[1], --r->queued * sizeof r->queue[0]);
    return true;
}

static int replay_fd(struct machine *machine)
{
    (void)machine; /* time alone brings answers */
    return -1;
}

static void replay_make_safe(struct machine *machine)
{
    struct replay *r = replay_of(machine);
    for (unsigned i = 1; i < r->queued; i++) /* the first is on the line */
        r->queue[i].answer = (struct machine_answer){.kind = r->queue[i].answer.kind,
                                                     .id = r->queue[i].answer.id,
                                                     .did = MACHINE_NOT_DONE,
                                                     .code = E_STATE};
}

static void replay_counters(struct machine *machine, struct machine_counters *ret_counters)
{
    *ret_counters = (struct machine_counters){.requests = replay_of(machine)->requests};
}

static void replay_destroy(struct machine *machine)
{
    struct replay *r = replay_of(machine);
    for (size_t i = 0; i < r->count; i++)
        json_decref(r->steps[i].request);
    free(r->steps);
    free(r);
}

static const struct machine_ops replay_ops = {
    .name = "replay",
    .check = replay_check,
    .submit = replay_submit,
    .poll = replay_poll,
    .fd = replay_fd,
    .make_safe = replay_make_safe,
    .counters = replay_counters,
    .destroy = replay_destroy,
};

struct machine *replay_create(const char *file, struct clock *clock, struct error *err)
{
    struct replay *r = calloc(1, sizeof *r);
    if (!r) {
        error_set(err, E_MEMORY, "no memory for a replay");
        return NULL;
    }
    r->machine.ops = &replay_ops;
    r->clock = clock;
    if (load(r, file, err) < 0) {
        replay_destroy(&r->machine);
        return NULL;
    }
    return &r->machine;
}

const char *replay_difference(const struct machine *machine)
{
    const struct replay *r = (const struct replay *)machine;
    return r->differs ? r->difference : NULL;
}

bool replay_is_over(const struct machine *machine)
{
    const struct replay *r = (const struct replay *)machine;
    return !r->differs && r->answers == r->count;
}

int64_t replay_next_due_ms(const struct machine *machine)
{
    const struct replay *r = (const struct replay *)machine;
    return r->queued > 0 ? r->queue[0].due_ms : INT64_MAX;
}
