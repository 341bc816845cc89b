/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/csv_orders.h"

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/csv.h"
#include "config/base/error.h"
#include "config/base/quantity.h"
#include "config/conf.h"
#include "controller/intake/hl7/hl7_request.h"
#include "controller/intake/hl7/hl7_times.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Keys of `columns`, in the order of config/orders_csv.c. */
#define CSV_COLUMN_TABLE(X)         \
    X(ORDER, "order")               \
    X(PATIENT, "patient")           \
    X(PATIENT_NAME, "patient_name") \
    X(BIRTH_DATE, "birth_date")     \
    X(DRUG, "drug")                 \
    X(NDC, "ndc")                   \
    X(RXNORM, "rxnorm")             \
    X(FORM, "form")                 \
    X(DOSE, "dose")                 \
    X(UNIT, "unit")                 \
    X(TIMES, "times")               \
    X(SIG, "sig")                   \
    X(MORNING, "morning")           \
    X(NOON, "noon")                 \
    X(EVENING, "evening")           \
    X(NIGHT, "night")               \
    X(ROUTE, "route")               \
    X(AS_NEEDED, "as_needed")       \
    X(STATUS, "status")             \
    X(WRITTEN, "written")           \
    X(START, "start")               \
    X(END, "end")                   \
    X(DAYS, "days")

enum csv_column {
#define CSV_COLUMN_ENUM(name, text) CSV_##name,
    CSV_COLUMN_TABLE(CSV_COLUMN_ENUM)
#undef CSV_COLUMN_ENUM
        CSV_COLUMNS
};

static const char *const column_keys[CSV_COLUMNS] = {
#define CSV_COLUMN_KEY(name, text) text,
    CSV_COLUMN_TABLE(CSV_COLUMN_KEY)
#undef CSV_COLUMN_KEY
};

enum { WHY_BYTES = 256 };

struct csv_orders {
    const struct conf *mapping;
    char *name, *text;
    size_t len;
    char separator;
    bool comma;          /* before tenths */
    int dates;           /* choice of `dates` */
    int at[CSV_COLUMNS]; /* field of a row; -1 not mapped */
    struct arena arena;
    const char *titles[CSV_FIELDS_MAX];
    int title_count;
};

/* One row while it is read: fields after `values`, and what is wrong with it. */
struct row {
    const struct csv_orders *orders;
    const char *fields[CSV_COLUMNS]; /* "" absent or empty */
    char why[WHY_BYTES];             /* "" nothing */
};

__attribute__((format(printf, 2, 3))) static void reject(struct row *row, const char *format, ...)
{
    va_list args;
    if (row->why[0] != '\0')
        return; /* the first reason is told */
    va_start(args, format);
    (void)vsnprintf(row->why, sizeof row->why, format, args);
    va_end(args);
}

static const char *field(const struct row *row, enum csv_column column)
{
    return row->fields[column];
}

static void read_fields(const struct csv *csv, struct row *row)
{
    const struct csv_orders *orders = row->orders;
    const int values = conf_count(orders->mapping, "values");
    for (int i = 0; i < CSV_COLUMNS; i++) {
        row->fields[i] = orders->at[i] >= 0 ? csv->fields[orders->at[i]].text : "";
        for (int j = 0; j < values && row->fields[i][0] != '\0'; j++) {
            if (conf_int(orders->mapping, "values[%d].column", j) == i &&
                strcmp(conf_text(orders->mapping, "values[%d].from", j), row->fields[i]) == 0) {
                row->fields[i] = conf_text(orders->mapping, "values[%d].to", j);
                break;
            }
        }
    }
}

/* A date as the mapping writes it, as FHIR has it; "" stays "". */
static void read_date(struct row *row, enum csv_column column, char out[CIVIL_TEXT_BYTES])
{
    /* Where year, month and day begin. The order is that of `dates`. */
    static const struct {
        const char *name;
        int year, month, day;
    } forms[] = {{"YYYY-MM-DD", 0, 5, 8},
                 {"YYYYMMDD", 0, 4, 6},
                 {"DD.MM.YYYY", 6, 3, 0},
                 {"DD/MM/YYYY", 6, 3, 0},
                 {"MM/DD/YYYY", 6, 0, 3}};
    const char *text = field(row, column), *pattern = forms[row->orders->dates].name;
    int32_t day;
    out[0] = '\0';
    if (text[0] == '\0')
        return;
    bool right = strlen(text) == strlen(pattern);
    for (size_t i = 0; right && pattern[i] != '\0'; i++)
        right = isalpha((unsigned char)pattern[i]) ? isdigit((unsigned char)text[i]) : text[i] == pattern[i];
    if (right) {
        const int y = forms[row->orders->dates].year, m = forms[row->orders->dates].month,
                  d = forms[row->orders->dates].day;
        (void)snprintf(out, CIVIL_TEXT_BYTES, "%.4s-%.2s-%.2s", text + y, text + m, text + d);
        right = civil_parse(out, &day);
    }
    if (!right)
        reject(row, "%s: \"%.40s\" is no date %s", column_keys[column], text, pattern);
}

