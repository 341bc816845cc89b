/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   DOWN --CONNECT--> IDENTIFY --ENROL--> SURVEY --CLAIM--> CLAIM --> COMPARE --ADOPT--> READY --> CLOSED
 *    ^    back-off over        session + 1         session is ours     |  counters         |  ^
 *    |                                                                 |  explained (C7)   |  | answered
 *    |   lost or refused, from every state with a request out          |                   v  |
 *    +-----------------------------------------------------------------|-- STATUS, CONTROL, PUT, FETCH, BAYS
 *    |                                                                 |                   |
 *    |  a person asks to look again                                    v                   v
 *    +-------------------------------------------------------------- HALTED: unexplained, fenced, mismatch
 *
 * Invariants. The numbers C1-C9 and M1-M7 are the rules of the machine contract.
 *  I1  recorded <= kept <= issued: a result is kept only for a number that was given out, and recorded only
 *      when kept.
 *  I2  A job is written only for number A + 1 <= issued (C1: its intent is durable), while A - W < R.
 *  I3  A result is read only for kept + 1 <= D; at most R are kept.
 *  I4  W is never written beyond what is recorded (C5), and never beyond D.
 *  I5  At most one request is outstanding (C2): requests leave from DOWN and READY, or on an answer.
 *  I6  Nothing that starts motion (Clear, Reset, Start, Unhold) is commanded without a person, or the
 *      stand-in on a SIMULATED machine.
 *  I7  READY is entered from COMPARE only with counters that the store explains (C7).
 *  I8  A number is given out only while the batch runs, the seated canisters are known, and fewer than
 *      min(Q, R) are unrecorded.
 *  I11 Nothing that starts motion is commanded while a switch of the panel is open or was not reset, and a
 *      machine that moves then is aborted.
 *  I9  Start and Unhold are commanded only with known seats: hands may have been inside.
 *  I10 A number that shall not be made is never written to a machine that may begin it at once: it is
 *      suspended first, takes the number and then the Cancel (C8).
 *
 * In READY the rows stand in order of urgency: evidence first, then safety, then progress. Each decision is a
 * function of the mirror and the book alone (C3); nothing remembers what was sent.
 */
#include "controller/pack/line.h"

#include <assert.h>

/* ---- what the rows ask ---- */

static bool closing(const struct line_view *v)
{
    return v->closing;
}

static bool orders_wait(const struct line_view *v)
{
    return v->orders || v->batch_new;
}

static bool may_connect(const struct line_view *v)
{
    return v->back_off_over;
}

static bool is_doubted(const struct line_view *v)
{
    return v->doubt != NULL;
}

/* The session in the mirror before we claim: another controller went further than this store knows (C9). */
static bool is_claimed_beyond(const struct line_view *v)
{
    return v->mirror.session >= v->session && !v->adopting;
}

static bool must_overtake(const struct line_view *v)
{
    return v->mirror.session >= v->session && v->adopting;
}

static bool is_taken_away(const struct line_view *v)
{
    return v->mirror.session > v->session;
}

/* The machine's scan may lag behind the write. */
static bool is_not_ours_yet(const struct line_view *v)
{
    return v->mirror.session < v->session;
}

static bool is_contradicted(const struct line_view *v)
{
    return line_contradiction(v) != NULL;
}

static bool is_frozen(const struct line_view *v)
{
    return v->frozen;
}

static bool is_frozen_untold(const struct line_view *v)
{
    return v->frozen && v->news;
}

static bool mirror_due(const struct line_view *v)
{
    return v->mirror_due;
}

static bool news_wait(const struct line_view *v)
{
    return v->news;
}

static uint32_t ring_of(const struct line_view *v)
{
    return v->identity.ring_size;
}

/* Numbers that may be open at a time. */
static uint32_t window_of(const struct line_view *v)
{
    return v->identity.queue_depth < v->identity.ring_size ? v->identity.queue_depth : v->identity.ring_size;
}

