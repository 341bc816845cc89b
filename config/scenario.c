/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sachet-scenario/1: what goes wrong at a simulated machine or its line, when, and what must come of it.
 */
#include "config/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "config/conf.h"

#define RANGE(least, most) .range = true, .min = (least), .max = (most)

static const char *const batch_states[] = {"created", "running",   "paused", "stopped",
                                           "done",    "cancelled", NULL};

static const struct conf_key scenario_keys[] = {
    {.path = "title",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 120),
     .example = "A jam that two reversals do not clear",
     .doc = "What goes wrong, for people; stands in the result page."},
    {.path = "hazards",
     .type = CONF_TEXTS,
     .required = true,
     RANGE(2, 16),
     .items_min = 1,
     .items_max = SCENARIO_LIST_MAX,
     .example = "[H3]",
     .doc = "Hazards of the risk table that it shows the control of, H1 to H28, or 'none' for a plain run."},
    {.path = "control",
     .type = CONF_TEXT,
     .required = true,
     RANGE(1, 200),
     .example = "counts of every bay, void on any difference",
     .doc = "What stands between the hazard and a patient."},
    {.path = "seed",
     .type = CONF_INT,
     .preset = "1",
     RANGE(0, INT64_MAX),
     .doc = "Of all chance; the same seed and scenario give the same events."},
    {.path = "attend",
     .type = CONF_BOOL,
     .preset = "true",
     .doc =
         "A stand-in for the operator confirms, clears, resets and starts. With false, only the events do."},
    {.path = "limit",
     .type = CONF_DURATION,
     .preset = "60 min",
     .unit = "ms",
     RANGE(1000, 7 * 86400000LL),
     .doc = "The run ends when the batch rests, and fails when it has not by then."},

    {.path = "machine", .type = CONF_MAP, .doc = "What the machine is like where it is not as usual."},
    {.path = "machine.speed",
     .type = CONF_INT,
     .preset = "1",
     RANGE(1, 1000),
     .doc = "Seconds of mechanics in one second."},
    {.path = "machine.pouches_a_minute",
     .type = CONF_INT,
     .preset = "100",
     RANGE(10, 120),
     .doc = "Its pace."},
    {.path = "machine.faults_percent",
     .type = CONF_INT,
     .preset = "0",
     RANGE(0, 100000),
     .doc = "Of the usual rates of all faults by chance; 0: only what the events say."},
    {.path = "machine.map_version",
     .type = CONF_INT,
     .preset = "1",
     RANGE(0, 65535),
     .doc = "Map version that it names."},
    {.path = "machine.fill",
     .type = CONF_INT,
     .unit = "pieces",
     .preset = "5000",
     RANGE(0, 60000),
     .doc = "Pieces in each canister at the start, whatever the books say."},
    {.path = "machine.camera", .type = CONF_BOOL, .preset = "false", .doc = "With a camera."},
    {.path = "machine.weigher", .type = CONF_BOOL, .preset = "false", .doc = "With a weigher."},
    {.path = "machine.panel",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "Emergency stop, door, buttons and lights beside it stand on the controller's own lines, too."},
    {.path = "machine.cold",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "The sealer starts at room temperature."},
    {.path = "machine.mends",
     .type = CONF_BOOL,
     .preset = "true",
     .doc = "Somebody refills, threads film, cleans and closes lids before Unhold and Reset."},

    {.path = "machine.physics",
     .type = CONF_MAP,
     .doc = "Mechanics and chances, where they are not as usual. Chances are in a thousand million and count "
            "whatever faults_percent is."},
