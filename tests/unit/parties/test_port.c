/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/error.h"
#include "controller/parties/port.h"
#include "tests/support/scratch.h"

struct fixture {
    struct scratch scratch;
    char outbox[SCRATCH_PATH_BYTES], inbox[SCRATCH_PATH_BYTES];
    struct port *port;
    struct error err;
};

static void reopen(struct fixture *f)
{
    port_destroy(f->port);
    f->port = port_folder_create(f->outbox, f->inbox, &f->err);
    assert_non_null(f->port);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    scratch_init(&f->scratch);
    (void)scratch_path(&f->scratch, "deep/out", f->outbox);
    (void)scratch_path(&f->scratch, "deep/in", f->inbox);
    reopen(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    port_destroy(f->port);
    scratch_finish(&f->scratch);
    free(f);
    return 0;
}

static void put(struct fixture *f, const char *name, const char *text)
{
    char path[SCRATCH_PATH_BYTES], relative[SCRATCH_PATH_BYTES];
    (void)snprintf(relative, sizeof relative, "deep/in/%s", name);
    (void)scratch_write(&f->scratch, relative, text, path);
}

/* The content of a file below the scratch folder, "" when it is not there. */
static const char *content(struct fixture *f, const char *relative, char *ret, size_t size)
{
    char path[SCRATCH_PATH_BYTES];
    FILE *file = fopen(scratch_path(&f->scratch, relative, path), "r");
    ret[0] = '\0';
    if (file) {
        size_t n = fread(ret, 1, size - 1, file);
        ret[n] = '\0';
        assert_int_equal(fclose(file), 0);
    }
    return ret;
}

static void a_message_is_written_whole_and_again(void **state)
{
    struct fixture *f = *state;
    char text[100];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(f->port->write(f->port, "payer/a-1.json", "{}\n", 3, &f->err), 0);
        assert_string_equal(content(f, "deep/out/payer/a-1.json", text, sizeof text), "{}\n");
    }
    assert_string_equal(content(f, "deep/out/payer/.a-1.json.new", text, sizeof text), "");
    /* What a power cut left beside it does no harm. */
    char path[SCRATCH_PATH_BYTES];
    (void)scratch_write(&f->scratch, "deep/out/payer/.a-1.json.new", "half a mess", path);
    assert_int_equal(f->port->write(f->port, "payer/a-1.json", "{}\n", 3, &f->err), 0);
    assert_string_equal(content(f, "deep/out/payer/a-1.json", text, sizeof text), "{}\n");
}

static void only_whole_json_files_are_read_in_order(void **state)
{
    struct fixture *f = *state;
    struct port_item item;
    char path[SCRATCH_PATH_BYTES];
    put(f, "b.json", "2");
    put(f, "a.json", "1");
    put(f, ".c.json", "half");
    put(f, "d.txt", "no");
    put(f, "e.json.tmp", "no");
    assert_int_equal(mkdir(scratch_path(&f->scratch, "deep/in/f.json", path), 0700), 0);
    assert_int_equal(symlink("/etc/passwd", scratch_path(&f->scratch, "deep/in/g.json", path)), 0);
    assert_int_equal(mkfifo(scratch_path(&f->scratch, "deep/in/h.json", path), 0600), 0);
    assert_int_equal(f->port->next(f->port, &item, &f->err), 1);
    assert_string_equal(item.name, "a.json");
    assert_memory_equal(item.bytes, "1", 2);
    assert_int_equal(f->port->next(f->port, &item, &f->err), 1);
    assert_string_equal(item.name, "b.json");
    /* What is no file is never opened, and put aside like any other trouble. */
    for (const char *name = "fgh"; *name; name++) {
        assert_int_equal(f->port->next(f->port, &item, &f->err), 1);
        assert_int_equal(item.name[0], *name);
        assert_null(item.bytes);
        assert_non_null(item.trouble);
        assert_int_equal(f->port->settle(f->port, &item, PORT_REFUSED, "why\n", &f->err), 0);
    }
    assert_int_equal(f->port->next(f->port, &item, &f->err), 0);
    reopen(f);
    for (int left = 2; left > 0; left--)
        assert_int_equal(f->port->next(f->port, &item, &f->err), 1);
    assert_int_equal(f->port->next(f->port, &item, &f->err), 0);
}

static void what_is_settled_is_kept_and_never_replaces_another(void **state)
{
    struct fixture *f = *state;
    struct port_item item;
    char text[100];
    for (int i = 0; i < 3; i++) {
        put(f, "a.json", i == 0 ? "first" : i == 1 ? "second" : "third");
        reopen(f);
        assert_int_equal(f->port->next(f->port, &item, &f->err), 1);
        assert_int_equal(
            f->port->settle(f->port, &item, i == 2 ? PORT_REFUSED : PORT_DONE, "why not\n", &f->err), 0);
    }
    assert_string_equal(content(f, "deep/in/done/a.json", text, sizeof text), "first");
    assert_string_equal(content(f, "deep/in/done/a.2.json", text, sizeof text), "second");
    assert_string_equal(content(f, "deep/in/refused/a.json", text, sizeof text), "third");
    assert_string_equal(content(f, "deep/in/refused/a.json.reason.txt", text, sizeof text), "why not\n");
    assert_string_equal(content(f, "deep/in/a.json", text, sizeof text), "");
}

static void a_file_over_the_limit_comes_with_its_trouble(void **state)
{
    struct fixture *f = *state;
    struct port_item item;
    char path[SCRATCH_PATH_BYTES];
    put(f, "big.json", "{");
    assert_int_equal(truncate(scratch_path(&f->scratch, "deep/in/big.json", path), PORT_ITEM_BYTES_MAX + 1),
                     0);
    assert_int_equal(f->port->next(f->port, &item, &f->err), 1);
    assert_null(item.bytes);
    assert_non_null(strstr(item.trouble, "1048576"));
}

static void a_folder_that_cannot_be_is_named(void **state)
{
    struct fixture *f = *state;
    char path[SCRATCH_PATH_BYTES], below[SCRATCH_PATH_BYTES + 8];
    (void)scratch_write(&f->scratch, "file", "x", path);
    (void)snprintf(below, sizeof below, "%s/out", path);
    assert_null(port_folder_create(below, f->inbox, &f->err));
    assert_int_equal(f->err.code, E_FILE);
    assert_non_null(strstr(f->err.message, "/file/out"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_written_whole_and_again, setup, teardown),
        cmocka_unit_test_setup_teardown(only_whole_json_files_are_read_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_settled_is_kept_and_never_replaces_another, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_over_the_limit_comes_with_its_trouble, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_is_named, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
