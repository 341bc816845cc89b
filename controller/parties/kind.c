/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/parties/kind.h"

#include <string.h>

#include "config/base/buf.h"

#define BIT(result) (1U << (result))
#define ASKS_BACK   .interim = BIT(TASK_NEEDS_MORE)
#define GRANT       (BIT(TASK_APPROVED) | BIT(TASK_CHANGED) | BIT(TASK_DENIED) | BIT(TASK_NEEDS_MORE))

/* Days before a fill at which prescriber and payer are asked follow the practice of refill synchronisation: a
 * week for a renewal, two for a prior authorisation (scheduler/sync-format.md), urgent two days before. */
/* What to do while there is time, by whom is asked; what comes after differs by kind. */
static const char *const waiting[TASK_PARTIES][2] = {
    [PARTY_PRESCRIBER] = {"wait for the prescriber", "the prescriber was reminded: wait"},
    [PARTY_PAYER] = {"wait for the payer", "the payer was asked again: wait"},
    [PARTY_PATIENT] = {"wait for the patient", "the patient was asked again: wait"},
    [PARTY_PHARMACY] = {"do it", "do it"},
};

const struct task_kind_row task_kinds[TASK_KINDS] = {
    [TASK_RENEWAL] = {.word = "renewal",
                      .title = "Renewal request",
                      .party = PARTY_PRESCRIBER,
                      .resource = "MedicationRequest",
                      .due_days = 7,
                      .urgent_days = 2,
                      .needs = {"order|drug"},
                      .results = GRANT,
                      ASKS_BACK,
                      .late = {"phone the prescriber",
                               "phone the prescriber: the drug leaves the cycle without an answer"}},
    [TASK_CHANGE] = {.word = "change",
                     .title = "Change request",
                     .party = PARTY_PRESCRIBER,
                     .resource = "MedicationRequest",
                     .due_days = 7,
                     .urgent_days = 2,
                     .needs = {"order|drug"},
                     .results = GRANT,
                     ASKS_BACK,
                     .late = {"phone the prescriber", "phone the prescriber: the order stays as it is"}},
    [TASK_ELIGIBILITY] = {.word = "eligibility",
                          .title = "Eligibility request",
                          .party = PARTY_PAYER,
                          .resource = "CoverageEligibilityRequest",
                          .due_days = 2,
                          .urgent_days = 1,
                          .results = BIT(TASK_APPROVED) | BIT(TASK_DENIED) | BIT(TASK_NEEDS_MORE),
                          ASKS_BACK,
                          .late = {"ask the payer by phone",
                                   "ask the payer by phone, and the patient for the card"}},
    [TASK_TEST_CLAIM] = {.word = "test-claim",
                         .title = "Test claim",
                         .party = PARTY_PAYER,
                         .resource = "Claim",
                         .due_days = 2,
                         .urgent_days = 1,
                         .needs = {"order|drug"},
                         .results = GRANT | BIT(TASK_TOO_SOON),
                         ASKS_BACK,
                         .late = {"ask the payer by phone",
                                  "ask the payer by phone before anything is packed"}},
    [TASK_OVERRIDE] = {.word = "override",
                       .title = "Override request",
                       .party = PARTY_PAYER,
                       .resource = "Claim",
                       .due_days = 3,
                       .urgent_days = 1,
                       .needs = {"order|drug"},
                       .results = GRANT | BIT(TASK_TOO_SOON),
                       ASKS_BACK,
                       .late = {"ask the payer by phone",
                                "ask the payer by phone: without an answer the payer's date holds"}},
    [TASK_PRIOR_AUTH] = {.word = "prior-authorization",
                         .title = "Prior authorization",
                         .party = PARTY_PAYER,
                         .resource = "Claim",
                         .due_days = 14,
                         .urgent_days = 5,
                         .needs = {"order|drug"},
                         .results = GRANT,
                         ASKS_BACK,
                         .late = {"phone payer and prescriber",
                                  "phone payer and prescriber: without an answer the fill is not paid"}},
    [TASK_NOTICE] = {.word = "notice",
                     .title = "Notice",
                     .party = PARTY_PATIENT,
                     .resource = "CommunicationRequest",
                     .due_days = 3,
                     .urgent_days = 1,
                     .needs = {"text"},
                     .results = BIT(TASK_DONE) | BIT(TASK_NEEDS_MORE),
                     ASKS_BACK,
                     .late = {"phone the patient or the caregiver", "phone the patient or the caregiver"}},
    [TASK_PRESHIP] = {.word = "pre-shipment",
                      .title = "Pre-shipment check",
                      .party = PARTY_PATIENT,
                      .resource = "CommunicationRequest",
                      .due_days = 5,
                      .urgent_days = 2,
                      .needs = {"text"},
                      .results = BIT(TASK_APPROVED) | BIT(TASK_CHANGED) | BIT(TASK_NEEDS_MORE),
                      ASKS_BACK,
                      .late = {"phone the patient or the caregiver before the roll is packed",
                               "phone the patient or the caregiver before the roll leaves"}},
    [TASK_PURCHASE] = {.word = "purchase",
                       .title = "Purchase",
                       .party = PARTY_PHARMACY,
                       .resource = "SupplyRequest",
                       .due_days = 5,
                       .urgent_days = 2,
                       .needs = {"product", "quantity"},
                       .results = BIT(TASK_APPROVED) | BIT(TASK_CHANGED) | BIT(TASK_DENIED) | BIT(TASK_DONE),
                       .interim = BIT(TASK_APPROVED) | BIT(TASK_CHANGED), /* ordered, not here yet */
                       .late = {"order it today", "order it today or find it elsewhere"}},
    [TASK_WORK] = {.word = "work",
                   .title = "Work",
                   .party = PARTY_PHARMACY,
                   .resource = "",
                   .due_days = 1,
                   .urgent_days = 0,
                   .results = BIT(TASK_DONE) | BIT(TASK_APPROVED) | BIT(TASK_DENIED),
                   .late = {"do it today", "do it now"}},
};

