/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/pack/states_page.h"

#include "config/base/buf.h"
#include "controller/pack/alarm.h"
#include "controller/pack/interlock.h"
#include "controller/pack/job.h"
#include "controller/pack/line.h"
#include "controller/pack/panel.h"
#include "hw/packml.h"

static void begin_drawing(struct buf *out)
{
    buf_text(out, "\n```mermaid\nstateDiagram-v2\n");
}

static void end_drawing(struct buf *out)
{
    buf_text(out, "```\n\n");
}

/* ---- machine ---- */

static const struct {
    enum machine_state number;
    const char *id;
} packml_states[] = {
#define PACKML_STATE(name, number_, text) {MACHINE_STATE_##name, #name},
    MACHINE_STATE_TABLE(PACKML_STATE)
#undef PACKML_STATE
};
enum { PACKML_STATES = sizeof packml_states / sizeof packml_states[0] };

static const enum machine_command packml_commands[] = {
    MACHINE_COMMAND_RESET,     MACHINE_COMMAND_START,  MACHINE_COMMAND_STOP,
    MACHINE_COMMAND_HOLD,      MACHINE_COMMAND_UNHOLD, MACHINE_COMMAND_SUSPEND,
    MACHINE_COMMAND_UNSUSPEND, MACHINE_COMMAND_ABORT,  MACHINE_COMMAND_CLEAR,
};
enum { PACKML_COMMANDS = sizeof packml_commands / sizeof packml_commands[0] };

/* Stop and Abort lead from nearly everywhere: they stand in the table below, not in the drawing. */
static void draw_packml(struct buf *out)
{
    begin_drawing(out);
    for (int s = 0; s < PACKML_STATES; s++) {
        const struct packml_row *row = packml_settle(packml_states[s].number);
        if (row)
            buf_printf(out, "    %s --> %s\n", machine_state_name(row->from), machine_state_name(row->to));
        for (int c = 0; c < PACKML_COMMANDS; c++) {
            row = packml_take(packml_states[s].number, packml_commands[c]);
            if (!row || row->from == row->to || packml_commands[c] == MACHINE_COMMAND_STOP ||
                packml_commands[c] == MACHINE_COMMAND_ABORT)
                continue;
            buf_printf(out, "    %s --> %s: %s\n", machine_state_name(row->from), machine_state_name(row->to),
                       machine_command_name(row->command));
        }
    }
    end_drawing(out);
}

static void tabulate_packml(struct buf *out)
{
    buf_text(out, "| state |");
    for (int c = 0; c < PACKML_COMMANDS; c++)
        buf_printf(out, " %s |", machine_command_name(packml_commands[c]));
    buf_text(out, "\n|---|");
    for (int c = 0; c < PACKML_COMMANDS; c++)
        buf_text(out, "---|");
    for (int s = 0; s < PACKML_STATES; s++) {
        buf_printf(out, "\n| %s |", machine_state_name(packml_states[s].number));
        for (int c = 0; c < PACKML_COMMANDS; c++) {
            const struct packml_row *row = packml_take(packml_states[s].number, packml_commands[c]);
            buf_printf(out, " %s |",
                       !row                   ? "-"
                       : row->from == row->to ? "noted"
                                              : machine_state_name(row->to));
        }
    }
    buf_text(out, "\n\n");
}

/* ---- the controller's tables ---- */

static void draw_line(struct buf *out)
{
    size_t count = 0;
    const struct line_row *rows = line_rows(&count);
    begin_drawing(out);
    for (size_t i = 0; i < count; i++) {
        bool drawn = rows[i].from == rows[i].to;
        for (size_t k = 0; k < i; k++)
            drawn = drawn || (rows[k].from == rows[i].from && rows[k].to == rows[i].to &&
                              rows[k].event == rows[i].event);
        if (!drawn)
            buf_printf(out, "    %s --> %s: %s\n", line_state_name(rows[i].from), line_state_name(rows[i].to),
                       line_event_name(rows[i].event));
    }
    end_drawing(out);
    buf_text(out, "| state | event | if | to | effect | why |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "| %s | %s | %s | %s | %s | %s |\n", line_state_name(rows[i].from),
                   line_event_name(rows[i].event), rows[i].guard ? "guarded" : "",
                   line_state_name(rows[i].to), line_effect_name(rows[i].effect), rows[i].why);
    buf_char(out, '\n');
}

