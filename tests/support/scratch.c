/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void scratch_init(struct scratch *scratch)
{
    const char *base = getenv("TMPDIR");
    int len = snprintf(scratch->folder, sizeof scratch->folder, "%s/sachet-test-XXXXXX",
                       base && *base ? base : "/tmp");
    assert_in_range(len, 1, SCRATCH_PATH_BYTES - 64);
    assert_non_null(mkdtemp(scratch->folder));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

void scratch_finish(struct scratch *scratch)
{
    assert_int_equal(nftw(scratch->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *scratch_path(const struct scratch *scratch, const char *name, char ret_path[SCRATCH_PATH_BYTES])
{
    int len = snprintf(ret_path, SCRATCH_PATH_BYTES, "%s/%s", scratch->folder, name);
    assert_in_range(len, 1, SCRATCH_PATH_BYTES - 1);
    return ret_path;
}

const char *scratch_write(const struct scratch *scratch, const char *name, const char *text,
                          char ret_path[SCRATCH_PATH_BYTES])
{
    FILE *file = fopen(scratch_path(scratch, name, ret_path), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    return ret_path;
}