const struct task_fact_row task_facts[] = {
    {"order", FACT_TEXT, "source id of the prescription"},
    {"drug", FACT_TEXT, "the drug in words"},
    {"product", FACT_TEXT, "code of our product"},
    {"reason", FACT_TEXT, "why it is asked, as a word: EXPIRED, FILLS, QTY, CII, REFILL_TOO_SOON, ..."},
    {"text", FACT_TEXT, "what a person shall read"},
    {"quantity", FACT_COUNT, "units of the fill, of the purchase, or that were granted"},
    {"days", FACT_COUNT, "days' supply of the fill"},
    {"fill_date", FACT_DAY, "when it shall be filled"},
    {"needed_by", FACT_DAY, "the day on which the supply ends or the fill is due"},
    {"earliest", FACT_DAY, "the payer's date as we reckon it"},
    {"next_date", FACT_DAY, "of the fill that follows a short one"},
    {"next_quantity", FACT_COUNT, "its units"},
    {"next_days", FACT_COUNT, "its days' supply"},
    {"repeats", FACT_COUNT, "fills after the first"},
    {"valid_from", FACT_DAY, "first day on which what was granted counts"},
    {"valid_to", FACT_DAY, "last day on which it counts"},
    {"anchor", FACT_DAY, "the patient's refill date"},
    {"plan", FACT_COUNT, "number of the plan"},
    {"task", FACT_COUNT, "number of another task that this one is about"},
    {"copay_cents", FACT_COUNT, "what the patient pays for the fill"},
    {"schedule", FACT_COUNT, "schedule of a controlled substance, 2 to 5"},
    {"code", FACT_TEXT, "the payer's code for its answer, as sent"},
    {"new_order", FACT_TEXT, "source id of the prescription that replaces the old one"},
};
const size_t task_fact_count = sizeof task_facts / sizeof task_facts[0];

/* The words of each list, as in commands, JSON and the store. */
enum words { WORDS_PARTY, WORDS_STATE, WORDS_EVENT, WORDS_RESULT, WORDS_LEVEL, WORDS };
static const struct {
    const char *word[TASK_STATES];
    int count;
} words[WORDS] = {
    [WORDS_PARTY] = {{"prescriber", "payer", "patient", "pharmacy"}, TASK_PARTIES},
    [WORDS_STATE] = {{"draft", "requested", "received", "accepted", "in-progress", "on-hold", "rejected",
                      "completed", "cancelled", "failed"},
                     TASK_STATES},
    [WORDS_EVENT] = {{"sent", "received", "accepted", "started", "held", "answered", "refused", "cancelled",
                      "failed"},
                     TASK_EVENTS},
    [WORDS_RESULT] = {{"approved", "changed", "denied", "too-soon", "needs-more", "done"}, TASK_RESULTS},
    [WORDS_LEVEL] = {{"calm", "reminded", "urgent", "overdue"}, TASK_LEVELS},
};

/* The place of a word in its list, -1: it is not there. */
static int word_find(enum words list, const char *word)
{
    int i = words[list].count - 1;
    while (i >= 0 && strcmp(words[list].word[i], word) != 0)
        i--;
    return i;
}

const char *task_party_text(enum task_party party)
{
    return words[WORDS_PARTY].word[party];
}

const char *task_state_text(enum task_state state)
{
    return words[WORDS_STATE].word[state];
}

const char *task_event_text(enum task_event event)
{
    return words[WORDS_EVENT].word[event];
}

const char *task_result_text(enum task_result result)
{
    return words[WORDS_RESULT].word[result];
}

const char *task_level_text(enum task_level level)
{
    return words[WORDS_LEVEL].word[level];
}

