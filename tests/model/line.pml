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
 *   environment  loses, repeats, delays, crashes, cuts, miscounts, each as often as its budget says.
 *
 * Checked everywhere: no number is filled twice; what is filled is what the store has for that number; at most
 * one good pouch a job; what the store says of a pouch is its physical fate; no result is overwritten that the
 * store does not have; the controller never meets counters that it cannot explain. Liveness (ltl all_good, weak
 * fairness): every job ends good.
 *
 * Not in it: PackML commands (a person always confirms, clears and starts), cancelling, M7, two controllers, wrap
 * of numbers, bad memory.
 *
 * Budgets and the mutant come from the environment (JOBS, LOSS, REPEAT, LATE, CRASH, POWER, BAD, MUTANT), so that
 * one compilation serves all runs.
 */
#define JOBS_MAX 3
#define NUMS     10 /* numbers that a run may use: jobs + miscounts + two a power loss */
#define R        2 /* result ring */
#define Q        2 /* queue */
#define WINDOW   2 /* open numbers: min(Q, R) */

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

byte mutant, jobs, loss, repeat, late, crash, power, bad;

/* ---- the store: survives everything ---- */
#define WAITING 0
#define SENT    1
#define GOOD    2
#define VOID    3
byte db_session, db_issued, db_recorded;
byte db_job[NUMS];      /* 0: the number was never given out */
byte db_fill[NUMS];     /* SENT, GOOD, VOID */
byte db_state[JOBS_MAX + 1];
/* M_NORMAL: the store before the last commit; kept nowhere else. */
byte was_issued, was_recorded;

/* ---- the controller: lost in a crash ---- */
mtype = { DOWN, SURVEY, CLAIM, COMPARE, READY, STATUS, CONTROL, PUT1, PUT2, PUT3, FETCH, OVER };
mtype at = DOWN;
bool due;               /* the mirror must be read before the next decision */
byte mA, mD, mW, mOwner; /* the mirror as last read */
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
byte rq_session, rq_seq, rq_job, rq_retire;
byte an_seq, an_outcome; /* answer to FETCH */
bool dead;               /* the next frame will find that the connection is gone */
/* A frame of an old connection that still arrives, whole. */
bool st;
mtype st_kind;
byte st_session, st_seq, st_job, st_retire;
/* A late answer. */
bool la;
mtype la_kind;
byte la_A, la_D, la_W, la_outcome;

/* ---- the machine: non-volatile ---- */
byte S, D, W;
byte ring_seq[R], ring_outcome[R];
/* volatile */
byte A, owner;
byte queue[NUMS];       /* recipe by number */
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
byte good[JOBS_MAX + 1]; /* pouches of this job that left as good ones */

#define all_jobs_good (db_state[1] == GOOD && (jobs < 2 || db_state[2] == GOOD) && (jobs < 3 || db_state[3] == GOOD))

inline ask(kind, seq, job, retire)
{
    rq = OUT; rq_kind = kind; rq_session = db_session; rq_seq = seq; rq_job = job; rq_retire = retire
}

inline forget_request()
{
    rq = FREE; rq_kind = 0; rq_session = 0; rq_seq = 0; rq_job = 0; rq_retire = 0; an_seq = 0; an_outcome = 0
}

