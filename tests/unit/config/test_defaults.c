/* SPDX-License-Identifier: Apache-2.0 */
/* The files in config/defaults are right, and the cross checks of each format find what one row cannot. */
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
#include "config/base/profile.h"
#include "config/conf.h"
#include "config/machine.h"
#include "config/paths.h"
#include "config/rules.h"
#include "tests/support/scratch.h"

static struct conf *load_or_fail(const struct conf_schema *schema, const char *name)
{
    char path[512];
    struct error err = {0};
    struct conf *conf = NULL;
    if (paths_data(name, path, sizeof path, &err) || conf_load(schema, path, &conf, &err))
        fail_msg("%s", err.message);
    return conf;
}

static void the_site_file_is_what_the_table_writes(void **state)
{
    (void)state;
    struct conf *conf = load_or_fail(&conf_site, "site.yaml");
    struct buf text;
    size_t len;
    buf_init(&text);
    conf_write_commented(&conf_site, &text);
    const void *bytes = conf_bytes(conf, &len);
    assert_int_equal(len, text.len);
    assert_memory_equal(bytes, text.data, len);
    buf_finish(&text);
    assert_int_equal(conf_int(conf, "cycle.days"), 14);
    assert_int_equal(conf_int(conf, "intake.max_order_age_days"), 366);
    assert_int_equal(conf_int(conf, "day.start"), 240);
    assert_int_equal(conf_count(conf, "machines"), 1);
    assert_non_null(strstr(conf_text(conf, "machines[0].profile"), "/machines/sachet-packer-1.yaml"));
    assert_string_equal(conf_text(conf, "machines[0].transport"), "tcp");
    conf_destroy(conf);
}

static void the_profile_is_the_map_of_the_contract(void **state)
{
    (void)state;
    char path[512];
    struct error err = {0};
    struct profile profile;
    if (paths_data("machines/sachet-packer-1.yaml", path, sizeof path, &err) ||
        profile_load(path, &profile, &err))
        fail_msg("%s", err.message);
    assert_int_equal(profile_address(&profile, PROFILE_IDENTITY_MAGIC, 0), 0);
    assert_int_equal(profile_address(&profile, PROFILE_STATUS_NONCE, 0), 16);
    assert_int_equal(profile_address(&profile, PROFILE_STATUS_CRC, 0), 63);
    assert_int_equal(profile_address(&profile, PROFILE_CONTROL_NONCE, 0), 64);
    assert_int_equal(profile_address(&profile, PROFILE_CONTROL_CRC, 0), 79);
    assert_int_equal(profile_address(&profile, PROFILE_MAILBOX_SEQ, 0), 128);
    assert_int_equal(profile_address(&profile, PROFILE_MAILBOX_COMMIT, 0), 239);
    assert_int_equal(profile_address(&profile, PROFILE_RESULT_SEQ, 3), 512 + 3 * 64);
    assert_int_equal(profile_address(&profile, PROFILE_BAY_CANISTER, 1), 2048 + 8);
    assert_int_equal(profile.points[PROFILE_STATUS_BOOT].length, 2);
    assert_int_equal(profile.points[PROFILE_RESULT_ENTRIES].length, 48);
    assert_int_equal(profile.points[PROFILE_STATUS_SEAL_ACTUAL].scale_milli, PROFILE_SCALE_ONE);
    assert_false(profile.low_word_first);
    assert_int_equal(profile.queue_depth, 8);
    assert_int_equal(profile.ring_size, 8);
}

static void timing_covers_every_pattern_and_hour(void **state)
{
    (void)state;
    struct conf *conf = load_or_fail(&conf_timing, "rules/timing.yaml");
    for (int n = 1; n <= 6; n++)
        assert_true(rules_per_day(conf, n) >= 0);
    static const int hours[] = {4, 6, 8, 12, 24};
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++)
        assert_true(rules_interval(conf, hours[i]) >= 0);
    static const char *const codes[] = {"MORN", "NOON", "AFT", "EVE", "NIGHT", "HS",  "WAKE",
                                        "C",    "CM",   "CD",  "CV",  "AC",    "ACM", "ACD",
                                        "ACV",  "PC",   "PCM", "PCD", "PCV"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        assert_true(rules_when(conf, codes[i]) >= 0);
    assert_int_equal(rules_when(conf, "XX"), -1);
    for (int minute = 0; minute < 1440; minute++)
        assert_true(rules_slot(conf, minute) >= 0);
    assert_string_equal(conf_text(conf, "slots[%d].name", rules_slot(conf, 0)), "NIGHT");
    assert_string_equal(conf_text(conf, "slots[%d].name", rules_slot(conf, 8 * 60)), "MORNING");
    assert_string_equal(conf_text(conf, "slots[%d].name", rules_slot(conf, 1439)), "BEDTIME");
    assert_true(conf_count(conf, "rules") >= 60);
    conf_destroy(conf);
}