bool task_kind_parse(const char *word, enum task_kind *ret_kind)
{
    for (int i = 0; i < TASK_KINDS; i++) {
        if (strcmp(task_kinds[i].word, word) == 0) {
            *ret_kind = (enum task_kind)i;
            return true;
        }
    }
    return false;
}

bool task_party_parse(const char *word, enum task_party *ret_party)
{
    int i = word_find(WORDS_PARTY, word);
    *ret_party = i < 0 ? *ret_party : (enum task_party)i;
    return i >= 0;
}

bool task_state_parse(const char *word, enum task_state *ret_state)
{
    int i = word_find(WORDS_STATE, word);
    *ret_state = i < 0 ? *ret_state : (enum task_state)i;
    return i >= 0;
}

bool task_result_parse(const char *word, enum task_result *ret_result)
{
    int i = word_find(WORDS_RESULT, word);
    *ret_result = i < 0 ? *ret_result : (enum task_result)i;
    return i >= 0;
}

bool task_level_parse(const char *word, enum task_level *ret_level)
{
    int i = word_find(WORDS_LEVEL, word);
    *ret_level = i < 0 ? *ret_level : (enum task_level)i;
    return i >= 0;
}

const char *task_next_step(enum task_kind kind, enum task_level level)
{
    const struct task_kind_row *row = &task_kinds[kind];
    return level < TASK_URGENT ? waiting[row->party][level] : row->late[level - TASK_URGENT];
}

bool task_state_closed(enum task_state state)
{
    return state >= TASK_REJECTED && state < TASK_STATES;
}

/*
 *   draft -> requested -> received -> accepted -> in-progress -> completed | rejected | failed
 *                \___________\___________\____________\____ on-hold, and back on any news
 *   any open state -> cancelled
 *
 * News travel by files and may overtake each other: a "received" that comes after "in-progress" is old and
 * changes nothing. A closed task stays closed whatever comes (TASK_STATES): what came late goes before a
 * person.
 */
static const unsigned char next_states[TASK_ON_HOLD + 1][TASK_EVENTS] = {
    [TASK_DRAFT] = {TASK_REQUESTED, TASK_RECEIVED, TASK_ACCEPTED, TASK_IN_PROGRESS, TASK_ON_HOLD,
                    TASK_COMPLETED, TASK_REJECTED, TASK_CANCELLED, TASK_FAILED},
    [TASK_REQUESTED] = {TASK_REQUESTED, TASK_RECEIVED, TASK_ACCEPTED, TASK_IN_PROGRESS, TASK_ON_HOLD,
                        TASK_COMPLETED, TASK_REJECTED, TASK_CANCELLED, TASK_FAILED},
    [TASK_RECEIVED] = {TASK_RECEIVED, TASK_RECEIVED, TASK_ACCEPTED, TASK_IN_PROGRESS, TASK_ON_HOLD,
                       TASK_COMPLETED, TASK_REJECTED, TASK_CANCELLED, TASK_FAILED},
    [TASK_ACCEPTED] = {TASK_ACCEPTED, TASK_ACCEPTED, TASK_ACCEPTED, TASK_IN_PROGRESS, TASK_ON_HOLD,
                       TASK_COMPLETED, TASK_REJECTED, TASK_CANCELLED, TASK_FAILED},
    [TASK_IN_PROGRESS] = {TASK_IN_PROGRESS, TASK_IN_PROGRESS, TASK_IN_PROGRESS, TASK_IN_PROGRESS,
                          TASK_ON_HOLD, TASK_COMPLETED, TASK_REJECTED, TASK_CANCELLED, TASK_FAILED},
    [TASK_ON_HOLD] = {TASK_ON_HOLD, TASK_ON_HOLD, TASK_ACCEPTED, TASK_IN_PROGRESS, TASK_ON_HOLD,
                      TASK_COMPLETED, TASK_REJECTED, TASK_CANCELLED, TASK_FAILED},
};

enum task_state task_next(enum task_state state, enum task_event event)
{
    return task_state_closed(state) ? TASK_STATES : (enum task_state)next_states[state][event];
}

enum task_level task_level_on(enum task_kind kind, int32_t opened_day, int32_t due_day, int32_t day)
{
    if (day > due_day)
        return TASK_OVERDUE;
    if (day >= due_day - task_kinds[kind].urgent_days)
        return TASK_URGENT;
    return day > opened_day && day - opened_day >= (due_day - opened_day + 1) / 2 ? TASK_REMINDED : TASK_CALM;
}

void task_results_list(enum task_kind kind, struct buf *out)
{
    const char *comma = "";
    for (int i = 0; i < TASK_RESULTS; i++) {
        if (task_kinds[kind].results & BIT(i)) {
            buf_printf(out, "%s%s", comma, task_result_text((enum task_result)i));
            comma = ", ";
        }
    }
}
