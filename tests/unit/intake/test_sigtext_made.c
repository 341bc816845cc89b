/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts put together from parts whose meaning is known: every combination of amount, route, frequency, need,
 * length and order is read as exactly what its parts say. And the same text with one of its words twice, or
 * with two words swapped, is refused or means the same: never another dose or another number of times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/intake/sigtext_support.h"

struct part {
    const char *text, *means;
};

static const struct part amounts[] = {
    {"1 tab", "1 tablet"},
    {"take two tablets", "2 tablet"},
    {"1/2 tab", "0.5 tablet"},
    {"one and a half tablets", "1.5 tablet"},
    {"2 (two) capsules", "2 capsule"},
    {"1-2 tabs", "1 to 2 tablet"},
    {"up to 3 tablets", "up to 3 tablet"},
    {"take 250 mg", "250 mg"},
    {"7.5 ml", "7.5 mL"},
    {"1", "1 (unit not stated)"},
};
static const struct part routes[] = {{"", ""}, {" by mouth", "; Oral"}, {" po", "; Oral"}};
static const struct part frequencies[] = {
    {" bid", ", twice a day"},
    {" daily", ", once a day"},
    {" q.i.d.", ", 4 times a day"},
    {" every 8 hours", ", once every 8 hours"},
    {" q4-6h", ", once every 4 to 6 hours"},
    {" every other day", ", once every 2 days"},
    {" twice weekly", ", twice a week"},
    {" at bedtime", ", once a day, at bedtime"},
    {" in the morning and in the evening", ", twice a day, in the morning and in the evening"},
    {" tid with meals", ", 3 times a day, with a meal"},
    {" at 8am and 20:00", ", twice a day, at 08:00 and 20:00"},
    {" every Monday and Friday", ", twice a week on Monday, Friday"},
    {" 30 minutes before breakfast", ", once a day, 30 min before breakfast"},
    {" up to twice daily", ", up to 2 times a day"},
};
static const struct part needs[] = {
    {"", ""}, {" prn", ", only as needed"}, {" as needed for back pain", ", only as needed for back pain"}};
static const struct part lengths[] = {{"", ""},
                                      {" for 10 days", ", for 10 days"},
                                      {" x 2 wks", ", for 2 weeks"},
                                      {" for up to 5 days", ", for at most 5 days"}};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

struct choice {
    size_t amount, route, frequency, need, length;
};

static void compose(const struct choice *at, bool needs_last, char *text, char *means, size_t size)
{
    const char *need = needs[at->need].text, *length = lengths[at->length].text;
    (void)snprintf(text, size, "%s%s%s%s%s", amounts[at->amount].text, routes[at->route].text,
                   frequencies[at->frequency].text, needs_last ? length : need, needs_last ? need : length);
    (void)snprintf(means, size, "%s%s%s%s%s", amounts[at->amount].means, frequencies[at->frequency].means,
                   needs[at->need].means, lengths[at->length].means, routes[at->route].means);
}

static int for_each(void (*check)(const char *text, const char *means))
{
    struct choice at;
    char text[256], means[256];
    int count = 0;
    for (at.amount = 0; at.amount < COUNT(amounts); at.amount++)
        for (at.route = 0; at.route < COUNT(routes); at.route++)
            for (at.frequency = 0; at.frequency < COUNT(frequencies); at.frequency++)
                for (at.need = 0; at.need < COUNT(needs); at.need++)
                    for (at.length = 0; at.length < COUNT(lengths); at.length++) {
                        compose(&at, count % 2 != 0, text, means, sizeof text);
                        check(text, means);
                        count++;
                    }
    return count;
}

static int doubtful;

static void check_meaning(const char *text, const char *means)
{
    struct sigtext sig;
    sig_read(SIGTEXT_ENGLISH, text, &sig);
    if (sig.refusal == SIGTEXT_DOUBTFUL && strncmp(text, "1 30 minutes", 12) == 0) {
        doubtful++; /* two numbers side by side */
        return;
    }
    if (sig.refusal != SIGTEXT_NONE)
        fail_msg("\"%s\" is refused: %s", text, sig.reason);
    char *said = sig_describe(&sig);
    if (strcmp(said, means) != 0)
        fail_msg("\"%s\"\n  is read as \"%s\"\n  instead of \"%s\"", text, said, means);
    free(said);
}

static void every_combination_means_what_its_parts_say(void **state)
{
    (void)state;
    doubtful = 0;
    int count = for_each(check_meaning);
    print_message("combinations: %d, %d doubtful by rule\n", count, doubtful);
    assert_int_equal(count, 10 * 3 * 14 * 3 * 4);
    assert_int_equal(doubtful, 3 * 4);
}

static int turned;

/* Amount and times, without what a person sees to be added or missing. */
static bool same_dose(const struct sigtext_dosage *a, const struct sigtext_dosage *b)
{
    return a->has_amount == b->has_amount && a->amount.low == b->amount.low &&
           a->amount.high == b->amount.high && a->times.low == b->times.low &&
           a->times.high == b->times.high && a->period.low == b->period.low &&
           a->period.high == b->period.high && a->period_unit == b->period_unit &&
           a->weekdays == b->weekdays && a->once == b->once && a->length.high == b->length.high;
}

static void check_changed(const char *text, const char *changed)
{
    struct sigtext before, after;
    sig_read(SIGTEXT_ENGLISH, text, &before);
    sig_read(SIGTEXT_ENGLISH, changed, &after);
    turned++;
    if (after.refusal != SIGTEXT_NONE || before.refusal != SIGTEXT_NONE)
        return;
    if (after.dosage_count != before.dosage_count || !same_dose(&before.dosages[0], &after.dosages[0]))
        fail_msg("\"%s\" and \"%s\" are read as different doses", text, changed);
}

static void check_changes(const char *text, const char *means)
{
    static int turn;
    const char *words[40];
    int lengths_of[40], count = 0;
    (void)means;
    if (turn++ % 7 != 0)
        return;
    for (const char *at = text; *at != '\0' && count < 40; at += *at == ' ') {
        words[count] = at;
        lengths_of[count] = (int)strcspn(at, " ");
        at += lengths_of[count++];
    }
    for (int i = 0; i < count; i++) {
        char changed[300];
        int head = (int)(words[i] - text);
        (void)snprintf(changed, sizeof changed, "%.*s%.*s %s", head, text, lengths_of[i], words[i], words[i]);
        check_changed(text, changed); /* twice */
        if (i + 1 == count)
            break;
        (void)snprintf(changed, sizeof changed, "%.*s%.*s %.*s%s", head, text, lengths_of[i + 1],
                       words[i + 1], lengths_of[i], words[i], words[i + 1] + lengths_of[i + 1]);
        check_changed(text, changed); /* swapped */
    }
}

static void doubled_and_swapped_words_never_make_another_dose(void **state)
{
    (void)state;
    turned = 0;
    (void)for_each(check_changes);
    print_message("changed texts: %d\n", turned);
    assert_true(turned > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_means_what_its_parts_say),
        cmocka_unit_test(doubled_and_swapped_words_never_make_another_dose),
    };
    return cmocka_run_group_tests(tests, sig_setup, sig_teardown);
}
