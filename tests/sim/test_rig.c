/* SPDX-License-Identifier: Apache-2.0 */
/* The rig itself: the judge catches a controller that was deceived or that lies, and a run can be repeated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/base/log.h"
#include "config/scenario.h"
#include "hw/machine.h"
#include "hw/machine_codes.h"
#include "hw/packml.h"
#include "tests/support/scratch.h"
#include "tools/sachet-rig/diff.h"
#include "tools/sachet-rig/page.h"
#include "tools/sachet-rig/sense.h"
#include "tools/stage/play.h"

/* ---- a machine port that lies ---- */

enum lie {
    LIE_NONE,
    LIE_VOID_IS_GOOD,      /* a void pouch is told as a good one */
    LIE_GOOD_IS_VOID,      /* a good pouch is told as void: its job is done twice */
    LIE_VOID_IS_CANCELLED, /* a void pouch is told as never begun */
    LIE_ONE_MORE,          /* a piece more is asked of the machine and hidden in the answer */
    LIE_OTHER_BAY,         /* another bay is asked for */
    LIE_OTHER_NUMBER,      /* another number is printed on the pouch */
    LIE_OTHER_JOB,         /* another pouch's hash goes to the machine, and is hidden in the answer */
    LIE_FEWER_COUNTED,     /* a pouch's own pieces are told as one less, wanted and counted */
    LIE_ALWAYS_SEALED,     /* seals and labels are always right */
};

struct liar {
    struct machine machine; /* first: the port's pointer is ours */
    struct machine *inner;
    enum lie lie;
};

static struct machine *inner_of(struct machine *machine)
{
    return ((struct liar *)machine)->inner;
}

static int liar_check(struct machine *machine, const struct machine_request *request, struct error *err)
{
    return machine_check(inner_of(machine), request, err);
}

static int liar_submit(struct machine *machine, const struct machine_request *request, struct error *err)
{
    const struct liar *liar = (struct liar *)machine;
    struct machine_request changed = *request;
    if (changed.kind == MACHINE_PUT_JOB && liar->lie == LIE_ONE_MORE)
        changed.job.entries[0].count++;
    if (changed.kind == MACHINE_PUT_JOB && liar->lie == LIE_OTHER_BAY)
        changed.job.entries[0].bay = changed.job.entry_count == 1 ? 0 : 3;
    if (changed.kind == MACHINE_PUT_JOB && liar->lie == LIE_OTHER_NUMBER)
        changed.job.token[0] = 'X';
    if (changed.kind == MACHINE_PUT_JOB && liar->lie == LIE_OTHER_JOB)
        changed.job.hash ^= 1;
    if (changed.kind == MACHINE_PUT_JOB && liar->lie == LIE_FEWER_COUNTED && changed.job.entry_count == 1)
        changed.job.entries[0].count--;
    return machine_submit(liar->inner, &changed, err);
}

static void lie_about(const struct liar *liar, struct machine_result *result)
{
    bool is_void = result->outcome == MACHINE_VOID;
    if (liar->lie == LIE_ONE_MORE) {
        result->entries[0].requested--;
        result->entries[0].counted--;
    }
    if (liar->lie == LIE_OTHER_JOB)
        result->hash ^= 1;
    if (liar->lie == LIE_FEWER_COUNTED && result->entry_count == 1) {
        result->entries[0].requested++;
        result->entries[0].counted++;
    }
    if (liar->lie == LIE_ALWAYS_SEALED && result->reason == MACHINE_REASON_SEAL) {
        result->outcome = MACHINE_GOOD;
        result->reason = MACHINE_REASON_NONE;
        result->checks |= MACHINE_CHECK_SEALED;
    }
    if (liar->lie == LIE_VOID_IS_GOOD && is_void) {
        result->outcome = MACHINE_GOOD;
        result->reason = MACHINE_REASON_NONE;
        result->checks = MACHINE_CHECK_SEALED | MACHINE_CHECK_PRINT_READ;
        for (unsigned i = 0; i < result->entry_count; i++)
            result->entries[i].counted = result->entries[i].requested;
    }
    if (liar->lie == LIE_GOOD_IS_VOID && result->seq == 3)
        result->outcome = MACHINE_VOID;
    if (liar->lie == LIE_VOID_IS_CANCELLED && is_void) {
        result->outcome = MACHINE_CANCELLED;
        for (unsigned i = 0; i < result->entry_count; i++)
            result->entries[i].counted = 0;
    }
}

