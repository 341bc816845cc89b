/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A little controller packs jobs on a world while power goes at every micro-step, or while chance breaks
 * pieces, and then truth and records are compared: exactly one good pouch a job, every other one void, no
 * number filled twice.
 */
#include "tests/unit/hw/rig.h"

#include "config/base/rng.h"

enum { JOBS_MAX = 400, SEQS_MAX = 2000 };

struct little {
    struct rig rig;
    unsigned jobs;
    unsigned good;
    uint32_t next_seq;
    bool job_good[JOBS_MAX];
    bool job_open[JOBS_MAX];
    unsigned job_of[SEQS_MAX];
    uint32_t stored; /* W of the store */
    unsigned cuts;
    uint32_t max_seq; /* N */
};

/* What job j asks for, under number seq. */
static struct machine_job little_job(unsigned j, uint32_t seq)
{
    struct machine_job job = rig_job(j + 1);
    job.seq = seq;
    (void)snprintf(job.token, sizeof job.token, "S1-%u", seq);
    return job;
}

static void take_results(struct little *c)
{
    while (c->stored < rig_status(&c->rig).done) {
        struct machine_result result = rig_result(&c->rig, c->stored + 1);
        unsigned j = c->job_of[result.seq];
        struct machine_job job = little_job(j, result.seq);
        assert_int_equal(result.hash, job.hash);
        assert_false(c->job_good[j]);
        if (result.outcome == MACHINE_GOOD) {
            c->job_good[j] = true;
            c->good++;
        } else {
            c->job_open[j] = true; /* again, under a new number */
        }
        c->stored = result.seq;
    }
    c->rig.retire = c->stored;
}

static void send_jobs(struct little *c)
{
    for (;;) {
        struct machine_status status = rig_status(&c->rig);
        if (status.accepted - status.retired >= 8)
            return;
        uint32_t seq = status.accepted + 1;
        if (seq > c->max_seq) {
            unsigned j = 0;
            while (j < c->jobs && !c->job_open[j])
                j++;
            if (j == c->jobs)
                return;
            c->job_open[j] = false;
            assert_true(seq < SEQS_MAX);
            c->job_of[seq] = j;
            c->max_seq = seq;
        }
        struct machine_job job = little_job(c->job_of[seq], seq);
        if (world_put(c->rig.world, &job, c->rig.session) != WORLD_TAKEN ||
            rig_status(&c->rig).accepted != seq)
            return;
    }
}

/* Leads the machine towards Execute like a patient person. */
static enum machine_command next_command(const struct machine_status *status)
{
    if (status->state == MACHINE_STATE_ABORTED)
        return status->started > status->done ? MACHINE_COMMAND_CONFIRM_REMOVED : MACHINE_COMMAND_CLEAR;
    if (status->state == MACHINE_STATE_STOPPED)
        return MACHINE_COMMAND_RESET;
    if (status->state == MACHINE_STATE_IDLE)
        return MACHINE_COMMAND_START;
    return status->state == MACHINE_STATE_HELD ? MACHINE_COMMAND_UNHOLD : MACHINE_COMMAND_NONE;
}

static void turn(struct little *c)
{
    rig_wait(&c->rig, 50);
    if (!world_has_power(c->rig.world)) {
        c->cuts++;
        c->rig.session++;
        c->rig.command_seq = 0;
        rig_wait(&c->rig, 200);
        world_power_on(c->rig.world);
        return;
    }
    if (!world_answers(c->rig.world))
        return;
    take_results(c);
    struct machine_status status = rig_status(&c->rig);
    if (rig_control(&c->rig, next_command(&status), 0) == WORLD_TAKEN)
        send_jobs(c);
}

static void pack(struct little *c, struct world_params params, unsigned jobs)
{
    memset(c, 0, sizeof *c);
    rig_init(&c->rig, params);
    c->jobs = jobs;
    for (unsigned j = 0; j < jobs; j++)
        c->job_open[j] = true;
}

static void finish(struct little *c)
{
    for (int turns = 0; c->good < c->jobs; turns++) {
        assert_true(turns < 100000);
        turn(c);
    }
    turn(c);
}

