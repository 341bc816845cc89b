/* SPDX-License-Identifier: Apache-2.0 */
/* The change from the plan before as notes of a new plan (see transition.h). Blocks for the store. */
#ifndef CONTROLLER_PLAN_TRANSITION_NOTES_H
#define CONTROLLER_PLAN_TRANSITION_NOTES_H

struct arena;
struct error;
struct input;
struct plan_text;
struct policy;
struct proposal;
struct store;

struct transition_notes {
    struct store *store;
    struct policy *policy;
    const struct input *input;
    struct proposal *proposal;
    const struct plan_text *plan; /* as it would be stored */
};

/*
 * Compares the plan with the one that the patient follows until it begins and adds what is wrong to the
 * proposal: PLAN_SWITCH where somebody must answer, PLAN_WARNING for the rest and for what a pharmacist has
 * accepted (an edit of kind PLAN_EDIT_SWITCH for the order and this first day). Nothing for a first plan.
 */
int transition_notes(const struct transition_notes *request, struct arena *arena, struct error *err);

#endif
