/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"
#include "config/base/loop.h"
#include "config/base/profile.h"
#include "config/base/rng.h"
#include "config/machine.h"
#include "config/paths.h"
#include "controller/pack/batch.h"
#include "controller/pack/packer.h"
#include "controller/store/audit.h"
#include "controller/store/store.h"
#include "hw/machine.h"
#include "hw/sim/world.h"
#include "tests/crash/mutant.h"
#include "tests/support/gate.h"
#include "tests/support/pharmacy.h"
#include "tests/support/witness.h"

enum {
    AT_A_TIME = 8,
    AT_A_TIME_MAX = 64,
    PATIENTS = 1,
    DAYS = 3,
    PACKER_SPEED = 5,
    MACHINE_SPEED = 300,
    DARK_MS = 40,
    LIMIT_MS = 90000,
    PERSON_MAX = 30,
    MUTANT_TRIES = 60,
    LAZY_PASSES = 4,
    WHY_BYTES = 256
};

static const struct schedule_line *line;
static unsigned schedules, first = 1, at_a_time = AT_A_TIME;
static struct profile profiles[2]; /* the default one, and one of quite another kind */

/* Every fifth schedule meets the other kind. */
static const struct profile *profile_of(uint64_t seed)
{
    return &profiles[seed % 5 == 4];
}

static const char *mutant_text(enum schedule_mutant mutant)
{
    static const char *const texts[] = {
#define MUTANT_TEXT(name, text) text,
        SCHEDULE_MUTANT_TABLE(MUTANT_TEXT)
#undef MUTANT_TEXT
    };
    return texts[mutant];
}

/* What all schedules came to, shared by the processes that run them. */
static struct totals {
    uint64_t faults[SCHEDULE_FAULTS_MAX];
    uint64_t schedules, deaths, cuts, voids, stops;
} * totals;

/* ---- the machines' side: a thread of its own ---- */

struct far_machine {
    struct far_side *far;
    struct world *world;
    struct world_memory *memory;
    struct witness *witness;
    int64_t retired, next; /* atomic: what the store has committed */
    int64_t early;         /* atomic: RETIRE, a result that was read */
    int64_t power_on_ms;
    bool was_powered;
};

struct far_side {
    struct clock *clock;
    struct loop *loop;
    struct far_machine machines[SCHEDULE_MACHINES_MAX];
    struct world *worlds[SCHEDULE_MACHINES_MAX];
    void *line;
    struct loop_timer *mains;
    pthread_t thread;
    bool stop; /* atomic */
    enum schedule_mutant mutant;
    char broken[WHY_BYTES];
};

static void see(void *data, const struct world_event *event)
{
    struct far_machine *m = data;
    char *broken = m->far->broken;
    int64_t retired = __atomic_load_n(&m->retired, __ATOMIC_SEQ_CST);
    int64_t next = __atomic_load_n(&m->next, __ATOMIC_SEQ_CST);
    if (strcmp(event->name, "retired") == 0 && event->seq > retired)
        (void)snprintf(broken, WHY_BYTES, "C5: %" PRIu32 " retired before it was stored", event->seq);
    if (strcmp(event->name, "accepted") == 0 && event->seq >= next)
        (void)snprintf(broken, WHY_BYTES, "C1: %" PRIu32 " sent before it was stored", event->seq);
    witness_event(m->witness, event);
}

static void tend(struct far_machine *m, enum schedule_mutant mutant, int64_t now_ms)
{
    bool powered = world_has_power(m->world);
    if (!powered && m->was_powered) {
        m->power_on_ms = now_ms + DARK_MS;
        if (mutant == SCHEDULE_NO_INTENT)
            mutant_forget_begun(m->memory);
    }
    m->was_powered = powered;
    if (m->power_on_ms && now_ms >= m->power_on_ms) {
        m->power_on_ms = 0;
        world_power_on(m->world);
        m->was_powered = world_has_power(m->world);
    }
    int64_t early = __atomic_exchange_n(&m->early, 0, __ATOMIC_SEQ_CST);
    if (early > 0)
        mutant_retire(m->world, (uint32_t)early);
    if (mutant == SCHEDULE_OVERWRITTEN)
        mutant_overwrite(m->world, m->memory);
}

static int64_t tend_mains(void *data, int64_t now_ms)
{
    struct far_side *far = data;
    for (unsigned i = 0; i < line->machines; i++)
        tend(&far->machines[i], far->mutant, now_ms);
    if (__atomic_load_n(&far->stop, __ATOMIC_SEQ_CST))
        loop_stop(far->loop);
    return now_ms + (far->mutant == SCHEDULE_RIGHT ? 5 : 1);
}

