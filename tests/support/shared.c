/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *shared_path(const char *relative, char ret_path[SHARED_PATH_BYTES])
{
    const char *folder = getenv("SACHET_SHARED");
    int len = folder ? snprintf(ret_path, SHARED_PATH_BYTES, "%s/%s", folder, relative)
                     : snprintf(ret_path, SHARED_PATH_BYTES, "%s/../shared/%s", SHARED_SOURCE_ROOT, relative);
    if (len > 0 && len < SHARED_PATH_BYTES && access(ret_path, R_OK) == 0)
        return ret_path;
    (void)fprintf(stderr, "shared/%s is not here (beside the checkout or in SACHET_SHARED): skipped\n",
                  relative);
    return NULL;
}

char *shared_read(const char *relative, size_t *ret_len)
{
    char path[SHARED_PATH_BYTES];
    if (!shared_path(relative, path))
        return NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    char *text = NULL;
    size_t len = 0;
    size_t size = 0;
    for (;;) {
        if (len + 65536 + 1 > size) {
            size = 2 * size + 131072;
            char *grown = realloc(text, size);
            if (!grown)
                break;
            text = grown;
        }
        size_t got = fread(text + len, 1, 65536, file);
        len += got;
        if (got == 0)
            break;
    }
    (void)fclose(file); /* only read from */
    if (text)
        text[len] = '\0';
    *ret_len = len;
    return text;
}