static bool has_rule(const struct conf *conf, const char *id, const struct rules_product *product, bool other)
{
    for (int i = 0; i < conf_count(conf, "rules"); i++) {
        if (strcmp(conf_text(conf, "rules[%d].id", i), id) == 0)
            return other ? rules_match_other(conf, i, product) : rules_match(conf, i, product);
    }
    fail_msg("no rule %s", id);
    return false;
}

static void rules_find_their_drugs_and_only_those(void **state)
{
    (void)state;
    struct conf *conf = load_or_fail(&conf_timing, "rules/timing.yaml");
    const struct rules_product levothyroxine = {.ingredient = "Levothyroxine sodium", .release = "IR"};
    const struct rules_product calcium = {.ingredient = "calcium carbonate+cholecalciferol"};
    const struct rules_product d3 = {.ingredient = "cholecalciferol"};
    const struct rules_product metformin = {.ingredient = "metformin", .release = "IR"};
    const struct rules_product metformin_er = {.ingredient = "metformin", .release = "ER"};
    const struct rules_product unknown = {.ingredient = "metformin"};
    const struct rules_product sinemet = {.ingredient = "carbidopa+levodopa"};
    assert_true(has_rule(conf, "thyroid-before-breakfast", &levothyroxine, false));
    assert_true(has_rule(conf, "thyroid-minerals", &calcium, true));
    assert_false(has_rule(conf, "thyroid-minerals", &d3, true));
    assert_false(has_rule(conf, "thyroid-minerals", &calcium, false));
    assert_true(has_rule(conf, "alendronate-first", &d3, true)); /* any */
    assert_true(has_rule(conf, "metformin-with-meals", &metformin, false));
    assert_false(has_rule(conf, "metformin-with-meals", &metformin_er, false));
    assert_true(has_rule(conf, "metformin-er-dinner", &metformin_er, false));
    assert_false(
        has_rule(conf, "metformin-with-meals", &unknown, false)); /* no release, no rule by release */
    assert_true(has_rule(conf, "levodopa-fixed", &sinemet, false));
    assert_false(
        has_rule(conf, "levodopa-fixed", &(struct rules_product){.ingredient = "levodopamine"}, false));
    assert_false(has_rule(conf, "levodopa-fixed", &(struct rules_product){0}, false));
    conf_destroy(conf);
}

