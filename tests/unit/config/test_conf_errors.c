/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of mistake in a file is found at its exact place, with what is allowed and a hint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/base/buf.h"
#include "config/base/error.h"
#include "config/conf.h"
#include "tests/unit/config/schema.h"

#define HEAD "format: test-zoo/1\nname: zoo\n"

struct wrong {
    const char *yaml;
    int code;
    const char *begins; /* of the message, the place included */
    const char *holds;  /* something further on */
};

static const struct wrong wrongs[] = {
    /* the file as a whole */
    {"", E_SYNTAX, "f.yaml:1:1: the file is empty", "format: test-zoo/1"},
    {"# only a comment\n", E_SYNTAX, "f.yaml:1:1: the file is empty", "format: test-zoo/1"},
    {"- a\n", E_SYNTAX, "f.yaml:1:1: the file is a list", "key: value"},
    {"word\n", E_SYNTAX, "f.yaml:1:1: the file is a single value", "key: value"},
    {"name: zoo\n", E_VERSION, "f.yaml:1:1: no `format:` line", "add it"},
    {"format: test-zoo/2\n", E_VERSION, "f.yaml:1:9: format is `test-zoo/2`", "no other version"},
    {"\nformat: sachet-site/1\n", E_VERSION, "f.yaml:2:9: format is `sachet-site/1`", "another kind of file"},
    {"format: [a]\n", E_VERSION, "f.yaml:1:9: format is `a list`", "test-zoo/1"},
    {HEAD "---\nname: b\n", E_SYNTAX, "f.yaml:3:1: a second document", "two files"},
    /* YAML */
    {HEAD "\tcount: 1\n", E_SYNTAX, "f.yaml:3:1: not YAML", "tab"},
    {HEAD "cage:\n  size: 1\n\tlock: a\n", E_SYNTAX, "f.yaml:5:", "tab"},
    {HEAD "texts: [a\n", E_SYNTAX, "f.yaml:4:1: not YAML", "check indentation"},
    {HEAD "name2: \"a\n", E_SYNTAX, "f.yaml:", "not YAML"},
    {HEAD "count: 1\n count: 2\n", E_SYNTAX, "f.yaml:4:", "not YAML"},
    {HEAD "texts: &a [x]\n", E_SYNTAX, "f.yaml:3:8: anchor &a", "write the value out"},
    {HEAD "texts: &a [x]\ncount: *a\n", E_SYNTAX, "f.yaml:3:8: anchor &a", "anchors are not allowed"},
    {HEAD "count: *a\n", E_SYNTAX, "f.yaml:3:8: ", "alias"},
    {HEAD "count: !!int 5\n", E_SYNTAX, "f.yaml:3:8: tag", "delete it"},
    {HEAD "? [a]\n: b\n", E_SYNTAX, "f.yaml:3:3: a list or group as a key", "plain words"},
    {HEAD "co\xC3unt: 1\n", E_SYNTAX, "f.yaml:3:3: byte 0xC3 is not UTF-8", "save the file as UTF-8"},
    {"\xFF\xFE"
     "f",
     E_SYNTAX, "f.yaml:1:1: byte 0xFF is not UTF-8", "UTF-8"},
    {HEAD "texts: [\"\xC3\xA4\xC3\xA4\", \xC0\x80]\n", E_SYNTAX, "f.yaml:3:15: byte 0xC0", "UTF-8"},
    {HEAD "name2: a\x01\n", E_SYNTAX, "f.yaml:3:9: control characters", "delete it"},
    /* keys */
    {HEAD "cuont: 1\n", E_INPUT, "f.yaml:3:1: unknown key `cuont`", "did you mean `count`?"},
    {HEAD "cage: {lock: a, sise: 2}\n", E_INPUT, "f.yaml:3:17: unknown key `cage.sise`",
     "did you mean `size`?"},
    {HEAD "size: 2\n", E_INPUT, "f.yaml:3:1: unknown key `size`", "there is `cage.size`"},
    {HEAD "quite_another: 2\n", E_INPUT, "f.yaml:3:1: unknown key `quite_another`", "test-zoo/1"},
    {HEAD "cage.size: 2\n", E_INPUT, "f.yaml:3:1: unknown key `cage.size`", ""},
    {HEAD "count: 1\non: true\ncount: 2\n", E_INPUT, "f.yaml:5:1: key `count` stands here again", "line 3"},
    {"format: test-zoo/1\ncount: 1\n", E_INPUT, "f.yaml:1:1: `name` is missing", "add `name: zoo`"},
    {HEAD "cage: {size: 2}\n", E_INPUT, "f.yaml:3:7: `cage.lock` is missing", "add `lock: key`"},
    {HEAD "animals:\n  - legs: 2\n", E_INPUT, "f.yaml:4:5: `animals[0].name` is missing", ""},
    {HEAD "\"k\\x9b\xE2\x80\xAE\": 2\n", E_INPUT, "f.yaml:3:1: unknown key `k??`",
     ""}, /* nothing for a terminal */
    /* values */
    {HEAD "count: ten\n", E_INPUT, "f.yaml:3:8: `count`: `ten` is not a whole number", "1..91 (days)"},
    {HEAD "count: 92\n", E_INPUT, "f.yaml:3:8: `count`: `92` is too large", "1..91"},
    {HEAD "count: 0\n", E_INPUT, "f.yaml:3:8: `count`: `0` is too small", "1..91"},
    {HEAD "count: 1.5\n", E_INPUT, "f.yaml:3:8: `count`: `1.5` has a fraction", "whole number"},
    {HEAD "count: 14 days\n", E_INPUT, "f.yaml:3:8: `count`: `14 days`", "write the number alone"},
    {HEAD "count: \"14\"\n", E_INPUT, "f.yaml:3:8: `count`: `14` is text", "without quotes"},
    {HEAD "count: 99999999999999999999\n", E_INPUT, "f.yaml:3:8: `count`", "whole number"},
    {HEAD "count: 0x\n", E_INPUT, "f.yaml:3:8: `count`", "whole number"},
    {HEAD "count:\n", E_INPUT, "f.yaml:3:7: `count`: `` is no value", "delete the line"},
    {HEAD "count: ~\n", E_INPUT, "f.yaml:3:8: `count`: `~` is no value", "delete the line"},
    {HEAD "count: [1]\n", E_INPUT, "f.yaml:3:8: `count` is a list", "a single value"},
    {HEAD "count: {a: 1}\n", E_INPUT, "f.yaml:3:8: `count` is a group", "a single value"},
    {HEAD "on: yes\n", E_INPUT, "f.yaml:3:5: `on`: `yes`", "did you mean true?"},
    {HEAD "on: Off\n", E_INPUT, "f.yaml:3:5: `on`: `Off`", "did you mean false?"},
    {HEAD "color: gren\n", E_INPUT, "f.yaml:3:8: `color`: `gren` is not known", "did you mean `green`?"},
    {HEAD "color: x\n", E_INPUT, "f.yaml:3:8: `color`: `x` is not known", "one of red, green, blue"},
    {"format: test-zoo/1\nname: z\n", E_INPUT, "f.yaml:2:7: `name`: `z` is too short", "2 to 8 bytes"},
    {"format: test-zoo/1\nname: zzzzzzzzz\n", E_INPUT, "f.yaml:2:7: `name`", "is too long"},
    {"format: test-zoo/1\nname: \"a\\nb\"\n", E_INPUT, "f.yaml:2:7: `name`: `a?b` holds a line end",
     "one line"},
    {"format: test-zoo/1\nname: \"a\\x9bb\"\n", E_INPUT, "f.yaml:2:7: `name`", "control"},
    {"format: test-zoo/1\nname: \"ab\\0cd\"\n", E_INPUT, "f.yaml:2:7: `name`: `ab`", "NUL"},
    {"format: test-zoo/1\nname: \"a\xE2\x80\xAE"
     "b\"\n",
     E_INPUT, "f.yaml:2:7: `name`", "invisible"},
    {HEAD "day: 2026-02-30\n", E_INPUT, "f.yaml:3:6: `day`: `2026-02-30` is no date", "YYYY-MM-DD"},
    {HEAD "at: 8:30\n", E_INPUT, "f.yaml:3:5: `at`: `8:30` is no time of day", "two digits"},
    {HEAD "at: \"24:00\"\n", E_INPUT, "f.yaml:3:5: `at`", "00:00 to 23:59"},
    {HEAD "wait: 30\n", E_INPUT, "f.yaml:3:7: `wait`: `30` has no unit", "write `30 min`"},
    {HEAD "wait: 30 weeks\n", E_INPUT, "f.yaml:3:7: `wait`: `30 weeks` has an unknown unit",
     "ms, s, min, h, d"},
    {HEAD "wait: 90 s\n", E_INPUT, "f.yaml:3:7: `wait`: `90 s` is finer", "whole min"},
    {HEAD "wait: 11 h\n", E_INPUT, "f.yaml:3:7: `wait`: `11 h` is too large", "5..600 min"},
    {HEAD "wait: 9000000000000000 d\n", E_INPUT, "f.yaml:3:7: `wait`", "too large"},
    {HEAD "dose: 0.0005\n", E_INPUT, "f.yaml:3:7: `dose`", "3 places"},
    {HEAD "dose: 0.25\n", E_INPUT, "f.yaml:3:7: `dose`: `0.25` is too small", "0.5..10"},
    {HEAD "ints: 5\n", E_INPUT, "f.yaml:3:7: `ints` is a single value", "a list"},
    {HEAD "ints: [1, x, 3]\n", E_INPUT, "f.yaml:3:11: `ints[1]`: `x`", "whole number"},
    {HEAD "ints: [1, 2, 3, 4]\n", E_LIMIT, "f.yaml:3:7: `ints` has 4 items", "0 to 3"},
    {HEAD "tods: [\"08:00\", 8]\n", E_INPUT, "f.yaml:3:17: `tods[1]`: `8`", "HH:MM"},
    {HEAD "cage: 5\n", E_INPUT, "f.yaml:3:7: `cage` is a single value", "indented keys"},
    {HEAD "animals: [a]\n", E_INPUT, "f.yaml:3:11: `animals[0]` is a single value", "indented keys"},
    {HEAD "animals:\n  - name: ape\n  - name: bat\n  - name: ape\n", E_INPUT,
     "f.yaml:6:11: `animals`: `ape` is the name of line 4", "its own"},
    {HEAD "animals:\n  - name: ape\n    food:\n      - kind: hay\n        at: [\"08:00\", \"25:00\"]\n",
     E_INPUT, "f.yaml:7:23: `animals[0].food[0].at[1]`: `25:00`", ""},
};

