/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/packml.h"

#define S(state)   MACHINE_STATE_##state
#define C(command) MACHINE_COMMAND_##command

static const struct packml_row taken[] = {
    {C(RESET), S(STOPPED), S(RESETTING)},
    {C(RESET), S(COMPLETE), S(RESETTING)},
    {C(START), S(IDLE), S(STARTING)},
    {C(STOP), S(STARTING), S(STOPPING)},
    {C(STOP), S(IDLE), S(STOPPING)},
    {C(STOP), S(SUSPENDED), S(STOPPING)},
    {C(STOP), S(EXECUTE), S(STOPPING)},
    {C(STOP), S(HOLDING), S(STOPPING)},
    {C(STOP), S(HELD), S(STOPPING)},
    {C(STOP), S(UNHOLDING), S(STOPPING)},
    {C(STOP), S(SUSPENDING), S(STOPPING)},
    {C(STOP), S(UNSUSPENDING), S(STOPPING)},
    {C(STOP), S(RESETTING), S(STOPPING)},
    {C(STOP), S(COMPLETING), S(STOPPING)},
    {C(STOP), S(COMPLETE), S(STOPPING)},
    {C(HOLD), S(EXECUTE), S(HOLDING)},
    {C(HOLD), S(SUSPENDED), S(HOLDING)},
    {C(UNHOLD), S(HELD), S(UNHOLDING)},
    {C(SUSPEND), S(EXECUTE), S(SUSPENDING)},
    /* An order to suspend is remembered where the machine is on its way into Execute or suspended already. */
    {C(SUSPEND), S(STARTING), S(STARTING)},
    {C(SUSPEND), S(UNHOLDING), S(UNHOLDING)},
    {C(SUSPEND), S(UNSUSPENDING), S(UNSUSPENDING)},
    {C(SUSPEND), S(SUSPENDING), S(SUSPENDING)},
    {C(SUSPEND), S(SUSPENDED), S(SUSPENDED)},
    {C(UNSUSPEND), S(SUSPENDING), S(SUSPENDING)},
    {C(UNSUSPEND), S(SUSPENDED), S(SUSPENDED)}, /* leaves it when no other cause is left */
    {C(UNSUSPEND), S(STARTING), S(STARTING)},
    {C(UNSUSPEND), S(UNHOLDING), S(UNHOLDING)},
    {C(UNSUSPEND), S(UNSUSPENDING), S(UNSUSPENDING)},
    {C(ABORT), S(CLEARING), S(ABORTING)},
    {C(ABORT), S(STOPPED), S(ABORTING)},
    {C(ABORT), S(STARTING), S(ABORTING)},
    {C(ABORT), S(IDLE), S(ABORTING)},
    {C(ABORT), S(SUSPENDED), S(ABORTING)},
    {C(ABORT), S(EXECUTE), S(ABORTING)},
    {C(ABORT), S(STOPPING), S(ABORTING)},
    {C(ABORT), S(HOLDING), S(ABORTING)},
    {C(ABORT), S(HELD), S(ABORTING)},
    {C(ABORT), S(UNHOLDING), S(ABORTING)},
    {C(ABORT), S(SUSPENDING), S(ABORTING)},
    {C(ABORT), S(UNSUSPENDING), S(ABORTING)},
    {C(ABORT), S(RESETTING), S(ABORTING)},
    {C(ABORT), S(COMPLETING), S(ABORTING)},
    {C(ABORT), S(COMPLETE), S(ABORTING)},
    {C(CLEAR), S(ABORTED), S(CLEARING)},
};

static const struct packml_row settled[] = {
    {C(NONE), S(CLEARING), S(STOPPED)},     {C(NONE), S(STARTING), S(EXECUTE)},
    {C(NONE), S(RESETTING), S(IDLE)},       {C(NONE), S(STOPPING), S(STOPPED)},
    {C(NONE), S(ABORTING), S(ABORTED)},     {C(NONE), S(HOLDING), S(HELD)},
    {C(NONE), S(UNHOLDING), S(EXECUTE)},    {C(NONE), S(SUSPENDING), S(SUSPENDED)},
    {C(NONE), S(UNSUSPENDING), S(EXECUTE)}, {C(NONE), S(COMPLETING), S(COMPLETE)},
};

static const struct packml_row *find(const struct packml_row *rows, size_t count, enum machine_state from,
                                     enum machine_command command)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].from == from && rows[i].command == command)
            return &rows[i];
    }
    return NULL;
}

const struct packml_row *packml_take(enum machine_state from, enum machine_command command)
{
    return find(taken, sizeof taken / sizeof taken[0], from, command);
}

const struct packml_row *packml_settle(enum machine_state from)
{
    return find(settled, sizeof settled / sizeof settled[0], from, MACHINE_COMMAND_NONE);
}