static bool liar_poll(struct machine *machine, struct machine_answer *ret_answer)
{
    if (!machine_poll(inner_of(machine), ret_answer))
        return false;
    if (ret_answer->kind == MACHINE_READ_RESULT && ret_answer->code == 0)
        lie_about((struct liar *)machine, &ret_answer->result);
    return true;
}

static int liar_fd(struct machine *machine)
{
    return machine_fd(inner_of(machine));
}

static void liar_make_safe(struct machine *machine)
{
    machine_make_safe(inner_of(machine));
}

static void liar_counters(struct machine *machine, struct machine_counters *ret_counters)
{
    machine_counters(inner_of(machine), ret_counters);
}

static void liar_destroy(struct machine *machine)
{
    machine_destroy(inner_of(machine));
    free(machine);
}

static const struct machine_ops liar_ops = {.name = "liar",
                                            .check = liar_check,
                                            .submit = liar_submit,
                                            .poll = liar_poll,
                                            .fd = liar_fd,
                                            .make_safe = liar_make_safe,
                                            .counters = liar_counters,
                                            .destroy = liar_destroy};

static struct machine *wrap(void *data, struct machine *inner)
{
    struct liar *liar = calloc(1, sizeof *liar);
    assert_non_null(liar);
    liar->machine.ops = &liar_ops;
    liar->inner = inner;
    liar->lie = *(enum lie *)data;
    return &liar->machine;
}

/* ---- helpers ---- */

#define SCENARIO(rest)                                                                                \
    "format: sachet-scenario/1\ntitle: \"test\"\nhazards: [none]\ncontrol: \"judge\"\nbatch: {days: " \
    "3}\n" rest
#define ONE_VOID \
    SCENARIO("events:\n  - {when: {pouch: 2}, do: missed, bay: 3}\n  - {when: {pouch: 5}, do: seal-weak}\n")

static struct play_result play_or_fail(const char *yaml, const struct play_options *options)
{
    struct scratch scratch;
    struct scenario_file *file = NULL;
    struct play_result result = {0};
    struct error err = {0};
    char path[SCRATCH_PATH_BYTES];
    scratch_init(&scratch);
    if (scenario_load(scratch_write(&scratch, "test.yaml", yaml, path), &file, &err) < 0 ||
        play(scenario_of(file), options, &result, &err) < 0)
        fail_msg("%s", err.message);
    scenario_close(file);
    scratch_finish(&scratch);
    return result;
}

/* ---- the judge ---- */

static void an_honest_run_passes(void **state)
{
    (void)state;
    enum lie lie = LIE_NONE;
    struct play_result result =
        play_or_fail(ONE_VOID, &(struct play_options){.wrap = wrap, .wrap_data = &lie});
    assert_string_equal(result.why, "");
    assert_true(result.passed);
    assert_int_equal(result.good, 6);
    assert_int_equal(result.voids, 2);
    play_finish(&result);
}

