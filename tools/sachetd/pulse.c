/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachetd/pulse.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/log.h"

struct pulse {
    struct clock *clock;
    uint32_t limit_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ending;
    const char *what; /* NULL: the loop rests */
    const char *of;
    int64_t since_ms;
    int64_t told_ms; /* length that the log has of this call; 0 none */
    uint32_t stalls;
    int64_t longest_ms;
};

/* While it lasts: at the limit, then at twice the length of the last line. */
static void look(struct pulse *pulse)
{
    int64_t length_ms = clock_mono_ms(pulse->clock) - pulse->since_ms;
    if (!pulse->what || length_ms < (pulse->told_ms ? 2 * pulse->told_ms : (int64_t)pulse->limit_ms))
        return;
    pulse->told_ms = length_ms;
    log_error("pulse", "the loop stands still in \"%s\" %s for %" PRId64 " ms", pulse->what, pulse->of,
              length_ms);
}

static void *watch(void *data)
{
    struct pulse *pulse = data;
    pthread_mutex_lock(&pulse->lock);
    while (!pulse->ending) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until); /* cannot fail for this clock */
        int64_t ns = until.tv_nsec + (int64_t)pulse->limit_ms * 1000000 / 4;
        until.tv_sec += (time_t)(ns / 1000000000);
        until.tv_nsec = (long)(ns % 1000000000);
        int rc = pthread_cond_timedwait(&pulse->wake, &pulse->lock, &until);
        if (rc == ETIMEDOUT)
            look(pulse);
    }
    pthread_mutex_unlock(&pulse->lock);
    return NULL;
}

struct pulse *pulse_create(struct clock *clock, uint32_t limit_ms, struct error *err)
{
    pthread_condattr_t attributes;
    struct pulse *pulse = calloc(1, sizeof *pulse);
    if (!pulse) {
        error_set(err, E_MEMORY, "no memory for the watchdog");
        return NULL;
    }
    pulse->clock = clock;
    pulse->limit_ms = limit_ms ? limit_ms : PULSE_LIMIT_MS;
    pthread_mutex_init(&pulse->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pulse->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    int rc = pthread_create(&pulse->thread, NULL, watch, pulse);
    if (rc != 0) {
        error_set_errno(err, E_SYSTEM, rc, "no thread for the watchdog");
        pthread_cond_destroy(&pulse->wake);
        pthread_mutex_destroy(&pulse->lock);
        free(pulse);
        return NULL;
    }
    return pulse;
}

void pulse_destroy(struct pulse *pulse)
{
    if (!pulse)
        return;
    pthread_mutex_lock(&pulse->lock);
    pulse->ending = true;
    pthread_cond_signal(&pulse->wake);
    pthread_mutex_unlock(&pulse->lock);
    pthread_join(pulse->thread, NULL);
    pthread_cond_destroy(&pulse->wake);
    pthread_mutex_destroy(&pulse->lock);
    free(pulse);
}

/* The call before is over. */
static void end_call(struct pulse *pulse, int64_t now_ms)
{
    int64_t length_ms = now_ms - pulse->since_ms;
    if (!pulse->what || length_ms < (int64_t)pulse->limit_ms)
        return;
    pulse->stalls++;
    if (length_ms > pulse->longest_ms)
        pulse->longest_ms = length_ms;
    log_warning("pulse", "the loop stood still in \"%s\" %s for %" PRId64 " ms", pulse->what, pulse->of,
                length_ms);
}

void pulse_at(struct pulse *pulse, const char *what, const char *of)
{
    int64_t now_ms = clock_mono_ms(pulse->clock);
    pthread_mutex_lock(&pulse->lock);
    end_call(pulse, now_ms);
    pulse->what = what;
    pulse->of = of;
    pulse->since_ms = now_ms;
    pulse->told_ms = 0;
    pthread_mutex_unlock(&pulse->lock);
}

void pulse_rest(struct pulse *pulse)
{
    pulse_at(pulse, NULL, "");
}

uint32_t pulse_stalls(const struct pulse *pulse, int64_t *ret_longest_ms)
{
    *ret_longest_ms = pulse->longest_ms; /* only the loop's thread writes them, and it asks */
    return pulse->stalls;
}