static void *run_far_side(void *data)
{
    struct far_side *far = data;
    (void)loop_run(far->loop, NULL); /* ends by loop_stop only */
    return NULL;
}

static void machine_begin(struct far_side *far, unsigned index, uint64_t seed)
{
    struct error err = {0};
    struct world_params world;
    struct far_machine *m = &far->machines[index];
    *m = (struct far_machine){.far = far, .next = 1, .was_powered = true};
    m->memory = calloc(1, world_memory_bytes());
    m->witness = witness_create(0, false);
    assert_true(m->memory && m->witness);
    world_params_default(&world, 0); /* each has a store of its own, so that all may have the same serial */
    world.seed = seed + index;
    world.now_us = clock_mono_ms(far->clock) * 1000;
    world.speed = MACHINE_SPEED;
    world.bays = PHARMACY_BAYS;
    world.queue_depth = profile_of(seed)->queue_depth;
    world.ring_size = profile_of(seed)->ring_size;
    world.map_version = profile_of(seed)->map_version;
    world.fill = PHARMACY_PIECES;
    world.keep_truth = false;
    world.memory = m->memory;
    world.log = see;
    world.log_data = m;
    if (seed % 2)
        world_rates_none(&world.rates);
    m->world = world_create(&world, &err);
    if (!m->world)
        fail_msg("%s", err.message);
    far->worlds[index] = m->world;
}

static void far_begin(struct far_side *far, uint64_t seed, struct rng *rng, enum schedule_mutant mutant)
{
    struct error err = {0};
    *far = (struct far_side){.clock = clock_system(), .mutant = mutant};
    far->loop = loop_create(far->clock, &err);
    assert_non_null(far->loop);
    for (unsigned i = 0; i < line->machines; i++)
        machine_begin(far, i, seed);
    const struct schedule_far machines = {.clock = far->clock,
                                          .loop = far->loop,
                                          .profile = profile_of(seed),
                                          .worlds = far->worlds,
                                          .machines = line->machines,
                                          .seed = seed};
    far->line = line->open(&machines, rng);
    far->mains = loop_add_timer(far->loop, clock_mono_ms(far->clock), tend_mains, far);
    assert_true(far->line && far->mains);
    for (unsigned i = 0; i < line->machines; i++) {
        if (mutant == SCHEDULE_NO_INTENT || rng_below(rng, 3) == 0)
            world_cut_power(far->worlds[i], 1 + rng_below(rng, 140));
    }
    assert_int_equal(pthread_create(&far->thread, NULL, run_far_side, far), 0);
}

/* The machines are still; the witnesses may be asked now. */
static void far_stop(struct far_side *far)
{
    __atomic_store_n(&far->stop, true, __ATOMIC_SEQ_CST);
    pthread_join(far->thread, NULL);
}

static void far_end(struct far_side *far)
{
    loop_remove_timer(far->mains);
    line->close(far->line);
    for (unsigned i = 0; i < line->machines; i++) {
        world_destroy(far->worlds[i]);
        witness_destroy(far->machines[i].witness);
        free(far->machines[i].memory);
    }
    loop_destroy(far->loop);
}

/* ---- the controller's side ---- */

/* One machine of the controller, with a store of its own. */
struct seat {
    struct near_side *near;
    struct far_machine *machine_far;
    struct pharmacy pharmacy;
    struct machine *machine;
    struct packer *packer;
    int64_t batch;
    unsigned lazy;
    bool done;
    bool lost; /* an answer said that the connection is gone */
};

struct near_side {
    struct far_side *far;
    const struct profile *profile;
    struct seat seats[SCHEDULE_MACHINES_MAX];
    void *shared;
    unsigned deaths, stops;
    enum schedule_mutant mutant;
};

static bool request_leaves(void *data, const struct machine_request *request)
{
    (void)data, (void)request;
    return true;
}

static bool answer_came(void *data, struct machine_answer *answer)
{
    struct seat *seat = data;
    seat->lost = seat->lost || (answer->code != 0 && error_class_of(answer->code) == ERROR_CLASS_LINK);
    if (seat->near->mutant == SCHEDULE_RETIRE && answer->kind == MACHINE_READ_RESULT && answer->code == 0)
        __atomic_store_n(&seat->machine_far->early, answer->result.seq, __ATOMIC_SEQ_CST);
    return true;
}

static int64_t packer_now(const struct near_side *near)
{
    return clock_mono_ms(near->far->clock) * PACKER_SPEED;
}