/* Hazards H5, H15. */
static void a_machine_that_lies_is_caught(void **state)
{
    (void)state;
    static const struct {
        enum lie lie;
        const char *words;
    } lies[] = {
        {LIE_VOID_IS_GOOD, "in truth void"},
        {LIE_GOOD_IS_VOID, "left the machine as good and is void"},
        {LIE_VOID_IS_CANCELLED, "exists and is cancelled in the store"},
        {LIE_ONE_MORE, "holds too many pieces"},
        {LIE_OTHER_BAY, "not signed for it"},
        {LIE_OTHER_NUMBER, "another pouch's number"},
        {LIE_OTHER_JOB, "another line than the signed one"},
        {LIE_FEWER_COUNTED, "holds too few pieces"},
        {LIE_ALWAYS_SEALED, "in truth void"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        enum lie lie = lies[i].lie;
        struct play_result result =
            play_or_fail(ONE_VOID, &(struct play_options){.wrap = wrap, .wrap_data = &lie});
        if (result.passed || !strstr(result.why, lies[i].words))
            fail_msg("lie %d is not caught: %s", (int)lie, result.why);
        play_finish(&result);
    }
}

static void a_store_that_lies_is_caught(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *words;
    } lies[] = {
        {"UPDATE fill SET state = 'cancelled' WHERE state = 'void'", "exists and is cancelled"},
        {"UPDATE fill SET seq = seq + 1000 WHERE state = 'void'", "the store does not know it"},
        {"UPDATE fill SET seq = seq + 1000 WHERE seq = 1", "never made"},
        {"UPDATE fill SET state = 'intended' WHERE seq = 1", "without a result"},
        {"UPDATE fill SET token = 'X' WHERE seq = 1", "another pouch's number"},
        {"UPDATE fill SET job_hash = job_hash + 1 WHERE seq = 1", "another line than the signed one"},
        {"UPDATE fill_item SET counted = counted + 1 WHERE fill_id = 1 AND entry = 0", "wrong count"},
        {"UPDATE stock_move SET pieces = pieces - 1 WHERE id = (SELECT max(id) FROM stock_move)",
         "the books"},
        {"UPDATE job SET state = 'good' WHERE state <> 'good'", ""},
        {"DELETE FROM signature", "nobody signed"},
        {"UPDATE batch SET simulated = 0", "do not say so"},
        {"UPDATE job SET pouch = 99 WHERE position = 1", "nobody signed"},
        {"INSERT INTO withdrawn (plan_id, pouch, reason, actor, withdrawn_ms) SELECT plan_id, pouch, 'r', "
         "'a', 0"
         " FROM job WHERE position = 1",
         "begun after they were withdrawn"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct play_result result = play_or_fail(ONE_VOID, &(struct play_options){.falsify = lies[i].sql});
        if (lies[i].words[0] && (result.passed || !strstr(result.why, lies[i].words)))
            fail_msg("%s: not caught: %s", lies[i].sql, result.why);
        play_finish(&result);
    }
}

/* ---- books, doubts and truth ---- */

/* Sensors that miss, double and chatter, a mains that fails, and a camera and a weigher that see most of it.
 */
#define ROUGH                                                                                              \
    "format: sachet-scenario/1\ntitle: \"test\"\nhazards: [none]\ncontrol: \"judge\"\nbatch: {days: 30}\n" \
    "limit: 20 h\nmachine: {camera: true, weigher: true, speed: 10, fill: 2000, physics: {twins_unseen:"   \
    " 10000000, twins: 5000000, bounce: 10000000, late: 10000000, missed: 5000000, vision_miss: "          \
    "0}}\nevents:\n"                                                                                       \
    "  - {when: {rate: 30000}, do: cut-power, value: 3, for: 5 s}\n"                                       \
    "  - {when: {rate: 30000}, do: estop, after: 211 ms, for: 15 s}\n"                                     \
    "  - {when: {rate: 10000}, do: unlock-bay, bay: 1, after: 5 s}\n"

/* Hazard H4. */
static void truth_lies_within_what_the_books_hold_for_possible(void **state)
{
    (void)state;
    int64_t beyond = 0, corrected = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        const struct play_options options = {.other_seed = true, .seed = seed, .soak_ms = 120000};
        struct play_result result = play_or_fail(
            ROUGH "  - {when: {rate: 20000}, do: count-stock}\nexpect: {batch: cancelled}\n", &options);
        if (!result.passed)
            fail_msg("seed %d: %s", (int)seed, result.why);
        assert_int_equal(result.drift, 0);
        assert_true(result.counts > 0);
        beyond += result.beyond;
        corrected += result.corrected;
        play_finish(&result);
    }
    assert_true(beyond > 0); /* else nothing was shown */
    assert_true(corrected > 0);
}