/* An amount as JSON; NULL when the field is empty. */
static json_t *read_amount(struct row *row, enum csv_column column)
{
    char text[32];
    int64_t milli;
    const char *given = field(row, column);
    if (given[0] == '\0')
        return NULL;
    (void)snprintf(text, sizeof text, "%.31s", given);
    char *mark = strpbrk(text, ".,");
    bool right = strlen(given) < sizeof text;
    if (mark != NULL) {
        right = right && *mark == (row->orders->comma ? ',' : '.');
        *mark = '.';
    }
    if (!right || !quantity_parse(text, &milli)) {
        reject(row, "%s: \"%.40s\" is no number", column_keys[column], given);
        return NULL;
    }
    return milli % QUANTITY_ONE == 0 ? json_integer(milli / QUANTITY_ONE) : json_real((double)milli / 1000.0);
}

static bool read_flag(struct row *row, enum csv_column column)
{
    static const char *const yes[] = {"yes", "y", "true", "1", "ja", "prn"};
    static const char *const no[] = {"", "no", "n", "false", "0", "nein"};
    for (size_t i = 0; i < 6; i++) {
        if (strcasecmp(field(row, column), yes[i]) == 0)
            return true;
        if (strcasecmp(field(row, column), no[i]) == 0)
            return false;
    }
    reject(row, "%s: \"%.40s\" is neither yes nor no", column_keys[column], field(row, column));
    return true;
}

static void set_bounds(struct row *row, json_t *repeat)
{
    char start[CIVIL_TEXT_BYTES], end[CIVIL_TEXT_BYTES];
    const char *days = field(row, CSV_DAYS);
    int32_t first;
    read_date(row, CSV_START, start);
    read_date(row, CSV_END, end);
    if (days[0] != '\0' &&
        (strspn(days, "0123456789") != strlen(days) || strlen(days) > 4 || atoi(days) < 1)) {
        reject(row, "days: \"%.40s\" is no number of days", days);
        return;
    }
    if (days[0] != '\0' && end[0] != '\0')
        reject(row, "days and end are both given");
    if (days[0] != '\0' && civil_parse(start, &first))
        civil_format(first + atoi(days) - 1, end);
    else if (days[0] != '\0')
        (void)json_object_set_new(repeat, "boundsDuration",
                                  json_pack("{s:i, s:s, s:s}", "value", atoi(days), "system",
                                            "http://unitsofmeasure.org", "code", "d"));
    json_t *period = json_object();
    if (start[0] != '\0')
        (void)json_object_set_new(period, "start", json_string(start));
    if (end[0] != '\0')
        (void)json_object_set_new(period, "end", json_string(end));
    if (json_object_size(period) > 0)
        (void)json_object_set(repeat, "boundsPeriod", period);
    json_decref(period);
}

/* What every dosage of the row has. timing and amount are taken over. */
static void add_dosage(struct row *row, json_t *request, json_t *list, json_t *timing, json_t *amount)
{
    json_t *dosage = json_object(), *repeat = json_object_get(timing, "repeat");
    if (timing != NULL) {
        if (repeat == NULL) {
            (void)json_object_set_new(timing, "repeat", json_object());
            repeat = json_object_get(timing, "repeat");
        }
        set_bounds(row, repeat);
        if (json_object_size(repeat) == 0)
            (void)json_object_del(timing, "repeat");
        (void)json_object_set_new(dosage, "timing", timing);
    }
    if (amount != NULL) {
        json_t *quantity = json_pack("{s:o}", "value", amount);
        if (field(row, CSV_UNIT)[0] != '\0')
            (void)json_object_set_new(quantity, "unit", json_string(field(row, CSV_UNIT)));
        else
            hl7_request_reason(request, REASON_CODE_DOSE_UNIT_UNKNOWN, "the amount has no unit");
        (void)json_object_set_new(dosage, "doseAndRate", json_pack("[{s:o}]", "doseQuantity", quantity));
    }
    if (read_flag(row, CSV_AS_NEEDED))
        (void)json_object_set_new(dosage, "asNeededBoolean", json_true());
    if (field(row, CSV_ROUTE)[0] != '\0')
        (void)json_object_set_new(dosage, "route", json_pack("{s:s}", "text", field(row, CSV_ROUTE)));
    (void)json_array_append_new(list, dosage);
}