static bool result_unread(const struct line_view *v)
{
    return v->kept < v->mirror.done && v->kept - v->recorded < ring_of(v);
}

static bool result_unrecorded(const struct line_view *v)
{
    return v->kept > v->recorded;
}

/* No pouch moves and every result that the machine has is stored and retired. */
static bool is_closing_and_quiet(const struct line_view *v)
{
    if (!v->closing || v->recorded != v->mirror.done || v->mirror.retired != v->recorded)
        return false;
    switch (v->mirror.state) {
    case MACHINE_STATE_STOPPED:
    case MACHINE_STATE_IDLE:
    case MACHINE_STATE_SUSPENDED:
    case MACHINE_STATE_COMPLETE:
        return v->mirror.started == v->mirror.done;
    case MACHINE_STATE_HELD:
    case MACHINE_STATE_ABORTED:
        return true; /* it stays as it is until a person comes */
    case MACHINE_STATE_CLEARING:
    case MACHINE_STATE_STARTING:
    case MACHINE_STATE_EXECUTE:
    case MACHINE_STATE_STOPPING:
    case MACHINE_STATE_ABORTING:
    case MACHINE_STATE_HOLDING:
    case MACHINE_STATE_UNHOLDING:
    case MACHINE_STATE_SUSPENDING:
    case MACHINE_STATE_UNSUSPENDING:
    case MACHINE_STATE_RESETTING:
    case MACHINE_STATE_COMPLETING:
        return false;
    }
    return false;
}

static bool stands_still(const struct line_view *v)
{
    return line_standstill(v) != NULL;
}

static bool control_wanted(const struct line_view *v)
{
    return v->mirror.retired < v->recorded || v->control_due ||
           (!v->command_open && line_command(v) != MACHINE_COMMAND_NONE);
}

/* C8: some number that shall not be made has yet to reach the machine, so that it can be cancelled there. */
static bool is_cancel_ahead(const struct line_view *v)
{
    return v->cancel_to > v->mirror.accepted;
}

/* The machine may begin a pouch without another word of ours. */
static bool may_begin(enum machine_state state)
{
    return state == MACHINE_STATE_EXECUTE || state == MACHINE_STATE_STARTING ||
           state == MACHINE_STATE_UNSUSPENDING || state == MACHINE_STATE_UNHOLDING;
}

/* The number that would be written now is one of them. */
static bool is_next_cancelled(const struct line_view *v)
{
    return is_cancel_ahead(v) && v->mirror.accepted + 1 >= v->cancel_from;
}

static bool number_unsent(const struct line_view *v)
{
    if (is_next_cancelled(v) && may_begin(v->mirror.state))
        return false;
    return v->put_due && !v->closing && (v->want != LINE_PAUSE || is_cancel_ahead(v)) &&
           v->mirror.accepted < v->issued && v->mirror.accepted - v->mirror.retired < ring_of(v) &&
           v->mirror.accepted - v->mirror.done < v->identity.queue_depth;
}

/* While the machine may run its seats are shut, so they are read once after each stop, and before the machine
 * is let go again. */
static bool bays_unread(const struct line_view *v)
{
    if (!v->bays_due || v->want != LINE_RUN || v->closing)
        return false;
    if (v->mirror.state == MACHINE_STATE_HELD || v->mirror.state == MACHINE_STATE_IDLE)
        return v->permit || v->attend;
    return v->mirror.state == MACHINE_STATE_EXECUTE || v->mirror.state == MACHINE_STATE_STARTING ||
           v->mirror.state == MACHINE_STATE_SUSPENDED;
}

static bool intent_possible(const struct line_view *v)
{
    return v->want == LINE_RUN && v->jobs && !v->bays_due && !v->closing && !line_cancels(v) &&
           v->issued - v->recorded < window_of(v) &&
           (v->mirror.state == MACHINE_STATE_EXECUTE || v->mirror.state == MACHINE_STATE_STARTING ||
            v->mirror.state == MACHINE_STATE_SUSPENDED || v->mirror.state == MACHINE_STATE_UNSUSPENDING);
}

