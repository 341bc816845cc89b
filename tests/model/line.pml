/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packing line as it is built, for spin: who may do what, when, with which numbers, and what a fault at any
 * point leaves behind. tests/model/README.md says how to run it and what came out.
 *
 *   controller   controller/pack/line.c, row by row: connect, survey, enrol, claim, compare, then evidence first.
 *                One request is outstanding; each decision is a function of the mirror and the book.
 *   store        controller/pack/fills.c: number -> job for ever; result, job and next intents in one commit.
 *   wire         one frame at a time; the mailbox is three of them (number and session, content and CRC, commit).
 *   machine      hw/sim/world_*.c: rules M1-M6, two stations (filling, sealing), ring written before D.
 *   people       withdraw a pouch at any moment; put another machine there, adopt it and take the old one's
 *                open pouches out of use.
 *   environment  loses, repeats, delays, crashes, cuts, miscounts, each as often as its budget says.
 *
 * Checked everywhere: no number is filled twice; what is filled is what the store has for that number; at most
 * one good pouch a job; what the store says of a pouch is its physical fate; no result is overwritten that the
 * store does not have; the controller never meets counters that it cannot explain; a pouch that was withdrawn
 * before its number was written is never begun; CANCELLED means that nothing was begun. Liveness (ltl all_ended,
 * weak fairness): every job ends good, or cancelled when it was withdrawn.
 *
 * Of PackML it has what cancelling needs: running, and suspended by the controller. A person always confirms,
 * clears and starts. A command that is repeated within its session is a repeat: TCP keeps order, a serial line has
 * no memory. Not in it: M7, two controllers, wrap of numbers, bad memory, the old machine coming back
 * (tests/sim/test_swap.c).
 *
 * Budgets and the mutant come from the environment (JOBS, LOSS, REPEAT, LATE, CRASH, POWER, BAD, DROP, SWAP,
 * MUTANT), so that one compilation serves all runs.
 */
#define JOBS_MAX 3
#define NUMS     13 /* numbers that a run may use: jobs + miscounts + two a power loss */
#define R        2 /* result ring */
#define Q        2 /* queue */
#define WINDOW   2 /* open numbers: min(Q, R) */
#define BASE     6 /* the second machine's numbers begin behind it: one row of numbers for both */

/* Mutants: each takes one rule away, and each must fail. tests/model/run has the same list. */
#define M_UNDURABLE   1  /* C1: a number is sent before its intent is stored */
#define M_NORMAL      2  /* a crash undoes the last commit (synchronous=NORMAL) */
#define M_RETIRE      3  /* C5: W is written before the result is stored */
#define M_NO_INTENT   4  /* M3: the machine fills before it writes S */
#define M_NO_REMOVAL  5  /* M6: a doubtful pouch is confirmed and stays in the machine */
#define M_HALF        6  /* M1: the mailbox counts before it is whole */
#define M_NO_NONCE    7  /* an answer is taken for that of another request, records have no number */
#define M_RING        8  /* M5: an unread result is overwritten */
#define M_FRESH       9  /* C3: a fresh number for the same job after a time-out */
#define M_ANY         10 /* M1: any whole mailbox is taken, whatever its number */
#define M_RUSH        11 /* C8: a withdrawn number is written to a machine that runs */
#define M_REUSE       12 /* C8: a withdrawn number is used again before its result came */
#define M_BEGUN       13 /* C8: the machine cancels what it has begun */
#define M_SWAP        14 /* C7: another machine is enrolled without a person, its pouches made again */
#define M_HASTE       15 /* C8: a Cancel is taken for one of numbers that were written after it */

byte mutant, jobs, loss, repeat, late, crash, power, bad, drop, swap;
bool dropping, swapping; /* DROP, SWAP were not 0: what only they need is left out otherwise */

