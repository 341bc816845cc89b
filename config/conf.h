/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf: one YAML file, checked whole against one const table of keys.
 *
 * A format ("sachet-site/1") is a `struct conf_schema`: one row a key with its type, range, unit, default and
 * a sentence. The table alone feeds the parser, the checker, the defaults, `sachet check`, the commented
 * default file and the reference page. A `struct conf` that was loaded is right: every value has its type and
 * lies in its range, every required key is there, every default is filled in, nothing unknown stands in it.
 * So the accessors cannot fail: a path that the schema does not have, or an index behind the end of a list,
 * is our own bug and ends in an assertion.
 *
 * Paths: "cycle.days", "machines[0].host", "intake.statuses[2]" in the accessors; "machines[].host" in the
 * schema. The caller owns the struct conf; texts live as long as it does. Immutable after the load, so any
 * thread may read it. Loading reads one file and blocks for the disk.
 *
 * Limits (CONF_*_MAX) have a message each. YAML anchors, aliases, tags, several documents and doubled keys
 * are refused: what a person reads in the file is what the program got.
 */
#ifndef CONFIG_CONF_H
#define CONFIG_CONF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct conf;
struct conf_check;

enum {
    CONF_BYTES_MAX = 1024 * 1024, /* of a file */
    CONF_DEPTH_MAX = 16,
    CONF_NODES_MAX = 100000,
    CONF_TEXT_MAX = 4096, /* bytes of one value */
    CONF_PATH_MAX = 128,  /* bytes of a concrete path */
    CONF_LIST_MAX = 10000,
};

#define CONF_NONE INT64_MIN /* conf_int of a key that is null, or was not given and has no default */

enum conf_type {
    CONF_MAP,      /* a group: its keys are the rows "group.key" */
    CONF_MAPS,     /* a list of groups: its keys are the rows "list[].key" */
    CONF_INT,      /* integer, decimal or 0x hexadecimal, min..max */
    CONF_BOOL,     /* true or false, nothing else */
    CONF_TEXT,     /* min..max bytes of UTF-8 without control characters */
    CONF_ENUM,     /* one of choices; conf_int gives the index */
    CONF_FILE,     /* a path; a relative one counts from the folder of the file that names it */
    CONF_DATE,     /* "YYYY-MM-DD"; conf_int gives the day since 1970-01-01 */
    CONF_TOD,      /* "HH:MM"; conf_int gives minutes 0..1439. Quote it: YAML readers differ on 12:30 */
    CONF_DURATION, /* integer and unit, "90 min"; conf_int gives it in the row's unit (ms, s, min, h, d) */
    CONF_MILLI,    /* decimal with at most 3 places; conf_int gives thousandths, min and max too */
    CONF_ANY,  /* for people or for another program: may hold anything, is not looked at, has no accessor */
    CONF_INTS, /* lists of the scalars above */
    CONF_TEXTS,
    CONF_ENUMS,
    CONF_FILES,
    CONF_TODS,
};

struct conf_key {
    const char *path; /* parents stand in rows above their children */
    enum conf_type type;
    bool required; /* of a key in a group that is absent altogether: only if the group itself is required */
    bool unique;   /* no two items of the list that it stands in have the same value */
    bool nullable; /* a scalar may be written as null: given, without a value, whatever the default is */
    bool range;    /* min and max count; without it a text has 1..CONF_TEXT_MAX bytes, a number any size */
    int64_t min, max;
    int items_min, items_max;   /* of a list; items_max 0: CONF_LIST_MAX */
    const char *unit;           /* of a duration; of a number only for people ("pieces") */
    const char *preset;         /* default, written as in a file; lists "[a, b]"; NULL none */
    const char *example;        /* what the commented default file says where there is no default */
    const char *const *choices; /* of an enum, NULL-ended */
    const char *doc;            /* whole sentences: what it is, and what it changes */
};

struct conf_schema {
    const char *format; /* "sachet-site/1", the value of the mandatory key "format" */
    const char *title;
    const struct conf_key *keys; /* without "format" */
    size_t count;
    /* Optional: what one row cannot say (from < to, names that must exist). Runs only when all rows are
     * right; calls conf_fault for each finding. */
    void (*check)(const struct conf *conf, struct conf_check *check);
};