/* A code of table 0335 as Timing. */
static json_t *read_times(struct row *row, bool *as_needed, json_t *request)
{
    struct hl7_time *time = calloc(1, sizeof *time);
    const char *text = field(row, CSV_TIMES);
    const size_t code = strcspn(text, "&");
    char why[128] = "";
    json_t *timing = NULL;
    if (time != NULL && code < sizeof time->patterns[0] && strlen(text) < sizeof time->explicit_times) {
        (void)snprintf(time->patterns[0], sizeof time->patterns[0], "%.*s", (int)code, text);
        (void)snprintf(time->explicit_times, sizeof time->explicit_times, "%s",
                       text[code] == '&' ? text + code + 1 : "");
        time->pattern_count = 1;
        timing = hl7_time_timing(time, as_needed, why, sizeof why);
        if (why[0] != '\0')
            hl7_request_reason(request, REASON_CODE_TIMING_CODE, "%s", why);
    } else {
        reject(row, "times: longer than a code is");
    }
    free(time);
    return timing;
}

static void set_dosages(struct row *row, json_t *request)
{
    static const struct {
        enum csv_column column;
        const char *when;
    } slots[] = {{CSV_MORNING, "MORN"}, {CSV_NOON, "NOON"}, {CSV_EVENING, "EVE"}, {CSV_NIGHT, "NIGHT"}};
    json_t *list = json_array();
    const char *sig = field(row, CSV_SIG);
    bool as_needed = false;
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        json_t *amount = read_amount(row, slots[i].column);
        if (amount != NULL && json_number_value(amount) != 0)
            add_dosage(row, request, list,
                       json_pack("{s:{s:i, s:i, s:s, s:[s]}}", "repeat", "frequency", 1, "period", 1,
                                 "periodUnit", "d", "when", slots[i].when),
                       amount);
        else
            json_decref(amount);
    }
    const bool by_slots = json_array_size(list) > 0;
    if (by_slots && (field(row, CSV_TIMES)[0] != '\0' || field(row, CSV_DOSE)[0] != '\0'))
        hl7_request_reason(request, REASON_CODE_TIMING_CLASH,
                           "dose or times beside amounts at their times of day");
    if (!by_slots) {
        json_t *timing = field(row, CSV_TIMES)[0] != '\0' ? read_times(row, &as_needed, request) : NULL;
        if (timing == NULL && (field(row, CSV_START)[0] != '\0' || field(row, CSV_END)[0] != '\0' ||
                               field(row, CSV_DAYS)[0] != '\0'))
            timing = json_object();
        add_dosage(row, request, list, timing, read_amount(row, CSV_DOSE));
        if (as_needed)
            (void)json_object_set_new(json_array_get(list, 0), "asNeededBoolean", json_true());
    }
    /* Words beside several dosages say the whole, which no single one of them says: they are compared as a
     * remark. */
    if (sig[0] != '\0' && json_array_size(list) == 1)
        (void)json_object_set_new(json_array_get(list, 0), "text", json_string(sig));
    else if (sig[0] != '\0')
        (void)json_object_set_new(request, "note", json_pack("[{s:s}]", "text", sig));
    (void)json_object_set_new(request, "dosageInstruction", list);
}

static void set_drug(const struct row *row, json_t *request)
{
    json_t *codings = json_array();
    if (field(row, CSV_RXNORM)[0] != '\0')
        (void)json_array_append_new(codings, json_pack("{s:s, s:s}", "system",
                                                       "http://www.nlm.nih.gov/research/umls/rxnorm", "code",
                                                       field(row, CSV_RXNORM)));
    if (field(row, CSV_NDC)[0] != '\0')
        (void)json_array_append_new(codings, json_pack("{s:s, s:s}", "system", "http://hl7.org/fhir/sid/ndc",
                                                       "code", field(row, CSV_NDC)));
    json_t *drug = json_pack("{s:s, s:s, s:{s:s, s:o}}", "resourceType", "Medication", "id", "drug", "code",
                             "text", field(row, CSV_DRUG), "coding", codings);
    if (field(row, CSV_FORM)[0] != '\0')
        (void)json_object_set_new(drug, "form", json_pack("{s:s}", "text", field(row, CSV_FORM)));
    (void)json_object_set_new(request, "contained", json_pack("[o]", drug));
    (void)json_object_set_new(request, "medicationReference", json_pack("{s:s}", "reference", "#drug"));
}