static void tell_committed(struct seat *seat)
{
    struct error err = {0};
    int64_t retired = 0, next = 1;
    (void)store_get_int(seat->pharmacy.store, &retired, &err, "SELECT retired FROM machine",
                        ""); /* none: 0 */
    (void)store_get_int(seat->pharmacy.store, &next, &err, "SELECT next_seq FROM machine", "");
    __atomic_store_n(&seat->machine_far->retired, retired, __ATOMIC_SEQ_CST);
    __atomic_store_n(&seat->machine_far->next, next, __ATOMIC_SEQ_CST);
}

static void raise_seat(struct near_side *near, unsigned index)
{
    struct error err = {0};
    struct seat *seat = &near->seats[index];
    const struct packer_config config = {.name = "m1",
                                         .serial = "",
                                         .bad_counts_max = PACKER_BAD_COUNTS,
                                         .attempts_max = PACKER_ATTEMPTS,
                                         .poll_ms = line->poll_ms,
                                         .heartbeat_ms = line->heartbeat_ms,
                                         .attend = true,
                                         .seed = 1};
    const struct gate_hooks hooks = {.leaves = request_leaves, .came = answer_came, .data = seat};
    struct machine *behind =
        line->port(near->far->line, near->shared, near->profile, near->far->clock, index, &err);
    seat->lost = false;
    seat->machine = behind ? gate_create(behind, &hooks, &err) : NULL;
    seat->packer = seat->machine ? packer_create(&config, seat->machine, seat->pharmacy.store, &err) : NULL;
    if (!seat->packer)
        fail_msg("%s", err.message);
}

static void raise_controller(struct near_side *near)
{
    near->shared = line->dial(near->far->line, near->far->clock);
    for (unsigned i = 0; i < line->machines; i++)
        raise_seat(near, i);
}

static void drop_controller(struct near_side *near)
{
    for (unsigned i = 0; i < line->machines; i++) {
        packer_destroy(near->seats[i].packer);
        machine_destroy(near->seats[i].machine);
        near->seats[i].packer = NULL;
        near->seats[i].machine = NULL;
    }
    line->hang_up(near->shared);
    near->shared = NULL;
}

static void die(struct near_side *near)
{
    near->deaths++;
    drop_controller(near);
    for (unsigned i = 0; i < line->machines; i++) {
        pharmacy_reopen(&near->seats[i].pharmacy);
        if (near->mutant == SCHEDULE_FRESH)
            pharmacy_exec(&near->seats[i].pharmacy, "UPDATE job SET state = 'waiting' WHERE state = 'sent'");
    }
    raise_controller(near);
}

static int store_pass(struct seat *seat, struct error *err)
{
    struct store *store = seat->pharmacy.store;
    int rc = store_in_write(store) ? 0 : store_write_begin(store, err);
    if (rc == 0)
        rc = packer_write(seat->packer, err);
    if (rc < 0)
        return rc;
    if (seat->near->mutant != SCHEDULE_UNDURABLE || ++seat->lazy % LAZY_PASSES == 0) {
        rc = store_write_commit(store, err);
        if (rc < 0)
            return rc;
        tell_committed(seat);
    }
    packer_written(seat->packer);
    return 0;
}

