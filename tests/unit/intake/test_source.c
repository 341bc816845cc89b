/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders: NDJSON, plain, gzip, damaged; a broken line or file stops nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "tests/support/scratch.h"
#include "tests/unit/intake/support.h"

#define PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p\"}"
#define ORDER(id)                                                                                            \
    "{\"resourceType\":\"MedicationRequest\",\"id\":\"" id "\",\"status\":\"active\",\"intent\":\"order\","  \
    "\"authoredOn\":\"2026-11-01\",\"subject\":{\"reference\":\"Patient/"                                    \
    "p\"},\"medicationCodeableConcept\":{"                                                                   \
    "\"text\":\"Drug" id " 10 MG Oral Tablet\"},\"dosageInstruction\":[{\"timing\":{\"repeat\":{"            \
    "\"frequency\":1,\"period\":1,\"periodUnit\":\"d\"}},\"doseAndRate\":[{\"doseQuantity\":{\"value\":1}}]" \
    "}]}"

static struct run run;

static void run_path(const char *path)
{
    run_paths(&run, &path, 1, TEST_TODAY, INTAKE_ORDER_AGE_DAYS, false);
}

static void gzip_or_fail(const char *path, const char *text, size_t len)
{
    gzFile gz = gzopen(path, "wb");
    assert_non_null(gz);
    assert_int_equal(gzwrite(gz, text, (unsigned)len), len);
    assert_int_equal(gzclose(gz), Z_OK);
}

static void test_lines_and_their_places(void **state)
{
    struct scratch *scratch = *state;
    char path[SCRATCH_PATH_BYTES], place[SCRATCH_PATH_BYTES + 32];
    (void)scratch_write(scratch, "a.ndjson", PATIENT "\n\n{broken\n" ORDER("1") "\r\n" ORDER("2"), path);
    run_path(path);
    assert_int_equal(run.count, 2);
    assert_int_equal(run.orders[0].outcome, OUTCOME_PACKABLE);
    (void)snprintf(place, sizeof place, "%s:4", path);
    assert_string_equal(run.orders[0].place, place);
    assert_int_equal(run.refused_count, 1);
    (void)snprintf(place, sizeof place, "%s:3:2: ", path);
    assert_int_equal(strncmp(run.refused[0], place, strlen(place)), 0);
    assert_int_equal(run.totals.texts, 4);
    assert_int_equal(run.totals.texts_refused, 1);
    /* The same lines under another name are still lines. */
    (void)scratch_write(scratch, "b.json", "\xef\xbb\xbf" PATIENT "\n" ORDER("1") "\n", path);
    run_path(path);
    assert_int_equal(run.count, 1);
    assert_int_equal(run.refused_count, 0);
}

static void test_plain_files_give_line_and_column(void **state)
{
    struct scratch *scratch = *state;
    char path[SCRATCH_PATH_BYTES], place[SCRATCH_PATH_BYTES + 32];
    (void)scratch_write(scratch, "c.json",
                        "{\n\"resourceType\":\"Bundle\",\n\"entry\":[\n{\"resource\":" PATIENT
                        "},\n{\"resource\":" ORDER("1") "}]}\n",
                        path);
    run_path(path);
    assert_int_equal(run.count, 1);
    assert_int_equal(run.orders[0].outcome, OUTCOME_PACKABLE);
    (void)snprintf(place, sizeof place, "%s#entry[1]", path);
    assert_string_equal(run.orders[0].place, place);
    (void)scratch_write(scratch, "d.json", "{\n\"resourceType\":\"Bundle\",\n\"entry\":[,]}\n", path);
    run_path(path);
    (void)snprintf(place, sizeof place, "%s:3:", path);
    assert_int_equal(strncmp(run.refused[0], place, strlen(place)), 0);
    (void)scratch_write(scratch, "e.json", "", path);
    run_path(path);
    assert_non_null(strstr(run.refused[0], "the file is empty"));
    (void)scratch_write(scratch, "f.json", "{\"resourceType\":\"Observation\"}", path);
    run_path(path);
    assert_non_null(strstr(run.refused[0], "no order, patient, drug or allergy in it"));
}

