/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault schedules of a small batch over real Modbus TCP: between controller and machine stands a proxy that
 * loses, delays, repeats, splits, joins, resets, truncates and corrupts frames by seed; in some schedules the
 * controller dies or the machine's power goes, too. Every schedule must end with each pouch made once, and
 * the machine's log must agree with the store.
 *
 * The packer lives five times as fast as its machine's time-outs, so that its back-offs do not fill the day.
 *
 * usage: test-crash-wire [SCHEDULES [FIRST [AT A TIME]]]     default 40 from 1, 8 at a time
 */
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
#include "hw/modbus/modbus_machine.h"
#include "hw/sim/server.h"
#include "hw/sim/world.h"
#include "tests/support/gate.h"
#include "tests/support/pharmacy.h"
#include "tests/support/proxy.h"
#include "tests/support/witness.h"

enum {
    SCHEDULES = 40,
    AT_A_TIME = 8,
    AT_A_TIME_MAX = 64,
    PATIENTS = 1,
    DAYS = 3,
    PACKER_SPEED = 5,
    MACHINE_SPEED = 300,
    RESPONSE_MS = 60,
    DARK_MS = 40,
    LIMIT_MS = 90000,
    PERSON_MAX = 30,
    WHY_BYTES = 256
};

static const char serial[] = "SIM00001";
static unsigned schedules = SCHEDULES, first = 1, at_a_time = AT_A_TIME;
static struct profile profile;

/* What all schedules came to, shared by the processes that run them. */
static struct totals {
    uint64_t faults[PROXY_FAULTS];
    uint64_t schedules, deaths, cuts, voids, stops;
} * totals;

/* ---- the machine's side: a thread of its own ---- */

struct far_side {
    struct clock *clock;
    struct loop *loop;
    struct world *world;
    struct server *server;
    struct proxy *proxy;
    struct loop_timer *mains;
    struct witness *witness;
    pthread_t thread;
    bool stop;             /* atomic */
    int64_t retired, next; /* atomic: what the store has committed */
    char broken[WHY_BYTES];
    int64_t power_on_ms;
};

static void see(void *data, const struct world_event *event)
{
    struct far_side *far = data;
    int64_t retired = __atomic_load_n(&far->retired, __ATOMIC_SEQ_CST);
    int64_t next = __atomic_load_n(&far->next, __ATOMIC_SEQ_CST);
    if (strcmp(event->name, "retired") == 0 && event->seq > retired)
        (void)snprintf(far->broken, sizeof far->broken, "C5: %" PRIu32 " retired before it was stored",
                       event->seq);
    if (strcmp(event->name, "accepted") == 0 && event->seq >= next)
        (void)snprintf(far->broken, sizeof far->broken, "C1: %" PRIu32 " sent before it was stored",
                       event->seq);
    witness_event(far->witness, event);
}

static int64_t tend_mains(void *data, int64_t now_ms)
{
    struct far_side *far = data;
    if (!world_has_power(far->world) && far->power_on_ms == 0)
        far->power_on_ms = now_ms + DARK_MS;
    if (far->power_on_ms && now_ms >= far->power_on_ms) {
        far->power_on_ms = 0;
        world_power_on(far->world);
    }
    if (__atomic_load_n(&far->stop, __ATOMIC_SEQ_CST))
        loop_stop(far->loop);
    return now_ms + 5;
}

static void *run_far_side(void *data)
{
    struct far_side *far = data;
    (void)loop_run(far->loop, NULL); /* ends by loop_stop only */
    return NULL;
}