static int one_round(struct seat *seat, struct error *err)
{
    struct near_side *near = seat->near;
    int rc;
    while ((rc = packer_run(seat->packer, packer_now(near), clock_wall_ms(near->far->clock), err)) == 1) {
        rc = store_pass(seat, err);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static void wait_for_answers(struct near_side *near)
{
    struct pollfd answers[SCHEDULE_MACHINES_MAX];
    int64_t wait_ms = 5;
    for (unsigned i = 0; i < line->machines; i++) {
        int64_t due = packer_due_ms(near->seats[i].packer), now = packer_now(near); /* due: also at once */
        int64_t due_ms = due <= now ? 0 : (due - now) / PACKER_SPEED;
        wait_ms = due_ms < wait_ms ? due_ms : wait_ms;
        answers[i] = (struct pollfd){.fd = machine_fd(near->seats[i].machine), .events = POLLIN};
    }
    (void)poll(answers, line->machines, wait_ms < 1 ? 1 : (int)wait_ms);
}

/* A person looks at what stopped, and starts it again. */
static int act_as_person(struct seat *seat, const struct batch_info *info, uint64_t seed, struct error *err)
{
    int64_t command;
    struct near_side *near = seat->near;
    near->stops++;
    fprintf(stderr, "schedule %" PRIu64 ": stopped for a person: %s\n", seed, info->note);
    if (!line->may_stop(seed) || near->stops > PERSON_MAX)
        return error_set(err, E_STATE, "the batch is %s: %s", info->state, info->note);
    int rc = machine_ask(seat->pharmacy.store, "m1", "clear", "tech", 3, &command, err);
    if (rc == 0)
        rc = batch_ask(seat->pharmacy.store, seat->batch, "start", "tech", 3, &command, err);
    packer_orders(seat->packer);
    return rc;
}

static int tend_seat(struct seat *seat, uint64_t seed, struct error *err)
{
    struct batch_info info;
    int rc = one_round(seat, err);
    if (rc == 0)
        rc = batch_get(seat->pharmacy.store, seat->batch, &info, err);
    if (rc < 0)
        return rc;
    seat->done = strcmp(info.state, "done") == 0;
    return strcmp(info.state, "stopped") == 0 ? act_as_person(seat, &info, seed, err) : 0;
}

static int pack(struct near_side *near, uint64_t seed, struct rng *rng, struct error *err)
{
    int64_t begin_ms = clock_mono_ms(near->far->clock);
    int64_t die_ms = rng_below(rng, 3) == 0 ? begin_ms + rng_below(rng, 500) : INT64_MAX;
    for (;;) {
        int64_t now_ms = clock_mono_ms(near->far->clock);
        bool done = true, lost = false;
        for (unsigned i = 0; i < line->machines; i++) {
            int rc = tend_seat(&near->seats[i], seed, err);
            if (rc < 0)
                return rc;
            done = done && near->seats[i].done;
            lost = lost || near->seats[i].lost;
        }
        if (done)
            return 0;
        if (now_ms >= die_ms || (near->mutant == SCHEDULE_FRESH && lost)) {
            die_ms = INT64_MAX;
            die(near);
        }
        if (now_ms - begin_ms > LIMIT_MS)
            return error_set(err, E_TIMEOUT, "the batch does not end: %s %s",
                             line_state_name(packer_line_state(near->seats[0].packer)),
                             packer_note(near->seats[0].packer));
        wait_for_answers(near);
    }
}

static int check_seat(struct seat *seat, struct error *err)
{
    struct batch_info info;
    int64_t rows = 0;
    int rc = witness_check(seat->machine_far->witness, seat->pharmacy.store, "SIM00001", true, err);
    if (rc == 0)
        rc = batch_get(seat->pharmacy.store, seat->batch, &info, err);
    if (rc == 0 && info.good != info.pouches)
        rc = error_set(err, E_TAMPERED, "%" PRId64 " of %" PRId64 " pouches are good", info.good,
                       info.pouches);
    if (rc == 0)
        (void)__atomic_add_fetch(&totals->voids, (uint64_t)info.voids, __ATOMIC_RELAXED);
    return rc == 0 ? audit_verify(seat->pharmacy.store, &rows, err) : rc;
}

static int check(struct near_side *near, struct error *err)
{
    int rc = 0;
    if (near->far->broken[0])
        return error_set(err, E_TAMPERED, "%s", near->far->broken);
    for (unsigned i = 0; i < line->machines && rc == 0; i++)
        rc = check_seat(&near->seats[i], err);
    return rc;
}

/* One schedule: 0 or what was found. */
static int run_schedule(uint64_t seed, enum schedule_mutant mutant, struct error *err)
{
    struct far_side far;
    struct near_side near = {.far = &far, .profile = profile_of(seed), .mutant = mutant};
    struct rng rng;
    rng_init(&rng, seed, 41);
    for (unsigned i = 0; i < line->machines; i++) {
        near.seats[i].near = &near;
        near.seats[i].machine_far = &far.machines[i];
        pharmacy_init(&near.seats[i].pharmacy, PATIENTS, DAYS);
        near.seats[i].batch = pharmacy_batch(&near.seats[i].pharmacy);
    }
    far_begin(&far, seed, &rng, mutant);
    raise_controller(&near);
    int rc = pack(&near, seed, &rng, err);
    drop_controller(&near);
    far_stop(&far);
    if (rc == 0)
        rc = check(&near, err);
    for (unsigned i = 0; i < line->faults; i++)
        (void)__atomic_add_fetch(&totals->faults[i], line->count(far.line, i), __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&totals->schedules, 1, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&totals->deaths, near.deaths, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&totals->stops, near.stops, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < line->machines; i++)
        (void)__atomic_add_fetch(&totals->cuts, witness_boots(far.machines[i].witness) - 1, __ATOMIC_RELAXED);
    far_end(&far);
    for (unsigned i = 0; i < line->machines; i++)
        pharmacy_finish(&near.seats[i].pharmacy);
    return rc;
}

/* ---- many at a time ---- */

static void run_share(unsigned share)
{
    (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure in a helper ends this process */
    int status = 0;
    for (unsigned i = share; i < schedules; i += at_a_time) {
        struct error err = {0};
        if (run_schedule(first + i, SCHEDULE_RIGHT, &err) < 0) {
            fprintf(stderr, "schedule %u: %s\n", first + i, err.message);
            status = 1;
        }
    }
    exit(status); /* removes the template's folder */
}

static void each_pouch_is_made_once_on_a_line_that_fails(void **state)
{
    (void)state;
    pid_t children[AT_A_TIME_MAX];
    print_message("schedules %u to %u, %u at a time\n", first, first + schedules - 1, at_a_time);
    (void)fflush(NULL);
    for (unsigned i = 0; i < at_a_time; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            run_share(i);
    }
    bool failed = false;
    for (unsigned i = 0; i < at_a_time; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        failed = failed || status != 0;
    }
    for (unsigned i = 0; i < line->faults; i++)
        print_message("%8" PRIu64 " frames %s\n", totals->faults[i], line->fault_text(i));
    print_message("%" PRIu64 " schedules, %" PRIu64 " deaths of the controller, %" PRIu64
                  " power cuts, %" PRIu64 " void pouches, %" PRIu64 " stops for a person\n",
                  totals->schedules, totals->deaths, totals->cuts, totals->voids, totals->stops);
    assert_false(failed);
    assert_int_equal(totals->schedules, schedules);
    for (unsigned i = 0; i < line->faults && schedules >= AT_A_TIME; i++)
        assert_true(totals->faults[i] > 0);
}

/* A process that looks for the schedule which catches the mutant. */
static pid_t hunt(enum schedule_mutant mutant)
{
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child != 0)
        return child;
    (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure in a helper ends this process */
    for (unsigned i = 1; i <= MUTANT_TRIES; i++) {
        struct error err = {0};
        int rc = run_schedule(i, mutant, &err);
        if (rc < 0 && rc != E_TIMEOUT) { /* a batch that does not end says nothing of the mutant */
            fprintf(stderr, "    %s: caught in schedule %u: %s\n", mutant_text(mutant), i, err.message);
            exit(1); /* removes the template's folder */
        }
    }
    fprintf(stderr, "    %s: not caught\n", mutant_text(mutant));
    exit(0);
}

static void every_mutant_is_caught(void **state)
{
    (void)state;
    pid_t hunts[SCHEDULE_MUTANTS] = {0};
    bool missed = false;
    for (int m = SCHEDULE_RIGHT + 1; m < SCHEDULE_MUTANTS; m++)
        hunts[m] = hunt((enum schedule_mutant)m);
    for (int m = SCHEDULE_RIGHT + 1; m < SCHEDULE_MUTANTS; m++) {
        int status = 0;
        assert_int_equal(waitpid(hunts[m], &status, 0), hunts[m]);
        missed = missed || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_false(missed);
}

static int group_setup(void **state)
{
    (void)state;
    static const char *const files[] = {"machines/sachet-packer-1.yaml", "machines/one-result-1.yaml"};
    char path[4096];
    struct error err = {0};
    for (int i = 0; i < 2; i++) {
        struct profile *profile = &profiles[i];
        if (paths_data(files[i], path, sizeof path, &err) < 0 || profile_load(path, profile, &err) < 0)
            fail_msg("%s", err.message);
        profile->response_timeout_ms = line->response_ms;
        profile->byte_timeout_ms = line->response_ms / 2;
        profile->connect_timeout_ms = 4 * line->response_ms;
        profile->late_ms = line->response_ms;
    }
    totals = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(totals != MAP_FAILED);
    log_init("test", LOG_ERROR, NULL);
    return 0;
}

int schedule_main(const struct schedule_line *under_test, unsigned usual, int argc, char **argv)
{
    line = under_test;
    schedules = usual;
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the tests are only slower */
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc > 1)
        schedules = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        first = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        at_a_time = (unsigned)strtoul(argv[3], NULL, 10);
    if (schedules < 1 || at_a_time < 1 || at_a_time > AT_A_TIME_MAX)
        return 2;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pouch_is_made_once_on_a_line_that_fails),
        cmocka_unit_test(every_mutant_is_caught),
    };
    return cmocka_run_group_tests_name(line->name, tests, group_setup, NULL);
}
