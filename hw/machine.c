/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/machine.h"

#include <assert.h>
#include <string.h>

#include "config/base/error.h"

static bool token_is_printable(const char *token)
{
    size_t len = strnlen(token, MACHINE_TOKEN_BYTES);
    for (size_t i = 0; i < len; i++) {
        if (token[i] < 0x20 || token[i] > 0x7E)
            return false;
    }
    return len > 0 && len < MACHINE_TOKEN_BYTES;
}

static int check_job(const struct machine_job *job, struct error *err)
{
    if (job->seq == 0)
        return error_set(err, E_ARG, "job: sequence numbers begin at 1");
    if (job->entry_count == 0 || job->entry_count > MACHINE_ENTRIES_MAX)
        return error_set(err, E_ARG, "job %u: %u entries, allowed are 1 to %d", job->seq, job->entry_count,
                         MACHINE_ENTRIES_MAX);
    for (unsigned i = 0; i < job->entry_count; i++) {
        const struct machine_entry *entry = &job->entries[i];
        if (entry->bay >= MACHINE_BAYS_MAX || entry->count == 0 || entry->count > MACHINE_COUNT_MAX)
            return error_set(err, E_ARG,
                             "job %u: entry %u: %u pieces of bay %u, allowed are 1 to %d of bay 0 to %d",
                             job->seq, i, entry->count, entry->bay, MACHINE_COUNT_MAX, MACHINE_BAYS_MAX - 1);
        for (unsigned k = 0; k < i; k++) {
            if (job->entries[k].bay == entry->bay)
                return error_set(err, E_ARG, "job %u: bay %u stands in it twice", job->seq, entry->bay);
        }
    }
    if (!token_is_printable(job->token))
        return error_set(err, E_ARG, "job %u: the printed number must be 1 to %d printable ASCII characters",
                         job->seq, MACHINE_TOKEN_BYTES - 1);
    return 0;
}

static int check_control(const struct machine_control *control, struct error *err)
{
    if (control->session == 0)
        return error_set(err, E_ARG, "control: session 0 belongs to nobody");
    if (!machine_command_known(control->command))
        return error_set(err, E_ARG, "control: there is no command %u", (unsigned)control->command);
    if (control->seal_set_dc != 0 &&
        (control->seal_set_dc < MACHINE_SEAL_MIN_DC || control->seal_set_dc > MACHINE_SEAL_MAX_DC))
        return error_set(err, E_ARG, "control: seal set point %d, allowed are %d to %d tenths of a degree",
                         control->seal_set_dc, MACHINE_SEAL_MIN_DC, MACHINE_SEAL_MAX_DC);
    return 0;
}

static int check_common(const struct machine_request *request, struct error *err)
{
    switch (request->kind) {
    case MACHINE_IDENTIFY:
    case MACHINE_READ_STATUS:
        return 0;
    case MACHINE_CONTROL:
        return check_control(&request->control, err);
    case MACHINE_PUT_JOB:
        return check_job(&request->job, err);
    case MACHINE_READ_RESULT:
        return request->seq > 0 ? 0 : error_set(err, E_ARG, "result: sequence numbers begin at 1");
    case MACHINE_READ_BAYS:
        if (request->bay < MACHINE_BAYS_MAX)
            return 0;
        return error_set(err, E_ARG, "bays: there is no bay %u", request->bay);
    }
    return error_set(err, E_ARG, "there is no request of kind %d", (int)request->kind);
}

int machine_check(struct machine *machine, const struct machine_request *request, struct error *err)
{
    int rc = check_common(request, err);
    return rc < 0 ? rc : machine->ops->check(machine, request, err);
}

int machine_submit(struct machine *machine, const struct machine_request *request, struct error *err)
{
    int rc = machine_check(machine, request, err);
    return rc < 0 ? rc : machine->ops->submit(machine, request, err);
}

bool machine_poll(struct machine *machine, struct machine_answer *ret_answer)
{
    return machine->ops->poll(machine, ret_answer);
}

int machine_fd(struct machine *machine)
{
    return machine->ops->fd(machine);
}

void machine_make_safe(struct machine *machine)
{
    machine->ops->make_safe(machine);
}

void machine_counters(struct machine *machine, struct machine_counters *ret_counters)
{
    machine->ops->counters(machine, ret_counters);
}

void machine_destroy(struct machine *machine)
{
    if (machine)
        machine->ops->destroy(machine);
}

bool machine_alarm_is_up(const struct machine_status *status, unsigned alarm)
{
    return alarm < MACHINE_ALARM_WORDS * 16 && (status->alarms[alarm / 16] >> (alarm % 16) & 1) != 0;
}