/* clang-format off */
/* A rate that is said counts, so that a commented file must not say it. */
#define KIND_MS(usual)   .type = CONF_DURATION, .unit = "ms", .preset = #usual " ms"
#define KIND_INT(usual)  .type = CONF_INT, .preset = #usual
#define KIND_RATE(usual) .type = CONF_INT, .example = #usual
#define PHYSICS_ROW(field, key, kind, factor, least, most, usual, text) \
    {.path = "machine.physics." key, KIND_##kind(usual), RANGE(least, most), .doc = text},
    PHYSICS_TABLE(PHYSICS_ROW)
#undef PHYSICS_ROW
    /* clang-format on */

    {.path = "batch", .type = CONF_MAP, .doc = "What is packed: two pouches a day and patient, five pieces."},
    {.path = "batch.patients", .type = CONF_INT, .preset = "1", RANGE(1, 2000), .doc = "Patients."},
    {.path = "batch.days", .type = CONF_INT, .preset = "5", RANGE(1, 90), .doc = "Days for each."},

    {.path = "events",
     .type = CONF_MAPS,
     .items_max = SCENARIO_EVENTS_MAX,
     .doc = "What happens, and when. Two that meet at one instant happen in the order of the file."},
    {.path = "events[].when",
     .type = CONF_MAP,
     .required = true,
     .doc = "Exactly one of at, pouch, state, drop, rate."},
    {.path = "events[].when.at",
     .type = CONF_DURATION,
     .unit = "ms",
     RANGE(0, 7 * 86400000LL),
     .example = "5 s",
     .doc = "Time of the machine's mechanics since the start."},
    {.path = "events[].when.pouch",
     .type = CONF_INT,
     RANGE(0, 1000000),
     .example = "3",
     .doc = "A pouch by its number, from 1; 0: each one."},
    {.path = "events[].when.phase",
     .type = CONF_ENUM,
     .preset = "started",
     .choices = scenario_phases,
     .doc = "With pouch: when it has come so far. drop: its first piece fell."},
    {.path = "events[].when.state",
     .type = CONF_ENUM,
     .example = "Held",
     .choices = scenario_states,
     .doc = "The machine enters this PackML state."},
    {.path = "events[].when.drop",
     .type = CONF_INT,
     RANGE(1, 1000000),
     .example = "40",
     .doc = "The n-th piece falls from the bay."},
    {.path = "events[].when.bay",
     .type = CONF_INT,
     .preset = "0",
     RANGE(0, 511),
     .doc = "With drop: the bay, from 0."},
    {.path = "events[].when.rate",
     .type = CONF_INT,
     RANGE(1, 1000000),
     .example = "20000",
     .doc = "By chance, so often in a million pouches."},
    {.path = "events[].when.nth",
     .type = CONF_INT,
     .preset = "1",
     RANGE(1, 100000),
     .doc = "With state: only from the n-th time on."},
    {.path = "events[].after",
     .type = CONF_DURATION,
     .unit = "ms",
     .preset = "0 ms",
     RANGE(0, 86400000),
     .doc = "Time between the moment and the deed."},
    {.path = "events[].times",
     .type = CONF_INT,
     RANGE(0, 1000000),
     .example = "1",
     .doc = "At most so often; 0 without end. Usually once, with rate or pouch 0 without end."},
    {.path = "events[].do",
     .type = CONF_ENUM,
     .required = true,
     .example = "jam",
     .choices = scenario_action_words,
     .doc =
         "What happens: a fault, a trouble that lasts, a hand, a fault of the line, or what the controller "
         "and people do. tests/scenarios/README.md lists the words."},
    {.path = "events[].bay", .type = CONF_INT, RANGE(0, 511), .example = "0", .doc = "Where it happens."},
    {.path = "events[].canister",
     .type = CONF_INT,
     .preset = "0",
     RANGE(0, 4294967295LL),
     .doc = "Number of the canister, for seat and swap."},
    {.path = "events[].value",
     .type = CONF_INT,
     .preset = "1",
     RANGE(-1000000, 1000000),
     .doc = "As the word says."},
    {.path = "events[].text", .type = CONF_TEXT, .example = "start", .doc = "As the word says."},
    {.path = "events[].for",
     .type = CONF_DURATION,
     .unit = "ms",
     .preset = "0 ms",
     RANGE(0, 7 * 86400000LL),
     .doc = "It is taken back after so long; 0: never."},

    {.path = "expect", .type = CONF_MAP, .doc = "What must come of it."},
    {.path = "expect.batch",
     .type = CONF_ENUM,
     .preset = "done",
     .choices = batch_states,
     .doc = "State in which the batch rests. With done, every job has its one good pouch."},
    {.path = "expect.note", .type = CONF_TEXT, .example = "door", .doc = "Words of the note of the batch."},
    {.path = "expect.good", .type = CONF_INT, RANGE(0, 1000000), .example = "10", .doc = "Good pouches."},
    {.path = "expect.voids_least",
     .type = CONF_INT,
     .preset = "0",
     RANGE(0, 1000000),
     .doc = "Void pouches, at least."},
    {.path = "expect.voids_most", .type = CONF_INT, RANGE(0, 1000000), .example = "1", .doc = "And at most."},
    {.path = "expect.fills_most",
     .type = CONF_INT,
     RANGE(0, 1000000),
     .example = "0",
     .doc = "Numbers given out to pouches, at most."},
    {.path = "expect.slips",
     .type = CONF_INT,
     .preset = "0",
     RANGE(0, 1000000),
     .doc =
         "Pouches that are good by the store and wrong in truth: what this control does not catch. Exactly "
         "so many must be found by the checker."},
    {.path = "expect.drift_most",
     .type = CONF_INT,
     RANGE(0, 1000000),
     .example = "0",
     .doc = "Pieces by which the truth may lie outside of what the books hold for possible (0), over all "
            "canisters: "
            "what the sensors of this machine cannot see."},
    {.path = "expect.alarms",
     .type = CONF_TEXTS,
     .items_max = SCENARIO_LIST_MAX,
     .example = "[JAM]",
     .doc = "Alarms that the machine must have raised, by name."},
    {.path = "expect.reasons",
     .type = CONF_TEXTS,
     .items_max = SCENARIO_LIST_MAX,
     .example = "[jam]",
     .doc = "Words that must stand in the reason of some void pouch."},
    {.path = "expect.blocked",
     .type = CONF_TEXT,
     .example = "no canister",
     .doc = "Words of the note of some pouch that could not be made."},
    {.path = "expect.state",
     .type = CONF_ENUM,
     .example = "Aborted",
     .choices = scenario_states,
     .doc = "State of the machine at the end."},
    {.path = "expect.halted",
     .type = CONF_BOOL,
     .preset = "false",
     .doc = "The controller refuses to go on until a person decides."},
};

