/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversion between days and dates counts in eras of 400 years (146,097 days) that begin on 1 March, so
 * that the leap day is the last day of its year and month lengths follow (153 m + 2) / 5. Method: H. Hinnant,
 * "chrono-compatible low-level date algorithms".
 */
#include "config/base/civil.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const int64_t MS_PER_DAY = 86400000;

static bool leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_length(int year, int month)
{
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && leap_year(year) ? 29 : lengths[month - 1];
}

bool civil_from_ymd(int year, int month, int mday, int32_t *ret_day)
{
    if (year < CIVIL_YEAR_MIN || year > CIVIL_YEAR_MAX || month < 1 || month > 12)
        return false;
    if (mday < 1 || mday > month_length(year, month))
        return false;
    int y = year - (month <= 2);
    int era = y / 400; /* years here are positive */
    int yoe = y - era * 400;
    int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + mday - 1;
    int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    *ret_day = (int32_t)(era * 146097 + doe - 719468);
    return true;
}

void civil_to_ymd(int32_t day, int *ret_year, int *ret_month, int *ret_mday)
{
    int64_t z = (int64_t)day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int doe = (int)(z - era * 146097);
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int mp = (5 * doy + 2) / 153;
    *ret_mday = doy - (153 * mp + 2) / 5 + 1;
    *ret_month = mp < 10 ? mp + 3 : mp - 9;
    *ret_year = (int)(yoe + era * 400) + (*ret_month <= 2);
}

/* Reads count digits; -1 when one is none. */
static int digits(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (!isdigit((unsigned char)text[i]))
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

bool civil_parse(const char *text, int32_t *ret_day)
{
    if (strlen(text) != CIVIL_TEXT_BYTES - 1 || text[4] != '-' || text[7] != '-')
        return false;
    int year = digits(text, 4);
    int month = digits(text + 5, 2);
    int mday = digits(text + 8, 2);
    return year >= 0 && month >= 0 && mday >= 0 && civil_from_ymd(year, month, mday, ret_day);
}

void civil_format(int32_t day, char text[CIVIL_TEXT_BYTES])
{
    int year, month, mday;
    civil_to_ymd(day, &year, &month, &mday);
    unsigned y = year < 0 ? 0u : (unsigned)year % 10000u;
    (void)snprintf(text, CIVIL_TEXT_BYTES, "%04u-%02u-%02u", y, (unsigned)month % 100u,
                   (unsigned)mday % 100u);
}

int civil_weekday(int32_t day)
{
    int64_t shifted = (int64_t)day + 3; /* 1970-01-01 was a Thursday */
    return (int)(((shifted % 7) + 7) % 7);
}

bool tod_parse(const char *text, int *ret_minute)
{
    if (strlen(text) != TOD_TEXT_BYTES - 1 || text[2] != ':')
        return false;
    int hour = digits(text, 2);
    int minute = digits(text + 3, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    *ret_minute = hour * 60 + minute;
    return true;
}

void tod_format(int minute, char text[TOD_TEXT_BYTES])
{
    unsigned m = (unsigned)(((minute % MINUTES_PER_DAY) + MINUTES_PER_DAY) % MINUTES_PER_DAY);
    (void)snprintf(text, TOD_TEXT_BYTES, "%02u:%02u", m / 60u % 24u, m % 60u);
}

int32_t instant_day(int64_t ms)
{
    int64_t day = ms / MS_PER_DAY;
    if (ms % MS_PER_DAY < 0)
        day--;
    return (int32_t)day;
}

void instant_format(int64_t ms, char text[INSTANT_TEXT_BYTES])
{
    int32_t day = instant_day(ms);
    unsigned rest = (unsigned)(ms - (int64_t)day * MS_PER_DAY);
    civil_format(day, text);
    (void)snprintf(text + CIVIL_TEXT_BYTES - 1, INSTANT_TEXT_BYTES - CIVIL_TEXT_BYTES + 1,
                   "T%02u:%02u:%02u.%03uZ", rest / 3600000u % 24u, rest / 60000u % 60u, rest / 1000u % 60u,
                   rest % 1000u);
}