inline forget_kept()
{
    kept = db_recorded; outcome[0] = 0; outcome[1] = 0; put = 0; dead = false;
    mA = 0; mD = 0; mW = 0; mOwner = 0; due = false
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
            assert(db_issued + 1 < NUMS);
            db_issued++; db_job[db_issued] = j; db_fill[db_issued] = SENT; db_state[j] = SENT
        :: else
        fi;
        j++
    :: else -> break
    od;
    j = 0
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
            assert(!closed[db_recorded] || gone[db_recorded]);
            if
            :: db_state[db_job[db_recorded]] == SENT -> db_state[db_job[db_recorded]] = WAITING
            :: else
            fi
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

active proctype controller()
{
    byte j;
    (jobs > 0);
end:
    do
    :: atomic { at == DOWN && rq == FREE -> ask(STATUS, 0, 0, 0); at = SURVEY }
    /* C2: session + 1 is durable before it is written; the claim changes nothing else. */
    :: atomic { at == SURVEY && rq == ANSWERED -> db_session++; ask(CLAIM, 0, 0, mW); at = CLAIM }
    :: atomic { at == CLAIM && rq == ANSWERED -> ask(STATUS, 0, 0, 0); at = COMPARE }
    :: atomic { at == COMPARE && rq == ANSWERED ->
            assert(mOwner <= db_session); /* C9: nobody else is there */
            if
            :: mOwner < db_session -> ask(CLAIM, 0, 0, mW); at = CLAIM
            :: else -> assert(explained); /* C7 */ forget_request(); due = true; at = READY
            fi
        }
    :: atomic { at == STATUS && rq == ANSWERED -> forget_request(); due = false; at = READY }
    :: atomic { at == CONTROL && rq == ANSWERED -> forget_request(); due = true; at = READY }
    :: atomic { at == PUT1 && rq == ANSWERED -> rq = OUT; rq_kind = PUT2; at = PUT2 }
    :: atomic { at == PUT2 && rq == ANSWERED -> rq = OUT; rq_kind = PUT3; at = PUT3 }
    :: atomic { at == PUT3 && rq == ANSWERED -> /* number not durable before it is sent: now it is */
            if
            :: put == unsent && put != 0 ->
                db_issued = unsent; db_job[unsent] = unsent_job; db_fill[unsent] = SENT;
                db_state[unsent_job] = SENT; unsent = 0; unsent_job = 0
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
                    if
                    /* C5. A machine that was off in between has no owner: the heartbeat claims it again. */
                    :: mW < db_recorded || mOwner < db_session -> ask(CONTROL, 0, 0, db_recorded); at = CONTROL
                    :: mW >= db_recorded && mOwner >= db_session && (mA < db_issued || unsent == mA + 1) && room -> /* C3: A < N, send A + 1 */
                        put = mA + 1;
                        if
                        :: put == unsent -> ask(PUT1, put, unsent_job, 0)
                        :: else -> ask(PUT1, put, db_job[put], 0)
                        fi;
                        at = PUT1
                    :: else ->
                        if
                        :: all_jobs_good && db_issued == db_recorded -> at = OVER; due = false
                        :: else -> note_commit(); intend(); due = true /* and poll */
                        fi
                    fi
                fi
            fi
        }
    :: atomic { crash > 0 && at != DOWN && at != OVER ->
            crash--;
            if /* the frame that has left may still arrive */
            :: rq == OUT && !st ->
                st = true; st_kind = rq_kind; st_session = rq_session; st_seq = rq_seq; st_job = rq_job;
                st_retire = rq_retire
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
inline perform(kind, session, seq, job, retire)
{
    if
    :: kind == CLAIM || kind == CONTROL ->
        if
        :: session >= owner && session > 0 && retire <= D -> /* C9: an older session is fenced */
            owner = session;
            if
            :: retire > W -> W = retire
            :: else
            fi
        :: else
        fi
    :: kind == PUT1 -> mb_seq = seq; mb_session = session
    :: kind == PUT2 ->
        mb_job = job; mb_crc_seq = seq; mb_crc_session = session;
        if
        :: mutant == M_HALF && mb_seq == A + 1 && A - W < R && A - S < Q -> A++; queue[A] = mb_job
        :: else
        fi
    :: kind == PUT3 ->
        if
        :: mutant == M_HALF && mb_seq == A + 1 && A - W < R && A - S < Q -> A++; queue[A] = mb_job
        :: mutant == M_ANY && A + 1 < NUMS && A - W < R && A - S < Q && mb_session == owner && owner > 0 ->
            A++; queue[A] = mb_job
        :: mutant != M_HALF && mutant != M_ANY && seq == mb_seq && mb_crc_seq == mb_seq && mb_crc_session == mb_session &&
           mb_session == owner && owner > 0 && mb_seq == A + 1 && A - S < depth &&
           A - W < (mutant == M_RING -> R + 1 : R) ->
            A++; queue[A] = mb_job /* M1 */
        :: else /* M2: ignored */
        fi
    :: else
    fi
}

active proctype wire()
{
    (jobs > 0);
end:
    do
    :: atomic { rq == OUT ->
            if
            :: dead -> dead = false; rq = LOST /* reach */
            :: !dead && loss > 0 -> loss--; rq = LOST /* the request */
            :: !dead && repeat > 0 && !st -> /* it arrives later: the controller gives up before */
                repeat--; st = true; st_kind = rq_kind; st_session = rq_session; st_seq = rq_seq; st_job = rq_job;
                st_retire = rq_retire; rq = LOST
            :: !dead ->
                if
                :: repeat > 0 && !st -> /* it arrives twice */
                    repeat--; st = true; st_kind = rq_kind; st_session = rq_session; st_seq = rq_seq;
                    st_job = rq_job; st_retire = rq_retire
                :: true
                fi;
                perform(rq_kind, rq_session, rq_seq, rq_job, rq_retire);
                if
                :: rq_kind == STATUS -> mA = A; mD = D; mW = W; mOwner = owner
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
            perform(st_kind, st_session, st_seq, st_job, st_retire);
            st = false; st_kind = 0; st_session = 0; st_seq = 0; st_job = 0; st_retire = 0 /* reach */
        }
    :: atomic { la && rq == OUT && !dead -> /* a late answer comes first */
            if
            :: mutant == M_NO_NONCE && la_kind == rq_kind ->
                perform(rq_kind, rq_session, rq_seq, rq_job, rq_retire);
                if
                :: rq_kind == STATUS -> mA = la_A; mD = la_D; mW = la_W; mOwner = owner
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

active proctype machine()
{
    byte n;
    (jobs > 0);
end:
    do
    /* M3: S is durable before the first drop. M5: never beyond the ring. */
    :: atomic {
            !aborted && filling == 0 && (mutant == M_NO_INTENT -> ghost : S) < A &&
                (mutant == M_RING || S + 1 - W <= R) ->
            if
            :: mutant == M_NO_INTENT -> ghost++; filling = ghost
            :: else -> S++; filling = S
            fi
        }
    :: atomic { filling > 0 && !dropped ->
            pouches[filling]++;
            assert(pouches[filling] == 1);            /* no number is filled twice */
            assert(queue[filling] == db_job[filling] && db_job[filling] > 0); /* the right recipe, and durable */
            dropped = true;
            if
            :: bad > 0 -> bad--; miscounted[0] = true /* reach */
            :: true
            fi
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
            :: !miscounted[1] -> n = db_job[sealing]; good[n]++; assert(good[n] == 1); /* one good pouch a job */ n = 0
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

active proctype mains()
{
    byte n;
    (jobs > 0);
end:
    do
    :: atomic { power > 0 ->
            power--;
            A = S; owner = 0; ghost = S;
            n = 1;
            do
            :: n < NUMS -> queue[n] = 0; n++
            :: else -> break
            od;
            n = 0;
            mb_seq = 0; mb_session = 0; mb_job = 0; mb_crc_seq = 0; mb_crc_session = 0;
            filling = 0; sealing = 0; dropped = false; is_sealed = false; written = false; removed = false;
            miscounted[0] = false; miscounted[1] = false;
            aborted = S > D; /* reach */
            st = false; st_kind = 0; st_session = 0; st_seq = 0; st_job = 0; st_retire = 0;
            if /* connections end with it; a serial line has none */
            :: rq == OUT || rq == ANSWERED -> rq = LOST
            :: rq == FREE && at != DOWN -> dead = true
            :: true
            fi
        }
    od
}

init
{
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
        FROM_ENVIRONMENT(jobs, "JOBS", 2);
    }
}

ltl all_good { <> all_jobs_good }