static bool batch_over(const struct line_view *v)
{
    return v->want == LINE_RUN && v->over && !v->jobs;
}

static bool poll_due(const struct line_view *v)
{
    return v->poll_due;
}

/* ---- the table ---- */

#define ROW(from_, event_, guard_, to_, effect_, why_)                                         \
    {                                                                                          \
        .from = LINE_##from_, .event = LINE_EVENT_##event_, .guard = guard_, .to = LINE_##to_, \
        .effect = LINE_DO_##effect_, .why = why_                                               \
    }

/* A request is outstanding in these states, and this is what they have in common. */
#define ROWS_OUTSTANDING(state_)                                                                       \
    ROW(state_, TICK, NULL, state_, WAIT, "C2: one outstanding request; its answer decides"),          \
        ROW(state_, LOST, NULL, DOWN, BACK_OFF, "C2: a time-out proves nothing; connect again, look"), \
        ROW(state_, ASKED, NULL, state_, NONE, "nothing is in doubt here"),                            \
        ROW(state_, END, NULL, CLOSED, MAKE_SAFE, "an open request is answered by the mirror next time")

#define ROWS_HANDSHAKE(state_)                                                              \
    ROWS_OUTSTANDING(state_),                                                               \
        ROW(state_, REFUSED, NULL, DOWN, BACK_OFF, "a machine that boots refuses for now"), \
        ROW(state_, FENCED, NULL, HALTED, HALT, "C9: a newer controller owns the machine"), \
        ROW(state_, MISMATCHED, NULL, HALTED, HALT, "not the machine that this line is for")

