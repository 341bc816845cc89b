/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a dosage text. Never a crash or a leak; what is read is read the same again,
 * has at least one dosage, valid JSON of bounded size, and nothing left over; what is refused has a reason;
 * an unknown word behind it refuses it.
 *
 * The first byte chooses the language. Build with -Dfuzz=true (clang); the unit suite replays tests/fuzz/sig.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "controller/intake/reading.h"
#include "controller/intake/sig/sigtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sigtext_table *table(void)
{
    static struct sigtext_table *made; /* for the life of the process */
    char path[4096];
    struct conf *conf = NULL;
    struct error err = {0};
    if (made != NULL)
        return made;
    int code = paths_data("sig.yaml", path, sizeof path, &err);
    if (code == 0)
        code = conf_load(&conf_sig, path, &conf, &err);
    if (code == 0)
        code = sigtext_table_create(conf, &made, &err);
    assert(code == 0);
    conf_destroy(conf);
    return made;
}

static void check_reading(const struct sigtext *sig)
{
    struct reading reading;
    const char *why;
    bool made = sigtext_reading(sig, &reading, &why);
    assert(made == (why == NULL));
    assert(!made || sig->refusal == SIGTEXT_NONE);
    for (int i = 0; made && i < reading.phase_count; i++) {
        const struct reading_phase *phase = &reading.phases[i];
        assert(phase->dose_count >= 1 && phase->dose_count <= READING_DOSES_MAX);
        assert(phase->every_days >= 1 && phase->every_days <= READING_EVERY_MAX);
        for (int k = 0; k < phase->dose_count; k++) {
            assert(phase->doses[k].amount_milli > 0 && phase->doses[k].amount_milli % 500 == 0);
            assert(phase->doses[k].minute >= 0 && phase->doses[k].minute < 1440);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sigtext sig, again;
    struct buf first, second;
    if (size == 0)
        return 0;
    enum sigtext_language language = data[0] % 2 == 0 ? SIGTEXT_ENGLISH : SIGTEXT_GERMAN;
    const char *text = (const char *)data + 1;
    size_t len = size - 1;
    sigtext_read(table(), language, text, len, &sig);
    assert((sig.refusal == SIGTEXT_NONE) == (sig.dosage_count > 0));
    assert((sig.refusal == SIGTEXT_NONE) == (sig.reason[0] == '\0'));
    assert(sig.refusal != SIGTEXT_NONE || sig.left_over[0] == '\0');
    buf_init(&first);
    buf_init(&second);
    sigtext_write(&sig, text, len, &first);
    sigtext_describe(&sig, &second);
    assert(!first.failed && !second.failed && memchr(buf_string(&first), '\n', first.len) == NULL);
    buf_reset(&second);
    sigtext_read(table(), language, text, len, &again);
    sigtext_write(&again, text, len, &second);
    assert(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    check_reading(&sig);
    if (sig.refusal == SIGTEXT_NONE && len + 6 <= SIGTEXT_BYTES_MAX) {
        char more[SIGTEXT_BYTES_MAX];
        memcpy(more, text, len);
        memcpy(more + len, " zzgl", 5);
        sigtext_read(table(), language, more, len + 5, &again);
        assert(again.refusal != SIGTEXT_NONE);
    }
    buf_finish(&first);
    buf_finish(&second);
    return 0;
}
