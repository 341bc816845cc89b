/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packml: modes, states and commands of a packing machine with the names and numbers of PackML
 * (ISA-TR88.00.02), plus the two commands of ours that PackML has no word for. Pure tables, any thread.
 *
 * Held: the cause is inside the machine (film out, jam, empty canister). Suspended: the cause is outside (no
 * jobs, controller silent, ring full). Aborted is left only by Clear, after a person made it right.
 */
#ifndef HW_PACKML_H
#define HW_PACKML_H

#include <stdbool.h>
#include <stddef.h>

/* PackML unit modes, states and commands with their standard numbers. */
enum machine_mode { MACHINE_MODE_PRODUCTION = 1, MACHINE_MODE_MAINTENANCE = 2, MACHINE_MODE_MANUAL = 3 };

#define MACHINE_STATE_TABLE(X)          \
    X(CLEARING, 1, "Clearing")          \
    X(STOPPED, 2, "Stopped")            \
    X(STARTING, 3, "Starting")          \
    X(IDLE, 4, "Idle")                  \
    X(SUSPENDED, 5, "Suspended")        \
    X(EXECUTE, 6, "Execute")            \
    X(STOPPING, 7, "Stopping")          \
    X(ABORTING, 8, "Aborting")          \
    X(ABORTED, 9, "Aborted")            \
    X(HOLDING, 10, "Holding")           \
    X(HELD, 11, "Held")                 \
    X(UNHOLDING, 12, "Unholding")       \
    X(SUSPENDING, 13, "Suspending")     \
    X(UNSUSPENDING, 14, "Unsuspending") \
    X(RESETTING, 15, "Resetting")       \
    X(COMPLETING, 16, "Completing")     \
    X(COMPLETE, 17, "Complete")

enum machine_state {
#define MACHINE_STATE_ENUM(name, number, text) MACHINE_STATE_##name = number,
    MACHINE_STATE_TABLE(MACHINE_STATE_ENUM)
#undef MACHINE_STATE_ENUM
};

#define MACHINE_COMMAND_TABLE(X)                                                                           \
    X(NONE, 0, "none")                                                                                     \
    X(RESET, 1, "Reset")                                                                                   \
    X(START, 2, "Start")                                                                                   \
    X(STOP, 3, "Stop")                                                                                     \
    X(HOLD, 4, "Hold")                                                                                     \
    X(UNHOLD, 5, "Unhold")                                                                                 \
    X(SUSPEND, 6, "Suspend")                                                                               \
    X(UNSUSPEND, 7, "Unsuspend")                                                                           \
    X(ABORT, 8, "Abort")                                                                                   \
    X(CLEAR, 9, "Clear")                                                                                   \
    X(CONFIRM_REMOVED, 20, "Confirm removed") /* a person took pouch D + 1 out (rule M6): one a command */ \
    X(CANCEL_FROM, 21, "Cancel from")         /* argument: seq; answered by results CANCELLED (rule C8) */

enum machine_command {
#define MACHINE_COMMAND_ENUM(name, number, text) MACHINE_COMMAND_##name = number,
    MACHINE_COMMAND_TABLE(MACHINE_COMMAND_ENUM)
#undef MACHINE_COMMAND_ENUM
};

/* What became of the last command (status mirror). */
enum machine_command_result {
    MACHINE_COMMAND_UNSEEN = 0,
    MACHINE_COMMAND_TAKEN = 1,
    MACHINE_COMMAND_REFUSED = 2
};

/* What a command does where. Cancel from and Confirm removed change no state; they have no row. */
struct packml_row {
    enum machine_command command;
    enum machine_state from;
    enum machine_state to; /* = from: taken and remembered, as Suspend on the way into Execute */
};

/* NULL: the command is refused in this state, and nothing changes. */
const struct packml_row *packml_take(enum machine_state from, enum machine_command command);
/* Where a state leads that is over by itself; NULL: it stays. */
const struct packml_row *packml_settle(enum machine_state from);

/* Names for people; "?" for numbers outside the table. */
const char *machine_mode_name(enum machine_mode mode);
const char *machine_state_name(enum machine_state state);
const char *machine_command_name(enum machine_command command);
/* Whether a number that came over a wire is one of the table: it is untrusted input. */
bool machine_state_known(unsigned number);
bool machine_command_known(unsigned number);

#endif