static const struct line_row table[] = {
    ROW(DOWN, TICK, orders_wait, DOWN, TAKE_ORDERS, "people may pause and cancel while the machine is away"),
    ROW(DOWN, TICK, closing, CLOSED, MAKE_SAFE, "nothing is outstanding"),
    ROW(DOWN, TICK, may_connect, IDENTIFY, CONNECT, "the back-off is over"),
    ROW(DOWN, TICK, NULL, DOWN, WAIT, "back-off"),
    ROW(DOWN, ANSWERED, NULL, DOWN, REJECT, "a late answer belongs to no request: discarded"),
    ROW(DOWN, REFUSED, NULL, DOWN, REJECT, "a late answer belongs to no request: discarded"),
    ROW(DOWN, LOST, NULL, DOWN, REJECT, "already known"),
    ROW(DOWN, FENCED, NULL, DOWN, REJECT, "a late answer belongs to no request: discarded"),
    ROW(DOWN, MISMATCHED, NULL, DOWN, REJECT, "a late answer belongs to no request: discarded"),
    ROW(DOWN, ASKED, NULL, DOWN, NONE, "it tries again anyway"),
    ROW(DOWN, END, NULL, CLOSED, MAKE_SAFE, "nothing is outstanding"),

    ROW(IDENTIFY, ANSWERED, is_doubted, HALTED, HALT, "not the machine that this line is for"),
    ROW(IDENTIFY, ANSWERED, NULL, SURVEY, ENROL, "C2: session + 1 is durable before it is written"),
    ROWS_HANDSHAKE(IDENTIFY),

    ROW(SURVEY, ANSWERED, is_doubted, HALTED, HALT, "C7: another machine than the one that stood here"),
    ROW(SURVEY, ANSWERED, is_claimed_beyond, HALTED, HALT, "C9: another store's controller was here"),
    ROW(SURVEY, ANSWERED, must_overtake, SURVEY, ENROL, "a person said that this store is the right one"),
    ROW(SURVEY, ANSWERED, NULL, CLAIM, CLAIM, "C2: take the session, change nothing else"),
    ROWS_HANDSHAKE(SURVEY),

    ROW(CLAIM, ANSWERED, NULL, COMPARE, ASK_STATUS, "C7: from here no older controller can move it"),
    ROWS_HANDSHAKE(CLAIM),

    ROW(COMPARE, ANSWERED, is_taken_away, HALTED, HALT, "C9: a newer controller owns the machine"),
    ROW(COMPARE, ANSWERED, is_not_ours_yet, CLAIM, CLAIM, "the claim was not seen yet: same values again"),
    ROW(COMPARE, ANSWERED, is_contradicted, HALTED, HALT, "C7: unknown counters, stop and ask"),
    ROW(COMPARE, ANSWERED, NULL, READY, ADOPT, "C7: the store explains the machine"),
    ROWS_HANDSHAKE(COMPARE),

    ROW(READY, TICK, orders_wait, READY, TAKE_ORDERS, "what people ask comes first"),
    ROW(READY, TICK, mirror_due, STATUS, ASK_STATUS, "C3: decisions are made on a fresh mirror"),
    ROW(READY, TICK, is_frozen_untold, READY, NOTE, "a machine that hangs is an alarm"),
    ROW(READY, TICK, is_frozen, DOWN, BACK_OFF, "its program stands still: nothing that it shows is now"),
    ROW(READY, TICK, is_taken_away, HALTED, HALT, "C9: a newer controller owns the machine"),
    ROW(READY, TICK, is_contradicted, HALTED, HALT, "C7: unknown counters, stop and ask"),
    ROW(READY, TICK, news_wait, READY, NOTE, "alarms and power losses are records, too"),
    ROW(READY, TICK, result_unread, FETCH, ASK_RESULT, "evidence first: the ring is small"),
    ROW(READY, TICK, result_unrecorded, READY, RECORD, "C4: result and stock in one transaction"),
    ROW(READY, TICK, is_closing_and_quiet, CLOSED, MAKE_SAFE, "started pouches are finished and recorded"),
    ROW(READY, TICK, stands_still, READY, STOP_BATCH, "never an automatic restart: a person must look"),
    ROW(READY, TICK, control_wanted, CONTROL, WRITE_CONTROL, "C5 retire, heartbeat, command: one block"),
    ROW(READY, TICK, number_unsent, PUT, PUT_JOB, "C3: A < N, so send A + 1"),
    ROW(READY, TICK, bays_unread, BAYS, ASK_BAYS, "a number names bays: what sits there must be known"),
    ROW(READY, TICK, intent_possible, READY, INTEND, "C1: numbers are durable before they are sent"),
    ROW(READY, TICK, batch_over, READY, END_BATCH, "nothing is waiting or under way"),
    ROW(READY, TICK, poll_due, STATUS, ASK_STATUS, "time to look"),
    ROW(READY, TICK, NULL, READY, WAIT, "nothing to do until the next poll"),
    ROW(READY, ANSWERED, NULL, READY, REJECT, "a late answer belongs to no request: discarded"),
    ROW(READY, REFUSED, NULL, READY, REJECT, "a late answer belongs to no request: discarded"),
    ROW(READY, LOST, NULL, DOWN, BACK_OFF, "the connection is gone"),
    ROW(READY, FENCED, NULL, READY, REJECT, "a late answer belongs to no request: discarded"),
    ROW(READY, MISMATCHED, NULL, READY, REJECT, "a late answer belongs to no request: discarded"),
    ROW(READY, ASKED, NULL, READY, NONE, "nothing is in doubt here"),
    ROW(READY, END, NULL, CLOSED, MAKE_SAFE, "the machine finishes what it started and suspends (M7)"),

    ROW(STATUS, ANSWERED, NULL, READY, LOOK, "the mirror is fresh"),
    ROWS_HANDSHAKE(STATUS),

    ROW(CONTROL, ANSWERED, NULL, READY, LOOK, "the mirror will show it"),
    ROWS_HANDSHAKE(CONTROL),

    ROW(PUT, ANSWERED, NULL, READY, LOOK, "C3: only the mirror says whether it was taken"),
    ROW(PUT, REFUSED, NULL, READY, LOOK, "M1: not taken; the mirror says why"),
    ROW(PUT, FENCED, NULL, HALTED, HALT, "C9: a newer controller owns the machine"),
    ROW(PUT, MISMATCHED, NULL, HALTED, HALT, "not the machine that this line is for"),
    ROWS_OUTSTANDING(PUT),

    ROW(FETCH, ANSWERED, is_doubted, HALTED, HALT, "C4, C7: a result that is not ours: stop and ask"),
    ROW(FETCH, ANSWERED, NULL, READY, KEEP_RESULT, "C4: number, hash and counts are right"),
    ROW(FETCH, REFUSED, is_doubted, HALTED, HALT, "C7: the ring does not hold what D promises"),
    ROW(FETCH, REFUSED, NULL, READY, LOOK, "the record was being written: read again"),
    ROW(FETCH, FENCED, NULL, HALTED, HALT, "C9: a newer controller owns the machine"),
    ROW(FETCH, MISMATCHED, NULL, HALTED, HALT, "not the machine that this line is for"),
    ROWS_OUTSTANDING(FETCH),

    ROW(BAYS, ANSWERED, NULL, READY, KEEP_BAYS, "the seats as the machine reads them"),
    ROWS_HANDSHAKE(BAYS),

    ROW(HALTED, TICK, orders_wait, HALTED, TAKE_ORDERS, "a person may decide"),
    ROW(HALTED, TICK, closing, CLOSED, MAKE_SAFE, "nothing is outstanding"),
    ROW(HALTED, TICK, NULL, HALTED, WAIT, "without our heartbeat the machine suspends (M7)"),
    ROW(HALTED, ANSWERED, NULL, HALTED, REJECT, "a late answer belongs to no request: discarded"),
    ROW(HALTED, REFUSED, NULL, HALTED, REJECT, "a late answer belongs to no request: discarded"),
    ROW(HALTED, LOST, NULL, HALTED, REJECT, "it is looked at again when a person asks"),
    ROW(HALTED, FENCED, NULL, HALTED, REJECT, "a late answer belongs to no request: discarded"),
    ROW(HALTED, MISMATCHED, NULL, HALTED, REJECT, "a late answer belongs to no request: discarded"),
    ROW(HALTED, ASKED, NULL, DOWN, NONE, "a person looked: connect and compare once more"),
    ROW(HALTED, END, NULL, CLOSED, MAKE_SAFE, "nothing is outstanding"),

    ROW(CLOSED, TICK, NULL, CLOSED, NONE, "ended"),
    ROW(CLOSED, ANSWERED, NULL, CLOSED, REJECT, "ended"),
    ROW(CLOSED, REFUSED, NULL, CLOSED, REJECT, "ended"),
    ROW(CLOSED, LOST, NULL, CLOSED, REJECT, "ended"),
    ROW(CLOSED, FENCED, NULL, CLOSED, REJECT, "ended"),
    ROW(CLOSED, MISMATCHED, NULL, CLOSED, REJECT, "ended"),
    ROW(CLOSED, ASKED, NULL, CLOSED, REJECT, "ended"),
    ROW(CLOSED, END, NULL, CLOSED, REJECT, "ended"),
};