/* Hazard H14. */
static void books_that_hide_a_doubt_are_caught(void **state)
{
    (void)state;
    static const char cut[] = SCENARIO("machine: {fill: 100}\nevents:\n  - {when: {pouch: 4, phase: "
                                       "printed}, do: cut-power, value: 1, for: 5 s}\n"
                                       "  - {when: {pouch: 1}, do: count-stock}\n");
    static const struct {
        const char *sql, *words;
    } lies[] = {
        {NULL, ""},
        {"DELETE FROM stock_doubt", "no doubt explains them"},
        {"UPDATE stock_doubt SET most = 0 WHERE settled_ms IS NULL", "no doubt explains them"},
        {"UPDATE stock_doubt SET settled_ms = 1, settled_by = 'x', settled_how = 'counted' WHERE settled_ms "
         "IS NULL",
         "pieces beyond the books left it"},
        {"UPDATE stock_move SET pieces = pieces - 1 WHERE kind = 'packed' AND fill_id = 1",
         "counted into pouches and not taken"},
        {"UPDATE canister SET level = level + 1 WHERE bay = 3", "differ by 1 pieces"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct play_result result = play_or_fail(cut, &(struct play_options){.falsify = lies[i].sql});
        if (result.passed != (lies[i].sql == NULL) || !strstr(result.why, lies[i].words))
            fail_msg("%s: %s: %s", lies[i].sql ? lies[i].sql : "honest", result.passed ? "passed" : "failed",
                     result.why);
        play_finish(&result);
    }
}

static void what_a_scenario_does_not_expect_fails_it(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *words;
    } cases[] = {
        {SCENARIO("expect: {batch: stopped}\n"), "the batch is done"},
        {SCENARIO("expect: {good: 5}\n"), "good: 6, expected 5"},
        {SCENARIO("expect: {voids_least: 1}\n"), "void: 0, expected 1 or more"},
        {SCENARIO("expect: {alarms: [JAM]}\n"), "alarm JAM was not raised"},
        {SCENARIO("expect: {reasons: [jam]}\n"), "no void pouch because of 'jam'"},
        {SCENARIO("events:\n  - {when: {pouch: 2}, do: twins-unseen, bay: 3}\nexpect: {slips: 1, drift_most: "
                  "0}\n"),
         "pieces of stock drift: 1, expected 0"},
        {SCENARIO("expect: {slips: 1}\n"), "slips: 0, expected 1"},
        {SCENARIO("expect: {state: Aborted}\n"), "expected Aborted"},
        {SCENARIO("expect: {halted: true}\n"), "the line goes on"},
        {SCENARIO("limit: 10 s\n"), "not at rest"},
        {SCENARIO("events:\n  - {when: {pouch: 99}, do: jam, bay: 0}\n"), "never happened"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct play_result result = play_or_fail(cases[i].yaml, NULL);
        if (result.passed || !strstr(result.why, cases[i].words))
            fail_msg("%s: %s", cases[i].words, result.why);
        play_finish(&result);
    }
}

/* ---- again, and apart ---- */

#define NOISY                                                                                           \
    SCENARIO("machine: {faults_percent: 20000}\nevents:\n  - {when: {rate: 200000}, do: lose-answer}\n" \
             "  - {when: {rate: 100000}, do: cut-power, value: 2, for: 2 s}\nlimit: 120 min\n")

static void the_same_seed_gives_the_same_log_byte_for_byte(void **state)
{
    (void)state;
    struct buf words;
    struct play_options options = {.keep_log = true, .other_seed = true, .seed = 11};
    struct play_result first = play_or_fail(NOISY, &options), second = play_or_fail(NOISY, &options);
    options.seed = 12;
    struct play_result other = play_or_fail(NOISY, &options);
    buf_init(&words);
    assert_true(first.log.len > 1000);
    assert_true(diff_logs(buf_string(&first.log), buf_string(&second.log), &words));
    assert_false(diff_logs(buf_string(&first.log), buf_string(&other.log), &words));
    assert_non_null(strstr(buf_string(&words), "the logs part at line "));
    buf_finish(&words);
    play_finish(&first);
    play_finish(&second);
    play_finish(&other);
}

/* What a machine can be like is seen where something comes of it: most keys where everything goes wrong by
 * chance, some only in a quiet run. Each row with its keys; the last one is for all others. */
static const struct {
    const char *keys[4];
    const char *physics; /* that is not usual there, or would not show */
    const char *rest;
} physics_runs[] = {
    {{"starve", "silence"},
     "starve: 5 s, silence: 60 s",
     "events:\n  - {when: {pouch: 5}, do: freeze-controller, for: 20 s}\n"},
    {{"contact"},
     "contact: 400 ms",
     "  panel: true\nevents:\n  - {when: {pouch: 9}, do: stop-button, for: 1 s}\n"},
    {{"discrepancy"},
     "discrepancy: 900 ms",
     "events:\n  - {when: {pouch: 5}, do: door-channel, value: 2, for: 700 ms}\n"},
    {{"weight_sigma_permille"}, "weight_sigma_permille: 300", "  weigher: true\n"},
    {{NULL},
     "missed: 50000000, twins: 100000000, twins_unseen: 50000000, broken: 50000000, late: 50000000,"
     " jam: 150000000, bounce: 100000000, film_slip: 100000000, print_unread: 300000000,"
     " vision_alarm: 500000000, vision_miss: 500000000, jam_clears: 500000000, twin_gap: 10 ms,"
     " twin_spread: 20 ms, reel_mm: 600",
     "  camera: true\n  weigher: true\n  cold: true\n  speed: 10\nevents:\n"
     "  - {when: {pouch: 3, phase: drop}, do: cut-power, value: 2, for: 5 s}\n"
     "  - {when: {pouch: 13}, do: seal-drift, value: 100, for: 60 s}\n"},
};
enum { PHYSICS_RUNS = sizeof physics_runs / sizeof physics_runs[0] };

/* A key that is said twice would be refused: the one in hand stands for the row's own. */
static struct play_result play_physics(int run, const char *key, const char *value)
{
    const struct play_options options = {.keep_log = true};
    struct buf yaml;
    char rows[600], *save = NULL;
    (void)snprintf(rows, sizeof rows, "%s", physics_runs[run].physics); /* fits, else the test fails */
    buf_init(&yaml);
    buf_text(&yaml, "format: sachet-scenario/1\ntitle: \"test\"\nhazards: [none]\ncontrol: \"judge\"\n"
                    "batch: {days: 15}\nlimit: 60 min\nmachine:\n  physics:\n");
    for (char *row = strtok_r(rows, ",", &save); row; row = strtok_r(NULL, ",", &save)) {
        row += strspn(row, " ");
        if (!key || strncmp(row, key, strlen(key)) != 0 || row[strlen(key)] != ':')
            buf_printf(&yaml, "    %s\n", row);
    }
    if (key)
        buf_printf(&yaml, "    %s: %s\n", key, value);
    buf_text(&yaml, physics_runs[run].rest);
    struct play_result result = play_or_fail(buf_string(&yaml), &options);
    buf_finish(&yaml);
    return result;
}

static int physics_run_of(const char *key)
{
    for (int run = 0; run < PHYSICS_RUNS - 1; run++) {
        for (int i = 0; physics_runs[run].keys[i]; i++) {
            if (strcmp(physics_runs[run].keys[i], key) == 0)
                return run;
        }
    }
    return PHYSICS_RUNS - 1;
}

/* With its least value instead of the one above or the usual one. */
static void each_key_of_physics_changes_something(void **state)
{
    (void)state;
#define LEAST_MS(least)                                                   #least " ms"
#define LEAST_INT(least)                                                  #least
#define LEAST_RATE(least)                                                 #least
#define PHYSICS_LEAST(field, key, kind, factor, least, most, usual, text) {key, LEAST_##kind(least)},
    static const struct {
        const char *key, *value;
    } least[] = {PHYSICS_TABLE(PHYSICS_LEAST)};
#undef PHYSICS_LEAST
    struct play_result usual[PHYSICS_RUNS];
    struct buf idle;
    buf_init(&idle);
    for (int run = 0; run < PHYSICS_RUNS; run++)
        usual[run] = play_physics(run, NULL, NULL);
    for (size_t k = 0; k < sizeof least / sizeof least[0]; k++) {
        int run = physics_run_of(least[k].key);
        struct play_result result = play_physics(run, least[k].key, least[k].value);
        if (strcmp(buf_string(&usual[run].log), buf_string(&result.log)) == 0)
            buf_printf(&idle, " %s", least[k].key);
        play_finish(&result);
    }
    if (idle.len > 0)
        fail_msg("of machine.physics nothing comes of:%s", buf_string(&idle));
    buf_finish(&idle);
    for (int run = 0; run < PHYSICS_RUNS; run++)
        play_finish(&usual[run]);
}

static void the_first_difference_is_told_in_words(void **state)
{
    (void)state;
    struct buf words;
    const char *one = "{\"t\":1,\"m\":0,\"seq\":0,\"ev\":\"a\"}\n"
                      "{\"t\":12034000,\"m\":2,\"seq\":7,\"ev\":\"drop\",\"bay\":3,\"pieces\":1}\n";
    const char *two = "{\"t\":1,\"m\":0,\"seq\":0,\"ev\":\"a\"}\n";
    buf_init(&words);
    assert_true(diff_logs(one, one, &words));
    assert_int_equal(words.len, 0);
    assert_false(diff_logs(one, two, &words));
    assert_string_equal(buf_string(&words),
                        "the logs part at line 2\n"
                        "  first:  at 12.034000 s machine 2, pouch 7: drop, bay 3, pieces 1\n"
                        "  second: it has ended\n");
    buf_finish(&words);
}

static void the_page_keeps_the_day_of_the_last_pass(void **state)
{
    (void)state;
    struct page_row row = {.hazards = "H3 H13",
                           .control = "counts | sensors",
                           .scenario = "jam",
                           .title = "a < b & c",
                           .seed = 3,
                           .passed = true,
                           .last_pass = "2026-11-21"};
    void (*const writers[])(const struct page_row *, size_t, const char *,
                            struct buf *) = {page_write_markdown, page_write_html};
    for (size_t i = 0; i < 2; i++) {
        struct buf page;
        char day[32];
        buf_init(&page);
        writers[i](&row, 1, "2026-11-22", &page);
        page_last_pass(buf_string(&page), "jam", day);
        assert_string_equal(day, "2026-11-21");
        page_last_pass(buf_string(&page), "ja", day);
        assert_string_equal(day, "never");
        buf_finish(&page);
    }
    struct buf page;
    buf_init(&page);
    page_write_markdown(&row, 1, "2026-11-22", &page);
    assert_non_null(strstr(buf_string(&page), "| H13 gap in therapy | `jam` |"));
    assert_non_null(strstr(buf_string(&page), "| H1 wrong drug | no scenario was run |"));
    assert_non_null(strstr(buf_string(&page), "counts \\| sensors"));
    buf_reset(&page);
    page_write_html(&row, 1, "2026-11-22", &page);
    assert_non_null(strstr(buf_string(&page), "a &lt; b &amp; c"));
    buf_finish(&page);
}

/* ---- the format ---- */

static void scenarios_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *words;
    } cases[] = {
        {SCENARIO("events:\n  - {when: {}, do: jam, bay: 0}\n"), "test.yaml:7:"},
        {SCENARIO("events:\n  - {when: {pouch: 1, drop: 2}, do: jam, bay: 0}\n"), "exactly one is allowed"},
        {SCENARIO("events:\n  - {when: {pouch: 1}, do: jam}\n"), "`jam` needs `bay`"},
        {SCENARIO("events:\n  - {when: {pouch: 1}, do: yam, bay: 0}\n"), "test.yaml:7:28"},
        {SCENARIO("events:\n  - {when: {pouch: 1}, do: none}\n"), "does nothing"},
        {SCENARIO("events:\n  - {when: {pouch: 1}, do: store}\n"), "needs `text`"},
        {SCENARIO("events:\n  - {when: {pouch: 1}, do: jam, bay: 0, for: 2 s}\n"), "cannot be taken back"},
        {SCENARIO("events:\n  - {when: {pouch: 1}, do: freeze-controller}\n"), "needs `for`"},
        {SCENARIO("events:\n  - {when: {pouch: 1}, do: ask-batch, text: dance}\n"), "test.yaml:7:45"},
        {SCENARIO("expect: {alarms: [NOISE]}\n"), "test.yaml:6:19: `NOISE` is not known"},
        {SCENARIO("machine: {physics: {debounce: 5}}\n"), "`5` has no unit"},
        {SCENARIO("machine: {physics: {jam: 2000000000}}\n"), "test.yaml:6:26"},
        {SCENARIO("machine: {physics: {jamm: 2}}\n"), "did you mean `jam`"},
        {"format: sachet-scenario/1\ntitle: a\nhazards: [H29]\ncontrol: b\n", "no hazard"},
        {"format: sachet-scenario/1\ntitle: a\nhazards: [H1]\n", "control"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scratch scratch;
        struct scenario_file *file = NULL;
        struct error err = {0};
        char path[SCRATCH_PATH_BYTES];
        scratch_init(&scratch);
        assert_true(scenario_load(scratch_write(&scratch, "test.yaml", cases[i].yaml, path), &file, &err) <
                    0);
        if (!strstr(err.message, cases[i].words))
            fail_msg("expected '%s' in: %s", cases[i].words, err.message);
        scratch_finish(&scratch);
    }
}

