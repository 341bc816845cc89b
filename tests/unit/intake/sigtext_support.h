/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the sigtext tests: one table for all of them, readings as text. For cmocka. */
#ifndef TESTS_UNIT_INTAKE_SIGTEXT_SUPPORT_H
#define TESTS_UNIT_INTAKE_SIGTEXT_SUPPORT_H

#include "controller/intake/sig/sigtext.h"

struct sig_example {
    const char *text;
    const char *means; /* as sigtext_describe says it */
};

struct sig_refusal {
    const char *text;
    enum sigtext_refusal refusal;
    const char *left_over;
};

/* cmocka group set-up and tear-down: the table of config/defaults/sig.yaml. */
int sig_setup(void **state);
int sig_teardown(void **state);

void sig_read(enum sigtext_language language, const char *text, struct sigtext *ret);
/* The caller frees it. */
char *sig_describe(const struct sigtext *sig);
char *sig_json(const struct sigtext *sig, const char *text);

void sig_read_or_fail(enum sigtext_language language, const struct sig_example *examples, size_t count);
void sig_refuse_or_fail(enum sigtext_language language, const struct sig_refusal *examples, size_t count);

#endif