static void draw_job(struct buf *out)
{
    size_t count = 0;
    const struct job_row *rows = job_rows(&count);
    begin_drawing(out);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].from != rows[i].to)
            buf_printf(out, "    %s --> %s: %s\n", job_state_word(rows[i].from), job_state_word(rows[i].to),
                       job_event_name(rows[i].event));
    }
    end_drawing(out);
    for (int s = 0; s < JOB_STATES; s++)
        buf_printf(out, "- **%s**: %s\n", job_state_word((enum job_state)s),
                   job_state_text((enum job_state)s));
    buf_text(out, "\n| state | event | to | why |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "| %s | %s | %s | %s |\n", job_state_word(rows[i].from),
                   job_event_text(rows[i].event), job_state_word(rows[i].to), rows[i].why);
    buf_char(out, '\n');
}

static void draw_interlock(struct buf *out)
{
    size_t count = 0;
    const struct interlock_row *rows = interlock_rows(&count);
    begin_drawing(out);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].from != rows[i].to)
            buf_printf(out, "    %s --> %s: %s\n", interlock_state_name(rows[i].from),
                       interlock_state_name(rows[i].to), interlock_event_name(rows[i].event));
    }
    end_drawing(out);
    buf_text(out, "| state | event | to | why |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "| %s | %s | %s | %s |\n", interlock_state_name(rows[i].from),
                   interlock_event_name(rows[i].event), interlock_state_name(rows[i].to), rows[i].why);
    buf_char(out, '\n');
}

static void tabulate_moods(struct buf *out)
{
    buf_text(out, "| when | red | amber | green | buzzer |\n|---|---|---|---|---|\n");
    for (int m = 0; m < PANEL_MOODS; m++) {
        buf_printf(out, "| %s |", panel_mood_text((enum panel_mood)m));
        for (int lamp = PANEL_RED; lamp <= PANEL_BUZZER; lamp++)
            buf_printf(out, " %s |",
                       panel_pattern_text(panel_pattern((enum panel_mood)m, (enum panel_role)lamp)));
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
}

static void tabulate_alarms(struct buf *out)
{
    size_t count = 0;
    const struct alarm_row *rows = alarm_rows(&count);
    buf_text(out, "| number | severity | alarm | cause | pouch under way | next step | Resume |\n"
                  "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "| %d%s | %s | %s | %s | %s | %s | %s |\n", rows[i].number,
                   rows[i].number == ALARM_BAY_LOCKED ? " + bay" : "", alarm_severity_text(rows[i].severity),
                   rows[i].text, rows[i].cause, alarm_pouch_text(rows[i].pouch), rows[i].next,
                   rows[i].resume);
}

void states_page(struct buf *out)
{
    buf_text(out,
             "# States, lights and alarms of the line\n\n"
             "Made by `sachet states` from the tables that the programs run on; a test compares this page "
             "with them.\n\n"
             "## The machine (PackML)\n\n"
             "States without an arrow of their own end by a command of the table below; `-` is refused, "
             "`noted` is remembered.\n");
    draw_packml(out);
    tabulate_packml(out);
    buf_text(out, "## The controller of one machine\n\n"
                  "Rows of one state and event are tried from above; the first whose condition holds is "
                  "taken. Code and conditions: line.c.\n");
    draw_line(out);
    buf_text(out, "## A pouch that is wanted\n");
    draw_job(out);
    buf_text(out, "## A safety switch with two channels\n");
    draw_interlock(out);
    buf_text(out, "## Stack light and buzzer\n\nThe first line that is true shows.\n\n");
    tabulate_moods(out);
    buf_text(out, "## Alarms\n\nResume stands for `sachet batch start` after the cause is gone.\n\n");
    tabulate_alarms(out);
}