static void each_mistake_is_found_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        const struct wrong *wrong = &wrongs[i];
        struct error err = {0};
        struct conf *conf = NULL;
        int code = conf_parse(&schema_zoo, "f.yaml", wrong->yaml, strlen(wrong->yaml), &conf, &err);
        if (code != wrong->code || conf || strncmp(err.message, wrong->begins, strlen(wrong->begins)) != 0 ||
            !strstr(err.message, wrong->holds))
            fail_msg("case %zu\n%s\ngave %s: %s\nexpected %s ... %s", i, wrong->yaml, error_name(code),
                     err.message, wrong->begins, wrong->holds);
        assert_int_equal(err.code, code);
        assert_null(strchr(err.message, '\n'));
    }
}

struct seen {
    int count;
    int lines[16];
    char last[512];
};

static void note(void *user, const char *file, int line, int column, int code, const char *message)
{
    struct seen *seen = user;
    (void)code;
    assert_string_equal(file, "f.yaml");
    assert_true(column >= 1);
    if (seen->count < 16)
        seen->lines[seen->count] = line;
    seen->count++;
    (void)snprintf(seen->last, sizeof seen->last, "%s", message);
}

static void all_mistakes_are_reported_in_order_of_lines(void **state)
{
    (void)state;
    static const char yaml[] = "format: test-zoo/1\ncount: 0\nname: z\nanimals:\n  - legs: -1\nxyzzy: 1\n"
                               "count: 5\ntexts: &a [b]\n";
    struct seen seen = {0};
    int count = conf_check_bytes(&schema_zoo, "f.yaml", yaml, strlen(yaml), note, &seen);
    static const int lines[] = {2, 3, 5, 5, 6, 7, 8};
    assert_int_equal(count, 7);
    assert_int_equal(seen.count, 7);
    assert_memory_equal(seen.lines, lines, sizeof lines);
}