/* ---- the store: survives everything ---- */
#define WAITING 0
#define SENT    1
#define GOOD    2
#define VOID    3
#define CANCELLED 4
byte db_session, db_issued, db_recorded;
byte db_place = 1;      /* the machine that a person knows to stand there */
bool unwanted[JOBS_MAX + 1]; /* withdrawn */
byte db_job[NUMS];      /* 0: the number was never given out */
byte db_fill[NUMS];     /* SENT, GOOD, VOID, CANCELLED */
byte db_state[JOBS_MAX + 1];
/* M_NORMAL: the store before the last commit; kept nowhere else. */
byte was_issued, was_recorded;

/* ---- the controller: lost in a crash ---- */
#define NONE    0
#define SUSPEND 1
#define GO      2 /* Start, Unsuspend */
#define CANCEL  3 /* from rq_arg */
mtype = { DOWN, SURVEY, CLAIM, COMPARE, READY, STATUS, CONTROL, PUT1, PUT2, PUT3, FETCH, OVER };
mtype at = DOWN;
bool due;               /* the mirror must be read before the next decision */
byte mA, mS, mD, mW, mOwner, mSerial; /* the mirror as last read */
bool mStopped;
byte told_from, told_to; /* of the last Cancel that was answered and not followed by another word */
byte from, to;          /* numbers that shall not be made: worked out where they are needed, 0 between */
byte kept;
byte outcome[R];        /* of kept results, by number modulo R */
byte put;               /* the number that is being written */
byte unsent;            /* M_UNDURABLE: a number given out in memory only */
byte unsent_job;

/* ---- the wire ---- */
#define FREE     0
#define OUT      1 /* a frame is under way to the machine */
#define ANSWERED 2
#define LOST     3 /* time-out, reset or damage: proves nothing */
byte rq;
mtype rq_kind;
byte rq_session, rq_seq, rq_job, rq_retire, rq_cmd, rq_arg;
byte an_seq, an_outcome; /* answer to FETCH */
bool dead;               /* the next frame will find that the connection is gone */
/* A frame of an old connection that still arrives, whole. */
bool st;
mtype st_kind;
byte st_session, st_seq, st_job, st_retire, st_cmd, st_arg;
/* A late answer. */
bool la;
mtype la_kind;
byte la_A, la_D, la_W, la_outcome;

/* ---- the machine: non-volatile ---- */
byte S, D, W;
byte ring_seq[R], ring_outcome[R];
/* volatile */
byte A, owner;
byte serial = 1;
byte queue[NUMS];       /* recipe by number */
bool cancelled[NUMS];   /* of queued numbers */
bool stopped;           /* Suspended, Stopped, Idle: begins nothing */
byte mb_seq, mb_session, mb_job, mb_crc_seq, mb_crc_session; /* the mailbox; the CRC is what it was made from */
bool aborted;
byte filling, sealing;  /* numbers in the stations, 0 none */
bool dropped;           /* the filling station's pills have fallen */
bool is_sealed;         /* the sealing station's pouch is closed */
bool written;           /* its result stands in the ring */
bool miscounted[2];     /* filling, sealing */
bool removed;           /* the pouch in doubt was taken out */
byte ghost;             /* M_NO_INTENT: begun, not journalled */

/* ---- truth: what lies on the table ---- */
byte pouches[NUMS];     /* begun under this number */
bool closed[NUMS];
bool gone[NUMS];        /* diverted or taken out */
bool left[NUMS];        /* left as a good one */
byte good[JOBS_MAX + 1]; /* pouches of this job that did */
bool knew[NUMS];        /* withdrawn before it was written, and written only to be cancelled */

#define ended(j) (db_state[j] == GOOD || db_state[j] == CANCELLED)
#define all_jobs_ended (ended(1) && (jobs < 2 || ended(2)) && (jobs < 3 || ended(3)))

inline ask(kind, seq, job, retire)
{
    rq = OUT; rq_kind = kind; rq_session = db_session; rq_seq = seq; rq_job = job; rq_retire = retire
}

