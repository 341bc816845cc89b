/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/stock/formulary.h"
#include "controller/stock/product.h"
#include "controller/store/store.h"
#include "tests/support/scratch.h"

#define HEADER "code,name,ingredient,strength,form,release,rxcui,ndc,packable,halves,look,note\n"

static const int64_t now_ms = 1795219200000;

struct fixture {
    struct scratch scratch;
    struct store *store;
    struct error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char path[SCRATCH_PATH_BYTES];
    assert_non_null(f);
    scratch_init(&f->scratch);
    (void)scratch_path(&f->scratch, "sachet.db", path);
    assert_int_equal(seal_init(&f->err), 0);
    assert_int_equal(store_create(path, &f->err), 0);
    f->store = store_open(path, false, &f->err);
    assert_non_null(f->store);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    scratch_finish(&f->scratch);
    free(f);
    return 0;
}

static int64_t count_or_fail(struct fixture *f, const char *sql)
{
    int64_t count = -1;
    if (store_get_int(f->store, &count, &f->err, sql, ""))
        fail_msg("%s", f->err.message);
    return count;
}

static int import(struct fixture *f, const char *text, struct formulary_result *result)
{
    char path[SCRATCH_PATH_BYTES];
    (void)scratch_write(&f->scratch, "f.csv", text, path);
    *result = (struct formulary_result){0};
    return formulary_import(f->store, path, "chief", now_ms, result, &f->err);
}

static void put_or_fail(struct fixture *f, struct product *product, enum product_put *ret_put)
{
    if (store_write_begin(f->store, &f->err) || product_put(f->store, product, now_ms, ret_put, &f->err) ||
        store_write_commit(f->store, &f->err))
        fail_msg("%s", f->err.message);
}

static void the_sample_imports_once_and_again_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct formulary_result result;
    if (formulary_import(f->store, SAMPLE_FORMULARY, "chief", now_ms, &result, &f->err))
        fail_msg("%s", f->err.message);
    int rows = result.rows;
    assert_true(rows > 100);
    assert_int_equal(result.added, rows);
    assert_int_equal(formulary_import(f->store, SAMPLE_FORMULARY, "chief", now_ms + 1, &result, &f->err), 0);
    assert_int_equal(result.same, rows);
    assert_int_equal(result.added + result.changed + result.not_named, 0);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM product WHERE changed_ms <> 1795219200000"), 0);
    assert_int_equal(count_or_fail(f, "SELECT count(*) FROM audit WHERE action = 'formulary.import'"), 1);
}

static void products_are_found_by_code_rxcui_and_ndc(void **state)
{
    struct fixture *f = *state;
    struct formulary_result result;
    struct product product;
    int matches = 0;
    assert_int_equal(import(f,
                            HEADER
                            "B-5,Drug B 5 mg tablet,b,5 mg,tablet,IR,111 222,0555-0033-02,yes,yes,white,\r\n"
                            "A-5,Drug B 5 mg tablet of another maker,b,5 mg,film-coated tablet,IR,111,"
                            "55555003303,pharmacist,no,\"blue, oval\",\"say \"\"swallow\"\"\"\n",
                            &result),
                     0);
    assert_int_equal(product_get(f->store, "A-5", &product, &f->err), 0);
    assert_string_equal(product.look, "blue, oval");
    assert_string_equal(product.note, "say \"swallow\"");
    assert_int_equal(product.packable, PRODUCT_PACKABLE_PHARMACIST);
    assert_int_equal(product_find(f->store, PRODUCT_RXCUI, "111", &product, &matches, &f->err), 0);
    assert_string_equal(product.code, "A-5");
    assert_int_equal(matches, 2);
    assert_int_equal(product_find(f->store, PRODUCT_RXCUI, "222", &product, &matches, &f->err), 0);
    assert_string_equal(product.code, "B-5");
    assert_int_equal(matches, 1);
    assert_true(product.halves);
    assert_int_equal(product_find(f->store, PRODUCT_NDC, "0555-0033-02", &product, NULL, &f->err), 0);
    assert_string_equal(product.code, "B-5");
    assert_string_equal(product.ndc, "00555003302");
    assert_int_equal(product_find(f->store, PRODUCT_NDC, "00555003302", &product, NULL, &f->err), 0);
    assert_int_equal(product_find(f->store, PRODUCT_NDC, "0555003302", &product, NULL, &f->err), E_NOT_FOUND);
    assert_int_equal(product_find(f->store, PRODUCT_RXCUI, "11", &product, NULL, &f->err), E_NOT_FOUND);
    assert_int_equal(product_get(f->store, "C-5", &product, &f->err), E_NOT_FOUND);
}

