/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/ndc.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { DIGITS = NDC_BYTES - 1, PARTS = 3 };

/* The ways to cut an NDC, and before which digit the zero goes; the ones of ten digits first. */
static const struct shape {
    size_t parts[PARTS];
    int zero_at; /* -1: none */
} shapes[] = {
    {{4, 4, 2}, 0},
    {{5, 3, 2}, 5},
    {{5, 4, 1}, 9},
    {{5, 4, 2}, -1},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static void fill(const struct shape *shape, const char *digits, char form[NDC_BYTES])
{
    for (int i = 0; i < DIGITS; i++)
        form[i] = i == shape->zero_at ? '0' : *digits++;
    form[DIGITS] = '\0';
}

int ndc_forms(const char *text, char forms[NDC_FORMS_MAX][NDC_BYTES])
{
    char digits[NDC_BYTES];
    size_t parts[PARTS] = {0}, part = 0, count = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '-' && part + 1 < PARTS) {
            part++;
        } else if (*p >= '0' && *p <= '9' && count < DIGITS) {
            digits[count++] = *p;
            parts[part]++;
        } else {
            return 0;
        }
    }
    int found = 0;
    for (int i = 0; i < SHAPES && (part == 0 || part == PARTS - 1); i++) {
        const bool ten = shapes[i].zero_at >= 0;
        if (count == (size_t)(ten ? DIGITS - 1 : DIGITS) &&
            (part == 0 || memcmp(parts, shapes[i].parts, sizeof parts) == 0))
            fill(&shapes[i], digits, forms[found++]);
    }
    return found;
}