struct scenario_file {
    struct conf *conf;
    struct scenario scenario;
    char name[64];
};

/* ---- what one row cannot say ---- */

static const char *const trigger_keys[] = {"at", "pouch", "state", "drop", "rate"};
enum { TRIGGERS = sizeof trigger_keys / sizeof trigger_keys[0] };

static int find_trigger(const struct conf *conf, int i, int *ret_count)
{
    int found = 0;
    *ret_count = 0;
    for (int k = 0; k < TRIGGERS; k++) {
        if (conf_has(conf, "events[%d].when.%s", i, trigger_keys[k])) {
            found = k;
            ++*ret_count;
        }
    }
    return found;
}

static bool takes_text(enum scenario_action action)
{
    return action == SCENARIO_CREW_ASK_BATCH || action == SCENARIO_CREW_ASK_MACHINE ||
           action == SCENARIO_CREW_SQL || action == SCENARIO_CREW_WITHDRAW;
}

/* A text that must be one of these words. */
static void check_word(struct conf_check *check, const char *path, const char *text, const char *const *words)
{
    char list[400] = "";
    for (int k = 0; words[k]; k++) {
        if (strcmp(words[k], text) == 0)
            return;
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof list - used, "%s%s", k ? ", " : "",
                       words[k]); /* cut: for people */
    }
    conf_fault(check, path, "`%s` is not known, allowed: one of %s", text, list);
}

/* The verbs of people, by what they are said to. */
static void check_order(const struct conf *conf, struct conf_check *check, int i, enum scenario_action action)
{
    static const char *const of_batch[] = {"start", "pause", "resume", "cancel", NULL};
    static const char *const of_machine[] = {"start", "stop", "clear", "reset", "confirm", "adopt", NULL};
    char path[CONF_PATH_MAX];
    (void)snprintf(path, sizeof path, "events[%d].text", i);
    check_word(check, path, conf_text(conf, "events[%d].text", i),
               action == SCENARIO_CREW_ASK_BATCH ? of_batch : of_machine);
}

static void check_event(const struct conf *conf, struct conf_check *check, int i)
{
    char path[CONF_PATH_MAX];
    int triggers = 0;
    (void)find_trigger(conf, i, &triggers);
    (void)snprintf(path, sizeof path, "events[%d].when", i);
    if (triggers != 1)
        conf_fault(check, path, "`when` has %d of at, pouch, state, drop and rate, exactly one is allowed",
                   triggers);
    enum scenario_action action = (enum scenario_action)conf_int(conf, "events[%d].do", i);
    const char *word = scenario_action_words[action];
    (void)snprintf(path, sizeof path, "events[%d].do", i);
    if (action == SCENARIO_FAULT_NONE)
        conf_fault(check, path, "`none` does nothing, take the event out");
    if (scenario_action_of_bay(action) && !conf_has(conf, "events[%d].bay", i))
        conf_fault(check, path, "`%s` needs `bay`", word);
    if (takes_text(action) != conf_has(conf, "events[%d].text", i))
        conf_fault(check, path, takes_text(action) ? "`%s` needs `text`" : "`%s` takes no `text`", word);
    if ((action == SCENARIO_CREW_ASK_BATCH || action == SCENARIO_CREW_ASK_MACHINE) &&
        conf_has(conf, "events[%d].text", i))
        check_order(conf, check, i, action);
    bool lasts = conf_int(conf, "events[%d].for", i) > 0;
    if (lasts && action != SCENARIO_CREW_FREEZE && scenario_action_undo(action) == SCENARIO_ACTIONS)
        conf_fault(check, path, "`%s` cannot be taken back, leave `for` out", word);
    if (!lasts && action == SCENARIO_CREW_FREEZE)
        conf_fault(check, path, "`%s` needs `for`", word);
}