static json_t *make_patient(struct row *row)
{
    char birth[CIVIL_TEXT_BYTES];
    json_t *patient = json_pack("{s:s, s:s}", "resourceType", "Patient", "id", field(row, CSV_PATIENT));
    const char *name = field(row, CSV_PATIENT_NAME), *comma = strstr(name, ", ");
    read_date(row, CSV_BIRTH_DATE, birth);
    if (comma != NULL)
        (void)json_object_set_new(
            patient, "name",
            json_pack("[{s:s%, s:[s]}]", "family", name, (size_t)(comma - name), "given", comma + 2));
    else if (name[0] != '\0')
        (void)json_object_set_new(patient, "name", json_pack("[{s:s}]", "family", name));
    if (birth[0] != '\0')
        (void)json_object_set_new(patient, "birthDate", json_string(birth));
    return patient;
}

static json_t *make_request(struct row *row)
{
    char reference[400], written[CIVIL_TEXT_BYTES];
    static const enum csv_column needed[] = {CSV_ORDER, CSV_PATIENT, CSV_DRUG};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (field(row, needed[i])[0] == '\0')
            reject(row, "%s is empty", column_keys[needed[i]]);
        else if (strlen(field(row, needed[i])) > 300)
            reject(row, "%s is longer than 300 bytes", column_keys[needed[i]]);
    }
    (void)snprintf(reference, sizeof reference, "Patient/%.300s", field(row, CSV_PATIENT));
    json_t *request = json_pack("{s:s, s:s, s:s, s:s, s:{s:s}}", "resourceType", "MedicationRequest", "id",
                                field(row, CSV_ORDER), "status",
                                row->orders->at[CSV_STATUS] >= 0 ? field(row, CSV_STATUS) : "active",
                                "intent", "order", "subject", "reference", reference);
    read_date(row, CSV_WRITTEN, written);
    if (written[0] != '\0')
        (void)json_object_set_new(request, "authoredOn", json_string(written));
    set_drug(row, request);
    set_dosages(row, request);
    return request;
}

static int take_row(const struct csv_orders *orders, const struct csv *csv,
                    const struct csv_orders_sink *sink, int64_t *rejected, struct error *err)
{
    struct row row = {.orders = orders};
    char place[PATH_MAX + 32];
    json_t *bundle = NULL;
    const int line = csv->fields[0].line;
    (void)snprintf(place, sizeof place, "%s:%d", orders->name, line);
    if (csv->count != orders->title_count) {
        reject(&row, "%d fields instead of %d", csv->count, orders->title_count);
    } else {
        read_fields(csv, &row);
        json_t *patient = make_patient(&row), *request = make_request(&row);
        bundle = json_pack("{s:s, s:s, s:[{s:o}, {s:o}]}", "resourceType", "Bundle", "type", "collection",
                           "entry", "resource", patient, "resource", request);
    }
    int rc = 0;
    if (row.why[0] != '\0') {
        const char *fields[CSV_FIELDS_MAX];
        for (int i = 0; i < csv->count; i++)
            fields[i] = csv->fields[i].text;
        ++*rejected;
        if (sink->rejected != NULL)
            rc = sink->rejected(sink->data, place, line, row.why, fields, csv->count, err);
    } else {
        char *text = bundle != NULL ? json_dumps(bundle, JSON_COMPACT) : NULL;
        rc = text != NULL ? sink->text(sink->data, place, text, strlen(text), err)
                          : error_set(err, E_MEMORY, "%s: out of memory, or not UTF-8", place);
        free(text);
    }
    json_decref(bundle);
    return rc;
}

static void begin(const struct csv_orders *orders, struct csv *csv)
{
    csv_init(csv, orders->name, orders->text, orders->len);
    csv->separator = orders->separator;
}

int csv_orders_walk(const struct csv_orders *orders, const struct csv_orders_sink *sink, int64_t *ret_rows,
                    int64_t *ret_rejected, struct error *err)
{
    struct csv csv;
    int rc;
    *ret_rows = *ret_rejected = 0;
    begin(orders, &csv);
    rc = csv_next(&csv, err); /* the titles */
    while (rc > 0 && (rc = csv_next(&csv, err)) > 0) {
        if (csv.count == 1 && csv.fields[0].len == 0)
            continue; /* an empty line */
        ++*ret_rows;
        rc = take_row(orders, &csv, sink, ret_rejected, err);
        rc = rc == 0 ? 1 : rc;
    }
    csv_finish(&csv);
    return rc;
}

