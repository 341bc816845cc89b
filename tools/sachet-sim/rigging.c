/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-sim/rigging.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/base/loop.h"
#include "config/scenario.h"
#include "hw/machine_codes.h"
#include "hw/sim/director.h"
#include "hw/sim/fit.h"
#include "hw/sim/world.h"
#include "tools/sachet-sim/control.h"
#include "tools/sachet-sim/options.h"
#include "tools/sachet-sim/view.h"

enum { VIEW_MS = 500 };

int rigging_load(struct rigging *rigging, const struct options *options, struct error *err)
{
    rigging->options = options;
    if (!options->scenario_file)
        return 0;
    int rc = scenario_load(options->scenario_file, &rigging->scenario, err);
    int outside = rc == 0 ? director_needs_crew(scenario_of(rigging->scenario)) : -1;
    if (outside >= 0)
        rc = error_set(
            err, E_INPUT,
            "%s: event %d (%s) is of the controller or people, which this program does not have; use "
            "tools/rig run",
            options->scenario_file, outside + 1,
            scenario_action_words[scenario_of(rigging->scenario)->events[outside].deed.action]);
    return rc;
}

struct clock *rigging_clock(struct rigging *rigging, struct clock *real)
{
    if (!rigging->options->clock_virtual)
        return real;
    clock_virtual_init(&rigging->held, clock_mono_ms(real), clock_wall_ms(real));
    return &rigging->held.clock;
}

void rigging_fit(const struct rigging *rigging, struct world_params *params)
{
    if (!rigging->scenario)
        return;
    const struct scenario *scenario = scenario_of(rigging->scenario);
    if (!rigging->options->seed_given)
        params->seed = scenario->seed;
    if (params->speed == 1)
        params->speed = scenario->machine.speed;
    bool cold = params->cold_start, mends = params->operator_mends;
    fit_params(params, &scenario->machine);
    params->cold_start = params->cold_start || cold;
    params->operator_mends = params->operator_mends && mends;
}

/* A fault of the line, from the machine's scenario. */
static void fail_line(void *data, const struct scenario_deed *deed, int64_t for_us)
{
    const struct rigged *rigged = data;
    (void)for_us; /* faults of the line are over by themselves */
    (void)rigged->rigging->fail_line(rigged->rigging->fail_data, rigged->machine,
                                     (enum sim_fault)(deed->action - SCENARIO_LINE_FAULTS),
                                     deed->value > 0 ? (uint64_t)deed->value : 1); /* as many as fit */
}

int rigging_direct(struct rigging *rigging, struct world **worlds, struct error *err)
{
    rigging->worlds = worlds;
    for (unsigned i = 0; rigging->scenario && i < rigging->options->machines; i++) {
        const struct scenario *scenario = scenario_of(rigging->scenario);
        uint64_t seed = rigging->options->seed_given ? rigging->options->seed : scenario->seed;
        rigging->rigged[i] = (struct rigged){.rigging = rigging, .machine = i};
        rigging->directors[i] =
            director_create(scenario, seed + i, worlds[i], fail_line, &rigging->rigged[i], err);
        if (!rigging->directors[i])
            return err->code;
    }
    return 0;
}

/* Whether standard output is a screen that understands escapes, and its size. */
static bool find_screen(struct winsize *ret_size)
{
    const char *term = getenv("TERM");
    *ret_size = (struct winsize){.ws_row = 24, .ws_col = VIEW_WIDTH};
    bool screen = isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
    struct winsize size;
    if (screen && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        *ret_size = size;
    return screen;
}

static int64_t show(void *data, int64_t now_ms)
{
    const struct rigging *rigging = data;
    struct buf text, screen;
    struct winsize size;
    buf_init(&text);
    buf_init(&screen);
    bool on_screen = find_screen(&size);
    view_text(rigging->worlds, rigging->options->machines, size.ws_col, &text);
    if (on_screen)
        view_screen(buf_string(&text), size.ws_row, &screen);
    (void)fputs(buf_string(on_screen ? &screen : &text),
                stdout); /* a view that nobody can read harms nobody */
    (void)fflush(stdout);
    buf_finish(&text);
    buf_finish(&screen);
    return now_ms + VIEW_MS;
}

int rigging_open(struct rigging *rigging, struct loop *loop, struct clock *clock, void (*flush)(void *data),
                 void *data, struct error *err)
{
    const struct options *o = rigging->options;
    const struct control_params params = {.loop = loop,
                                          .path = o->control_path,
                                          .worlds = rigging->worlds,
                                          .count = o->machines,
                                          .clock = clock,
                                          .held = o->clock_virtual ? &rigging->held : NULL,
                                          .fail_line = rigging->fail_line,
                                          .fail_data = rigging->fail_data,
                                          .flush = flush,
                                          .flush_data = data};
    if (o->clock_virtual && !o->control_path)
        return error_set(err, E_ARG,
                         "--clock virtual: only 'step' on the control socket moves it; give --control");
    if (o->clock_virtual && o->rtu_path)
        return error_set(err, E_ARG, "--clock virtual: a serial line needs time that passes; use --tcp");
    if (o->control_path) {
        rigging->control = control_create(&params, err);
        if (!rigging->control)
            return err->code;
    }
    if (o->view) {
        rigging->view = loop_add_timer(loop, 0, show, rigging);
        if (!rigging->view)
            return error_set(err, E_MEMORY, "no memory for the view");
    }
    return 0;
}

void rigging_finish(struct rigging *rigging)
{
    if (rigging->view)
        loop_remove_timer(rigging->view);
    control_destroy(rigging->control);
    for (unsigned i = 0; i < OPTIONS_MACHINES_MAX; i++)
        director_destroy(rigging->directors[i]);
    scenario_close(rigging->scenario);
}
