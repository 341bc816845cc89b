/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/scenario.h"

#include <stddef.h>
#include <string.h>

#define WORD3(name, word, text)         word,
#define WORD4(name, word, of_bay, text) word,
const char *const scenario_action_words[] = {FAULT_TABLE(WORD3) TROUBLE_TABLE(WORD4) HAND_TABLE(WORD3)
                                                 LINE_FAULT_TABLE(WORD3) CREW_TABLE(WORD3) NULL};

#define TEXT3(name, word, text)         text,
#define TEXT4(name, word, of_bay, text) text,
static const char *const texts[] = {FAULT_TABLE(TEXT3) TROUBLE_TABLE(TEXT4) HAND_TABLE(TEXT3)
                                        LINE_FAULT_TABLE(TEXT3) CREW_TABLE(TEXT3)};
_Static_assert(sizeof texts / sizeof texts[0] == SCENARIO_ACTIONS, "a text an action");

const char *const scenario_phases[] = {"accepted", "started", "printed", "drop", "sealed", "done", NULL};

const char *const scenario_states[] = {"Clearing",   "Stopped",   "Starting",   "Idle",         "Suspended",
                                       "Execute",    "Stopping",  "Aborting",   "Aborted",      "Holding",
                                       "Held",       "Unholding", "Suspending", "Unsuspending", "Resetting",
                                       "Completing", "Complete",  NULL};

const char *const scenario_alarms[] = {"ESTOP",
                                       "GUARD_OPEN",
                                       "GUARD_DISCREPANCY",
                                       "DOUBTFUL_POUCH",
                                       "NV_FAULT",
                                       "CANISTER_EMPTY",
                                       "JAM",
                                       "SENSOR_FAULT",
                                       "FILM_OUT",
                                       "RIBBON_OUT",
                                       "PRINTER",
                                       "SEAL_COLD",
                                       "SEAL_HOT",
                                       "THERMOCOUPLE",
                                       "CONTROLLER_SILENT",
                                       "CANISTER_WRONG",
                                       "CANISTER_LID",
                                       "FILM_SLIP",
                                       "VISION_FAULT",
                                       "WEIGHER_FAULT",
                                       NULL};

const char *scenario_action_text(enum scenario_action action)
{
    return action < SCENARIO_ACTIONS ? texts[action] : "?";
}

bool scenario_action_of_bay(enum scenario_action action)
{
    return (action > SCENARIO_FAULT_NONE && action < SCENARIO_FAULT_FILM_SLIP) ||
           (action >= SCENARIO_TROUBLES && action < SCENARIO_TROUBLE_DOOR_CHANNEL) ||
           action == SCENARIO_CREW_UNLOCK || action == SCENARIO_CREW_REFILL ||
           action == SCENARIO_HAND_EMPTY || action == SCENARIO_HAND_SEAT || action == SCENARIO_HAND_SWAP;
}

enum scenario_action scenario_action_undo(enum scenario_action action)
{
    static const enum scenario_action pairs[][2] = {
        {SCENARIO_HAND_POWER_OFF, SCENARIO_HAND_POWER_ON},
        {SCENARIO_HAND_CUT_POWER, SCENARIO_HAND_POWER_ON},
        {SCENARIO_HAND_DOOR_OPEN, SCENARIO_HAND_DOOR_CLOSE},
        {SCENARIO_HAND_ESTOP, SCENARIO_HAND_ESTOP_RELEASE},
    };
    if (action >= SCENARIO_TROUBLES && action < SCENARIO_HANDS)
        return action;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (pairs[i][0] == action)
            return pairs[i][1];
    }
    return SCENARIO_ACTIONS;
}

enum scenario_action scenario_action_find(const char *word)
{
    for (unsigned i = 0; i < SCENARIO_ACTIONS; i++) {
        if (strcmp(word, scenario_action_words[i]) == 0)
            return (enum scenario_action)i;
    }
    return SCENARIO_ACTIONS;
}