/* The first line: every column that the mapping names must be there, once. */
static int read_titles(struct csv_orders *orders, struct error *err)
{
    struct csv csv;
    begin(orders, &csv);
    int rc = csv_next(&csv, err);
    if (rc == 0)
        rc = error_set(err, E_INPUT, "%s: the file is empty", orders->name);
    for (int i = 0; i < csv.count && rc > 0; i++) {
        orders->titles[i] = arena_text(&orders->arena, csv.fields[i].text, csv.fields[i].len);
        if (orders->titles[i] == NULL)
            rc = error_set(err, E_MEMORY, "%s: out of memory", orders->name);
        orders->title_count = i + 1;
    }
    for (int i = 0; i < CSV_COLUMNS && rc > 0; i++) {
        const char *title = conf_text(orders->mapping, "columns.%s", column_keys[i]);
        orders->at[i] = -1;
        for (int j = 0; j < orders->title_count && title[0] != '\0'; j++) {
            if (strcmp(orders->titles[j], title) != 0)
                continue;
            if (orders->at[i] >= 0)
                rc = error_set(err, E_INPUT, "%s: two columns are called \"%s\"", orders->name, title);
            orders->at[i] = j;
        }
        if (rc > 0 && title[0] != '\0' && orders->at[i] < 0)
            rc = error_set(err, E_INPUT, "%s: there is no column \"%s\" (columns.%s)", orders->name, title,
                           column_keys[i]);
    }
    csv_finish(&csv);
    return rc > 0 ? 0 : rc;
}

static int read_file(const char *file, char **ret_text, size_t *ret_len, struct error *err)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set_errno(err, E_FILE, errno, "%s", file);
    int rc = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        rc = error_set(err, E_FILE, "%s: not a plain file", file);
    else if (st.st_size > CSV_ORDERS_BYTES_MAX)
        rc = error_set(err, E_LIMIT, "%s: larger than 64 MiB; split it", file);
    char *text = rc == 0 ? malloc((size_t)st.st_size + 1) : NULL;
    size_t len = 0;
    if (rc == 0 && text == NULL)
        rc = error_set(err, E_MEMORY, "%s: out of memory", file);
    while (rc == 0 && len < (size_t)st.st_size) {
        ssize_t n = read(fd, text + len, (size_t)st.st_size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = error_set_errno(err, E_FILE, errno, "%s", file);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    (void)close(fd); /* read only */
    if (rc != 0)
        free(text);
    else
        *ret_text = text;
    *ret_len = len;
    return rc;
}

/* Takes text over. */
static int create(const char *name, char *text, size_t len, const struct conf *mapping,
                  struct csv_orders **ret_orders, struct error *err)
{
    static const char separators[] = {',', ';', '\t', '|'};
    struct csv_orders *orders = calloc(1, sizeof *orders);
    if (orders == NULL) {
        free(text);
        return error_set(err, E_MEMORY, "%s: out of memory", name);
    }
    arena_init(&orders->arena, 0);
    orders->mapping = mapping;
    orders->separator = separators[conf_int(mapping, "separator")];
    orders->comma = conf_int(mapping, "decimal") == 1;
    orders->dates = (int)conf_int(mapping, "dates");
    orders->text = text;
    orders->len = len;
    orders->name = strdup(name);
    int rc =
        orders->name != NULL ? read_titles(orders, err) : error_set(err, E_MEMORY, "%s: out of memory", name);
    if (rc != 0) {
        csv_orders_close(orders);
        return rc;
    }
    *ret_orders = orders;
    return 0;
}

int csv_orders_open(const char *file, const struct conf *mapping, struct csv_orders **ret_orders,
                    struct error *err)
{
    char *text = NULL;
    size_t len = 0;
    int rc = read_file(file, &text, &len, err);
    return rc == 0 ? create(file, text, len, mapping, ret_orders, err) : rc;
}

int csv_orders_parse(const char *name, const char *text, size_t len, const struct conf *mapping,
                     struct csv_orders **ret_orders, struct error *err)
{
    char *copy = malloc(len + 1);
    if (copy == NULL)
        return error_set(err, E_MEMORY, "%s: out of memory", name);
    if (len > 0)
        memcpy(copy, text, len);
    return create(name, copy, len, mapping, ret_orders, err);
}

void csv_orders_close(struct csv_orders *orders)
{
    if (orders == NULL)
        return;
    arena_finish(&orders->arena);
    free(orders->name);
    free(orders->text);
    free(orders);
}

const char *const *csv_orders_titles(const struct csv_orders *orders, int *ret_count)
{
    *ret_count = orders->title_count;
    return orders->titles;
}