static bool is_hazard(const char *text)
{
    int number = 0;
    char rest = 0;
    return strcmp(text, "none") == 0 ||
           (text[0] == 'H' && sscanf(text + 1, "%2d%c", &number, &rest) == 1 && number >= 1 && number <= 28);
}

static void check_scenario(const struct conf *conf, struct conf_check *check)
{
    for (int i = 0; i < conf_count(conf, "hazards"); i++) {
        char path[CONF_PATH_MAX];
        (void)snprintf(path, sizeof path, "hazards[%d]", i);
        if (!is_hazard(conf_text(conf, "hazards[%d]", i)))
            conf_fault(check, path, "`%s` is no hazard, H1 to H28 or none are allowed",
                       conf_text(conf, "hazards[%d]", i));
    }
    for (int i = 0; i < conf_count(conf, "expect.alarms"); i++) {
        char path[CONF_PATH_MAX];
        (void)snprintf(path, sizeof path, "expect.alarms[%d]", i);
        check_word(check, path, conf_text(conf, "expect.alarms[%d]", i), scenario_alarms);
    }
    for (int i = 0; i < conf_count(conf, "events"); i++)
        check_event(conf, check, i);
}

const struct conf_schema conf_scenario = {
    .format = "sachet-scenario/1",
    .title = "A scenario for simulated machines: what goes wrong, when, and what must come of it.",
    .keys = scenario_keys,
    .count = sizeof scenario_keys / sizeof scenario_keys[0],
    .check = check_scenario,
};

/* ---- values ---- */

static void read_event(const struct conf *conf, int i, struct scenario_event *event)
{
    int triggers = 0;
    event->trigger = (enum scenario_trigger)find_trigger(conf, i, &triggers);
    bool endless = event->trigger == SCENARIO_RATE;
    if (event->trigger == SCENARIO_AT)
        event->at_us = conf_int(conf, "events[%d].when.at", i) * 1000;
    if (event->trigger == SCENARIO_POUCH) {
        event->pouch = (uint32_t)conf_int(conf, "events[%d].when.pouch", i);
        event->word = conf_text(conf, "events[%d].when.phase", i);
        endless = event->pouch == SCENARIO_ALWAYS;
    }
    if (event->trigger == SCENARIO_STATE)
        event->word = conf_text(conf, "events[%d].when.state", i);
    event->nth = (uint32_t)conf_int(conf, "events[%d].when.nth", i);
    if (event->trigger == SCENARIO_DROP) {
        event->nth = (uint32_t)conf_int(conf, "events[%d].when.drop", i);
        event->drop_bay = (uint16_t)conf_int(conf, "events[%d].when.bay", i);
    }
    if (event->trigger == SCENARIO_RATE)
        event->per_million = (uint32_t)conf_int(conf, "events[%d].when.rate", i);
    event->after_us = conf_int(conf, "events[%d].after", i) * 1000;
    event->for_us = conf_int(conf, "events[%d].for", i) * 1000;
    event->times = endless ? SCENARIO_ALWAYS : 1;
    if (conf_has(conf, "events[%d].times", i))
        event->times = (uint32_t)conf_int(conf, "events[%d].times", i);
    event->deed.action = (enum scenario_action)conf_int(conf, "events[%d].do", i);
    if (conf_has(conf, "events[%d].bay", i))
        event->deed.bay = (uint16_t)conf_int(conf, "events[%d].bay", i);
    event->deed.canister = (uint32_t)conf_int(conf, "events[%d].canister", i);
    event->deed.value = (int32_t)conf_int(conf, "events[%d].value", i);
    event->deed.text = conf_text(conf, "events[%d].text", i);
}

static const char *const physics_keys[] = {
#define PHYSICS_KEY(field, key, kind, factor, least, most, usual, text) key,
    PHYSICS_TABLE(PHYSICS_KEY)
#undef PHYSICS_KEY
};

