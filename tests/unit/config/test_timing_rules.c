/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of config/defaults/rules/timing.yaml, written down a second time: a slip of the hand in a rule
 * that keeps drugs apart must not go unnoticed. Each line names a product that the rule speaks of (and, for
 * pairs, the partner), so that a match that fits nothing fails, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "config/conf.h"
#include "config/paths.h"
#include "config/rules.h"
#include "tests/support/shared.h"

static struct conf *timing;

static int setup(void **state)
{
    (void)state;
    char path[512];
    struct error err = {0};
    if (paths_data("rules/timing.yaml", path, sizeof path, &err) ||
        conf_load(&conf_timing, path, &timing, &err))
        fail_msg("%s", err.message);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    conf_destroy(timing);
    return 0;
}

static int rule_of(const char *id)
{
    for (int i = 0; i < conf_count(timing, "rules"); i++) {
        if (strcmp(conf_text(timing, "rules[%d].id", i), id) == 0)
            return i;
    }
    fail_msg("there is no rule %s", id);
    return -1;
}

/* Distances: the partner at least `after` minutes later or `before` minutes earlier. */
static void distances_are_those_of_the_sources(void **state)
{
    (void)state;
    static const struct {
        const char *id, *drug, *other;
        int after, before;
        const char *severity;
    } rows[] = {
        {"thyroid-minerals", "levothyroxine sodium", "calcium carbonate", 240, 240, "hard"},
        {"thyroid-minerals", "liothyronine", "sevelamer carbonate", 240, 240, "hard"},
        {"thyroid-lanthanum", "levothyroxine", "lanthanum carbonate", 120, 120, "hard"},
        {"alendronate-first", "alendronate sodium", "amlodipine", 30, 240, "hard"},
        {"risedronate-first", "risedronate", "amlodipine", 30, 240, "hard"},
        {"ibandronate-first", "ibandronate", "amlodipine", 60, 240, "hard"},
        {"semaglutide-first", "semaglutide", "amlodipine", 30, 240, "hard"},
        {"ciprofloxacin-minerals", "ciprofloxacin", "zinc sulfate", 120, 360, "hard"},
        {"ciprofloxacin-minerals", "ciprofloxacin", "didanosine", 120, 360, "hard"},
        {"levofloxacin-minerals", "levofloxacin", "sucralfate", 120, 120, "hard"},
        {"moxifloxacin-minerals", "moxifloxacin", "magnesium oxide", 240, 480, "hard"},
        {"quinolone-lanthanum", "levofloxacin", "lanthanum", 60, 240, "hard"},
        {"tetracyclines-minerals", "doxycycline", "bismuth subsalicylate", 120, 120, "hard"},
        {"tetracyclines-iron", "minocycline", "ferrous sulfate", 120, 180, "hard"},
        {"cefdinir-minerals", "cefdinir", "ferrous sulfate", 120, 120, "hard"},
        {"isoniazid-aluminum", "isoniazid", "aluminum hydroxide", 60, 0, "hard"},
        {"dolutegravir-antacid", "dolutegravir", "magnesium hydroxide", 120, 360, "hard"},
        {"dolutegravir-calcium-iron", "dolutegravir+lamivudine", "calcium carbonate", 120, 360, "hard"},
        {"bictegravir-antacid", "bictegravir+emtricitabine", "aluminum hydroxide", 120, 360, "hard"},
        {"bictegravir-calcium-iron", "bictegravir", "ferrous sulfate", 1440, 1440, "hard"},
        {"rilpivirine-h2-blocker", "rilpivirine", "famotidine", 240, 720, "hard"},
        {"rilpivirine-antacid", "rilpivirine", "calcium carbonate", 240, 120, "hard"},
        {"atazanavir-antacid", "atazanavir", "magnesium hydroxide", 120, 60, "hard"},
        {"atazanavir-h2-blocker", "atazanavir", "famotidine", 120, 600, "hard"},
        {"eltrombopag-minerals", "eltrombopag", "calcium carbonate", 120, 240, "hard"},
        {"bile-resin-others", "cholestyramine", "amlodipine", 240, 60, "hard"},
        {"colesevelam-others", "colesevelam", "olmesartan", 0, 240, "hard"},
        {"patiromer-others", "patiromer", "amlodipine", 180, 180, "hard"},
        {"zirconium-others", "sodium zirconium cyclosilicate", "itraconazole", 120, 120, "hard"},
        {"polystyrene-others", "sodium polystyrene sulfonate", "amlodipine", 180, 180, "hard"},
        {"sevelamer-narrow-index", "digoxin", "sevelamer", 60, 180, "hard"},
        {"mycophenolate-sevelamer", "mycophenolate mofetil", "sevelamer", 120, 180, "hard"},
        {"mycophenolate-antacid-iron", "mycophenolate mofetil", "ferrous sulfate", 120, 120, "hard"},
        {"sirolimus-cyclosporine", "sirolimus", "cyclosporine", 0, 240, "hard"},
        {"levodopa-iron", "carbidopa+levodopa", "ferrous sulfate", 120, 120, "hard"},
        {"phenytoin-antacid", "phenytoin sodium", "calcium carbonate", 120, 120, "hard"},
        {"gabapentin-antacid", "gabapentin", "aluminum hydroxide", 0, 120, "hard"},
        {"sucralfate-antacid", "sucralfate", "calcium carbonate", 30, 30, "hard"},
        {"sucralfate-others", "warfarin", "sucralfate", 120, 120, "hard"},
        {"orlistat-vitamins", "orlistat", "multivitamin", 120, 120, "hard"},
        {"orlistat-cyclosporine", "orlistat", "cyclosporine", 180, 180, "hard"},
        {"rosuvastatin-antacid", "rosuvastatin", "magnesium hydroxide", 120, 0, "hard"},
        {"penicillamine-others", "penicillamine", "amlodipine", 60, 60, "hard"},
        {"penicillamine-iron", "trientine", "ferrous sulfate", 120, 120, "hard"},
        {"iron-calcium", "ferrous sulfate", "calcium carbonate", 120, 120, "soft"},
        {"erlotinib-h2-blocker", "erlotinib", "famotidine", 120, 600, "hard"},
        {"hydroxychloroquine-antacid", "chloroquine", "kaolin", 240, 240, "hard"},
        {"psyllium-others", "psyllium", "amlodipine", 120, 120, "soft"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int rule = rule_of(rows[i].id);
        const struct rules_product drug = {rows[i].drug, "tablet", "IR"},
                                   other = {rows[i].other, "tablet", "IR"};
        if (!rules_match(timing, rule, &drug) || !rules_match_other(timing, rule, &other))
            fail_msg("%s does not speak of %s and %s", rows[i].id, rows[i].drug, rows[i].other);
        if (conf_int(timing, "rules[%d].after", rule) != rows[i].after ||
            conf_int(timing, "rules[%d].before", rule) != rows[i].before)
            fail_msg("%s: not %d and %d minutes", rows[i].id, rows[i].after, rows[i].before);
        assert_string_equal(conf_text(timing, "rules[%d].kind", rule), "sep");
        assert_string_equal(conf_text(timing, "rules[%d].severity", rule), rows[i].severity);
    }
    assert_true(conf_bool(timing, "rules[%d].or_with_food", rule_of("dolutegravir-calcium-iron")));
    assert_true(conf_bool(timing, "rules[%d].or_with_food", rule_of("bictegravir-calcium-iron")));
}

/* Windows: key and value of the first window that carries the figure; NULL where the kind's own defaults do.
 */
static void windows_are_those_of_the_sources(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        struct rules_product product;
        const char *window, *low, *high;
        int low_min, high_min;
        const char *severity;
    } rows[] = {
        {"thyroid-before-breakfast",
         {"levothyroxine", "tablet", "IR"},
         "before_meal",
         "min",
         "max",
         30,
         60,
         "hard"},
        {"alendronate-on-waking",
         {"alendronate", "tablet", "IR"},
         "on_waking",
         "within",
         NULL,
         15,
         0,
         "hard"},
        {"alendronate-before-food",
         {"alendronate", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         30,
         0,
         "hard"},
        {"risedronate-before-food",
         {"risedronate", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         30,
         0,
         "hard"},
        {"risedronate-dr-after-breakfast",
         {"risedronate", "tablet", "DR"},
         "with_food",
         "before",
         "after",
         0,
         30,
         "hard"},
        {"ibandronate-before-food",
         {"ibandronate", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         0,
         "hard"},
        {"semaglutide-before-food",
         {"semaglutide", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         30,
         0,
         "hard"},
        {"doxycycline-upright", {"doxycycline", "capsule", "IR"}, "before_bed", "min", NULL, 60, 0, "hard"},
        {"tetracycline-empty-stomach",
         {"tetracycline", "capsule", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         120,
         "hard"},
        {"antibiotics-with-food", {"nitrofurantoin", "capsule", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"penicillin-empty-stomach",
         {"penicillin V potassium", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         120,
         "soft"},
        {"clavulanate-with-food",
         {"amoxicillin+clavulanate", "tablet", "IR"},
         "with_food",
         "before",
         "after",
         15,
         15,
         "soft"},
        {"tuberculosis-empty-stomach",
         {"rifampin", "capsule", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         120,
         "hard"},
        {"rilpivirine-with-food", {"rilpivirine", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"atazanavir-with-food", {"atazanavir", "capsule", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"efavirenz-bedtime", {"efavirenz", "tablet", "IR"}, "bedtime", NULL, NULL, 0, 0, "hard"},
        {"eltrombopag-empty-stomach",
         {"eltrombopag", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         120,
         "hard"},
        {"bile-resin-with-food", {"colesevelam", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"sevelamer-with-meals", {"calcium acetate", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"mycophenolate-empty-stomach",
         {"mycophenolate", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         120,
         "soft"},
        {"tacrolimus-er-empty-stomach",
         {"tacrolimus", "capsule", "ER"},
         "empty_stomach",
         "before",
         "after",
         60,
         120,
         "hard"},
        {"tacrolimus-er-morning", {"tacrolimus", "capsule", "ER"}, "morning", NULL, NULL, 0, 0, "hard"},
        {"levodopa-empty-stomach",
         {"carbidopa+levodopa", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         30,
         30,
         "soft"},
        {"antiepileptic-with-food", {"carbamazepine", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"methylphenidate-before-meals-2",
         {"methylphenidate", "tablet", "IR"},
         "before_meal",
         "min",
         "max",
         30,
         45,
         "hard"},
        {"methylphenidate-not-late",
         {"methylphenidate", "tablet", "IR"},
         "from_wake",
         "to",
         NULL,
         660,
         0,
         "hard"},
        {"stimulant-morning", {"modafinil", "tablet", "IR"}, "morning", NULL, NULL, 0, 0, "hard"},
        {"bupropion-xl-morning", {"bupropion", "tablet", "ER"}, "morning", NULL, NULL, 0, 0, "hard"},
        {"zolpidem-bedtime", {"eszopiclone", "tablet", "IR"}, "bedtime", "within", NULL, 15, 0, "hard"},
        {"sedating-bedtime", {"mirtazapine", "tablet", "IR"}, "bedtime", NULL, NULL, 0, 0, "soft"},
        {"doxepin-low-dose-no-food",
         {"doxepin", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         0,
         180,
         "hard"},
        {"ssri-morning", {"sertraline", "tablet", "IR"}, "morning", NULL, NULL, 0, 0, "soft"},
        {"antipsychotic-with-meal", {"lurasidone", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"lithium-with-food", {"lithium carbonate", "capsule", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"ppi-before-breakfast",
         {"omeprazole", "capsule", "DR"},
         "before_meal",
         "min",
         "max",
         30,
         60,
         "hard"},
        {"ppi-any-before-breakfast",
         {"pantoprazole", "tablet", "DR"},
         "before_meal",
         "min",
         "max",
         30,
         60,
         "soft"},
        {"sucralfate-empty-stomach",
         {"sucralfate", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         120,
         "hard"},
        {"metoclopramide-before-meals",
         {"metoclopramide", "tablet", "IR"},
         "before_meal",
         "min",
         "max",
         30,
         45,
         "hard"},
        {"taken-during-meals", {"acarbose", "tablet", "IR"}, "with_food", "before", "after", 0, 30, "hard"},
        {"repaglinide-before-meals",
         {"repaglinide", "tablet", "IR"},
         "before_meal",
         "min",
         "max",
         0,
         30,
         "hard"},
        {"nateglinide-before-meals",
         {"nateglinide", "tablet", "IR"},
         "before_meal",
         "min",
         "max",
         1,
         30,
         "hard"},
        {"glipizide-before-breakfast",
         {"glipizide", "tablet", "IR"},
         "before_meal",
         "min",
         "max",
         30,
         45,
         "hard"},
        {"sulfonylurea-breakfast", {"glimepiride", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"metformin-with-meals", {"metformin", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"metformin-er-dinner", {"metformin", "tablet", "ER"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"rivaroxaban-with-food", {"rivaroxaban", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"warfarin-evening", {"warfarin", "tablet", "IR"}, "evening", NULL, NULL, 0, 0, "soft"},
        {"diuretic-not-late", {"furosemide", "tablet", "IR"}, "before_bed", "min", NULL, 360, 0, "hard"},
        {"diuretic-morning", {"furosemide", "tablet", "IR"}, "morning", NULL, NULL, 0, 0, "soft"},
        {"simvastatin-evening", {"simvastatin", "tablet", "IR"}, "evening", NULL, NULL, 0, 0, "hard"},
        {"lovastatin-dinner", {"lovastatin", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"fluvastatin-evening", {"fluvastatin", "capsule", "IR"}, "evening", NULL, NULL, 0, 0, "hard"},
        {"carvedilol-with-food", {"carvedilol", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"metoprolol-with-food",
         {"metoprolol succinate", "tablet", "ER"},
         "with_food",
         NULL,
         NULL,
         0,
         0,
         "soft"},
        {"potassium-with-food",
         {"potassium chloride", "tablet", "ER"},
         "with_food",
         NULL,
         NULL,
         0,
         0,
         "hard"},
        {"gemfibrozil-before-meals",
         {"gemfibrozil", "tablet", "IR"},
         "before_meal",
         "min",
         "max",
         30,
         45,
         "hard"},
        {"corticosteroid-with-food",
         {"methylprednisolone", "tablet", "IR"},
         "with_food",
         NULL,
         NULL,
         0,
         0,
         "hard"},
        {"corticosteroid-morning", {"prednisone", "tablet", "IR"}, "morning", "within", NULL, 120, 0, "soft"},
        {"nsaid-with-food", {"naproxen", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "soft"},
        {"aspirin-with-food", {"aspirin", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "soft"},
        {"penicillamine-empty-stomach",
         {"penicillamine", "capsule", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         120,
         "hard"},
        {"iron-empty-stomach",
         {"ferrous sulfate", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         120,
         "soft"},
        {"calcium-carbonate-with-food",
         {"calcium carbonate", "tablet", "IR"},
         "with_food",
         NULL,
         NULL,
         0,
         0,
         "soft"},
        {"cancer-empty-stomach",
         {"abiraterone", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         120,
         "hard"},
        {"lapatinib-empty-stomach",
         {"lapatinib", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         60,
         "hard"},
        {"capecitabine-after-meals",
         {"capecitabine", "tablet", "IR"},
         "with_food",
         "before",
         "after",
         0,
         30,
         "hard"},
        {"palbociclib-with-food", {"palbociclib", "capsule", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"tamsulosin-after-meal",
         {"tamsulosin", "capsule", "ER"},
         "with_food",
         "before",
         "after",
         0,
         45,
         "hard"},
        {"itraconazole-with-food", {"itraconazole", "capsule", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"posaconazole-dr-with-food",
         {"posaconazole", "tablet", "DR"},
         "with_food",
         NULL,
         NULL,
         0,
         0,
         "hard"},
        {"voriconazole-empty-stomach",
         {"voriconazole", "tablet", "IR"},
         "empty_stomach",
         "before",
         "after",
         60,
         60,
         "hard"},
        {"griseofulvin-with-food", {"griseofulvin", "tablet", "IR"}, "with_food", NULL, NULL, 0, 0, "hard"},
        {"bedtime-preferred", {"desmopressin", "tablet", "IR"}, "bedtime", NULL, NULL, 0, 0, "soft"},
        {"alpha-blocker-first-dose", {"terazosin", "capsule", "IR"}, "bedtime", NULL, NULL, 0, 0, "warn"},
        {"grapefruit", {"felodipine", "tablet", "ER"}, "any", NULL, NULL, 0, 0, "warn"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int rule = rule_of(rows[i].id);
        if (!rules_match(timing, rule, &rows[i].product))
            fail_msg("%s does not speak of %s", rows[i].id, rows[i].product.ingredient);
        assert_string_equal(conf_text(timing, "rules[%d].kind", rule), "window");
        assert_string_equal(conf_text(timing, "rules[%d].windows[0].kind", rule), rows[i].window);
        assert_string_equal(conf_text(timing, "rules[%d].severity", rule), rows[i].severity);
        if ((rows[i].low &&
             conf_int(timing, "rules[%d].windows[0].%s", rule, rows[i].low) != rows[i].low_min) ||
            (rows[i].high &&
             conf_int(timing, "rules[%d].windows[0].%s", rule, rows[i].high) != rows[i].high_min))
            fail_msg("%s: not %d and %d minutes", rows[i].id, rows[i].low_min, rows[i].high_min);
    }
}

enum { NONE = -1 };

static int bound(int rule, const char *name)
{
    int64_t value = conf_int(timing, "rules[%d].%s", rule, name);
    return value == CONF_NONE ? NONE : (int)value;
}

static void gaps_are_those_of_the_sources(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        struct rules_product product;
        int times, least, most, night_least, night_most;
    } rows[] = {
        {"tacrolimus-12h", {"tacrolimus", "capsule", "IR"}, 2, 660, 780, NONE, NONE},
        {"cyclosporine-12h", {"cyclosporine", "capsule", "IR"}, 2, 660, 780, NONE, NONE},
        {"mycophenolate-12h", {"mycophenolate", "tablet", "DR"}, 2, 600, 840, NONE, NONE},
        {"opioid-er-12h", {"morphine", "tablet", "ER"}, 2, 660, 780, NONE, NONE},
        {"morphine-er-8h", {"morphine sulfate", "tablet", "ER"}, 3, 420, 540, 420, 540},
        {"methadone-8h", {"methadone", "tablet", "IR"}, 3, 420, 540, 420, 540},
        {"antiepileptic-12h", {"levetiracetam", "tablet", "IR"}, 2, 600, 840, NONE, NONE},
        {"phenytoin-8h", {"phenytoin", "capsule", "IR"}, 3, 360, 540, 360, 540},
        {"methylphenidate-half-day", {"methylphenidate", "tablet", "IR"}, 2, 180, 360, NONE, NONE},
        {"gabapentin-12h-most", {"gabapentin", "capsule", "IR"}, 3, NONE, 720, NONE, 720},
        {"bupropion-sr-gap", {"bupropion", "tablet", "ER"}, 2, 480, NONE, NONE, NONE},
        {"apixaban-12h", {"dabigatran", "capsule", "IR"}, 2, 600, 840, NONE, NONE},
        {"isosorbide-mononitrate-7h", {"isosorbide mononitrate", "tablet", "IR"}, 2, 420, 420, NONE, NONE},
        {"isosorbide-dinitrate-free-night",
         {"isosorbide dinitrate", "tablet", "IR"},
         NONE,
         NONE,
         NONE,
         840,
         NONE},
        {"capecitabine-12h", {"capecitabine", "tablet", "IR"}, 2, 600, 840, NONE, NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int rule = rule_of(rows[i].id);
        if (!rules_match(timing, rule, &rows[i].product))
            fail_msg("%s does not speak of %s", rows[i].id, rows[i].product.ingredient);
        assert_string_equal(conf_text(timing, "rules[%d].severity", rule), "hard");
        if (bound(rule, "match.times") != rows[i].times || bound(rule, "gap_min") != rows[i].least ||
            bound(rule, "gap_max") != rows[i].most || bound(rule, "overnight_min") != rows[i].night_least ||
            bound(rule, "overnight_max") != rows[i].night_most)
            fail_msg("%s: other figures", rows[i].id);
    }
    assert_true(conf_bool(timing, "rules[%d].uneven", rule_of("isosorbide-mononitrate-7h")));
    assert_true(conf_bool(timing, "rules[%d].uneven", rule_of("isosorbide-dinitrate-free-night")));
    assert_int_equal(conf_int(timing, "rules[%d].every_days", rule_of("methotrexate-weekly")), 7);
    static const char *const fixed[] = {"levodopa-fixed", "pyridostigmine-fixed", "contraceptive-fixed"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        assert_int_equal(conf_int(timing, "rules[%d].within", rule_of(fixed[i])), 15);
    static const char *const avoid[] = {"raltegravir-antacid", "rilpivirine-ppi"};
    for (size_t i = 0; i < sizeof avoid / sizeof *avoid; i++)
        assert_string_equal(conf_text(timing, "rules[%d].kind", rule_of(avoid[i])), "avoid");
    static const char *const same[] = {"tacrolimus-same-food", "cyclosporine-same-food"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_string_equal(conf_text(timing, "rules[%d].kind", rule_of(same[i])), "same-state");
}

/* Form and release decide: the same ingredient is taken the opposite way. */
static void form_and_release_keep_opposites_apart(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        struct rules_product not_this;
    } rows[] = {
        {"risedronate-on-waking", {"risedronate", "tablet", "DR"}},
        {"risedronate-before-food", {"risedronate", "tablet", "DR"}},
        {"risedronate-dr-after-breakfast", {"risedronate", "tablet", "IR"}},
        {"tacrolimus-12h", {"tacrolimus", "capsule", "ER"}},
        {"tacrolimus-er-empty-stomach", {"tacrolimus", "capsule", "IR"}},
        {"itraconazole-with-food", {"itraconazole", "oral solution", "IR"}},
        {"semaglutide-first", {"semaglutide", "injection", "IR"}},
        {"doxepin-low-dose-bedtime", {"doxepin", "capsule", "IR"}},
        {"ppi-before-breakfast", {"dexlansoprazole", "capsule", "DR"}},
        {"iron-empty-stomach", {"ferric citrate", "tablet", "IR"}},
        {"thyroid-minerals", {"cholecalciferol", "tablet", "IR"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rules_match(timing, rule_of(rows[i].id), &rows[i].not_this))
            fail_msg("%s speaks of %s %s", rows[i].id, rows[i].not_this.ingredient, rows[i].not_this.release);
    }
}

static void what_nearly_matches_says_why_not(void **state)
{
    (void)state;
    int waking = rule_of("risedronate-on-waking"), tablet = rule_of("semaglutide-first");
    const struct rules_product dr = {"risedronate", "tablet", "DR"},
                               injected = {"semaglutide", "injection", "ER"};
    const struct rules_product other = {"amlodipine", "tablet", "IR"};
    assert_int_equal(rules_difference(timing, waking, false, &dr), RULES_RELEASE);
    assert_int_equal(rules_difference(timing, waking, false, &other), RULES_DRUG);
    assert_int_equal(rules_difference(timing, tablet, false, &injected), RULES_FORM);
    assert_int_equal(rules_difference(timing, tablet, true, &injected), 0);    /* any */
    assert_int_equal(rules_difference(timing, waking, true, &dr), RULES_DRUG); /* it has no partner */
    assert_int_equal(rules_difference(timing, rule_of("thyroid-minerals"), true, &other), RULES_DRUG);
}

static void every_rule_says_where_it_comes_from_and_what_to_tell_the_patient(void **state)
{
    (void)state;
    int count = conf_count(timing, "rules");
    assert_true(count >= 150);
    for (int i = 0; i < count; i++) {
        const char *id = conf_text(timing, "rules[%d].id", i);
        const char *text = conf_text(timing, "rules[%d].text", i);
        const char *checked = conf_text(timing, "rules[%d].state", i);
        if (strlen(conf_text(timing, "rules[%d].cite", i)) < 10)
            fail_msg("%s has no citation", id);
        if (strcmp(checked, "to-check") != 0 && strcmp(checked, "checked") != 0)
            fail_msg("%s has no state", id);
        if (strlen(text) < 10 || text[strlen(text) - 1] != '.')
            fail_msg("%s: its text for the patient is no sentence", id);
    }
}

/* The word stands in the text, not as a part of a longer one. */
static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = text; (at = strcasestr(at, word)); at++) {
        if ((at == text || !isalpha((unsigned char)at[-1])) && !isalpha((unsigned char)at[len]))
            return true;
    }
    return false;
}

/* Some rule's own drug stands in the text: by ingredient, or as a member of its class. */
static bool some_rule_names(const char *text)
{
    for (int r = 0; r < conf_count(timing, "rules"); r++) {
        for (int i = 0; i < conf_count(timing, "rules[%d].match.ingredients", r); i++) {
            if (has_word(text, conf_text(timing, "rules[%d].match.ingredients[%d]", r, i)))
                return true;
        }
        for (int k = 0; k < conf_count(timing, "rules[%d].match.classes", r); k++) {
            for (int c = 0; c < conf_count(timing, "classes"); c++) {
                if (strcmp(conf_text(timing, "classes[%d].name", c),
                           conf_text(timing, "rules[%d].match.classes[%d]", r, k)) != 0)
                    continue;
                for (int i = 0; i < conf_count(timing, "classes[%d].ingredients", c); i++) {
                    if (has_word(text, conf_text(timing, "classes[%d].ingredients[%d]", c, i)))
                        return true;
                }
            }
        }
    }
    return false;
}

/* The rows "| 17 | cefuroxime axetil, ... | with food | H | ..." of the collection that the rules come from.
 */
static void most_of_the_collected_rules_are_here(void **state)
{
    (void)state;
    int rows = 0, covered = 0, next = 1;
    size_t len = 0;
    char *text = shared_read("reference/timing-rules.md", &len);
    if (!text)
        skip();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *end, *cell = line[0] == '|' ? strchr(line + 1, '|') : NULL;
        if (!cell || strtol(line + 1, &end, 10) != next)
            continue;
        next++;
        rows++;
        end = strchr(cell + 1, '|');
        assert_non_null(end);
        *end = '\0';
        bool found = some_rule_names(cell + 1);
        covered += found;
        if (!found)
            print_message("no rule for row %d:%s\n", rows, cell + 1);
    }
    free(text);
    print_message("%d of %d rows\n", covered, rows);
    assert_int_equal(rows, 92);
    assert_true(covered >= 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_are_those_of_the_sources),
        cmocka_unit_test(windows_are_those_of_the_sources),
        cmocka_unit_test(gaps_are_those_of_the_sources),
        cmocka_unit_test(form_and_release_keep_opposites_apart),
        cmocka_unit_test(what_nearly_matches_says_why_not),
        cmocka_unit_test(most_of_the_collected_rules_are_here),
        cmocka_unit_test(every_rule_says_where_it_comes_from_and_what_to_tell_the_patient),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