inline command(cmd, arg)
{
    ask(CONTROL, 0, 0, db_recorded); rq_cmd = cmd; rq_arg = arg; at = CONTROL
}

/* Lowest and highest open number that shall not be made any more. */
inline find_unwanted()
{
    from = 0; to = 0; j = db_recorded + 1;
    do
    :: dropping && j <= db_issued ->
        if
        :: db_fill[j] == SENT && unwanted[db_job[j]] ->
            to = j;
            if
            :: from == 0 -> from = j
            :: else
            fi
        :: else
        fi;
        j++
    :: else -> break
    od;
    j = 0
}

#define cancels        (to > mS)
#define cancel_ahead   (to > mA)
#define next_cancelled (cancel_ahead && mA + 1 >= from)
#define is_told        (told_to > 0 && (mutant == M_HASTE || (told_from == from && told_to == to)))

inline forget_request()
{
    rq = FREE; rq_kind = 0; rq_session = 0; rq_seq = 0; rq_job = 0; rq_retire = 0; rq_cmd = 0; rq_arg = 0;
    an_seq = 0; an_outcome = 0
}

inline forget_kept()
{
    kept = db_recorded; outcome[0] = 0; outcome[1] = 0; put = 0; dead = false;
    mA = 0; mS = 0; mD = 0; mW = 0; mOwner = 0; mSerial = 0; mStopped = false; due = false;
    told_from = 0; told_to = 0
}

inline note_commit()
{
    if
    :: mutant == M_NORMAL -> was_issued = db_issued; was_recorded = db_recorded
    :: else
    fi
}

/* C1: numbers for waiting jobs while the window has room. */
inline intend()
{
    j = 1;
    do
    :: j <= jobs && db_issued - db_recorded < (mutant == M_RING -> WINDOW + 1 : WINDOW) && unsent == 0 ->
        if
        :: db_state[j] == WAITING && mutant == M_UNDURABLE ->
            assert(db_issued + 1 < NUMS); unsent = db_issued + 1; unsent_job = j
        :: db_state[j] == WAITING && mutant != M_UNDURABLE ->
            assert(db_issued + 1 < NUMS && (!swapping || db_place == 2 || db_issued < BASE));
            db_issued++; db_job[db_issued] = j; db_fill[db_issued] = SENT; db_state[j] = SENT
        :: else
        fi;
        j++
    :: else -> break
    od;
    j = 0
}

/* Its number came to nothing: it is made again, unless nobody wants it any more. */
inline release_job(job)
{
    if
    :: db_state[job] == SENT && !unwanted[job] -> db_state[job] = WAITING
    :: db_state[job] == SENT && unwanted[job] -> db_state[job] = CANCELLED
    :: else
    fi
}

/* A person adopts the machine that stands there, and takes the open pouches of the other one out of use. */
inline adopt()
{
    j = 1;
    do
    :: j <= db_issued ->
        if
        :: db_fill[j] == SENT ->
            db_fill[j] = VOID;
            if
            :: mutant != M_SWAP && left[j] -> left[j] = false; good[db_job[j]]-- /* reach */
            :: else
            fi;
            if
            :: mutant != M_SWAP -> gone[j] = true
            :: else
            fi;
            release_job(db_job[j])
        :: else
        fi;
        j++
    :: else -> break
    od;
    j = 0;
    db_place = mSerial; db_issued = BASE; db_recorded = BASE; kept = BASE; /* reach */
    note_commit()
}

/* C4: result and job in one commit. The truth must agree. */
inline record()
{
    do
    :: db_recorded < kept ->
        db_recorded++;
        db_fill[db_recorded] = outcome[db_recorded % R];
        if
        :: db_fill[db_recorded] == GOOD ->
            assert(closed[db_recorded] && !gone[db_recorded]); /* evidence is the fate */
            db_state[db_job[db_recorded]] = GOOD
        :: else ->
            assert(db_fill[db_recorded] != CANCELLED || pouches[db_recorded] == 0); /* nothing was begun */
            assert(!closed[db_recorded] || gone[db_recorded]);
            release_job(db_job[db_recorded])
        fi
    :: else -> break
    od
}