extern const struct conf_schema conf_site;         /* config/site.c */
extern const struct conf_schema conf_machine;      /* config/machine.c */
extern const struct conf_schema conf_timing;       /* config/timing.c */
extern const struct conf_schema conf_packing;      /* config/packing.c */
extern const struct conf_schema conf_clinical;     /* config/clinical.c */
extern const struct conf_schema conf_jurisdiction; /* config/jurisdiction.c */
extern const struct conf_schema conf_sync;         /* config/sync.c; cases to plan, no configuration */
extern const struct conf_schema conf_sig;          /* config/sig.c */
/* config/scenario.c; for simulated machines, no configuration */
extern const struct conf_schema conf_scenario;
extern const struct conf_schema conf_orders_csv; /* config/orders_csv.c; how to read a file of orders */

/* All schemas, NULL-ended: for `sachet check` and the reference pages. */
extern const struct conf_schema *const conf_schemas[];

/*
 * Loads and checks a file. 0, or E_FILE, E_SYNTAX, E_VERSION, E_LIMIT, E_INPUT, E_MEMORY with the first
 * finding in err as "file:line:column: what, what is allowed, what to do"; *ret_conf is untouched then.
 */
int conf_load(const struct conf_schema *schema, const char *file, struct conf **ret_conf, struct error *err);
/* The same from memory; name stands in messages and gives the folder of relative files. */
int conf_parse(const struct conf_schema *schema, const char *name, const void *bytes, size_t len,
               struct conf **ret_conf, struct error *err);
/* NULL is allowed. */
void conf_destroy(struct conf *conf);

/* Values. The path may be a printf format; it names a key of the schema, with an index in each list. */
__attribute__((format(printf, 2, 3))) int64_t conf_int(const struct conf *conf, const char *path, ...);
__attribute__((format(printf, 2, 3))) bool conf_bool(const struct conf *conf, const char *path, ...);
/* Text, enum word, or file with its folder; as written for other types. "" where not given and no default. */
__attribute__((format(printf, 2, 3))) const char *conf_text(const struct conf *conf, const char *path, ...);
/* Items of a list; 0 when it is absent. */
__attribute__((format(printf, 2, 3))) int conf_count(const struct conf *conf, const char *path, ...);
/* True when it stands in the file, false when it is a default or absent. Groups and lists, too. */
__attribute__((format(printf, 2, 3))) bool conf_has(const struct conf *conf, const char *path, ...);

/* The file as it was read, for a hash that goes into plans and signatures. */
const void *conf_bytes(const struct conf *conf, size_t *ret_len);
/* The name it was loaded under, and the folder that relative files count from ("." at least). */
const char *conf_file(const struct conf *conf);
const char *conf_folder(const struct conf *conf);
/* "file:line:column" of a value that a room refuses later; of the nearest group when it is a default. */
__attribute__((format(printf, 4, 5))) void conf_place(const struct conf *conf, char *text, size_t size,
                                                      const char *path, ...);

/* One finding of a file. message begins with what; place as given (line and column count from 1, 0 none). */
typedef void conf_report(void *user, const char *file, int line, int column, int code, const char *message);

/* Reports every finding of a file, in order of lines as far as the file can be read, and returns their number
 * (0: clean). A file that cannot be opened is one finding. */
int conf_check_file(const struct conf_schema *schema, const char *file, conf_report *report, void *user);
int conf_check_bytes(const struct conf_schema *schema, const char *name, const void *bytes, size_t len,
                     conf_report *report, void *user);
/* For conf_schema.check: a finding at the place of path (nothing printed, no limit). */
__attribute__((format(printf, 3, 4))) void conf_fault(struct conf_check *check, const char *path,
                                                      const char *format, ...);

/* The schema that the file's `format:` line names, in whatever version; NULL with E_VERSION (what it says,
 * what there is) or E_FILE. Reads only the line, so that a broken file is still known by its kind. */
const struct conf_schema *conf_kind_of(const char *file, struct error *err);

/* A YAML file with every key, its type, range, unit, default and sentence as comments; it loads back clean.
 * Keys without a value stand as comments. */
void conf_write_commented(const struct conf_schema *schema, struct buf *out);

/* A value for a key of the schema instead of its default or example, written as in a file. */
struct conf_setting {
    const char *path; /* of the schema: "machines[].port" */
    const char *value;
};
/* The same with settings; a key that would be a comment becomes a live line. E_INPUT for a path that the
 * schema does not have; the values are not looked at: check what was written. */
int conf_write_settings(const struct conf_schema *schema, const struct conf_setting *settings, size_t count,
                        struct buf *out, struct error *err);

#endif