static void test_gzip_is_unpacked_and_damage_is_told(void **state)
{
    struct scratch *scratch = *state;
    char path[SCRATCH_PATH_BYTES], cut[SCRATCH_PATH_BYTES], packed[4096];
    static const char *const text = PATIENT "\n" ORDER("1") "\n" ORDER("2") "\n";
    (void)scratch_path(scratch, "g.ndjson.gz", path);
    gzip_or_fail(path, text, strlen(text));
    run_path(path);
    assert_int_equal(run.count, 2);
    assert_int_equal(run.refused_count, 0);
    /* A gzip file whose name does not say so. */
    (void)scratch_path(scratch, "h.json", cut);
    assert_int_equal(rename(path, cut), 0);
    run_path(cut);
    assert_int_equal(run.count, 2);
    /* Cut off in the middle. */
    FILE *file = fopen(cut, "rb");
    assert_non_null(file);
    size_t len = fread(packed, 1, sizeof packed, file);
    assert_int_equal(fclose(file), 0);
    (void)scratch_path(scratch, "i.ndjson.gz", cut);
    file = fopen(cut, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(packed, 1, len - 20, file), len - 20);
    assert_int_equal(fclose(file), 0);
    run_path(cut);
    assert_non_null(strstr(run.refused[run.refused_count - 1], "damaged or cut off"));
}

static void test_folders_are_read_in_order(void **state)
{
    struct scratch *scratch = *state;
    char path[SCRATCH_PATH_BYTES], inner[SCRATCH_PATH_BYTES];
    (void)scratch_path(scratch, "folder", path);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)scratch_path(scratch, "folder/a", inner);
    assert_int_equal(mkdir(inner, 0700), 0);
    (void)scratch_write(scratch, "folder/z.json", ORDER("3"), inner);
    (void)scratch_write(scratch, "folder/a/m.json", ORDER("2"), inner);
    (void)scratch_write(scratch, "folder/README.md", "# no FHIR", inner);
    (void)scratch_write(scratch, "folder/b.json", "{not json}", inner);
    (void)scratch_write(scratch, "folder/y.json", PATIENT, inner);
    run_path(path);
    assert_int_equal(run.count, 2);
    assert_string_equal(run.orders[0].source, "2");
    assert_string_equal(run.orders[1].source, "3");
    assert_int_equal(run.orders[0].outcome, OUTCOME_PACKABLE);
    assert_int_equal(run.totals.files_skipped, 1);
    assert_int_equal(run.refused_count, 1);
    const char *again[2] = {path, path};
    run_paths(&run, again, 2, TEST_TODAY, INTAKE_ORDER_AGE_DAYS, false);
    assert_int_equal(run.count, 2);
    assert_int_equal(run.totals.repeated, 2);
}

static void test_a_line_over_the_limit_is_refused_alone(void **state)
{
    struct scratch *scratch = *state;
    char path[SCRATCH_PATH_BYTES];
    (void)scratch_path(scratch, "big.ndjson.gz", path);
    gzFile gz = gzopen(path, "wb1");
    char *chunk = malloc(1024 * 1024);
    assert_non_null(gz);
    assert_non_null(chunk);
    memset(chunk, 'x', 1024 * 1024);
    assert_true(gzputs(gz, PATIENT "\n") > 0);
    for (int i = 0; i < 65; i++)
        assert_int_equal(gzwrite(gz, chunk, 1024 * 1024), 1024 * 1024);
    assert_true(gzputs(gz, "\n" ORDER("1") "\n") > 0);
    assert_int_equal(gzclose(gz), Z_OK);
    free(chunk);
    run_path(path);
    assert_int_equal(run.count, 1);
    assert_int_equal(run.orders[0].outcome, OUTCOME_PACKABLE);
    assert_int_equal(run.refused_count, 1);
    assert_non_null(strstr(run.refused[0], ":2: the line is longer"));
}

static int setup(void **state)
{
    static struct scratch scratch;
    scratch_init(&scratch);
    *state = &scratch;
    return 0;
}

static int teardown(void **state)
{
    scratch_finish(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_and_their_places, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plain_files_give_line_and_column, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gzip_is_unpacked_and_damage_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folders_are_read_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_line_over_the_limit_is_refused_alone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