/* M_NORMAL: what the last commit said was never said. */
inline undo_commit()
{
    do
    :: db_recorded > was_recorded ->
        db_fill[db_recorded] = SENT; db_state[db_job[db_recorded]] = SENT; db_recorded--
    :: else -> break
    od;
    do
    :: db_issued > was_issued && db_issued > db_recorded ->
        db_state[db_job[db_issued]] = WAITING; db_job[db_issued] = 0; db_fill[db_issued] = 0; db_issued--
    :: else -> break
    od
}

#define explained (mW <= mD && mD <= mA && mD >= db_recorded && mW <= db_recorded && \
                   (mA <= db_issued || mA == unsent))
#define depth     (mutant == M_RING -> R + 1 : Q) /* without M5 the queue may run over the ring */
#define room      (mA - mW < (mutant == M_RING -> R + 1 : R) && mA - mD < depth)

proctype controller()
{
    byte j;
end:
    do
    :: atomic { at == DOWN && rq == FREE -> ask(STATUS, 0, 0, 0); at = SURVEY }
    /* C2: session + 1 is durable before it is written; the claim changes nothing else. */
    :: atomic { at == SURVEY && rq == ANSWERED ->
            if
            :: mSerial != db_place -> adopt()
            :: else
            fi;
            mSerial = 0; db_session++; ask(CLAIM, 0, 0, mW); at = CLAIM
        }
    :: atomic { at == CLAIM && rq == ANSWERED -> ask(STATUS, 0, 0, 0); at = COMPARE }
    :: atomic { at == COMPARE && rq == ANSWERED ->
            assert(mOwner <= db_session); /* C9: nobody else is there */
            if
            :: mOwner < db_session -> ask(CLAIM, 0, 0, mW); at = CLAIM
            :: else -> assert(explained); /* C7 */ forget_request(); due = true; at = READY
            fi
        }
    :: atomic { at == STATUS && rq == ANSWERED -> forget_request(); due = false; at = READY }
    :: atomic { at == CONTROL && rq == ANSWERED ->
            if
            :: rq_cmd == GO || rq_cmd == SUSPEND -> told_from = 0; told_to = 0
            :: else
            fi;
            forget_request(); due = true; at = READY
        }
    :: atomic { at == PUT1 && rq == ANSWERED -> rq = OUT; rq_kind = PUT2; at = PUT2 }
    :: atomic { at == PUT2 && rq == ANSWERED -> rq = OUT; rq_kind = PUT3; at = PUT3 }
    :: atomic { at == PUT3 && rq == ANSWERED -> /* number not durable before it is sent: now it is */
            if
            :: put == unsent && put != 0 ->
                db_issued = unsent; db_job[unsent] = unsent_job; db_fill[unsent] = SENT;
                db_state[unsent_job] = SENT; unsent = 0; unsent_job = 0
            :: else
            fi;
            if /* what was cancelled before says nothing of what was written after it */
            :: mutant != M_HASTE -> told_from = 0; told_to = 0
            :: else
            fi;
            forget_request(); put = 0; due = true; at = READY
        }
    :: atomic { at == FETCH && rq == ANSWERED ->
            if
            :: an_seq == kept + 1 || mutant == M_NO_NONCE -> kept++; outcome[kept % R] = an_outcome
            :: else -> due = true /* the record is not there yet: look again */
            fi; forget_request(); at = READY
        }
    :: atomic { rq == LOST -> /* C2: a time-out proves nothing */
            forget_request();
            if
            :: mutant == M_FRESH && at == PUT3 -> db_state[db_job[put]] = WAITING
            :: else
            fi;
            forget_kept(); at = DOWN /* reach */
        }
    :: atomic { at == READY ->
            if
            :: due -> ask(STATUS, 0, 0, 0); at = STATUS
            :: else ->
                assert(explained); /* C7 */
                if
                :: kept < mD && kept - db_recorded < R -> ask(FETCH, kept + 1, 0, 0); at = FETCH
                :: mutant == M_RETIRE && kept > mW -> ask(CONTROL, 0, 0, kept); at = CONTROL
                :: kept > db_recorded && !(mutant == M_RETIRE && kept > mW) ->
                    note_commit(); record(); outcome[0] = 0; outcome[1] = 0; intend()
                :: else ->
                    find_unwanted();
                    if
                    :: mutant == M_REUSE && to > 0 && to == db_issued && to > mS ->
                        db_state[db_job[to]] = CANCELLED; db_fill[to] = 0; db_job[to] = 0; db_issued--
                    /* C5. A machine that was off in between has no owner: the heartbeat claims it again. */
                    :: mW < db_recorded || mOwner < db_session -> command(NONE, 0)
                    :: else ->
                        if
                        :: cancels && !cancel_ahead && !is_told -> /* C8: all of them are there */
                            command(CANCEL, from); rq_arg = (from > mS -> from : mS + 1);
                            told_from = from; told_to = to
                        :: next_cancelled && !mStopped && mutant != M_RUSH -> command(SUSPEND, 0)
                        :: mStopped && !cancel_ahead && (is_told || !cancels) && (db_issued > db_recorded || !all_jobs_ended) ->
                            command(GO, 0)
                        :: (mA < db_issued || unsent == mA + 1) && room && (!next_cancelled || mStopped || mutant == M_RUSH) &&
                           !(mStopped && !cancel_ahead) && !(cancels && !cancel_ahead && !is_told) -> /* C3: A < N, send A + 1 */
                            put = mA + 1;
                            if
                            :: put == unsent -> ask(PUT1, put, unsent_job, 0)
                            :: else ->
                                knew[put] = knew[put] || unwanted[db_job[put]];
                                ask(PUT1, put, db_job[put], 0)
                            fi;
                            at = PUT1
                        :: else ->
                            if
                            :: all_jobs_ended && db_issued == db_recorded -> at = OVER; due = false
                            :: cancels -> due = true
                            :: else -> note_commit(); intend(); due = true /* and poll */
                            fi
                        fi
                    fi;
                    from = 0; to = 0
                fi
            fi
        }
    :: atomic { crash > 0 && at != DOWN && at != OVER ->
            crash--;
            if /* the frame that has left may still arrive */
            :: rq == OUT && !st ->
                st = true; st_kind = rq_kind; st_session = rq_session; st_seq = rq_seq; st_job = rq_job;
                st_retire = rq_retire; st_cmd = rq_cmd; st_arg = rq_arg
            :: true
            fi;
            if
            :: mutant == M_NORMAL -> undo_commit()
            :: else
            fi;
            unsent = 0; unsent_job = 0;
            forget_request(); forget_kept(); at = DOWN /* reach */
        }
    od
}

