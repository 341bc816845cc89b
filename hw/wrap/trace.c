/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/wrap/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "hw/wrap/values_private.h"

struct trace {
    struct machine machine; /* first: the port's pointer is ours */
    struct machine *inner;
    struct clock *clock;
    int64_t begin_ms;
    FILE *file;        /* NULL: given up */
    uint64_t requests; /* submitted */
    uint64_t answers;
};

static struct trace *trace_of(struct machine *machine)
{
    return (struct trace *)machine; /* it is the first member */
}

/* Takes the object. */
static void write_line(struct trace *trace, json_t *line)
{
    bool written = line && trace->file && json_dumpf(line, trace->file, JSON_COMPACT) == 0 &&
                   fputc('\n', trace->file) != EOF && fflush(trace->file) == 0;
    json_decref(line);
    if (written || !trace->file)
        return;
    log_warning("trace", "the trace ends here, it cannot be written");
    fclose(trace->file);
    trace->file = NULL;
}

/* In front of the values, so that a person finds it first. */
static void write_values(struct trace *trace, const char *what, uint64_t number, json_t *values)
{
    int64_t t_ms = clock_mono_ms(trace->clock) - trace->begin_ms;
    json_t *line = json_pack("{s:I,s:I}", "t", (json_int_t)t_ms, what, (json_int_t)number);
    if (!line || !values || json_object_update(line, values) < 0) {
        json_decref(line);
        line = NULL;
    }
    json_decref(values);
    write_line(trace, line);
}

static int trace_check(struct machine *machine, const struct machine_request *request, struct error *err)
{
    return machine_check(trace_of(machine)->inner, request, err);
}

static int trace_submit(struct machine *machine, const struct machine_request *request, struct error *err)
{
    struct trace *trace = trace_of(machine);
    int rc = machine_submit(trace->inner, request, err);
    if (rc == 0)
        write_values(trace, "request", ++trace->requests, values_of_request(request));
    return rc;
}

static bool trace_poll(struct machine *machine, struct machine_answer *ret_answer)
{
    struct trace *trace = trace_of(machine);
    if (!machine_poll(trace->inner, ret_answer))
        return false;
    write_values(trace, "answer", ++trace->answers, values_of_answer(ret_answer));
    return true;
}

static int trace_fd(struct machine *machine)
{
    return machine_fd(trace_of(machine)->inner);
}

static void trace_make_safe(struct machine *machine)
{
    struct trace *trace = trace_of(machine);
    int64_t t_ms = clock_mono_ms(trace->clock) - trace->begin_ms;
    write_line(trace, json_pack("{s:I,s:b}", "t", (json_int_t)t_ms, "make_safe", 1));
    machine_make_safe(trace->inner);
}

static void trace_counters(struct machine *machine, struct machine_counters *ret_counters)
{
    machine_counters(trace_of(machine)->inner, ret_counters);
}

static void trace_destroy(struct machine *machine)
{
    struct trace *trace = trace_of(machine);
    machine_destroy(trace->inner);
    if (trace->file)
        fclose(trace->file); /* every line was flushed */
    free(trace);
}

static const struct machine_ops trace_ops = {
    .name = "trace",
    .check = trace_check,
    .submit = trace_submit,
    .poll = trace_poll,
    .fd = trace_fd,
    .make_safe = trace_make_safe,
    .counters = trace_counters,
    .destroy = trace_destroy,
};

struct machine *trace_create(struct machine *inner, const char *file, const char *name, struct clock *clock,
                             struct error *err)
{
    struct trace *trace = calloc(1, sizeof *trace);
    if (!trace) {
        error_set(err, E_MEMORY, "no memory for a trace");
        return NULL;
    }
    trace->machine.ops = &trace_ops;
    trace->clock = clock;
    trace->begin_ms = clock_mono_ms(clock);
    trace->file = fopen(file, "wxe");
    if (!trace->file) {
        error_set_errno(err, errno == EEXIST ? E_EXISTS : E_FILE, errno, "%s", file);
        free(trace);
        return NULL;
    }
    trace->inner = inner;
    write_line(trace, json_pack("{s:s,s:s,s:s}", "format", "sachet-trace/1", "machine", name, "backend",
                                inner->ops->name));
    return &trace->machine;
}
