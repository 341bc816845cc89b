/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files of a corpus folder, so that what a fuzzer once found stays found. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 4 * 1024 * 1024 };

static int replay(const char *folder, const char *name, uint8_t *bytes)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = n > 0 && (size_t)n < sizeof path ? fopen(path, "re") : NULL;
    if (!in) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        return -1;
    }
    size_t len = fread(bytes, 1, INPUT_BYTES_MAX, in);
    (void)fclose(in); /* read only */
    /* A copy of the exact size lets the address sanitizer see a read behind the end. */
    uint8_t *exact = malloc(len ? len : 1);
    if (!exact)
        return -1;
    for (size_t i = 0; i < len; i++)
        exact[i] = bytes[i];
    (void)LLVMFuzzerTestOneInput(exact, len); /* 0 by libFuzzer's rule */
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    uint8_t *bytes = malloc(INPUT_BYTES_MAX);
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    int count = 0;
    if (!bytes || !dir) {
        fprintf(stderr, "usage: replay CORPUS-FOLDER\n");
        return 1;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        if (replay(argv[1], entry->d_name, bytes) != 0)
            return 1;
        count++;
    }
    (void)closedir(dir); /* read only */
    free(bytes);
    printf("%d inputs replayed\n", count);
    return count > 0 ? 0 : 1; /* an empty corpus proves nothing */
}