/* ---- the machine's side of the wire ---- */

/* A frame takes effect. */
inline perform(kind, session, seq, job, retire, cmd, arg)
{
    if
    :: kind == CLAIM || kind == CONTROL ->
        if
        :: session >= owner && session > 0 && retire <= D -> /* C9: an older session is fenced */
            owner = session;
            if
            :: retire > W -> W = retire
            :: else
            fi;
            if
            :: cmd == SUSPEND -> stopped = true
            :: cmd == GO -> stopped = false
            :: cmd == CANCEL ->
                n = (mutant == M_BEGUN -> D + 1 : S + 1);
                do
                :: n <= A -> cancelled[n] = cancelled[n] || n >= arg || mutant == M_BEGUN; n++
                :: else -> break
                od;
                n = 0
            :: else
            fi
        :: else
        fi
    :: kind == PUT1 -> mb_seq = seq; mb_session = session
    :: kind == PUT2 ->
        mb_job = job; mb_crc_seq = seq; mb_crc_session = session;
        if
        :: mutant == M_HALF && mb_seq == A + 1 && A - W < R && A - S < Q -> A++; queue[A] = mb_job; cancelled[A] = false
        :: else
        fi
    :: kind == PUT3 ->
        if
        :: mutant == M_HALF && mb_seq == A + 1 && A - W < R && A - S < Q -> A++; queue[A] = mb_job; cancelled[A] = false
        :: mutant == M_ANY && A + 1 < NUMS && A - W < R && A - S < Q && mb_session == owner && owner > 0 ->
            A++; queue[A] = mb_job; cancelled[A] = false
        :: mutant != M_HALF && mutant != M_ANY && seq == mb_seq && mb_crc_seq == mb_seq && mb_crc_session == mb_session &&
           mb_session == owner && owner > 0 && mb_seq == A + 1 && A - S < depth &&
           A - W < (mutant == M_RING -> R + 1 : R) ->
            A++; queue[A] = mb_job; cancelled[A] = false /* M1 */
        :: else /* M2: ignored */
        fi
    :: else
    fi
}