static void the_words_of_scenarios_are_those_of_the_machine(void **state)
{
    (void)state;
    for (int i = 0; scenario_states[i]; i++)
        assert_string_equal(scenario_states[i], machine_state_name((enum machine_state)(i + 1)));
    for (unsigned i = 0; scenario_alarms[i]; i++)
        assert_string_equal(scenario_alarms[i], machine_alarm_name(i));
    for (unsigned i = 0; i < SCENARIO_ACTIONS; i++) {
        assert_int_equal(scenario_action_find(scenario_action_words[i]), i);
        assert_true(strlen(scenario_action_text((enum scenario_action)i)) > 0);
    }
    assert_int_equal(scenario_action_find("nonsense"), SCENARIO_ACTIONS);
}

/* ---- sensitivity ---- */

/* Against the formula in floating point, worked out by hand for these. */
static void intervals_are_wilsons(void **state)
{
    (void)state;
    static const struct {
        int64_t k, n;
        struct sense_interval want;
    } rows[] = {
        {0, 0, {0, 0, 1000}},          {0, 10, {0, 0, 278}},       {10, 10, {1000, 722, 1000}},
        {5, 10, {500, 236, 764}},      {99, 100, {990, 945, 999}}, {1, 100, {10, 1, 55}},
        {999, 1000, {999, 994, 1000}}, {500, 1000000, {1, 0, 1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sense_interval got = sense_wilson(rows[i].k, rows[i].n);
        if (got.rate != rows[i].want.rate || got.least != rows[i].want.least || got.most != rows[i].want.most)
            fail_msg("%d of %d: %d (%d to %d)", (int)rows[i].k, (int)rows[i].n, got.rate, got.least,
                     got.most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_run_passes),
        cmocka_unit_test(a_machine_that_lies_is_caught),
        cmocka_unit_test(a_store_that_lies_is_caught),
        cmocka_unit_test(truth_lies_within_what_the_books_hold_for_possible),
        cmocka_unit_test(books_that_hide_a_doubt_are_caught),
        cmocka_unit_test(what_a_scenario_does_not_expect_fails_it),
        cmocka_unit_test(the_same_seed_gives_the_same_log_byte_for_byte),
        cmocka_unit_test(each_key_of_physics_changes_something),
        cmocka_unit_test(the_first_difference_is_told_in_words),
        cmocka_unit_test(the_page_keeps_the_day_of_the_last_pass),
        cmocka_unit_test(scenarios_are_refused_with_their_place),
        cmocka_unit_test(the_words_of_scenarios_are_those_of_the_machine),
        cmocka_unit_test(intervals_are_wilsons),
    };
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the tests are only slower */
    log_init("test", LOG_ERROR, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
