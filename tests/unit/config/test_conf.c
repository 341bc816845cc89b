/* SPDX-License-Identifier: Apache-2.0 */
/* What a clean file says is what the accessors give; what it leaves out is the table's default. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "tests/support/scratch.h"
#include "tests/unit/config/schema.h"

static struct conf *parse_or_fail(const struct conf_schema *schema, const char *name, const char *yaml)
{
    struct conf *conf = NULL;
    struct error err = {0};
    if (conf_parse(schema, name, yaml, strlen(yaml), &conf, &err))
        fail_msg("%s", err.message);
    return conf;
}

static void given_values_come_back_in_our_units(void **state)
{
    (void)state;
    struct conf *conf = parse_or_fail(&schema_zoo, "dir/f.yaml",
                                      "format: test-zoo/1\n"
                                      "count: 0x1F\n"
                                      "on: true\n"
                                      "name: 'a: #b'\n"
                                      "color: blue\n"
                                      "file: x/y.yaml\n"
                                      "day: 2026-11-21\n"
                                      "at: 23:59\n"
                                      "wait: 3 h\n"
                                      "dose: 2.25\n"
                                      "ints: [-5, 6]\n"
                                      "texts: [ä, \"b c\"]\n"
                                      "cage: {lock: brass}\n"
                                      "animals:\n"
                                      "  - {name: ape, legs: 2}\n"
                                      "  - name: bat\n"
                                      "    food:\n"
                                      "      - {kind: moth, at: [\"22:15\"]}\n");
    int32_t day = 0;
    assert_true(civil_parse("2026-11-21", &day));
    assert_int_equal(conf_int(conf, "count"), 31);
    assert_true(conf_bool(conf, "on"));
    assert_string_equal(conf_text(conf, "name"), "a: #b");
    assert_string_equal(conf_text(conf, "color"), "blue");
    assert_int_equal(conf_int(conf, "color"), 2);
    assert_string_equal(conf_text(conf, "file"), "dir/x/y.yaml");
    assert_int_equal(conf_int(conf, "day"), day);
    assert_int_equal(conf_int(conf, "at"), 1439);
    assert_int_equal(conf_int(conf, "wait"), 180);
    assert_int_equal(conf_int(conf, "dose"), 2250);
    assert_int_equal(conf_count(conf, "ints"), 2);
    assert_int_equal(conf_int(conf, "ints[%d]", 0), -5);
    assert_string_equal(conf_text(conf, "texts[0]"), "ä");
    assert_string_equal(conf_text(conf, "cage.lock"), "brass");
    assert_int_equal(conf_int(conf, "cage.size"), 3);
    assert_int_equal(conf_count(conf, "animals"), 2);
    assert_int_equal(conf_int(conf, "animals[%d].legs", 0), 2);
    assert_int_equal(conf_int(conf, "animals[%d].legs", 1), 4);
    assert_int_equal(conf_count(conf, "animals[0].food"), 0);
    assert_int_equal(conf_int(conf, "animals[1].food[0].at[0]"), 22 * 60 + 15);
    conf_destroy(conf);
}

static void defaults_fill_what_is_not_given(void **state)
{
    (void)state;
    struct conf *conf = parse_or_fail(&schema_zoo, "f.yaml", "format: test-zoo/1\nname: zoo\n");
    assert_int_equal(conf_int(conf, "count"), 7);
    assert_false(conf_bool(conf, "on"));
    assert_string_equal(conf_text(conf, "color"), "green");
    assert_string_equal(conf_text(conf, "file"), "a/b.txt");
    assert_int_equal(conf_int(conf, "wait"), 120);
    assert_int_equal(conf_int(conf, "dose"), 1500);
    assert_int_equal(conf_count(conf, "ints"), 2);
    assert_int_equal(conf_int(conf, "ints[1]"), 2);
    assert_int_equal(conf_int(conf, "tods[1]"), 20 * 60);
    assert_int_equal(conf_count(conf, "texts"), 0);
    assert_int_equal(conf_count(conf, "animals"), 0);
    assert_int_equal(conf_int(conf, "cage.size"), 3);
    conf_destroy(conf);
}

static void absent_and_defaulted_can_be_told_from_given(void **state)
{
    (void)state;
    struct conf *conf = parse_or_fail(&schema_zoo, "f.yaml", "format: test-zoo/1\nname: zoo\ncount: 7\n");
    assert_true(conf_has(conf, "count"));
    assert_false(conf_has(conf, "on"));
    assert_false(conf_has(conf, "day"));
    assert_false(conf_has(conf, "cage"));
    assert_true(conf_int(conf, "day") == CONF_NONE);
    assert_true(conf_int(conf, "cage.lock") == CONF_NONE);
    assert_string_equal(conf_text(conf, "day"), "");
    char place[64];
    conf_place(conf, place, sizeof place, "count");
    assert_string_equal(place, "f.yaml:3:8");
    conf_destroy(conf);
}

static void null_is_a_value_where_the_table_allows_it(void **state)
{
    (void)state;
    static const char *const nulls[] = {"null", "~", ""};
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        char yaml[64];
        (void)snprintf(yaml, sizeof yaml, "format: test-zoo/1\nname: zoo\nbeds: %s\n", nulls[i]);
        struct conf *conf = parse_or_fail(&schema_zoo, "f.yaml", yaml);
        assert_true(conf_has(conf, "beds"));
        assert_true(conf_int(conf, "beds") == CONF_NONE);
        assert_string_equal(conf_text(conf, "beds"), "");
        conf_destroy(conf);
    }
    struct conf *conf = parse_or_fail(&schema_zoo, "f.yaml", "format: test-zoo/1\nname: zoo\n");
    assert_false(conf_has(conf, "beds"));
    assert_int_equal(conf_int(conf, "beds"), 2);
    conf_destroy(conf);
}

static void what_may_be_anything_is_not_looked_at(void **state)
{
    (void)state;
    static const char *const notes[] = {"5", "{a: [b, {c: }], d: \"\\t\"}", "[]", "|\n  two\n  lines",
                                        "null"};
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        char yaml[128];
        (void)snprintf(yaml, sizeof yaml, "format: test-zoo/1\nname: zoo\nnotes: %s\n", notes[i]);
        struct conf *conf = parse_or_fail(&schema_zoo, "f.yaml", yaml);
        assert_true(conf_has(conf, "notes"));
        conf_destroy(conf);
    }
}

static void json_is_read_too(void **state)
{
    (void)state;
    struct conf *conf =
        parse_or_fail(&schema_zoo, "f.json",
                      "{\"format\":\"test-zoo/1\",\"name\":\"z\\u00e4\",\n\t\"count\":7,\"beds\":null,"
                      "\"on\":true,\"animals\":[{\"name\":\"a\",\"legs\":2}]}\n");
    assert_string_equal(conf_text(conf, "name"), "z\xC3\xA4");
    assert_int_equal(conf_int(conf, "count"), 7);
    assert_true(conf_int(conf, "beds") == CONF_NONE);
    assert_int_equal(conf_int(conf, "animals[0].legs"), 2);
    conf_destroy(conf);
}

static void bytes_and_folder_are_those_of_the_file(void **state)
{
    (void)state;
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    static const char text[] = "\xEF\xBB\xBF"
                               "format: test-zoo/1\r\nname: zoo\r\n";
    struct error err = {0};
    struct conf *conf = NULL;
    size_t len;
    scratch_init(&scratch);
    scratch_write(&scratch, "zoo.yaml", text, path);
    assert_int_equal(conf_load(&schema_zoo, path, &conf, &err), 0);
    const void *bytes = conf_bytes(conf, &len);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(bytes, text, len);
    assert_string_equal(conf_folder(conf), scratch.folder);
    assert_string_equal(conf_file(conf), path);
    conf_destroy(conf);
    conf_destroy(NULL);
    scratch_finish(&scratch);
}

static void kind_is_known_by_the_format_line(void **state)
{
    (void)state;
    struct scratch scratch;
    char path[SCRATCH_PATH_BYTES];
    struct error err = {0};
    scratch_init(&scratch);
    scratch_write(&scratch, "a", "# x\nformat: \"sachet-site/1\" # y\nbroken: [\n", path);
    assert_ptr_equal(conf_kind_of(path, &err), &conf_site);
    scratch_write(&scratch, "b",
                  "\xEF\xBB\xBF"
                  "format: sachet-timing/1\n",
                  path);
    assert_ptr_equal(conf_kind_of(path, &err), &conf_timing);
    scratch_write(&scratch, "v", "format: sachet-packing/7\n", path);
    assert_ptr_equal(conf_kind_of(path, &err), &conf_packing);
    scratch_write(&scratch, "c", "a: 1\n format: sachet-timing/1\n", path);
    assert_null(conf_kind_of(path, &err));
    assert_int_equal(err.code, E_VERSION);
    scratch_write(&scratch, "d", "format: sachet-siite/1\n", path);
    assert_null(conf_kind_of(path, &err));
    assert_non_null(strstr(err.message, "did you mean `sachet-site/1`?"));
    scratch_finish(&scratch);
}

static void fault(void *user, const char *file, int line, int column, int code, const char *message)
{
    (void)user;
    (void)code;
    fail_msg("%s:%d:%d: %s", file, line, column, message);
}

static void commented_files_load_back_clean(void **state)
{
    (void)state;
    for (int i = -1; i < 0 || conf_schemas[i]; i++) {
        struct conf_schema schema = i < 0 ? schema_zoo : *conf_schemas[i];
        struct buf text;
        buf_init(&text);
        conf_write_commented(&schema, &text);
        assert_false(text.failed);
        /* A profile with one example point is not a whole profile: only its rows are checked. */
        if (i >= 0 && conf_schemas[i] == &conf_machine)
            schema.check = NULL;
        assert_int_equal(conf_check_bytes(&schema, schema.format, text.data, text.len, fault, NULL), 0);
        for (size_t k = 0; k < schema.count; k++) {
            const char *dot = strrchr(schema.keys[k].path, '.');
            char line[CONF_PATH_MAX];
            (void)snprintf(line, sizeof line, "%s:", dot ? dot + 1 : schema.keys[k].path);
            if (!strstr(text.data, line))
                fail_msg("%s: key %s is not in the commented file", schema.format, schema.keys[k].path);
        }
        buf_finish(&text);
    }
}