static void far_begin(struct far_side *far, uint64_t seed, struct rng *rng)
{
    struct error err = {0};
    struct world_params world;
    *far = (struct far_side){.clock = clock_system(), .next = 1};
    world_params_default(&world, 0);
    world.seed = seed;
    world.now_us = clock_mono_ms(far->clock) * 1000;
    world.speed = MACHINE_SPEED;
    world.bays = PHARMACY_BAYS;
    world.fill = PHARMACY_PIECES;
    world.keep_truth = false;
    world.log = see;
    world.log_data = far;
    if (seed % 2)
        world_rates_none(&world.rates);
    far->witness = witness_create(0, false);
    far->loop = loop_create(far->clock, &err);
    far->world = world_create(&world, &err);
    assert_true(far->witness && far->loop && far->world);
    const struct server_params server = {.loop = far->loop,
                                         .clock = far->clock,
                                         .profile = &profile,
                                         .worlds = &far->world,
                                         .count = 1,
                                         .host = "127.0.0.1",
                                         .scan_ms = 1};
    far->server = server_create(&server, &err);
    if (!far->server)
        fail_msg("%s", err.message);
    unsigned gentle = 1u << PROXY_TRUNCATE | 1u << PROXY_CORRUPT;
    const struct proxy_params proxy = {.loop = far->loop,
                                       .clock = far->clock,
                                       .machine_port = server_port(far->server),
                                       .seed = seed,
                                       .permille = 20 + rng_below(rng, 150),
                                       .budget = 1 + rng_below(rng, 12),
                                       .kinds = seed % 3 == 0 ? ~0u : ~gentle,
                                       .delay_ms = 3 * RESPONSE_MS};
    far->proxy = proxy_create(&proxy, &err);
    far->mains = loop_add_timer(far->loop, clock_mono_ms(far->clock), tend_mains, far);
    if (!far->proxy || !far->mains)
        fail_msg("%s", err.message);
    if (rng_below(rng, 3) == 0)
        world_cut_power(far->world, 1 + rng_below(rng, 140));
    assert_int_equal(pthread_create(&far->thread, NULL, run_far_side, far), 0);
}

/* The machine is still; the witness may be asked now. */
static void far_stop(struct far_side *far)
{
    __atomic_store_n(&far->stop, true, __ATOMIC_SEQ_CST);
    pthread_join(far->thread, NULL);
}

static void far_end(struct far_side *far)
{
    loop_remove_timer(far->mains);
    proxy_destroy(far->proxy);
    server_destroy(far->server);
    world_destroy(far->world);
    loop_destroy(far->loop);
    witness_destroy(far->witness);
}

/* ---- the controller's side ---- */

struct near_side {
    struct far_side *far;
    struct pharmacy pharmacy;
    struct machine *machine;
    struct packer *packer;
    int64_t batch;
    unsigned deaths, stops;
    bool mutant; /* C3 taken away: after a lost connection open pouches get numbers anew */
    bool lost;   /* an answer said that the connection is gone */
};

static bool request_leaves(void *data, const struct machine_request *request)
{
    (void)data, (void)request;
    return true;
}

static bool answer_came(void *data, struct machine_answer *answer)
{
    struct near_side *near = data;
    near->lost = near->lost || (answer->code != 0 && error_class_of(answer->code) == ERROR_CLASS_LINK);
    return true;
}

static int64_t packer_now(struct near_side *near)
{
    return clock_mono_ms(near->far->clock) * PACKER_SPEED;
}

static void tell_committed(struct near_side *near)
{
    struct error err = {0};
    int64_t retired = 0, next = 1;
    (void)store_get_int(near->pharmacy.store, &retired, &err, "SELECT retired FROM machine",
                        ""); /* none: 0 */
    (void)store_get_int(near->pharmacy.store, &next, &err, "SELECT next_seq FROM machine", "");
    __atomic_store_n(&near->far->retired, retired, __ATOMIC_SEQ_CST);
    __atomic_store_n(&near->far->next, next, __ATOMIC_SEQ_CST);
}

static void raise_controller(struct near_side *near)
{
    struct error err = {0};
    const struct modbus_machine_params port = {.profile = &profile,
                                               .clock = near->far->clock,
                                               .host = "127.0.0.1",
                                               .port = proxy_port(near->far->proxy),
                                               .unit = 1};
    const struct packer_config config = {.name = "m1",
                                         .serial = "",
                                         .bad_counts_max = PACKER_BAD_COUNTS,
                                         .attempts_max = PACKER_ATTEMPTS,
                                         .poll_ms = 10,
                                         .heartbeat_ms = 200,
                                         .attend = true,
                                         .seed = 1};
    const struct gate_hooks hooks = {.leaves = request_leaves, .came = answer_came, .data = near};
    struct machine *behind = modbus_machine_create(&port, &err);
    near->lost = false;
    near->machine = behind ? gate_create(behind, &hooks, &err) : NULL;
    near->packer = near->machine ? packer_create(&config, near->machine, near->pharmacy.store, &err) : NULL;
    if (!near->packer)
        fail_msg("%s", err.message);
}