proctype wire()
{
    byte n;
end:
    do
    :: atomic { rq == OUT ->
            if
            :: dead -> dead = false; rq = LOST /* reach */
            :: !dead && loss > 0 -> loss--; rq = LOST /* the request */
            :: !dead && repeat > 0 && !st -> /* it arrives later: the controller gives up before */
                repeat--; st = true; st_kind = rq_kind; st_session = rq_session; st_seq = rq_seq; st_job = rq_job;
                st_retire = rq_retire; st_cmd = rq_cmd; st_arg = rq_arg; rq = LOST
            :: !dead ->
                if
                :: repeat > 0 && !st -> /* it arrives twice */
                    repeat--; st = true; st_kind = rq_kind; st_session = rq_session; st_seq = rq_seq;
                    st_job = rq_job; st_retire = rq_retire
                :: true
                fi;
                perform(rq_kind, rq_session, rq_seq, rq_job, rq_retire, rq_cmd, rq_arg);
                if
                :: rq_kind == STATUS ->
                    mA = A; mD = D; mW = W; mOwner = owner; mSerial = (at == SURVEY -> serial : 0);
                    mS = (dropping -> S : 0); mStopped = stopped
                :: rq_kind == FETCH -> an_seq = ring_seq[rq_seq % R]; an_outcome = ring_outcome[rq_seq % R]
                :: else
                fi;
                if
                :: loss > 0 -> loss--; rq = LOST /* the answer: reach */
                :: late > 0 && !la && (rq_kind == STATUS || rq_kind == FETCH) -> /* it comes after the time-out */
                    late--; la = true; la_kind = rq_kind; la_outcome = an_outcome;
                    la_A = (rq_kind == STATUS -> mA : 0); la_D = (rq_kind == STATUS -> mD : 0);
                    la_W = (rq_kind == STATUS -> mW : 0); rq = LOST
                :: true -> rq = ANSWERED
                fi
            fi
        }
    :: atomic { st -> /* a frame of an old connection */
            perform(st_kind, st_session, st_seq, st_job, st_retire, st_cmd, st_arg);
            st = false; st_kind = 0; st_session = 0; st_seq = 0; st_job = 0; st_retire = 0; st_cmd = 0;
            st_arg = 0 /* reach */
        }
    :: atomic { la && rq == OUT && !dead -> /* a late answer comes first */
            if
            :: mutant == M_NO_NONCE && la_kind == rq_kind ->
                perform(rq_kind, rq_session, rq_seq, rq_job, rq_retire, rq_cmd, rq_arg);
                if
                :: rq_kind == STATUS ->
                    mA = la_A; mD = la_D; mW = la_W; mS = S; mOwner = owner; mStopped = stopped
                :: else -> an_seq = rq_seq; an_outcome = la_outcome
                fi;
                rq = ANSWERED
            :: else -> rq = LOST /* transaction id or nonce: the line is closed */
            fi;
            la = false; la_kind = 0; la_A = 0; la_D = 0; la_W = 0; la_outcome = 0 /* reach */
        }
    od
}