static void read_machine(const struct conf *conf, struct scenario_machine *machine)
{
    *machine = (struct scenario_machine){
        .speed = (uint32_t)conf_int(conf, "machine.speed"),
        .pouches_a_minute = (uint32_t)conf_int(conf, "machine.pouches_a_minute"),
        .faults_percent = (uint32_t)conf_int(conf, "machine.faults_percent"),
        .map_version = (uint16_t)conf_int(conf, "machine.map_version"),
        .fill = (uint16_t)conf_int(conf, "machine.fill"),
        .camera = conf_bool(conf, "machine.camera"),
        .weigher = conf_bool(conf, "machine.weigher"),
        .panel = conf_bool(conf, "machine.panel"),
        .cold = conf_bool(conf, "machine.cold"),
        .mends = conf_bool(conf, "machine.mends"),
    };
    for (int i = 0; i < SCENARIO_PHYSICS; i++)
        machine->physics[i] = conf_has(conf, "machine.physics.%s", physics_keys[i])
                                  ? conf_int(conf, "machine.physics.%s", physics_keys[i])
                                  : SCENARIO_USUAL;
}

static int64_t int_or(const struct conf *conf, const char *path, int64_t absent)
{
    return conf_has(conf, "%s", path) ? conf_int(conf, "%s", path) : absent;
}

static int read_list(const struct conf *conf, const char *path, const char *texts[SCENARIO_LIST_MAX])
{
    int count = conf_count(conf, "%s", path);
    for (int i = 0; i < count; i++)
        texts[i] = conf_text(conf, "%s[%d]", path, i);
    return count;
}

static void read_expect(const struct conf *conf, struct scenario_expect *expect)
{
    expect->batch = conf_text(conf, "expect.batch");
    expect->note = conf_text(conf, "expect.note");
    expect->good = int_or(conf, "expect.good", -1);
    expect->voids_least = conf_int(conf, "expect.voids_least");
    expect->voids_most = int_or(conf, "expect.voids_most", -1);
    expect->fills_most = int_or(conf, "expect.fills_most", -1);
    expect->slips = conf_int(conf, "expect.slips");
    expect->drift_most = int_or(conf, "expect.drift_most", -1);
    expect->alarm_count = read_list(conf, "expect.alarms", expect->alarms);
    expect->reason_count = read_list(conf, "expect.reasons", expect->reasons);
    expect->blocked = conf_text(conf, "expect.blocked");
    expect->state = conf_text(conf, "expect.state");
    expect->halted = conf_bool(conf, "expect.halted");
}

/* jam-two.yaml in whatever folder is "jam-two". */
static void name_of(const char *path, char *name, size_t size)
{
    const char *slash = strrchr(path, '/');
    (void)snprintf(name, size, "%s", slash ? slash + 1 : path); /* cut: only for people */
    char *dot = strrchr(name, '.');
    if (dot && dot > name)
        *dot = '\0';
}

int scenario_load(const char *path, struct scenario_file **ret_file, struct error *err)
{
    struct scenario_file *file = calloc(1, sizeof *file);
    if (!file)
        return error_set(err, E_MEMORY, "no memory for %s", path);
    int rc = conf_load(&conf_scenario, path, &file->conf, err);
    if (rc < 0) {
        scenario_close(file);
        return rc;
    }
    const struct conf *conf = file->conf;
    struct scenario *s = &file->scenario;
    name_of(path, file->name, sizeof file->name);
    s->name = file->name;
    s->title = conf_text(conf, "title");
    s->hazard_count = read_list(conf, "hazards", s->hazards);
    s->control = conf_text(conf, "control");
    s->seed = (uint64_t)conf_int(conf, "seed");
    s->attend = conf_bool(conf, "attend");
    s->limit_ms = conf_int(conf, "limit");
    s->patients = (int)conf_int(conf, "batch.patients");
    s->days = (int)conf_int(conf, "batch.days");
    read_machine(conf, &s->machine);
    s->event_count = conf_count(conf, "events");
    for (int i = 0; i < s->event_count; i++)
        read_event(conf, i, &s->events[i]);
    read_expect(conf, &s->expect);
    *ret_file = file;
    return 0;
}

void scenario_close(struct scenario_file *file)
{
    if (!file)
        return;
    conf_destroy(file->conf);
    free(file);
}

const struct scenario *scenario_of(const struct scenario_file *file)
{
    return &file->scenario;
}
