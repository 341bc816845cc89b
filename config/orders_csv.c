/* SPDX-License-Identifier: Apache-2.0 */
/* sachet-csv/1: which column of a CSV file of orders says what, and how it writes numbers and dates. */
#include "config/conf.h"

#include <stdio.h>
#include <string.h>

static const char *const separators[] = {"comma", "semicolon", "tab", "bar", NULL};
static const char *const dates[] = {"YYYY-MM-DD", "YYYYMMDD", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", NULL};
static const char *const decimals[] = {"point", "comma", NULL};
/* The order is that of enum csv_column in controller/intake/csv_orders.c. */
static const char *const targets[] = {
    "order", "patient",   "patient_name", "birth_date", "drug",    "ndc",  "rxnorm",  "form",
    "dose",  "unit",      "times",        "sig",        "morning", "noon", "evening", "night",
    "route", "as_needed", "status",       "written",    "start",   "end",  "days",    NULL};

#define COLUMN(name, words, sample)                                                 \
    {                                                                               \
        .path = "columns." name, .type = CONF_TEXT, .example = sample, .doc = words \
    }
#define MUST(name, words, sample)                                                                     \
    {                                                                                                 \
        .path = "columns." name, .type = CONF_TEXT, .required = true, .example = sample, .doc = words \
    }

static const struct conf_key keys[] = {
    {.path = "separator",
     .type = CONF_ENUM,
     .choices = separators,
     .preset = "comma",
     .doc = "What stands between fields."},
    {.path = "dates",
     .type = CONF_ENUM,
     .choices = dates,
     .preset = "YYYY-MM-DD",
     .doc = "How dates are written. A day that does not exist rejects its row; nothing is guessed from the "
            "digits."},
    {.path = "decimal",
     .type = CONF_ENUM,
     .choices = decimals,
     .preset = "point",
     .doc = "What stands before tenths."},
    {.path = "columns",
     .type = CONF_MAP,
     .required = true,
     .doc = "Titles of the first line. A title that is named here and missing in the file refuses the file; "
            "columns "
            "that are not named are not read."},
    MUST("order", "The order's own id: the same id again is the same order.", "rx_number"),
    MUST("patient", "The patient's id.", "patient_id"),
    COLUMN("patient_name", "The patient's name, \"Family, Given\".", "patient_name"),
    COLUMN("birth_date", "Date of birth.", "dob"),
    MUST("drug", "The drug in words, with strength and form.", "drug"),
    COLUMN("ndc", "NDC, with or without hyphens.", "ndc"),
    COLUMN("rxnorm", "RxNorm code (RxCUI).", "rxcui"),
    COLUMN("form", "Dose form in words.", "form"),
    COLUMN("dose", "Amount at one time.", "dose"),
    COLUMN("unit", "Unit of every amount in the row. Without it the order waits.", "unit"),
    COLUMN("times", "When: a code of HL7 table 0335 (BID, Q8H, QHS, BID with clock times as BID&0800,2000).",
           "freq"),
    COLUMN("sig", "The directions in words. They are compared with the other columns.", "directions"),
    COLUMN("morning",
           "Amount in the morning; empty or 0: none. With the next three instead of dose and times.", "mo"),
    COLUMN("noon", "Amount at noon.", "mi"),
    COLUMN("evening", "Amount in the evening.", "ab"),
    COLUMN("night", "Amount at night.", "na"),
    COLUMN("route", "Route: must say by mouth where it is given.", "route"),
    COLUMN("as_needed",
           "yes, y, true, 1, ja or prn: never into a pouch. no, n, false, 0, nein or empty: regular.", "prn"),
    COLUMN("status",
           "FHIR's words: active, on-hold, stopped, completed, cancelled. Without the column: active.",
           "status"),
    COLUMN("written", "When the order was written.", "written"),
    COLUMN("start", "First day.", "start"),
    COLUMN("end", "Last day, itself included.", "stop"),
    COLUMN("days", "For so many days.", "days"),
    {.path = "values",
     .type = CONF_MAPS,
     .items_max = 1000,
     .doc = "What a file's own words stand for. They are replaced before anything is read; words that are "
            "not listed "
            "stay as they are."},
    {.path = "values[].column",
     .type = CONF_ENUM,
     .required = true,
     .choices = targets,
     .example = "times",
     .doc = "Key of `columns`."},
    {.path = "values[].from",
     .type = CONF_TEXT,
     .required = true,
     .example = "2xD",
     .doc = "The whole field as the file writes it."},
    {.path = "values[].to",
     .type = CONF_TEXT,
     .required = true,
     .example = "BID",
     .doc = "What is read instead."},
};

static void check(const struct conf *conf, struct conf_check *findings)
{
    char path[CONF_PATH_MAX];
    for (int i = 0; targets[i] != NULL; i++) {
        for (int j = i + 1; targets[j] != NULL; j++) {
            const char *a = conf_text(conf, "columns.%s", targets[i]);
            const char *b = conf_text(conf, "columns.%s", targets[j]);
            if (a[0] != '\0' && b[0] != '\0' && strcmp(a, b) == 0) {
                (void)snprintf(path, sizeof path, "columns.%s", targets[j]);
                conf_fault(findings, path, "column `%s` is named twice, also in columns.%s", b, targets[i]);
            }
        }
    }
}

const struct conf_schema conf_orders_csv = {
    .format = "sachet-csv/1",
    .title = "Columns of a CSV file of orders",
    .keys = keys,
    .count = sizeof keys / sizeof keys[0],
    .check = check,
};
