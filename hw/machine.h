/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine: the port to one pouch-packing machine. Everything above talks to these functions and to nothing
 * else.
 *
 * A backend (Modbus TCP or RTU, simulator in-process, trace, replay, faulty) fills in `struct machine_ops`.
 * The owner calls all functions from one thread; none of them blocks. A backend that must wait for a wire
 * owns a thread for it.
 *
 * Requests are values. machine_check says whether a request could be taken at all (caller errors are found
 * there), machine_submit queues it, machine_poll hands out finished answers in the order of submission, and
 * machine_fd turns readable when there is one. At most MACHINE_QUEUE requests may be outstanding. Every
 * answer says whether the machine DID it, did NOT, or whether that is UNKNOWN: a time-out after the bytes
 * left is UNKNOWN and is never repeated blindly; the status mirror tells (spec: machine, rules C2 and C3).
 *
 * Connection: MACHINE_IDENTIFY connects (again) and reads the identity block. After any answer with a link
 * error the backend has closed the connection, and every request but MACHINE_IDENTIFY is answered NOT_DONE
 * with E_LINK until the next MACHINE_IDENTIFY. The controller then makes session + 1 durable and writes it
 * with the first MACHINE_CONTROL.
 *
 * Register map, word order and limits are the business of the machine profile (hw/modbus); names and numbers
 * of states and commands are PackML's (ISA-TR88.00.02).
 */
#ifndef HW_MACHINE_H
#define HW_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/machine_values.h"

struct error;

/* What a command that can move something came to. */
enum machine_did { MACHINE_DONE, MACHINE_NOT_DONE, MACHINE_UNKNOWN };

enum machine_request_kind {
    MACHINE_IDENTIFY,    /* connect and read identity */
    MACHINE_READ_STATUS, /* the mirror */
    MACHINE_CONTROL,     /* write the control block */
    MACHINE_PUT_JOB,     /* write the mailbox */
    MACHINE_READ_RESULT, /* ring record of `seq` */
    MACHINE_READ_BAYS,   /* MACHINE_BAYS_PER_READ rows from `bay` */
};

struct machine_request {
    enum machine_request_kind kind;
    uint32_t id;          /* the caller's, comes back in the answer */
    uint32_t deadline_ms; /* from submission; 0: the backend's default */
    union {
        struct machine_control control;
        struct machine_job job;
        uint32_t seq;
        uint16_t bay;
    };
};

struct machine_answer {
    enum machine_request_kind kind;
    uint32_t id;
    enum machine_did did;
    /* 0 or an error code. E_LINK, E_TIMEOUT, E_FRAME: the link is down. E_DEVICE: the machine refused it (no
     * session yet, value out of range) or says nonsense. E_FENCED: a newer session owns it. E_MISMATCH:
     * another kind of machine. E_NOT_FOUND: the ring's place holds another seq. E_STATE: called off by
     * make_safe. */
    int code;
    uint32_t took_ms;
    union {
        struct machine_identity identity;
        struct machine_status status;
        struct machine_result result; /* its seq is the one asked for, else code is E_NOT_FOUND */
        struct {
            uint16_t first;
            uint16_t count;
            struct machine_bay rows[MACHINE_BAYS_PER_READ];
        } bays;
    };
};

/* Per machine, for people (spec: machine, section 7). */
struct machine_counters {
    uint64_t requests; /* that went onto the wire */
    uint64_t timeouts;
    uint64_t frame_errors; /* CRC, length, transaction id */
    uint64_t exceptions;
    uint64_t reconnects;
    uint64_t late;     /* answers that were not to the question asked: thrown away */
    uint64_t retries;  /* reads that the backend repeated by itself for it */
    uint32_t worst_ms; /* of a request, from submission to answer */
    uint32_t p99_ms;   /* 99 of 100 took at most so long; 0: the backend does not know */
};

struct machine;

/* All methods are mandatory. `machine` is the first member of a backend's own struct. */
struct machine_ops {
    const char *name;
    int (*check)(struct machine *machine, const struct machine_request *request, struct error *err);
    int (*submit)(struct machine *machine, const struct machine_request *request, struct error *err);
    bool (*poll)(struct machine *machine, struct machine_answer *ret_answer);
    int (*fd)(struct machine *machine); /* -1: no fd, poll it from a timer */
    /* Answers NOT_DONE (E_STATE) to what waits in the queue and, if it can, asks the machine to suspend.
     * Idempotent, callable in any state. */
    void (*make_safe)(struct machine *machine);
    void (*counters)(struct machine *machine, struct machine_counters *ret_counters);
    void (*destroy)(struct machine *machine);
};

struct machine {
    const struct machine_ops *ops;
};

/* 0, or E_ARG (limits of machine_values.h), E_LIMIT (more than this device takes). Moves nothing. */
int machine_check(struct machine *machine, const struct machine_request *request, struct error *err);
/* machine_check, then the queue: E_LIMIT when MACHINE_QUEUE requests are outstanding. */
int machine_submit(struct machine *machine, const struct machine_request *request, struct error *err);
bool machine_poll(struct machine *machine, struct machine_answer *ret_answer);
int machine_fd(struct machine *machine);
void machine_make_safe(struct machine *machine);
void machine_counters(struct machine *machine, struct machine_counters *ret_counters);
/* NULL is allowed. */
void machine_destroy(struct machine *machine);

#endif