const struct line_row *line_rows(size_t *ret_count)
{
    *ret_count = sizeof table / sizeof table[0];
    return table;
}

const struct line_row *line_step(enum line_state from, enum line_event event, const struct line_view *view)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct line_row *row = &table[i];
        if (row->from == from && row->event == event && (!row->guard || row->guard(view)))
            return row;
    }
    assert(false && "the line's table is not total");
    return NULL;
}

/* ---- C7 ---- */

const char *line_contradiction(const struct line_view *v)
{
    const struct machine_status *m = &v->mirror;
    if (m->retired > m->done || m->done > m->started || m->started > m->accepted)
        return "the machine's counters contradict each other";
    if (m->done - m->retired > ring_of(v))
        return "the machine overwrote results that were never read";
    if (m->done < v->recorded || m->boot < v->boot)
        return "the machine's counters went back: its memory was cleared, or it is another machine";
    if (v->adopting)
        return NULL;
    if (m->retired > v->recorded || m->accepted > v->issued)
        return "the machine did work that this store does not know: an older backup was restored, or another "
               "store's controller was here";
    return NULL;
}

/* ---- which command ---- */

bool line_cancels(const struct line_view *v)
{
    return v->cancel_to > v->mirror.started;
}

static bool may_move(const struct line_view *v)
{
    return v->want == LINE_RUN && !v->closing && !v->tripped && (v->permit || v->attend);
}