static void a_changed_row_gets_a_new_hash_and_new_identifiers(void **state)
{
    struct fixture *f = *state;
    struct formulary_result result;
    struct product before;
    struct product after;
    assert_int_equal(
        import(f,
               HEADER "A,Drug A,a,5 mg,tablet,IR,111,,yes,no,white,\nB,Drug B,b,5 mg,tablet,IR,,,yes,no,,\n",
               &result),
        0);
    assert_int_equal(product_get(f->store, "A", &before, &f->err), 0);
    assert_int_equal(import(f, HEADER "A,Drug A,a,5 mg,tablet,IR,112,,yes,no,yellow,\n", &result), 0);
    assert_int_equal(result.changed, 1);
    assert_int_equal(result.not_named, 1);
    assert_int_equal(product_get(f->store, "A", &after, &f->err), 0);
    assert_memory_not_equal(after.row_hash, before.row_hash, sizeof after.row_hash);
    assert_int_equal(product_find(f->store, PRODUCT_RXCUI, "111", &after, NULL, &f->err), E_NOT_FOUND);
    assert_int_equal(product_find(f->store, PRODUCT_RXCUI, "112", &after, NULL, &f->err), 0);
}

/* Every field moves the hash, and no two fields can be mistaken for each other. */
static void every_field_is_in_the_hash(void **state)
{
    (void)state;
    static const char *const others[][2] = {
        {"code", "B"},      {"name", "x"},     {"ingredient", "x"}, {"strength", "x"},
        {"form", "x"},      {"release", "ER"}, {"rxcui", "112"},    {"ndc", "00000000000"},
        {"packable", "no"}, {"halves", "yes"}, {"look", "x"},       {"note", "x"},
    };
    struct product product = {.code = "A", .name = "n", .ingredient = "i", .packable = PRODUCT_PACKABLE_YES};
    uint8_t hash[SEAL_HASH_BYTES];
    uint8_t other[SEAL_HASH_BYTES];
    struct error err = {0};
    product_hash(&product, hash);
    for (size_t i = 0; product_columns[i]; i++) {
        struct product changed = product;
        assert_string_equal(others[i][0], product_columns[i]);
        assert_int_equal(product_set(&changed, others[i][0], others[i][1], &err), 0);
        product_hash(&changed, other);
        assert_memory_not_equal(other, hash, sizeof hash);
    }
    product.provisional = true;
    product_hash(&product, other);
    assert_memory_not_equal(other, hash, sizeof hash);
}

