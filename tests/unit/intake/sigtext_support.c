/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "tests/unit/intake/sigtext_support.h"

static struct sigtext_table *table;

int sig_setup(void **state)
{
    char path[4096];
    struct conf *conf = NULL;
    struct error err = {0};
    (void)state;
    int code = paths_data("sig.yaml", path, sizeof path, &err);
    if (code == 0)
        code = conf_load(&conf_sig, path, &conf, &err);
    if (code == 0)
        code = sigtext_table_create(conf, &table, &err);
    conf_destroy(conf);
    if (code != 0)
        print_error("%s\n", err.message);
    return code;
}

int sig_teardown(void **state)
{
    (void)state;
    sigtext_table_destroy(table);
    table = NULL;
    return 0;
}

void sig_read(enum sigtext_language language, const char *text, struct sigtext *ret)
{
    sigtext_read(table, language, text, strlen(text), ret);
}

char *sig_describe(const struct sigtext *sig)
{
    struct buf out;
    buf_init(&out);
    buf_text(&out, "");
    sigtext_describe(sig, &out);
    char *text = strdup(buf_string(&out));
    buf_finish(&out);
    assert_non_null(text);
    return text;
}

char *sig_json(const struct sigtext *sig, const char *text)
{
    struct buf out;
    buf_init(&out);
    sigtext_write_dosage(sig, text, strlen(text), &out);
    char *json = strdup(buf_string(&out));
    buf_finish(&out);
    assert_non_null(json);
    return json;
}

void sig_read_or_fail(enum sigtext_language language, const struct sig_example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sigtext sig;
        sig_read(language, examples[i].text, &sig);
        if (sig.refusal != SIGTEXT_NONE)
            fail_msg("\"%s\" is refused: %s", examples[i].text, sig.reason);
        char *means = sig_describe(&sig);
        if (strcmp(means, examples[i].means) != 0)
            fail_msg("\"%s\"\n  is read as \"%s\"\n  instead of \"%s\"", examples[i].text, means,
                     examples[i].means);
        free(means);
        assert_string_equal(sig.left_over, "");
        assert_string_equal(sig.reason, "");
    }
}

void sig_refuse_or_fail(enum sigtext_language language, const struct sig_refusal *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sigtext sig;
        sig_read(language, examples[i].text, &sig);
        if (sig.refusal != examples[i].refusal)
            fail_msg("\"%s\": %s (%s) instead of %s", examples[i].text, sigtext_refusal_name(sig.refusal),
                     sig.reason, sigtext_refusal_name(examples[i].refusal));
        assert_int_equal(sig.dosage_count, 0);
        assert_true(sig.reason[0] != '\0');
        if (strcmp(sig.left_over, examples[i].left_over) != 0)
            fail_msg("\"%s\" leaves over \"%s\" instead of \"%s\"", examples[i].text, sig.left_over,
                     examples[i].left_over);
    }
}