static void drop_controller(struct near_side *near)
{
    packer_destroy(near->packer);
    machine_destroy(near->machine);
    near->packer = NULL;
    near->machine = NULL;
}

static int one_round(struct near_side *near, struct error *err)
{
    struct store *store = near->pharmacy.store;
    int rc;
    while ((rc = packer_run(near->packer, packer_now(near), clock_wall_ms(near->far->clock), err)) == 1) {
        rc = store_write_begin(store, err);
        if (rc == 0)
            rc = packer_write(near->packer, err);
        if (rc == 0)
            rc = store_write_commit(store, err);
        if (rc < 0)
            return rc;
        tell_committed(near);
        packer_written(near->packer);
    }
    if (rc < 0)
        return rc;
    int64_t wait_ms = (packer_due_ms(near->packer) - packer_now(near)) / PACKER_SPEED;
    struct pollfd answer = {.fd = machine_fd(near->machine), .events = POLLIN};
    (void)poll(&answer, 1, wait_ms < 1 ? 1 : wait_ms > 5 ? 5 : (int)wait_ms);
    return 0;
}

/* A person looks at what stopped, and starts it again. */
static int act_as_person(struct near_side *near, const struct batch_info *info, uint64_t seed, bool damaged,
                         struct error *err)
{
    int64_t command;
    near->stops++;
    fprintf(stderr, "schedule %" PRIu64 ": stopped for a person: %s\n", seed, info->note);
    if (!damaged || near->stops > PERSON_MAX)
        return error_set(err, E_STATE, "the batch is %s: %s", info->state, info->note);
    int rc = machine_ask(near->pharmacy.store, "m1", "clear", "tech", 3, &command, err);
    if (rc == 0)
        rc = batch_ask(near->pharmacy.store, near->batch, "start", "tech", 3, &command, err);
    packer_orders(near->packer);
    return rc;
}

static int pack(struct near_side *near, uint64_t seed, struct rng *rng, struct error *err)
{
    int64_t begin_ms = clock_mono_ms(near->far->clock);
    int64_t die_ms = rng_below(rng, 3) == 0 ? begin_ms + rng_below(rng, 500) : INT64_MAX;
    for (;;) {
        struct batch_info info;
        int64_t now_ms = clock_mono_ms(near->far->clock);
        int rc = one_round(near, err);
        if (rc == 0)
            rc = batch_get(near->pharmacy.store, near->batch, &info, err);
        if (rc < 0)
            return rc;
        if (strcmp(info.state, "done") == 0)
            return 0;
        if (strcmp(info.state, "stopped") == 0)
            rc = act_as_person(near, &info, seed, seed % 3 == 0, err);
        if (rc < 0)
            return rc;
        if (now_ms >= die_ms || (near->mutant && near->lost)) {
            die_ms = INT64_MAX;
            near->deaths++;
            drop_controller(near);
            pharmacy_reopen(&near->pharmacy);
            if (near->mutant)
                pharmacy_exec(&near->pharmacy, "UPDATE job SET state = 'waiting' WHERE state = 'sent'");
            raise_controller(near);
        }
        if (now_ms - begin_ms > LIMIT_MS)
            return error_set(err, E_TIMEOUT, "the batch does not end: %s %s",
                             line_state_name(packer_line_state(near->packer)), packer_note(near->packer));
    }
}