static bool asks_person(const struct line_view *v)
{
    return v->person != MACHINE_COMMAND_NONE;
}

/* A Cancel was just taken for these very numbers. What the machine accepted after it is not cancelled by it.
 */
static bool is_cancel_spent(const struct line_view *v)
{
    return v->spent == MACHINE_COMMAND_CANCEL_FROM && v->cancelled_from <= v->cancel_from &&
           v->cancelled_to >= v->cancel_to && v->cancelled_accepted == v->mirror.accepted;
}

/* C8: the numbers must have reached the machine, else their results could not come. */
static bool must_cancel(const struct line_view *v)
{
    return line_cancels(v) && !is_cancel_ahead(v) && !is_cancel_spent(v);
}

/* The switch is hard-wired; this makes the machine's own state agree with it (doubtful pouches by rule M6).
 */
static bool must_abort(const struct line_view *v)
{
    if (!v->tripped)
        return false;
    switch (v->mirror.state) {
    case MACHINE_STATE_ABORTING:
    case MACHINE_STATE_ABORTED:
    case MACHINE_STATE_CLEARING:
    case MACHINE_STATE_STOPPED:
    case MACHINE_STATE_STOPPING:
    case MACHINE_STATE_IDLE:
    case MACHINE_STATE_COMPLETE:
        return false;
    case MACHINE_STATE_STARTING:
    case MACHINE_STATE_SUSPENDED:
    case MACHINE_STATE_EXECUTE:
    case MACHINE_STATE_HOLDING:
    case MACHINE_STATE_HELD:
    case MACHINE_STATE_UNHOLDING:
    case MACHINE_STATE_SUSPENDING:
    case MACHINE_STATE_UNSUSPENDING:
    case MACHINE_STATE_RESETTING:
    case MACHINE_STATE_COMPLETING:
        return true;
    }
    return true;
}

static bool must_suspend(const struct line_view *v)
{
    return (v->closing || v->want == LINE_PAUSE || is_next_cancelled(v)) &&
           v->mirror.state == MACHINE_STATE_EXECUTE;
}

static bool must_stop(const struct line_view *v)
{
    return v->want == LINE_REST && !v->closing && v->issued == v->recorded &&
           (v->mirror.state == MACHINE_STATE_EXECUTE || v->mirror.state == MACHINE_STATE_SUSPENDED);
}

static bool must_confirm(const struct line_view *v)
{
    return may_move(v) && v->attend && v->mirror.state == MACHINE_STATE_ABORTED &&
           v->mirror.started > v->mirror.done;
}

static bool must_clear(const struct line_view *v)
{
    return may_move(v) && v->attend && v->mirror.state == MACHINE_STATE_ABORTED;
}

static bool must_unhold(const struct line_view *v)
{
    return may_move(v) && v->mirror.state == MACHINE_STATE_HELD && !v->bays_due && !is_cancel_ahead(v);
}

