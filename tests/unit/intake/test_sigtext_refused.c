/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused, why, and what is left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/intake/sigtext_support.h"

static const struct sig_refusal english[] = {
    {"1 tab in the morning for 3 days and at night", SIGTEXT_CONTRADICTORY, "at night"},
    {"take 1 at 7am 7pm", SIGTEXT_CONTRADICTORY, "7pm"},
    {"take 1 at 7 am 7 pm", SIGTEXT_CONTRADICTORY, "7 pm"},
    {"take 1 at 8am and 2 in the afternoon", SIGTEXT_CONTRADICTORY, "take 1 at 8am and 2 in the afternoon"},
    {"7 am 7 pm", SIGTEXT_CONTRADICTORY, "7 pm"},
    {"1am 2pm", SIGTEXT_CONTRADICTORY, "2pm"},
    {"1 am & 2 pm", SIGTEXT_AMBIGUOUS, "1 am & 2 pm"},
    {"1 tab 2 am", SIGTEXT_DOUBTFUL, "2 am"},
    {"take as needed 1", SIGTEXT_CONTRADICTORY, "1"},
    {"1 tab daily and 2 tabs on Sundays", SIGTEXT_CONTRADICTORY, "1 tab daily and 2 tabs on Sundays"},
    {"1 tab at bedtime for 2 days each week", SIGTEXT_CONTRADICTORY, "each week"},
    {"1 every 12 hours daily", SIGTEXT_CONTRADICTORY, "daily"},
    {"1 tab on Monday and Friday", SIGTEXT_DOUBTFUL, ""},
    {"take 1.000 mg daily", SIGTEXT_DOUBTFUL, "1.000"},
    {"take 2.500 mg daily", SIGTEXT_DOUBTFUL, "2.500"},
    {"1 tab every day on Mondays", SIGTEXT_CONTRADICTORY, "1 tab every day on Mondays"},
    {"1 tab every morning on Mondays", SIGTEXT_CONTRADICTORY, "1 tab every morning on Mondays"},
    {"take and a half tablets on alternate days", SIGTEXT_CONTRADICTORY, "a half tablets"},
    {"take half - a tablet daily", SIGTEXT_DOUBTFUL, "half - a tablet"},
    {"2 5ml spoonfuls daily", SIGTEXT_DOUBTFUL, "2 5ml spoonfuls"},
    {"1 tablet daily - 1 tablet at night", SIGTEXT_CONTRADICTORY, "at night"},
    {"1 tablet at night - 1 tablet in the morning", SIGTEXT_CONTRADICTORY, "in the morning"},
    {"1 tablet - twice a day - One three times daily", SIGTEXT_CONTRADICTORY, "three times daily"},
    {"take 1 3 times a day", SIGTEXT_DOUBTFUL, "3 times a day"},
    {"take 2 two times daily", SIGTEXT_AMBIGUOUS, "take 2 two times daily"},
    {"1, 2 times a day", SIGTEXT_DOUBTFUL, "2 times a day"},
    {"1/2 tablets daily", SIGTEXT_DOUBTFUL, "1/2 tablets"},
    {"1-1/2 tablets daily", SIGTEXT_CONTRADICTORY, "1/2 tablets"},
    {".5 tablet daily", SIGTEXT_DOUBTFUL, ".5"},
    {"2,5 ml daily", SIGTEXT_DOUBTFUL, "2,5"},
    {"take 2 tablets (20 mg) by mouth daily", SIGTEXT_CONTRADICTORY, "20 mg"},
    {"take 2 5 mg tablets daily", SIGTEXT_DOUBTFUL, "2 5 mg tablets"},
    {"1 am", SIGTEXT_AMBIGUOUS, "1 am"},
    {"1 am and 2 pm", SIGTEXT_AMBIGUOUS, "1 am and 2 pm"},
    {"1 tab 8am 8pm", SIGTEXT_CONTRADICTORY, "8pm"},
    {"take 1 tablet three times a day at 8am and 8pm", SIGTEXT_CONTRADICTORY,
     "take 1 tablet three times a day at 8am and 8pm"},
    {"take 1 tablet daily at 8am and 8pm", SIGTEXT_CONTRADICTORY, "take 1 tablet daily at 8am and 8pm"},
    {"1 tab bid and hs", SIGTEXT_CONTRADICTORY, "hs"},
    {"1 tab bid and at bedtime", SIGTEXT_CONTRADICTORY, "at bedtime"},
    {"1 tab bid and prn", SIGTEXT_CONTRADICTORY, "prn"},
    {"1 tab tid with meals and at bedtime", SIGTEXT_CONTRADICTORY, "1 tab tid with meals and at bedtime"},
    {"1 tab qid ac and hs", SIGTEXT_CONTRADICTORY, "1 tab qid ac and hs"},
    {"1 tab before meals", SIGTEXT_NO_TIMES, ""},
    {"1 tab 30-60 minutes before breakfast", SIGTEXT_CONTRADICTORY, "30"},
    {"1 tab q8h at bedtime", SIGTEXT_CONTRADICTORY, "1 tab q8h at bedtime"},
    {"1 tab twice weekly on Mondays", SIGTEXT_CONTRADICTORY, "1 tab twice weekly on Mondays"},
    {"1 tab every day except Sunday", SIGTEXT_UNKNOWN_WORDS, "except"},
    {"1 tab once at bedtime", SIGTEXT_CONTRADICTORY, "at bedtime"},
    {"1 tab tid max 2 tabs per day", SIGTEXT_CONTRADICTORY, "1 tab tid max 2 tabs per day"},
    {"2 tabs daily for 3 days, then 1 tab daily", SIGTEXT_OPEN_STEP, ""},
    {"2 tabs daily, then 1 tab daily for 3 days", SIGTEXT_OPEN_STEP, ""},
    {"2 tabs daily for 3 days then 1 daily for 3 days", SIGTEXT_CONTRADICTORY,
     "2 tabs daily for 3 days then 1 daily for 3 days"},
    {"1 tab daily then stop", SIGTEXT_OPEN_STEP, ""},
    {"1 tab daily for 7 days then", SIGTEXT_CONTRADICTORY, "1 tab daily for 7 days then"},
    {"and 1 tab daily", SIGTEXT_CONTRADICTORY, "and"},
    {"1 tab daily and", SIGTEXT_CONTRADICTORY, "1 tab daily and"},
    {"1 tab daily for pain and", SIGTEXT_CONTRADICTORY, "1 tab daily for pain and"},
    {"1 drop od", SIGTEXT_AMBIGUOUS, "1 drop od"},
    {"1 tab as bid", SIGTEXT_CONTRADICTORY, "1 tab as bid"},
    {"1 tab os bid", SIGTEXT_CONTRADICTORY, "1 tab os bid"},
    {"1 tab od bid", SIGTEXT_CONTRADICTORY, "1 tab od bid"},
    {"1 tab po daily. Do not take with food.", SIGTEXT_NOT_UNDERSTOOD, "Do not take with food."},
    {"1 tab po daily do not take", SIGTEXT_NOT_UNDERSTOOD, "do not take"},
    {"do not take 1 tab daily", SIGTEXT_NOT_UNDERSTOOD, "do not take 1 tab daily"},
    {"no 1 tab daily", SIGTEXT_NOT_UNDERSTOOD, "no 1 tab daily"},
    {"1 tab daily stop", SIGTEXT_OPEN_STEP, ""},
    {"stop 1 tab daily", SIGTEXT_CONTRADICTORY, "stop"},
    {"1 tab daily for 5", SIGTEXT_NOT_UNDERSTOOD, "for 5"},
    {"1 tab daily 5", SIGTEXT_CONTRADICTORY, "1 tab daily 5"},
    {"10 daily", SIGTEXT_DOUBTFUL, "10"},
    {"take 30 tablets daily", SIGTEXT_DOUBTFUL, "30 tablets"},
    {"0 tablets daily", SIGTEXT_DOUBTFUL, "0 tablets"},
    {"1 tab 0 times daily", SIGTEXT_CONTRADICTORY, "0 times daily"},
    {"1 tab 25 times daily", SIGTEXT_CONTRADICTORY, "25 times daily"},
    {"1 tab every 0 hours", SIGTEXT_CONTRADICTORY, "every 0 hours"},
    {"1 tab every 1.5 hours", SIGTEXT_CONTRADICTORY, "every 1.5 hours"},
    {"0.0625 mg daily", SIGTEXT_DOUBTFUL, "0.0625"},
    {"1/3 tablet daily", SIGTEXT_NOT_UNDERSTOOD, "/3 tablet daily"},
    {"2/3 tablet daily", SIGTEXT_NOT_UNDERSTOOD, "/3 tablet daily"},
    {"half a capsule bid", SIGTEXT_DOUBTFUL, "half a capsule"},
    {"2 to 1 tabs daily", SIGTEXT_NOT_UNDERSTOOD, "to 1 tabs daily"},
    {"1-2-3 tabs daily", SIGTEXT_CONTRADICTORY, "2-3 tabs"},
    {"1-0-1", SIGTEXT_CONTRADICTORY, "0"},
    {"1 x 3 daily", SIGTEXT_NOT_UNDERSTOOD, "x 3 daily"},
    {"1 tab 3 a day", SIGTEXT_CONTRADICTORY, "3"},
    {"twice daily 1 tab", SIGTEXT_CONTRADICTORY, "1 tab"},
    {"at bedtime 1 tab", SIGTEXT_CONTRADICTORY, "1 tab"},
    {"in the morning 1 tab", SIGTEXT_CONTRADICTORY, "1 tab"},
    {"1 tab morning noon night", SIGTEXT_CONTRADICTORY, "1 tab morning noon night"},
    {"1 tab by mouth topically daily", SIGTEXT_CONTRADICTORY, "topically"},
    {"inhale 1 tab daily", SIGTEXT_CONTRADICTORY, "inhale 1 tab daily"},
    {"inject 1 tab daily", SIGTEXT_CONTRADICTORY, "inject 1 tab daily"},
    {"unwrap and insert 1 suppository rectally daily", SIGTEXT_UNKNOWN_WORDS, "unwrap"},
    {"10u sc qhs", SIGTEXT_UNKNOWN_WORDS, "u"},
    {"5 cc po q6h", SIGTEXT_UNKNOWN_WORDS, "cc"},
    {"1 tab daily for 7 days until 2026-12-24", SIGTEXT_CONTRADICTORY,
     "1 tab daily for 7 days until 2026-12-24"},
    {"1 tab daily for pain for 5 days for sleep", SIGTEXT_CONTRADICTORY, "for sleep"},
    {"1 tablet now", SIGTEXT_UNKNOWN_WORDS, "now"},
    {"1 tab bid daily", SIGTEXT_CONTRADICTORY, "daily"},
    {"1 tab daily bid", SIGTEXT_CONTRADICTORY, "bid"},
    {"1 tab twice daily every 12 hours", SIGTEXT_CONTRADICTORY, "every 12 hours"},
    {"1 tab q12h bid", SIGTEXT_CONTRADICTORY, "bid"},
    {"take 1 tablet by mouth twice daily, once in the morning and once at night", SIGTEXT_CONTRADICTORY,
     "once"},
    {"1 tab daily x30", SIGTEXT_NOT_UNDERSTOOD, "x30"},
    {"1 tab daily #30", SIGTEXT_UNKNOWN_WORDS, "#"},
    {"1 tab (daily", SIGTEXT_NOT_UNDERSTOOD, ""},
    {"1 tab daily )", SIGTEXT_NOT_UNDERSTOOD, ")"},
    {"1 tab bid 7/7", SIGTEXT_NOT_UNDERSTOOD, "/7"},
    {"1 tab b d", SIGTEXT_NOT_UNDERSTOOD, "b d"},
    {"1 tab 5 days a week", SIGTEXT_CONTRADICTORY, "5 days"},
    {"1 tab at bedtime 5 days a week", SIGTEXT_CONTRADICTORY, "a week"},
    {"1 tab every evening 5 days a week", SIGTEXT_CONTRADICTORY, "a week"},
    {"1 tab daily 5 days a week", SIGTEXT_CONTRADICTORY, "a week"},
    {"take one two times a day", SIGTEXT_DOUBTFUL, "two times a day"},
    {"1 tab daily on Monday", SIGTEXT_DOUBTFUL, ""},
    {"every morning and evening 1", SIGTEXT_CONTRADICTORY, "1"},
    {"1 tab at 8", SIGTEXT_NOT_UNDERSTOOD, "at 8"},
    {"1 tab at 12 pm", SIGTEXT_NOT_UNDERSTOOD, "at 12 pm"},
    {"take 1 tablet for 5 days twice a day", SIGTEXT_CONTRADICTORY, "for 5 days"},
    {"1 tab bid with food and plenty of water", SIGTEXT_NOT_UNDERSTOOD, "plenty of water"},
    {"Take 2 now", SIGTEXT_UNKNOWN_WORDS, "now"},
    {"1 tab po daily except weekends", SIGTEXT_UNKNOWN_WORDS, "except weekends"},
    {"1 tab daily 1 hour before sex", SIGTEXT_UNKNOWN_WORDS, "sex"},
    {"take 1 tablet at least twice daily", SIGTEXT_NOT_UNDERSTOOD, "at least twice daily"},
    {"take 1 tablet daily; max 3 per week", SIGTEXT_CONTRADICTORY, "take 1 tablet daily; max 3 per week"},
    {"mdd 3", SIGTEXT_NO_TIMES, ""},
    {"1 tab in the morning for 5 days and 2 tabs at night", SIGTEXT_CONTRADICTORY, "2 tabs"},
    {"1 tab bid for 5 days for 7 days", SIGTEXT_CONTRADICTORY, "for 7 days"},
    {"1 tab bid prn pain prn sleep", SIGTEXT_CONTRADICTORY, "prn sleep"},
    {"1 tab daily 2026-11-21", SIGTEXT_NOT_UNDERSTOOD, "2026-11-21"},
    {"1 tab from 2026-11-21", SIGTEXT_NO_TIMES, ""},
    {"1 tab daily from 2026-11-21 until 2026-11-01", SIGTEXT_CONTRADICTORY,
     "1 tab daily from 2026-11-21 until 2026-11-01"},
    {"1 tab daily from 2026-13-01", SIGTEXT_DOUBTFUL, "2026-13-01"},
    {"1 tab daily at 25:00", SIGTEXT_DOUBTFUL, "25:00"},
    {"1 tab daily at 8:3", SIGTEXT_DOUBTFUL, "8:3"},
    {"1 tab b.i.d.p.c.", SIGTEXT_UNKNOWN_WORDS, "b.i.d.p.c."},
    {"1tab2xdaily", SIGTEXT_UNKNOWN_WORDS, "xdaily"},
    {"1 tabletbid", SIGTEXT_UNKNOWN_WORDS, "tabletbid"},
    {"1 bid 2 hs", SIGTEXT_CONTRADICTORY, "1 bid 2 hs"},
    {"1 bid and 2 hs", SIGTEXT_CONTRADICTORY, "1 bid and 2 hs"},
    {"take 2 tablets 200mg bid", SIGTEXT_CONTRADICTORY, "200mg"},
    {"1.5 capsules daily", SIGTEXT_DOUBTFUL, "1.5 capsules"},
    {"13 puffs daily", SIGTEXT_DOUBTFUL, "13 puffs"},
    {"thirteen tablets daily", SIGTEXT_UNKNOWN_WORDS, "thirteen"},
    {"1 000 mg daily", SIGTEXT_DOUBTFUL, "000"},
    {"1.2.3 mg daily", SIGTEXT_DOUBTFUL, "1.2.3"},
    {"1..5 mg daily", SIGTEXT_DOUBTFUL, ".5"},
    {"1/2/3 tabs daily", SIGTEXT_NOT_UNDERSTOOD, "/2/3 tabs daily"},
    {"05 mg daily", SIGTEXT_DOUBTFUL, "05"},
    {"1234567890 mg daily", SIGTEXT_DOUBTFUL, "1234567890"},
    {"-1 tab daily", SIGTEXT_DOUBTFUL, "-1"},
    {"1- tab daily", SIGTEXT_NOT_UNDERSTOOD, "tab daily"},
    {"1 tab= daily", SIGTEXT_NOT_UNDERSTOOD, "= daily"},
    {"1 tab daily!", SIGTEXT_UNKNOWN_WORDS, "!"},
    {"1 tab daily?", SIGTEXT_UNKNOWN_WORDS, "?"},
    {"1 tab daily ©", SIGTEXT_UNKNOWN_WORDS, "©"},
    {"1 tab daily 💊", SIGTEXT_UNKNOWN_WORDS, "💊"},
    {"1 tab with dinner for dinner", SIGTEXT_NOT_UNDERSTOOD, "for dinner"},
    {"1 tablet tablet daily", SIGTEXT_NOT_UNDERSTOOD, "tablet daily"},
    {"take take 1 tab daily", SIGTEXT_CONTRADICTORY, "take"},
    {"take", SIGTEXT_NO_TIMES, ""},
    {"tablet", SIGTEXT_NOT_UNDERSTOOD, "tablet"},
    {"as directed", SIGTEXT_DIRECTED, "as directed"},
    {"take 1 tablet daily as directed", SIGTEXT_DIRECTED, "as directed"},
    {"as directed 1 tablet daily", SIGTEXT_DIRECTED, "as directed"},
    {"1 tablet daily as directed by your doctor", SIGTEXT_DIRECTED, "as directed by your doctor"},
    {"1 tab daily per sliding scale", SIGTEXT_DIRECTED, "per sliding scale"},
    {"1 tab (as directed) daily", SIGTEXT_DIRECTED, "as directed"},
};