static void a_wrong_file_is_refused_whole_with_its_place(void **state)
{
    struct fixture *f = *state;
    static const char good[] = "A,Drug A,a,5 mg,tablet,IR,111,,yes,no,white,\n";
    static const struct {
        const char *header, *rows, *place, *why;
        int code;
    } cases[] = {
        {.header = "", .rows = "", .place = "f.csv", .why = "empty", .code = E_SYNTAX},
        {.header = "code,name\n", .place = "f.csv:1", .why = "ingredient is missing", .code = E_SYNTAX},
        {.header = "name,code,ingredient,strength,form,release,rxcui,ndc,packable,halves,look,note\n",
         .place = "f.csv:1:1",
         .why = "where code must stand",
         .code = E_SYNTAX},
        {.header = "code,name,ingredient,strength,form,release,rxcui,ndc,packable,halves,look,note,price\n",
         .place = "f.csv:1:80",
         .why = "price",
         .code = E_SYNTAX},
        {.rows = "B,Drug B,b,5 mg\n", .place = "f.csv:3", .why = "4 fields where 12", .code = E_SYNTAX},
        {.rows = "B,Drug B,b,5 mg,tablet,IR,,,maybe,no,,\n",
         .place = "f.csv:3:29",
         .why = "yes, no or pharmacist",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,5 mg,tablet,IR,,,yes,1,,\n",
         .place = "f.csv:3:33",
         .why = "yes or no",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,5 mg,tablet,XR,,,yes,no,,\n",
         .place = "f.csv:3:24",
         .why = "IR, ER, DR",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,5 mg,tablet,IR,12x,,yes,no,,\n",
         .place = "f.csv:3:27",
         .why = "RxCUI",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,5 mg,tablet,IR,12  13,,yes,no,,\n",
         .place = "f.csv:3:27",
         .why = "one space",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,5 mg,tablet,IR,,1234567890,yes,no,,\n",
         .place = "f.csv:3:28",
         .why = "NDC",
         .code = E_INPUT},
        {.rows = "B B,Drug B,b,5 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:1",
         .why = "letters",
         .code = E_INPUT},
        {.rows = "B,,b,5 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:3",
         .why = "must not be empty",
         .code = E_INPUT},
        {.rows = "B, Drug B,b,5 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:3",
         .why = "space",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,-5 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:12",
         .why = "less than nothing",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,500 mg+ -5 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:12",
         .why = "less than nothing",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,\xe2\x88\x92"
                 "5 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:12",
         .why = "less than nothing",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,0 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:12",
         .why = "zero",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,5 mg/0.0 mL,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:12",
         .why = "zero",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:25",
         .why = "without strength",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,5 mg,capsule,IR,,,yes,yes,,\n",
         .place = "f.csv:3:34",
         .why = "only a tablet",
         .code = E_INPUT},
        {.rows = "B,\"Drug\nB\",b,5 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:3",
         .why = "printed",
         .code = E_INPUT},
        {.rows = "A,Drug B,b,5 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3",
         .why = "line 2 already",
         .code = E_INPUT},
        {.rows = "B,Drug B,b,5 mg,tablet,IR,111,,yes,no,,\n",
         .place = "f.csv:3",
         .why = "another ingredient",
         .code = E_INPUT},
        {.rows = "B,Drug \"B\",b,5 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:8",
         .why = "quote",
         .code = E_SYNTAX},
        {.rows = "B,Drug B\xff,b,5 mg,tablet,IR,,,yes,no,,\n",
         .place = "f.csv:3:9",
         .why = "UTF-8",
         .code = E_SYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct formulary_result result;
        char text[1000];
        (void)snprintf(text, sizeof text, "%s%s%s", cases[i].header ? cases[i].header : HEADER,
                       cases[i].header ? "" : good, cases[i].rows ? cases[i].rows : "");
        assert_int_equal(import(f, text, &result), cases[i].code);
        if (!strstr(f->err.message, cases[i].place) || !strstr(f->err.message, cases[i].why))
            fail_msg("case %zu: %s", i, f->err.message);
        assert_int_equal(count_or_fail(f, "SELECT count(*) FROM product"), 0);
    }
}

static void files_that_are_none_are_refused(void **state)
{
    struct fixture *f = *state;
    struct formulary_result result;
    char path[SCRATCH_PATH_BYTES];
    (void)scratch_path(&f->scratch, "none.csv", path);
    assert_int_equal(formulary_import(f->store, path, "chief", now_ms, &result, &f->err), E_FILE);
    assert_int_equal(formulary_import(f->store, f->scratch.folder, "chief", now_ms, &result, &f->err),
                     E_FILE);
}

static void ndcs_are_read_in_all_written_forms(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"0002-1433-61", "00002143361"}, {"50242-040-62", "50242004062"},
        {"60575-4112-1", "60575411201"}, {"60575-4112-01", "60575411201"},
        {"00002143361", "00002143361"},  {"0002143361", NULL},
        {"0002-1433-6", NULL},           {"", NULL},
        {"00002-143-361", NULL},         {"0002-1433-6x", NULL},
        {"000021433611", NULL},          {"-----------", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char ndc[PRODUCT_NDC_BYTES] = "";
        assert_int_equal(product_ndc(cases[i][0], ndc), cases[i][1] != NULL);
        assert_string_equal(ndc, cases[i][1] ? cases[i][1] : "");
    }
}