static bool must_reset(const struct line_view *v)
{
    return may_move(v) &&
           (v->mirror.state == MACHINE_STATE_STOPPED || v->mirror.state == MACHINE_STATE_COMPLETE);
}

static bool must_start(const struct line_view *v)
{
    return may_move(v) && v->mirror.state == MACHINE_STATE_IDLE && !v->bays_due && !is_cancel_ahead(v);
}

/* Suspended has its cause outside the machine (no jobs, a silent controller), so no person is needed. */
static bool must_unsuspend(const struct line_view *v)
{
    return v->want == LINE_RUN && !v->closing && !v->tripped && v->mirror.state == MACHINE_STATE_SUSPENDED &&
           !is_cancel_ahead(v) && (v->issued > v->recorded || v->jobs);
}

static const struct {
    bool (*guard)(const struct line_view *view);
    enum machine_command command;
    bool starts_motion;
} commands[] = {
    {must_abort, MACHINE_COMMAND_ABORT, false},        /* a switch of the panel is open */
    {must_cancel, MACHINE_COMMAND_CANCEL_FROM, false}, /* C8 */
    {must_suspend, MACHINE_COMMAND_SUSPEND, false},    /* pause and clean end: started pouches are finished */
    {must_stop, MACHINE_COMMAND_STOP, false},          /* no batch: the machine comes to rest */
    {must_confirm, MACHINE_COMMAND_CONFIRM_REMOVED, true}, /* M6, stand-in only */
    {must_clear, MACHINE_COMMAND_CLEAR, true},             /* stand-in only: a person says it himself */
    {must_unhold, MACHINE_COMMAND_UNHOLD, true},
    {must_reset, MACHINE_COMMAND_RESET, true},
    {must_start, MACHINE_COMMAND_START, true},
    {must_unsuspend, MACHINE_COMMAND_UNSUSPEND, false},
};

static bool is_spent(const struct line_view *v, enum machine_command command)
{
    return command == MACHINE_COMMAND_CANCEL_FROM ? is_cancel_spent(v) : command == v->spent;
}

enum machine_command line_command(const struct line_view *view)
{
    if (asks_person(view))
        return view->person;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].guard(view))
            return is_spent(view, commands[i].command) ? MACHINE_COMMAND_NONE : commands[i].command;
    }
    return MACHINE_COMMAND_NONE;
}

static bool starts_motion(enum machine_command command)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].command == command)
            return commands[i].starts_motion;
    }
    return false;
}

const char *line_standstill(const struct line_view *v)
{
    if (v->want == LINE_RUN && !v->closing && v->tripped)
        return v->tripped;
    if (v->want != LINE_RUN || v->closing || v->attend || v->command_open || asks_person(v))
        return NULL;
    if (v->mirror.state == MACHINE_STATE_ABORTED)
        return "the machine aborted";
    if (v->permit)
        return NULL;
    switch (v->mirror.state) {
    case MACHINE_STATE_STOPPED:
    case MACHINE_STATE_IDLE:
        return "the machine was stopped or lost power";
    case MACHINE_STATE_HELD:
        return "the machine holds";
    case MACHINE_STATE_COMPLETE:
        return "the machine says that it is complete";
    case MACHINE_STATE_ABORTED:
    case MACHINE_STATE_CLEARING:
    case MACHINE_STATE_STARTING:
    case MACHINE_STATE_SUSPENDED:
    case MACHINE_STATE_EXECUTE:
    case MACHINE_STATE_STOPPING:
    case MACHINE_STATE_ABORTING:
    case MACHINE_STATE_HOLDING:
    case MACHINE_STATE_UNHOLDING:
    case MACHINE_STATE_SUSPENDING:
    case MACHINE_STATE_UNSUSPENDING:
    case MACHINE_STATE_RESETTING:
    case MACHINE_STATE_COMPLETING:
        return NULL;
    }
    return NULL;
}

/* ---- invariants ---- */

