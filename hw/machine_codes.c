/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/machine_codes.h"

#include <stddef.h>

#include "hw/packml.h"

/* All tables are short and sparse, so they are searched; nobody asks for names in a hot loop. */
struct code_row {
    unsigned number;
    const char *name;
    const char *text;
    const char *step;
};

#define ROW3(name_, number_, text_)        {.number = number_, .name = #name_, .text = text_},
#define ROW4(name_, number_, text_, step_) {.number = number_, .name = #name_, .text = text_, .step = step_},

static const struct code_row state_rows[] = {MACHINE_STATE_TABLE(ROW3)};
static const struct code_row command_rows[] = {MACHINE_COMMAND_TABLE(ROW3)};
static const struct code_row reason_rows[] = {MACHINE_REASON_TABLE(ROW3)};
static const struct code_row alarm_rows[] = {MACHINE_ALARM_TABLE(ROW4)};
static const struct code_row mode_rows[] = {
    {.number = MACHINE_MODE_PRODUCTION, .text = "Production"},
    {.number = MACHINE_MODE_MAINTENANCE, .text = "Maintenance"},
    {.number = MACHINE_MODE_MANUAL, .text = "Manual"},
};
static const struct code_row outcome_rows[] = {
    {.number = MACHINE_GOOD, .text = "good"},
    {.number = MACHINE_VOID, .text = "void"},
    {.number = MACHINE_CANCELLED, .text = "cancelled"},
};

static const struct code_row *find_row(const struct code_row *rows, size_t count, unsigned number)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].number == number)
            return &rows[i];
    }
    static const struct code_row unknown = {.name = "?", .text = "?", .step = "?"};
    return &unknown;
}

#define FIND(rows, number) find_row(rows, sizeof(rows) / sizeof(rows)[0], number)

static bool row_is_known(const struct code_row *row)
{
    return row->text[0] != '?';
}

const char *machine_mode_name(enum machine_mode mode)
{
    return FIND(mode_rows, mode)->text;
}

const char *machine_state_name(enum machine_state state)
{
    return FIND(state_rows, state)->text;
}

const char *machine_command_name(enum machine_command command)
{
    return FIND(command_rows, command)->text;
}

const char *machine_outcome_name(enum machine_outcome outcome)
{
    return FIND(outcome_rows, outcome)->text;
}

const char *machine_reason_text(enum machine_reason reason)
{
    return FIND(reason_rows, reason)->text;
}

const char *machine_alarm_name(unsigned alarm)
{
    return FIND(alarm_rows, alarm)->name;
}

const char *machine_alarm_text(unsigned alarm)
{
    return FIND(alarm_rows, alarm)->text;
}

const char *machine_alarm_next_step(unsigned alarm)
{
    return FIND(alarm_rows, alarm)->step;
}

bool machine_state_known(unsigned number)
{
    return row_is_known(FIND(state_rows, number));
}

bool machine_command_known(unsigned number)
{
    return row_is_known(FIND(command_rows, number));
}

bool machine_reason_known(unsigned number)
{
    return row_is_known(FIND(reason_rows, number));
}

bool machine_outcome_known(unsigned number)
{
    return row_is_known(FIND(outcome_rows, number));
}