/* ---- the machine ---- */

inline write_ring(seq, result)
{
    /* No result is overwritten that the store does not have. */
    assert(ring_seq[(seq) % R] == (seq) || ring_seq[(seq) % R] <= db_recorded);
    ring_seq[(seq) % R] = seq; ring_outcome[(seq) % R] = result
}

proctype machine()
{
    byte n;
end:
    do
    /* M3: S is durable before the first drop. M5: never beyond the ring. */
    :: atomic {
            !aborted && !stopped && filling == 0 && !(S < A && cancelled[S + 1]) && (mutant == M_NO_INTENT -> ghost : S) < A &&
                (mutant == M_RING || S + 1 - W <= R) ->
            if
            :: mutant == M_NO_INTENT -> ghost++; filling = ghost
            :: else -> S++; filling = S
            fi
        }
    :: atomic { filling > 0 && !dropped ->
            assert(!knew[filling]); /* it was withdrawn before it was written */
            pouches[filling]++;
            assert(pouches[filling] == 1);            /* no number is filled twice */
            assert(queue[filling] == db_job[filling] && db_job[filling] > 0); /* the right recipe, and durable */
            dropped = true;
            if
            :: bad > 0 -> bad--; miscounted[0] = true /* reach */
            :: true
            fi
        }
    /* C8: what was cancelled is answered when its turn comes. M_BEGUN: what is under way is, too. */
    :: atomic { !aborted && S == D && S < A && cancelled[S + 1] && !written -> write_ring(S + 1, CANCELLED); written = true }
    :: atomic { !aborted && S == D && S < A && cancelled[S + 1] && written -> S++; D = S; written = false /* reach */ }
    :: atomic { mutant == M_BEGUN && filling > 0 && sealing == 0 && cancelled[filling] ->
            write_ring(filling, CANCELLED); D = filling; filling = 0; dropped = false; miscounted[0] = false
        }
    :: atomic { filling > 0 && dropped && sealing == 0 ->
            sealing = filling; miscounted[1] = miscounted[0];
            filling = 0; dropped = false; miscounted[0] = false
        }
    :: atomic { sealing > 0 && !is_sealed -> closed[sealing] = true; is_sealed = true; gone[sealing] = miscounted[1] }
    :: atomic { sealing > 0 && is_sealed && !written ->
            if
            :: miscounted[1] -> write_ring(sealing, VOID)
            :: else -> write_ring(sealing, GOOD)
            fi;
            written = true
        }
    :: atomic { sealing > 0 && written -> /* M4: D makes the record count */
            D = sealing;
            if
            :: S < D -> S = D
            :: else
            fi;
            if
            :: !miscounted[1] ->
                n = db_job[sealing]; good[n]++; left[sealing] = swapping;
                assert(good[n] == 1); /* one good pouch a job */
                n = 0
            :: else
            fi;
            sealing = 0; is_sealed = false; written = false; miscounted[1] = false
        }
    /* M6: a person takes each doubtful pouch out and confirms. */
    :: atomic { aborted && S > D && !removed ->
            if
            :: mutant != M_NO_REMOVAL -> gone[D + 1] = true
            :: else
            fi;
            removed = true
        }
    :: atomic { aborted && S > D && removed && !written -> write_ring(D + 1, VOID); written = true }
    :: atomic { aborted && S > D && removed && written -> D++; removed = false; written = false } /* reach */
    :: aborted && S == D -> aborted = false
    od
}

