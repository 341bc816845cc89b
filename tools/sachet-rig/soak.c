/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-rig/soak.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/scenario.h"
#include "tools/stage/play.h"

enum {
    MINUTES_MAX = 30 * 24 * 60,
    GROWTH_MAX =
        256 * 1024, /* bytes of heap beside the truth, from the first hour to the last: page caches */
    NOT_KNOWN = -1, /* a heap that does not tell, as a sanitizer's */
};

struct soak {
    int64_t minutes;
    struct play_options options;
    const char *scenario;
    int64_t first_heap; /* after the first hour, without the truth */
    int64_t last_heap;
    int64_t begun_ms; /* of the wall */
};

/* Bytes in use, without the truth, which is kept for the judge and grows with the pouches. */
static int64_t heap_bytes(const struct play_look *look)
{
    struct mallinfo2 info = mallinfo2();
    int64_t used = (int64_t)(info.uordblks + info.hblkhd);
    return used > 0 ? used - (int64_t)look->truth_bytes : NOT_KNOWN;
}

static void say_hour(void *data, const struct play_look *look)
{
    struct soak *soak = data;
    soak->last_heap = heap_bytes(look);
    if (soak->first_heap == NOT_KNOWN)
        soak->first_heap = soak->last_heap;
    printf("hour %3" PRId64 ": %7" PRId64 " good %5" PRId64 " void %4u controller crashes %4" PRIu32
           " boots, heap %" PRId64 " KiB and %zu KiB of truth\n",
           (look->ran_ms + 1800000) / 3600000, look->good, look->voids, look->crashes, look->boots,
           soak->last_heap / 1024, look->truth_bytes / 1024);
    (void)fflush(stdout); /* so that people see it; main looks at the end */
}

static int parse(struct soak *soak, int argc, char **argv, struct error *err)
{
    for (int i = 0; i < argc; i++) {
        bool hours = strcmp(argv[i], "--hours") == 0, seed = strcmp(argv[i], "--seed") == 0;
        if (!hours && !seed && strcmp(argv[i], "--minutes") != 0) {
            if (argv[i][0] == '-' || soak->scenario)
                return error_set(err, E_ARG, "%.40s: soak [--hours N|--minutes N] [--seed N] SCENARIO",
                                 argv[i]);
            soak->scenario = argv[i];
            continue;
        }
        char *end = NULL;
        unsigned long long value = i + 1 < argc ? strtoull(argv[i + 1], &end, 10) : 0;
        if (!end || argv[i + 1][0] < '0' || argv[i + 1][0] > '9' || *end != '\0')
            return error_set(err, E_ARG, "%s: a whole number is needed", argv[i]);
        i++;
        if (seed) {
            soak->options.other_seed = true;
            soak->options.seed = value;
            continue;
        }
        if (value < 1 || value > (unsigned)MINUTES_MAX / (hours ? 60 : 1))
            return error_set(err, E_ARG, "%s: 1 to %d minutes are possible", argv[i - 1], MINUTES_MAX);
        soak->minutes = (int64_t)value * (hours ? 60 : 1);
    }
    return soak->scenario
               ? 0
               : error_set(err, E_ARG, "which scenario? tests/scenarios/long/soak.yaml is made for it");
}

static int say_end(const struct soak *soak, const struct play_result *r)
{
    int64_t growth = soak->last_heap - soak->first_heap;
    bool leaks = soak->first_heap != NOT_KNOWN && soak->last_heap != NOT_KNOWN && growth > GROWTH_MAX;
    printf("%" PRId64 ".%" PRId64 " hours of mechanics, seed %" PRIu64 ": %" PRId64 " pouches good, %" PRId64
           " void, %u controller crashes, %" PRIu32 " boots, %u visits of a person, %" PRIu64 " requests\n",
           r->end.ran_ms / 3600000, r->end.ran_ms / 360000 % 10, r->seed, r->good, r->voids, r->end.crashes,
           r->end.boots, r->end.visits, r->requests);
    printf("%u counts of all canisters put %" PRId64 " pieces right, each of them explained by a doubt;"
           " at the end books and truth differ by %" PRId64 " pieces within doubts of %" PRId64 "\n",
           r->counts, r->corrected, r->beyond, r->doubt);
    printf("slips %" PRId64 ", stock drift %" PRId64 " pieces, heap %+" PRId64
           " KiB since the first hour, took %" PRId64 " s\n",
           r->slips, r->drift, growth / 1024, (clock_mono_ms(clock_system()) - soak->begun_ms) / 1000);
    if (!r->passed)
        printf("FAILED: %s\n", r->why);
    if (leaks)
        printf("FAILED: the heap grew by %" PRId64 " bytes\n", growth);
    return !r->passed || leaks;
}

int soak_verb(int argc, char **argv, struct error *err)
{
    struct soak soak = {.minutes = 24 * 60, .first_heap = NOT_KNOWN, .last_heap = NOT_KNOWN};
    struct scenario_file *file = NULL;
    struct play_result result;
    int rc = parse(&soak, argc, argv, err);
    if (rc == 0)
        rc = scenario_load(soak.scenario, &file, err);
    if (rc < 0)
        return rc;
    soak.begun_ms = clock_mono_ms(clock_system());
    soak.options.soak_ms = soak.minutes * 60000;
    soak.options.each_hour = say_hour;
    soak.options.data = &soak;
    rc = play(scenario_of(file), &soak.options, &result, err);
    if (rc == 0)
        rc = say_end(&soak, &result);
    play_finish(&result);
    scenario_close(file);
    return rc;
}