static bool is_outstanding(enum line_state state)
{
    return state == LINE_IDENTIFY || state == LINE_SURVEY || state == LINE_CLAIM || state == LINE_COMPARE ||
           state == LINE_STATUS || state == LINE_CONTROL || state == LINE_PUT || state == LINE_FETCH ||
           state == LINE_BAYS;
}

static const char *control_violation(const struct line_view *v)
{
    if (v->recorded > v->mirror.done)
        return "I4: W beyond D";
    enum machine_command command = v->command_open ? MACHINE_COMMAND_NONE : line_command(v);
    if (!starts_motion(command) || command == v->person)
        return NULL;
    if (v->tripped)
        return "I11: motion with an open switch";
    if (v->bays_due && (command == MACHINE_COMMAND_START || command == MACHINE_COMMAND_UNHOLD))
        return "I9: let go with unknown seats";
    if (v->attend && !(v->identity.caps & MACHINE_CAP_SIMULATED))
        return "I6: a stand-in moves a real machine";
    return v->permit || v->attend ? NULL : "I6: motion without a person";
}

const char *line_violation(const struct line_row *row, const struct line_view *v)
{
    if (line_effect_requests(row->effect) && is_outstanding(row->from) && row->event != LINE_EVENT_ANSWERED)
        return "I5: two requests outstanding";
    if (row->from != LINE_READY && row->from != LINE_FETCH && row->from != LINE_COMPARE)
        return NULL; /* the book is not in use */
    if (v->recorded > v->kept || (v->kept > v->issued && !v->adopting))
        return "I1: recorded <= kept <= issued";
    if (row->effect == LINE_DO_PUT_JOB &&
        (v->mirror.accepted >= v->issued || v->mirror.accepted - v->mirror.retired >= ring_of(v) ||
         v->mirror.accepted < v->recorded))
        return "I2: a number without intent or beyond the ring";
    if (row->effect == LINE_DO_PUT_JOB && is_next_cancelled(v) && may_begin(v->mirror.state))
        return "I10: a cancelled number for a machine that may begin it";
    if (row->effect == LINE_DO_ASK_RESULT &&
        (v->kept >= v->mirror.done || v->kept - v->recorded >= ring_of(v)))
        return "I3: a result that is not there";
    if (row->effect == LINE_DO_WRITE_CONTROL)
        return control_violation(v);
    if (row->effect == LINE_DO_ADOPT && is_contradicted(v))
        return "I7: contradicting counters adopted";
    if (row->effect == LINE_DO_INTEND &&
        (v->want != LINE_RUN || v->bays_due || line_cancels(v) || v->issued - v->recorded >= window_of(v)))
        return "I8: number outside the window";
    return NULL;
}

/* ---- names ---- */

static const struct {
    const char *name;
    const char *text;
} state_names[] = {
#define LINE_STATE_NAME(name, text) {#name, text},
    LINE_STATE_TABLE(LINE_STATE_NAME)
#undef LINE_STATE_NAME
};

static const char *const event_names[] = {
#define LINE_EVENT_NAME(name, text) #name,
    LINE_EVENT_TABLE(LINE_EVENT_NAME)
#undef LINE_EVENT_NAME
};

static const struct {
    const char *name;
    bool stores;
    bool requests;
} effects[] = {
#define LINE_EFFECT_ROW(name, store, request) {#name, store, request},
    LINE_EFFECT_TABLE(LINE_EFFECT_ROW)
#undef LINE_EFFECT_ROW
};

bool line_effect_stores(enum line_effect effect)
{
    return effects[effect].stores;
}

bool line_effect_requests(enum line_effect effect)
{
    return effects[effect].requests;
}

const char *line_state_name(enum line_state state)
{
    return state_names[state].name;
}

const char *line_state_text(enum line_state state)
{
    return state_names[state].text;
}

const char *line_event_name(enum line_event event)
{
    return event_names[event];
}

const char *line_effect_name(enum line_effect effect)
{
    return effects[effect].name;
}