/* Uncomments nothing else than what is a comment for want of a value: the file with all keys live is right,
 * too, so the examples are. */
static void examples_are_right(void **state)
{
    (void)state;
    for (int i = 0; conf_schemas[i]; i++) {
        for (size_t k = 0; k < conf_schemas[i]->count; k++) {
            const struct conf_key *key = &conf_schemas[i]->keys[k];
            const char *value = key->preset ? key->preset : key->example;
            if (key->type == CONF_MAP || key->type == CONF_MAPS)
                continue;
            if (!value)
                fail_msg("%s: %s has neither a default nor an example", conf_schemas[i]->format, key->path);
            assert_non_null(key->doc);
            struct conf_key row = *key;
            row.path = "key";
            const struct conf_schema one = {.format = "one/1", .title = "", .keys = &row, .count = 1};
            char yaml[512];
            bool quote = key->type == CONF_TEXT || key->type == CONF_TOD;
            (void)snprintf(yaml, sizeof yaml, "format: one/1\nkey: %s%s%s\n", quote ? "\"" : "", value,
                           quote ? "\"" : "");
            assert_int_equal(conf_check_bytes(&one, key->path, yaml, strlen(yaml), fault, NULL), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_values_come_back_in_our_units),
        cmocka_unit_test(defaults_fill_what_is_not_given),
        cmocka_unit_test(absent_and_defaulted_can_be_told_from_given),
        cmocka_unit_test(null_is_a_value_where_the_table_allows_it),
        cmocka_unit_test(what_may_be_anything_is_not_looked_at),
        cmocka_unit_test(json_is_read_too),
        cmocka_unit_test(bytes_and_folder_are_those_of_the_file),
        cmocka_unit_test(kind_is_known_by_the_format_line),
        cmocka_unit_test(commented_files_load_back_clean),
        cmocka_unit_test(examples_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