static void compare_with_truth(struct little *c)
{
    static unsigned good_of[JOBS_MAX];
    static unsigned filled[SEQS_MAX];
    memset(good_of, 0, sizeof good_of);
    memset(filled, 0, sizeof filled);
    for (size_t i = 0; i < world_truth_count(c->rig.world); i++) {
        const struct world_truth *truth = world_truth(c->rig.world, i);
        if (truth->printed)
            filled[truth->seq]++;
        if (truth->fate == WORLD_FATE_GOOD) {
            struct machine_job job = little_job(c->job_of[truth->seq], truth->seq);
            assert_true(world_truth_fits(truth, &job));
            assert_string_equal(truth->token, job.token);
            assert_true(truth->sealed);
            good_of[c->job_of[truth->seq]]++;
        } else {
            assert_true(truth->fate == WORLD_FATE_VOID ||
                        (truth->fate == WORLD_FATE_CANCELLED && !truth->printed && truth->part_count == 0));
        }
    }
    for (unsigned j = 0; j < c->jobs; j++)
        assert_int_equal(good_of[j], 1);
    for (uint32_t s = 0; s < SEQS_MAX; s++)
        assert_in_range(filled[s], 0, 1); /* never two fills of one number */
}

static void power_may_go_at_every_microstep(void **state)
{
    (void)state;
    static struct little c;
    pack(&c, rig_params(), 3);
    finish(&c);
    uint64_t steps = world_steps(c.rig.world);
    compare_with_truth(&c);
    rig_finish(&c.rig);
    assert_in_range(steps, 100, 1000);
    print_message("%u micro-steps\n", (unsigned)steps);
    for (uint64_t k = 1; k <= steps; k++) {
        pack(&c, rig_params(), 3);
        world_cut_power(c.rig.world, k);
        finish(&c);
        compare_with_truth(&c);
        assert_int_equal(c.cuts,
                         k + 3 <= steps ? 1 : c.cuts); /* the boot's own steps are behind us already */
        rig_finish(&c.rig);
    }
}

static void power_may_go_while_it_comes_up_again(void **state)
{
    (void)state;
    for (uint64_t k = 1; k <= 5; k++) {
        static struct little c;
        pack(&c, rig_params(), 2);
        for (int i = 0; i < 40; i++)
            turn(&c);
        world_power_off(c.rig.world);
        world_cut_power(c.rig.world, k);
        world_power_on(c.rig.world); /* counts its boot, or dies of it */
        finish(&c);
        compare_with_truth(&c);
        rig_finish(&c.rig);
    }
}

static void chance_and_power_cuts_together_lose_and_double_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct world_params params = rig_params();
        params.seed = seed;
        params.rates = (struct world_rates){.missed = 5000000,
                                            .twins = 5000000,
                                            .broken = 5000000,
                                            .late = 5000000,
                                            .jam = 5000000,
                                            .jam_clears = 500000000,
                                            .print_unread = 5000000};
        params.fill = 60;
        static struct little c;
        struct rng rng;
        rng_init(&rng, seed, 99);
        pack(&c, params, 60);
        unsigned cuts = 0;
        while (c.good < c.jobs) {
            if (cuts == c.cuts && world_has_power(c.rig.world)) {
                world_cut_power(c.rig.world, 1 + rng_below(&rng, 400));
                cuts++;
            }
            turn(&c);
        }
        print_message("seed %u: %u numbers for %u jobs, %u cuts\n", (unsigned)seed, (unsigned)c.max_seq,
                      c.jobs, c.cuts);
        world_cut_power(c.rig.world, 0);
        finish(&c);
        assert_true(c.cuts > 3 && c.max_seq > c.jobs);
        compare_with_truth(&c);
        rig_finish(&c.rig);
    }
}