static void a_clean_file_has_no_findings(void **state)
{
    (void)state;
    struct seen seen = {0};
    assert_int_equal(conf_check_bytes(&schema_zoo, "f.yaml", HEAD, strlen(HEAD), note, &seen), 0);
    assert_int_equal(seen.count, 0);
}

static int parse_buf(struct buf *buf, struct error *err)
{
    struct conf *conf = NULL;
    assert_false(buf->failed);
    int code = conf_parse(&schema_zoo, "f.yaml", buf->data, buf->len, &conf, err);
    conf_destroy(conf);
    buf_finish(buf);
    return code;
}

static void limits_are_kept_and_named(void **state)
{
    (void)state;
    struct error err;
    struct buf buf;

    buf_init(&buf);
    buf_text(&buf, HEAD "texts: ");
    for (int i = 0; i < CONF_DEPTH_MAX; i++)
        buf_char(&buf, '[');
    assert_int_equal(parse_buf(&buf, &err), E_LIMIT);
    assert_non_null(strstr(err.message, "16 levels deep"));

    buf_init(&buf);
    buf_text(&buf, HEAD "texts: [");
    for (int i = 0; i < CONF_NODES_MAX + 1; i++)
        buf_text(&buf, "a,");
    buf_text(&buf, "]\n");
    assert_int_equal(parse_buf(&buf, &err), E_LIMIT);
    assert_non_null(strstr(err.message, "100000 values"));

    buf_init(&buf);
    buf_text(&buf, HEAD "texts: [");
    for (int i = 0; i < CONF_LIST_MAX + 1; i++)
        buf_text(&buf, "a,");
    buf_text(&buf, "]\n");
    assert_int_equal(parse_buf(&buf, &err), E_LIMIT);
    assert_non_null(strstr(err.message, "10001 items"));

    buf_init(&buf);
    buf_text(&buf, HEAD);
    for (int i = 0; i < 1001; i++)
        buf_printf(&buf, "k%d: 1\n", i);
    assert_int_equal(parse_buf(&buf, &err), E_LIMIT);
    assert_non_null(strstr(err.message, "1000 keys"));

    buf_init(&buf);
    buf_text(&buf, HEAD "#");
    while (buf.len <= CONF_BYTES_MAX)
        buf_text(&buf, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    assert_int_equal(parse_buf(&buf, &err), E_LIMIT);
    assert_non_null(strstr(err.message, "1 MiB"));

    buf_init(&buf);
    buf_text(&buf, HEAD "texts: [");
    for (int i = 0; i < CONF_TEXT_MAX + 1; i++)
        buf_char(&buf, 'x');
    buf_text(&buf, "]\n");
    assert_int_equal(parse_buf(&buf, &err), E_INPUT);
    assert_non_null(strstr(err.message, "too long"));
}

static void a_file_that_cannot_be_read_is_one_clear_line(void **state)
{
    (void)state;
    struct error err;
    struct conf *conf = NULL;
    assert_int_equal(conf_load(&schema_zoo, "/nonexistent/f.yaml", &conf, &err), E_FILE);
    assert_string_equal(err.message, "/nonexistent/f.yaml: cannot be opened: No such file or directory");
    assert_int_equal(conf_load(&schema_zoo, "/dev/null", &conf, &err), E_FILE);
    assert_non_null(strstr(err.message, "not an ordinary file"));
    assert_int_equal(conf_load(&schema_zoo, "/", &conf, &err), E_FILE);
    assert_null(conf);
    assert_null(conf_kind_of("/nonexistent/f.yaml", &err));
    assert_int_equal(err.code, E_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_found_at_its_place),
        cmocka_unit_test(all_mistakes_are_reported_in_order_of_lines),
        cmocka_unit_test(a_clean_file_has_no_findings),
        cmocka_unit_test(limits_are_kept_and_named),
        cmocka_unit_test(a_file_that_cannot_be_read_is_one_clear_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