/* What the machine forgets without power. */
inline go_dark()
{
    owner = 0; stopped = dropping;
    n = 1;
    do
    :: n < NUMS -> queue[n] = 0; cancelled[n] = false; n++
    :: else -> break
    od;
    n = 0;
    mb_seq = 0; mb_session = 0; mb_job = 0; mb_crc_seq = 0; mb_crc_session = 0;
    filling = 0; sealing = 0; dropped = false; is_sealed = false; written = false; removed = false;
    miscounted[0] = false; miscounted[1] = false;
    st = false; st_kind = 0; st_session = 0; st_seq = 0; st_job = 0; st_retire = 0; st_cmd = 0; st_arg = 0
}

proctype mains()
{
    byte n;
end:
    do
    :: atomic { power > 0 ->
            power--;
            A = S; ghost = S;
            go_dark();
            aborted = S > D; /* reach */
            if /* connections end with it; a serial line has none */
            :: rq == OUT || rq == ANSWERED -> rq = LOST
            :: rq == FREE && at != DOWN -> dead = true
            :: true
            fi
        }
    /* Another machine, fresh from its box, takes this one's place. It takes minutes: every connection ends. */
    :: atomic { swap > 0 ->
            swap--;
            if /* what was sealed is finished in the old one, and its result stays there */
            :: sealing > 0 && is_sealed && !miscounted[1] && db_job[sealing] > 0 ->
                closed[sealing] = true; left[sealing] = true; n = db_job[sealing]; good[n]++; assert(good[n] == 1)
            :: true
            fi;
            serial = 2; S = BASE; D = BASE; W = BASE; A = BASE; ghost = BASE;
            ring_seq[0] = 0; ring_seq[1] = 0; ring_outcome[0] = 0; ring_outcome[1] = 0;
            go_dark();
            aborted = false; /* reach */
            la = false; la_kind = 0; la_A = 0; la_D = 0; la_W = 0; la_outcome = 0;
            if
            :: rq == OUT || rq == ANSWERED -> rq = LOST
            :: rq == FREE && at != DOWN -> dead = true
            :: else
            fi
        }
    od
}

/* An order is stopped: its pouch is not wanted any more, wherever it is. */
proctype people()
{
end:
    do
    :: atomic { drop > 0 && (db_state[1] == WAITING || db_state[1] == SENT) && !unwanted[1] ->
            drop--; unwanted[1] = true; /* reach */
            if
            :: db_state[1] == WAITING -> db_state[1] = CANCELLED
            :: else
            fi
        }
    :: atomic { drop > 0 && jobs > 1 && (db_state[2] == WAITING || db_state[2] == SENT) && !unwanted[2] ->
            drop--; unwanted[2] = true;
            if
            :: db_state[2] == WAITING -> db_state[2] = CANCELLED
            :: else
            fi
        }
    od
}

init
{
    atomic {
    c_code {
        const char *text;
#define FROM_ENVIRONMENT(field, name, otherwise) \
        text = getenv(name); now.field = (unsigned char) (text ? atoi(text) : otherwise)
        FROM_ENVIRONMENT(mutant, "MUTANT", 0);
        FROM_ENVIRONMENT(loss, "LOSS", 0);
        FROM_ENVIRONMENT(repeat, "REPEAT", 0);
        FROM_ENVIRONMENT(late, "LATE", 0);
        FROM_ENVIRONMENT(crash, "CRASH", 0);
        FROM_ENVIRONMENT(power, "POWER", 0);
        FROM_ENVIRONMENT(bad, "BAD", 0);
        FROM_ENVIRONMENT(drop, "DROP", 0);
        FROM_ENVIRONMENT(swap, "SWAP", 0);
        FROM_ENVIRONMENT(dropping, "DROP", 0) != 0;
        FROM_ENVIRONMENT(swapping, "SWAP", 0) != 0;
        FROM_ENVIRONMENT(jobs, "JOBS", 2);
    }
    run controller(); run wire(); run machine();
    if
    :: power > 0 || swap > 0 -> run mains()
    :: else
    fi;
    if
    :: drop > 0 -> run people()
    :: else
    fi
    }
}

ltl all_ended { <> all_jobs_ended }