static void the_same_seed_writes_the_same_log(void **state)
{
    (void)state;
    static struct little a, b;
    struct world_params params = rig_params();
    world_params_default(&params, 3);
    params.boot_us = params.starting_us = params.resetting_us = 10000;
    params.bays = 20;
    for (int i = 0; i < 2; i++) {
        struct little *c = i ? &b : &a;
        pack(c, params, 100);
        world_cut_power(c->rig.world, 700);
        finish(c);
    }
    assert_true(a.rig.log.len > 10000);
    assert_int_equal(a.rig.log.len, b.rig.log.len);
    assert_memory_equal(a.rig.log.data, b.rig.log.data, a.rig.log.len);
    rig_finish(&b.rig);
    params.seed = 2;
    pack(&b, params, 100);
    world_cut_power(b.rig.world, 700);
    finish(&b);
    assert_string_not_equal(buf_string(&a.rig.log), buf_string(&b.rig.log)); /* chance does play a part */
    rig_finish(&a.rig);
    rig_finish(&b.rig);
}

/* Every event of a log stands in the reference page. */
static void expect_documented(const char *log, const char *page)
{
    for (const char *at = log; (at = strstr(at, "\"ev\":\"")) != NULL;) {
        at += strlen("\"ev\":\"");
        char row[64];
        (void)snprintf(row, sizeof row, "\n| `%.*s` |", (int)strcspn(at, "\""), at);
        if (!strstr(page, row))
            fail_msg("events.md has no row%s", row);
    }
}

static void the_page_names_every_event(void **state)
{
    (void)state;
    struct buf page;
    buf_init(&page);
    FILE *file = fopen(SOURCE_ROOT "/hw/sim/events.md", "r");
    assert_non_null(file);
    char part[4096];
    for (size_t got; (got = fread(part, 1, sizeof part, file)) > 0;)
        buf_add(&page, part, got);
    fclose(file);
    struct world_params params = rig_params();
    params.rates = (struct world_rates){
        .missed = 20000000, .twins = 20000000, .late = 20000000, .jam = 20000000, .jam_clears = 500000000};
    params.fill = 30;
    static struct little c;
    pack(&c, params, 60);
    world_cut_power(c.rig.world, 300);
    finish(&c);
    world_set_door(c.rig.world, false);
    world_set_estop(c.rig.world, false);
    world_set_door(c.rig.world, true);
    world_set_estop(c.rig.world, true);
    world_put_torn(c.rig.world);
    expect_documented(buf_string(&c.rig.log), buf_string(&page));
    rig_finish(&c.rig);
    buf_finish(&page);
}

/* How often the world is asked for the time does not change what happens in it. */
static void the_grain_of_time_does_not_matter(void **state)
{
    (void)state;
    struct rig rigs[2];
    for (int i = 0; i < 2; i++) {
        struct world_params params = rig_params();
        params.rates.jam = 50000000;
        params.silence_us = 1000000000;
        rig_init(&rigs[i], params);
        rig_start(&rigs[i]);
        for (uint32_t s = 1; s <= 8; s++)
            rig_put(&rigs[i], s);
        for (int ms = 0; ms < 20000; ms += i ? 1 : 20000)
            rig_wait(&rigs[i], i ? 1 : 20000);
    }
    assert_string_equal(buf_string(&rigs[0].log), buf_string(&rigs[1].log));
    rig_finish(&rigs[0]);
    rig_finish(&rigs[1]);
}

static void memory_of_another_machine_is_refused(void **state)
{
    (void)state;
    struct world_memory *memory = calloc(1, world_memory_bytes());
    assert_non_null(memory);
    struct world_params params = rig_params();
    params.memory = memory;
    struct error err = {0};
    struct world *world = world_create(&params, &err);
    assert_non_null(world);
    world_destroy(world);
    world_params_default(&params, 1);
    params.bays = 20;
    params.memory = memory;
    assert_null(world_create(&params, &err));
    assert_int_equal(err.code, E_MISMATCH);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_may_go_at_every_microstep),
        cmocka_unit_test(power_may_go_while_it_comes_up_again),
        cmocka_unit_test(chance_and_power_cuts_together_lose_and_double_nothing),
        cmocka_unit_test(the_same_seed_writes_the_same_log),
        cmocka_unit_test(the_page_names_every_event),
        cmocka_unit_test(the_grain_of_time_does_not_matter),
        cmocka_unit_test(memory_of_another_machine_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
