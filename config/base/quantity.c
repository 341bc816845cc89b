/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/quantity.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

bool quantity_parse(const char *text, int64_t *ret_milli)
{
    bool negative = *text == '-';
    const char *p = text + (negative || *text == '+');
    int64_t value = 0;
    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++) {
        value = value * 10 + (*p - '0');
        if (value > QUANTITY_MAX_MILLI / QUANTITY_ONE)
            return false;
    }
    value *= QUANTITY_ONE;
    if (*p == '.') {
        int64_t unit = QUANTITY_ONE / 10;
        if (!isdigit((unsigned char)*++p))
            return false;
        for (; isdigit((unsigned char)*p); p++) {
            if (unit == 0 && *p != '0')
                return false;
            value += (*p - '0') * unit;
            unit /= 10;
        }
    }
    if (*p != '\0' || value > QUANTITY_MAX_MILLI)
        return false;
    *ret_milli = negative ? -value : value;
    return true;
}

bool quantity_from_double(double value, int64_t *ret_milli)
{
    double scaled = value * QUANTITY_ONE;
    if (!isfinite(scaled) || fabs(scaled) > (double)QUANTITY_MAX_MILLI)
        return false;
    double whole = nearbyint(scaled);
    if (fabs(scaled - whole) > 1e-6)
        return false;
    *ret_milli = (int64_t)whole;
    return true;
}

void quantity_format(int64_t milli, char text[QUANTITY_TEXT_BYTES])
{
    uint64_t magnitude = milli < 0 ? (uint64_t) - (milli + 1) + 1 : (uint64_t)milli;
    uint64_t part = magnitude % QUANTITY_ONE;
    int used =
        snprintf(text, QUANTITY_TEXT_BYTES, "%s%" PRIu64, milli < 0 ? "-" : "", magnitude / QUANTITY_ONE);
    if (part == 0 || used < 0 || used >= QUANTITY_TEXT_BYTES - 4)
        return;
    char *p = text + used;
    *p++ = '.';
    for (uint64_t unit = QUANTITY_ONE / 10; part > 0; unit /= 10) {
        *p++ = (char)('0' + part / unit);
        part %= unit;
    }
    *p = '\0';
}