static void a_provisional_product_never_replaces_a_checked_one(void **state)
{
    struct fixture *f = *state;
    enum product_put put = PRODUCT_SAME;
    struct product derived = {.code = "RX111",
                              .name = "drug a 5 MG Oral Tablet",
                              .ingredient = "drug a",
                              .strength = "5 MG",
                              .form = "tablet",
                              .rxcui = "111",
                              .packable = PRODUCT_PACKABLE_YES,
                              .provisional = true};
    struct product checked = derived;
    struct product found;
    put_or_fail(f, &derived, &put);
    assert_int_equal(put, PRODUCT_ADDED);
    put_or_fail(f, &derived, &put);
    assert_int_equal(put, PRODUCT_SAME);
    checked.provisional = false;
    put_or_fail(f, &checked, &put);
    assert_int_equal(put, PRODUCT_CHANGED);
    put_or_fail(f, &derived, &put);
    assert_int_equal(put, PRODUCT_KEPT);
    assert_int_equal(product_find(f->store, PRODUCT_RXCUI, "111", &found, NULL, &f->err), 0);
    assert_false(found.provisional);
    derived = (struct product){
        .code = "0-FIRST", .name = "a", .ingredient = "a", .rxcui = "111", .provisional = true};
    put_or_fail(f, &derived, &put);
    assert_int_equal(product_find(f->store, PRODUCT_RXCUI, "111", &found, NULL, &f->err), 0);
    assert_string_equal(found.code, "RX111");
}

static void strengths_as_they_are_written_are_taken(void **state)
{
    (void)state;
    static const char *const strengths[] = {"5 mg",         "5-325 mg", "875 mg+125 mg", "100 unit/mL",
                                            "0.4 mg",       ".5 mg",    "10,000 unit",   "0.05 %",
                                            "24 HR 100 mg", "",         "B0 5 mg"};
    for (size_t i = 0; i < sizeof strengths / sizeof strengths[0]; i++) {
        struct product product = {0};
        struct error err = {0};
        if (product_set(&product, "strength", strengths[i], &err) < 0)
            fail_msg("%s", err.message);
        assert_string_equal(product.strength, strengths[i]);
    }
}

static void a_product_put_together_wrongly_is_refused(void **state)
{
    struct fixture *f = *state;
    enum product_put put = PRODUCT_SAME;
    struct product product = {.code = "A B", .name = "a", .ingredient = "a"};
    assert_int_equal(store_write_begin(f->store, &f->err), 0);
    assert_int_equal(product_put(f->store, &product, now_ms, &put, &f->err), E_INPUT);
    product = (struct product){.code = "A", .name = "a", .ingredient = "a", .packable = PRODUCT_PACKABLE_YES};
    assert_int_equal(product_put(f->store, &product, now_ms, &put, &f->err), E_INPUT);
    store_write_rollback(f->store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(the_sample_imports_once_and_again_changes_nothing),
        TEST(products_are_found_by_code_rxcui_and_ndc),
        TEST(a_changed_row_gets_a_new_hash_and_new_identifiers),
        TEST(every_field_is_in_the_hash),
        TEST(a_wrong_file_is_refused_whole_with_its_place),
        TEST(files_that_are_none_are_refused),
        TEST(ndcs_are_read_in_all_written_forms),
        TEST(a_provisional_product_never_replaces_a_checked_one),
        cmocka_unit_test(strengths_as_they_are_written_are_taken),
        TEST(a_product_put_together_wrongly_is_refused),
#undef TEST
    };
    return cmocka_run_group_tests_name("formulary", tests, NULL, NULL);
}
