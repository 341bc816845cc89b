/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Civil dates, times of day and instants, all integers.
 *
 * A day is the number of days since 1970-01-01 in the proleptic Gregorian calendar; a time of day is a minute
 * 0..1439; an instant is milliseconds since 1970-01-01T00:00:00Z. Nothing here reads a clock or a time zone.
 * Pure, any thread.
 */
#ifndef CONFIG_BASE_CIVIL_H
#define CONFIG_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

enum {
    MINUTES_PER_DAY = 1440,
    CIVIL_DAY_NONE = INT32_MIN, /* "no date" wherever a day is optional */
    CIVIL_YEAR_MIN = 1800,
    CIVIL_YEAR_MAX = 2999,
    CIVIL_TEXT_BYTES = 11,   /* "YYYY-MM-DD" and the NUL */
    TOD_TEXT_BYTES = 6,      /* "HH:MM" and the NUL */
    INSTANT_TEXT_BYTES = 25, /* "YYYY-MM-DDTHH:MM:SS.mmmZ" and the NUL */
};

/* True when the date exists and its year lies in CIVIL_YEAR_MIN..MAX; then *ret_day is set. month 1..12,
 * mday 1..31. */
bool civil_from_ymd(int year, int month, int mday, int32_t *ret_day);
void civil_to_ymd(int32_t day, int *ret_year, int *ret_month, int *ret_mday);
/* Reads exactly "YYYY-MM-DD"; false when it is anything else or no such date. */
bool civil_parse(const char *text, int32_t *ret_day);
void civil_format(int32_t day, char text[CIVIL_TEXT_BYTES]);
/* 0 Monday .. 6 Sunday (ISO 8601 order). */
int civil_weekday(int32_t day);

/* Reads exactly "HH:MM", 00:00..23:59. */
bool tod_parse(const char *text, int *ret_minute);
/* minute is taken modulo 1440. */
void tod_format(int minute, char text[TOD_TEXT_BYTES]);

/* UTC. The day of an instant is that of UTC; a composition root adds its zone's offset before it asks for
 * "today". */
void instant_format(int64_t ms, char text[INSTANT_TEXT_BYTES]);
int32_t instant_day(int64_t ms);

#endif
