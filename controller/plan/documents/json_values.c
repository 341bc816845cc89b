/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/documents/json_values.h"

#include "config/base/civil.h"
#include "config/base/quantity.h"

json_t *json_day(int32_t day)
{
    char text[CIVIL_TEXT_BYTES];
    if (day == CIVIL_DAY_NONE)
        return json_null();
    civil_format(day, text);
    return json_string(text);
}

json_t *json_tod(int minute)
{
    char text[TOD_TEXT_BYTES];
    tod_format(minute, text);
    return json_string(text);
}

json_t *json_instant(int64_t ms)
{
    char text[INSTANT_TEXT_BYTES];
    instant_format(ms, text);
    return json_string(text);
}

json_t *json_quantity(int64_t milli)
{
    char text[QUANTITY_TEXT_BYTES];
    quantity_format(milli, text);
    return json_string(text);
}

json_t *json_pieces(int64_t milli)
{
    return milli % QUANTITY_ONE == 0 ? json_integer(milli / QUANTITY_ONE)
                                     : json_real((double)milli / QUANTITY_ONE);
}
