/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: any bytes as a file of each format. Never a crash or a leak; a file that is taken is
 * taken again from its own bytes, and one that is refused has a place and a one-line message.
 *
 * The first byte chooses the format. Build with -Dfuzz=true (clang); the unit suite replays tests/fuzz/conf.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config/base/error.h"
#include "config/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(void *user, const char *file, int line, int column, int code, const char *message)
{
    int *count = user;
    (void)file;
    assert(line >= 1 && column >= 1 && code < 0);
    assert(message[0] && !strchr(message, '\n'));
    ++*count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t formats = 0;
    while (conf_schemas[formats] != NULL)
        formats++;
    if (size == 0)
        return 0;
    const struct conf_schema *schema = conf_schemas[data[0] % formats];
    struct error err = {0};
    struct conf *conf = NULL;
    int noted = 0;
    int code = conf_parse(schema, "fuzz.yaml", data + 1, size - 1, &conf, &err);
    int count = conf_check_bytes(schema, "fuzz.yaml", data + 1, size - 1, note, &noted);
    assert(count == noted);
    assert((code == 0) == (count == 0));
    assert((code == 0) == (conf != NULL));
    assert(code == 0 || strncmp(err.message, "fuzz.yaml:", 10) == 0);
    conf_destroy(conf);
    return 0;
}