static const struct sig_refusal german[] = {
    {"0-0-0-0", SIGTEXT_CONTRADICTORY, "0"},
    {"1-1-1-1-1", SIGTEXT_CONTRADICTORY, "1-1-1-1"},
    {"1.000 mg täglich", SIGTEXT_DOUBTFUL, "1.000"},
    {"nach Anweisung", SIGTEXT_DIRECTED, "nach Anweisung"},
    {"1-0-2 Tabletten, dann absetzen", SIGTEXT_OPEN_STEP, ""},
    {"½-0-0 Kapsel", SIGTEXT_CONTRADICTORY, "½-0-0 Kapsel"},
    {"11-0-1", SIGTEXT_DOUBTFUL, "11-0-1"},
};

static void english_texts_are_refused_with_their_reason(void **state)
{
    (void)state;
    sig_refuse_or_fail(SIGTEXT_ENGLISH, english, sizeof english / sizeof english[0]);
}

static void german_texts_are_refused_with_their_reason(void **state)
{
    (void)state;
    sig_refuse_or_fail(SIGTEXT_GERMAN, german, sizeof german / sizeof german[0]);
}

static void a_slip_of_the_keys_is_proposed_and_never_taken(void **state)
{
    static const struct {
        const char *text, *word, *near;
    } slips[] = {
        {"1 ttablet nocte", "ttablet", "tablet"},
        {"1 tab at ntight", "ntight", "night"},
        {"1 tab dialy", "dialy", "daily"},
        {"1 tab every mornign", "mornign", "morning"},
        {"take 1 tablet mornning", "mornning", "morning"},
        {"1 capsle bid", "capsle", "capsule"},
        {"1 suppositry daily", "suppositry", "suppository"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        struct sigtext sig;
        sig_read(SIGTEXT_ENGLISH, slips[i].text, &sig);
        assert_int_equal(sig.refusal, SIGTEXT_UNKNOWN_WORDS);
        assert_string_equal(sig.left_over, slips[i].word);
        assert_int_equal(sig.proposal_count, 1);
        assert_string_equal(sig.proposals[0].word, slips[i].word);
        assert_string_equal(sig.proposals[0].near[0], slips[i].near);
    }
}

static void limits_hold(void **state)
{
    char text[SIGTEXT_BYTES_MAX + 2];
    struct sigtext sig;
    (void)state;
    sig_read(SIGTEXT_ENGLISH, "", &sig);
    assert_int_equal(sig.refusal, SIGTEXT_EMPTY);
    sig_read(SIGTEXT_ENGLISH, " \t\n ", &sig);
    assert_int_equal(sig.refusal, SIGTEXT_EMPTY);
    memset(text, ' ', sizeof text);
    memcpy(text, "1 tab bid", 9);
    text[SIGTEXT_BYTES_MAX] = '\0';
    sig_read(SIGTEXT_ENGLISH, text, &sig);
    assert_int_equal(sig.refusal, SIGTEXT_NONE);
    text[SIGTEXT_BYTES_MAX] = ' ';
    text[SIGTEXT_BYTES_MAX + 1] = '\0';
    sig_read(SIGTEXT_ENGLISH, text, &sig);
    assert_int_equal(sig.refusal, SIGTEXT_TOO_LONG);
    for (int i = 0; i <= SIGTEXT_TOKENS_MAX; i++)
        memcpy(text + 2 * i, "a ", 3);
    sig_read(SIGTEXT_ENGLISH, text, &sig);
    assert_int_equal(sig.refusal, SIGTEXT_TOO_LONG);
    text[0] = '\0';
    for (int i = 0; i < 9; i++) /* more steps than can be held are refused, too */
        strcat(text,
               i > 0 ? " then 1 tab bid for 2 days then 2 tabs bid for 2 days" : "1 tab bid for 2 days");
    sig_read(SIGTEXT_ENGLISH, text, &sig);
    assert_int_not_equal(sig.refusal, SIGTEXT_NONE);
}

static void only_printable_utf8_is_read(void **state)
{
    static const char *const texts[] = {
        "1 tab \xff bid",
        "1 tab bid\xc3",
        "1 tab\x01 bid",
        "1 tab \xe2\x80\xae"
        "bid",
        "1 tab bid \xed\xa0\x80",
        "1 tab \xc0\xaf bid",
        "1 tab \xe2\x80\x8b"
        "bid",
        "1 tab \x7f bid",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sigtext sig;
        sig_read(SIGTEXT_ENGLISH, texts[i], &sig);
        assert_int_equal(sig.refusal, SIGTEXT_ENCODING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(english_texts_are_refused_with_their_reason),
        cmocka_unit_test(german_texts_are_refused_with_their_reason),
        cmocka_unit_test(a_slip_of_the_keys_is_proposed_and_never_taken),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(only_printable_utf8_is_read),
    };
    return cmocka_run_group_tests(tests, sig_setup, sig_teardown);
}