static void packing_gives_the_strictest_policy(void **state)
{
    (void)state;
    struct conf *conf = load_or_fail(&conf_packing, "rules/packing.yaml");
    static const struct {
        struct rules_product product;
        enum rules_policy policy;
    } cases[] = {
        {{"dabigatran etexilate", "capsule", "IR"}, RULES_NEVER},
        {{"methotrexate", "tablet", "IR"}, RULES_NEVER},
        {{"nitroglycerin", "sublingual tablet", "IR"}, RULES_NEVER}, /* its form alone says ORIGINAL */
        {{"mirtazapine", "orally disintegrating tablet", "IR"}, RULES_ORIGINAL},
        {{"acetaminophen+codeine", "effervescent tablet", "IR"}, RULES_ORIGINAL},
        {{"oxycodone+acetaminophen", "tablet", "IR"}, RULES_PHARMACIST},
        {{"divalproex sodium", "tablet", "DR"}, RULES_PHARMACIST},
        {{"warfarin", "tablet", "IR"}, RULES_ALONE},
        {{"amoxicillin+clavulanate", "film-coated tablet", "IR"}, RULES_ALONE},
        {{"lisinopril", "tablet", "IR"}, RULES_NONE},
        {{NULL, NULL, NULL}, RULES_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int index = -2;
        if (rules_packing(conf, &cases[i].product, &index) != cases[i].policy)
            fail_msg("%s: wrong policy", cases[i].product.ingredient);
        assert_true((index < 0) == (cases[i].policy == RULES_NONE));
    }
    assert_true(rules_oral_solid(conf, "Film-coated tablet"));
    assert_false(rules_oral_solid(conf, "effervescent tablet"));
    assert_false(rules_oral_solid(conf, "eye drops"));
    assert_false(rules_oral_solid(conf, ""));
    assert_false(rules_oral_solid(conf, NULL));
    conf_destroy(conf);
}

/* The default file `name` with the first `from` replaced by `to` is refused with a message that holds
 * `says`. */
static void refuse_or_fail(const struct conf_schema *schema, const char *name, const char *from,
                           const char *to, const char *says)
{
    struct conf *good = load_or_fail(schema, name);
    size_t len;
    const char *bytes = conf_bytes(good, &len);
    const char *at = strstr(bytes, from);
    struct buf text;
    struct error err = {0};
    struct conf *conf = NULL;
    assert_non_null(at);
    buf_init(&text);
    buf_add(&text, bytes, (size_t)(at - bytes));
    buf_text(&text, to);
    buf_text(&text, at + strlen(from));
    if (conf_parse(schema, name, text.data, text.len, &conf, &err) == 0)
        fail_msg("%s: '%s' for '%s' was taken", name, to, from);
    if (!strstr(err.message, says))
        fail_msg("'%s' does not say '%s'", err.message, says);
    buf_finish(&text);
    conf_destroy(good);
}

static void cross_checks_find_what_a_row_cannot(void **state)
{
    (void)state;
    static const char site[] = "site.yaml", machine[] = "machines/sachet-packer-1.yaml";
    static const char timing[] = "rules/timing.yaml", packing[] = "rules/packing.yaml";
    refuse_or_fail(&conf_site, site, "wake: \"07:00\"", "wake: \"08:00\"", "`day.breakfast` is not after");
    refuse_or_fail(&conf_site, site, "bed: \"22:00\"", "bed: \"04:30\"", "`day.bed` is not after");
    refuse_or_fail(&conf_site, site, "grid: 15", "grid: 7", "does not divide 1440");
    refuse_or_fail(&conf_site, site, "transport: tcp", "transport: rtu", "`device` is required");
    refuse_or_fail(&conf_site, site, "\"packer-1\"", "\"packer 1\"", "letters, digits");
    refuse_or_fail(&conf_site, site, "\nmachines:", "\nmachines:\n  - name: other",
                   "address of `machines[0]`");
    refuse_or_fail(&conf_site, site, "\nmachines:",
                   "\nmachines:\n  - {name: a, transport: rtu, device: /dev/x}\n"
                   "  - {name: b, transport: rtu, device: /dev/x, unit: 2, baud: 9600}",
                   "`machines[1].baud` is another one than that of `machines[0]`");
    refuse_or_fail(&conf_site, site, "\nmachines:",
                   "\nmachines:\n  - {name: a, transport: rtu, device: /dev/x}\n"
                   "  - {name: b, transport: rtu, device: /dev/x, unit: 2, parity: odd}",
                   "`machines[1].parity` is another one");

    refuse_or_fail(&conf_machine, machine, "  - {name: status.boot, at: 1, type: u32}\n", "",
                   "status.boot is missing");
    refuse_or_fail(&conf_machine, machine, "name: status.boot, at: 1", "name: status.boot, at: 2",
                   "overlaps");
    refuse_or_fail(&conf_machine, machine, "name: status.boot, at: 1", "name: status.boot, at: 47",
                   "ends behind");
    refuse_or_fail(&conf_machine, machine, "name: status.boot,", "name: status.bot,",
                   "no point `status.bot`");
    refuse_or_fail(&conf_machine, machine, "name: status.boot,", "name: status.mode,",
                   "each item needs its own");
    refuse_or_fail(&conf_machine, machine, "address: 64", "address: 63", "control overlaps status");
    refuse_or_fail(&conf_machine, machine, "address: 2048", "address: 65535", "behind register 65535");
    refuse_or_fail(&conf_machine, machine, "length: 64, stride: 64", "length: 64, stride: 32",
                   "records of result overlap");
    refuse_or_fail(&conf_machine, machine, "type: u16, length: 48}", "type: u16, length: 47}",
                   "at least 48 are needed");
    refuse_or_fail(&conf_machine, machine, "ring_size: 8", "ring_size: 7", "below queue_depth");
    refuse_or_fail(&conf_machine, machine, "name: control.nonce, at: 0",
                   "name: control.nonce, table: coil, at: 0", "control.nonce cannot be coils");
    refuse_or_fail(&conf_machine, machine, "name: control.command, at: 4",
                   "name: control.command, table: coil, at: 4", "a length of at most 64 coils is needed");

    refuse_or_fail(&conf_timing, timing, "as_written: [\"08:00\", \"20:00\"]", "as_written: [\"08:00\"]",
                   "allowed: 2");
    refuse_or_fail(&conf_timing, timing, "gap_min: 8 h", "gap_min: 15 h", "is over gap_max");
    refuse_or_fail(&conf_timing, timing, "to: \"10:59\"", "to: \"11:59\"", "must begin one minute later");
    refuse_or_fail(&conf_timing, timing, "hours: 24,", "hours: 5,", "24 is not a multiple of 5");
    refuse_or_fail(&conf_timing, timing, "match: {classes: [thyroid]}", "match: {classes: [tyroid]}",
                   "no class `tyroid`");
    refuse_or_fail(&conf_timing, timing, "match: {classes: [thyroid]}", "match: {releases: [IR]}",
                   "names no drug");
    refuse_or_fail(&conf_timing, timing, "    after: 4 h\n", "", "`after` and `before` is required");
    refuse_or_fail(&conf_timing, timing, "    within: 15 min\n", "", "`within` is required");
    refuse_or_fail(&conf_timing, timing, "    every_days: 7\n", "", "`every_days` is required");

    refuse_or_fail(&conf_packing, packing, "classes: [cytotoxic]", "classes: [toxic]", "no class `toxic`");
    refuse_or_fail(&conf_sig, "sig.yaml", "words: [one], value: 1", "words: [One], value: 1",
                   "small letters");
    refuse_or_fail(&conf_sig, "sig.yaml", "words: [one], value: 1", "words: [one]", "needs `value`");
    refuse_or_fail(&conf_sig, "sig.yaml", "\"<n> x day\"", "\"<m> x day\"", "only <n>");
    refuse_or_fail(&conf_sig, "sig.yaml", "\"[in] od\"", "\"[in od\"", "[ without ]");
    refuse_or_fail(&conf_packing, packing, "      ingredients: [dabigatran]", "      ingredients: []",
                   "would fit every product");
}

static void the_folder_named_in_the_environment_wins(void **state)
{
    (void)state;
    struct scratch scratch;
    char file[SCRATCH_PATH_BYTES];
    char path[512];
    struct error err = {0};
    scratch_init(&scratch);
    scratch_write(&scratch, "site.yaml", "x", file);
    assert_int_equal(setenv("SACHET_DATA_DIR", scratch.folder, 1), 0);
    assert_int_equal(paths_data("site.yaml", path, sizeof path, &err), 0);
    assert_string_equal(path, file);
    assert_int_equal(paths_data("rules/timing.yaml", path, sizeof path, &err), E_NOT_FOUND);
    assert_non_null(strstr(err.message, scratch.folder));
    assert_int_equal(unsetenv("SACHET_DATA_DIR"), 0);
    assert_int_equal(paths_data("rules/timing.yaml", path, sizeof path, &err), 0);
    assert_int_equal(paths_data("rules/timing.yaml", path, 5, &err), E_LIMIT);
    scratch_finish(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_site_file_is_what_the_table_writes),
        cmocka_unit_test(the_profile_is_the_map_of_the_contract),
        cmocka_unit_test(timing_covers_every_pattern_and_hour),
        cmocka_unit_test(rules_find_their_drugs_and_only_those),
        cmocka_unit_test(packing_gives_the_strictest_policy),
        cmocka_unit_test(cross_checks_find_what_a_row_cannot),
        cmocka_unit_test(the_folder_named_in_the_environment_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