static int check(struct near_side *near, struct error *err)
{
    struct batch_info info;
    int64_t rows = 0;
    if (near->far->broken[0])
        return error_set(err, E_TAMPERED, "%s", near->far->broken);
    int rc = witness_check(near->far->witness, near->pharmacy.store, serial, true, err);
    if (rc == 0)
        rc = batch_get(near->pharmacy.store, near->batch, &info, err);
    if (rc == 0 && info.good != info.pouches)
        rc = error_set(err, E_TAMPERED, "%" PRId64 " of %" PRId64 " pouches are good", info.good,
                       info.pouches);
    if (rc == 0)
        (void)__atomic_add_fetch(&totals->voids, (uint64_t)info.voids, __ATOMIC_RELAXED);
    return rc == 0 ? audit_verify(near->pharmacy.store, &rows, err) : rc;
}

/* One schedule: 0 or what was found. */
static int run_schedule(uint64_t seed, bool mutant, struct error *err)
{
    struct far_side far;
    struct near_side near = {.far = &far, .mutant = mutant};
    struct rng rng;
    rng_init(&rng, seed, 41);
    pharmacy_init(&near.pharmacy, PATIENTS, DAYS);
    near.batch = pharmacy_batch(&near.pharmacy);
    far_begin(&far, seed, &rng);
    raise_controller(&near);
    int rc = pack(&near, seed, &rng, err);
    drop_controller(&near);
    far_stop(&far);
    if (rc == 0)
        rc = check(&near, err);
    for (int i = 0; i < PROXY_FAULTS; i++)
        (void)__atomic_add_fetch(&totals->faults[i], proxy_count(far.proxy, (enum proxy_fault)i),
                                 __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&totals->schedules, 1, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&totals->deaths, near.deaths, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&totals->stops, near.stops, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&totals->cuts, witness_boots(far.witness) - 1, __ATOMIC_RELAXED);
    far_end(&far);
    pharmacy_finish(&near.pharmacy);
    return rc;
}

/* ---- many at a time ---- */

static void run_share(unsigned share)
{
    (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure in a helper ends this process */
    int status = 0;
    for (unsigned i = share; i < schedules; i += at_a_time) {
        struct error err = {0};
        if (run_schedule(first + i, false, &err) < 0) {
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
    for (int i = 0; i < PROXY_FAULTS; i++)
        print_message("%8" PRIu64 " frames %s\n", totals->faults[i], proxy_fault_text((enum proxy_fault)i));
    print_message("%" PRIu64 " schedules, %" PRIu64 " deaths of the controller, %" PRIu64
                  " power cuts, %" PRIu64 " void pouches, %" PRIu64 " stops for a person\n",
                  totals->schedules, totals->deaths, totals->cuts, totals->voids, totals->stops);
    assert_false(failed);
    assert_int_equal(totals->schedules, schedules);
    for (int i = 0; i < PROXY_FAULTS && schedules >= SCHEDULES; i++)
        assert_true(totals->faults[i] > 0);
}

static void a_fresh_number_after_a_time_out_is_caught(void **state)
{
    (void)state;
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure in a helper ends this process */
        for (unsigned i = 1; i <= SCHEDULES; i++) {
            struct error err = {0};
            if (run_schedule(i, true, &err) < 0) {
                fprintf(stderr, "    caught in schedule %u: %s\n", i, err.message);
                exit(1); /* removes the template's folder */
            }
        }
        exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}

static int group_setup(void **state)
{
    (void)state;
    char path[4096];
    struct error err = {0};
    if (paths_data("machines/sachet-packer-1.yaml", path, sizeof path, &err) < 0 ||
        profile_load(path, &profile, &err) < 0)
        fail_msg("%s", err.message);
    profile.response_timeout_ms = RESPONSE_MS;
    profile.byte_timeout_ms = RESPONSE_MS / 2;
    profile.connect_timeout_ms = 4 * RESPONSE_MS;
    totals = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(totals != MAP_FAILED);
    log_init("test", LOG_ERROR, NULL);
    return 0;
}

int main(int argc, char **argv)
{
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
        cmocka_unit_test(a_fresh_number_after_a_time_out_is_caught),
    };
    return cmocka_run_group_tests_name("wire", tests, group_setup, NULL);
}
