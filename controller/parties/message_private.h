/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that write messages share; nobody else includes it. */
#ifndef CONTROLLER_PARTIES_MESSAGE_PRIVATE_H
#define CONTROLLER_PARTIES_MESSAGE_PRIVATE_H

#include <jansson.h>
#include <stdint.h>

#include "config/base/civil.h"
#include "controller/parties/message.h"

/* One message while it is put together. Everything that could not be made sets `failed`. */
struct message {
    struct store *store;
    const struct partners *partners;
    json_t *entries; /* of the Bundle */
    bool failed;
    char patient_ref[80]; /* "Patient/s01"; "" without a patient */
};

/* The order that a task or a plan speaks of, as the newest version has it. */
struct message_order {
    bool found;
    json_t *concept;      /* CodeableConcept of the drug; never NULL after message_order_read */
    json_t *dosage;       /* array of Dosage, NULL when it could not be read */
    json_t *prescriber;   /* Reference by name or identifier, NULL: not known */
    json_t *prescription; /* Reference by identifier */
};

/* Sets a member and takes the value; a NULL value sets m->failed. */
void message_set(struct message *m, json_t *object, const char *key, json_t *value);
void message_set_text(struct message *m, json_t *object, const char *key, const char *text);
void message_set_day(struct message *m, json_t *object, const char *key, int32_t day);
/* Puts a resource into the Bundle under its own id. */
void message_add(struct message *m, json_t *resource);
json_t *message_resource(struct message *m, const char *type, const char *id);
json_t *message_concept(const char *system, const char *code, const char *text);
/* A concept of one of our own code systems: base/CodeSystem/sachet-NAME. */
json_t *message_own_concept(const struct message *m, const char *name, const char *code, const char *text);
json_t *message_reference(const char *reference);
json_t *message_instant(int64_t ms);
/* Adds the patient's entry and sets m->patient_ref. */
int message_patient(struct message *m, int64_t patient, struct error *err);
/* Adds our organization, or the payer's. */
void message_organization(struct message *m, const char *what, const char *name, const char *phone);
json_t *message_organization_ref(const struct message *m, const char *what);
/* The newest version of a patient's order; what is not there stays NULL. drug: words to use without one. */
int message_order_read(struct message *m, int64_t patient, const char *source_id, const char *drug,
                       struct message_order *ret_order, struct error *err);
void message_order_finish(struct message_order *order);
/* Writes the Bundle: id, version, instant, entries. Gives the entries back. */
int message_finish(struct message *m, const char *id, int version, int64_t ms, struct buf *out,
                   struct error *err);

/* message_about.c: what the Task is about; adds the resource and returns its type and id as a reference. */
int message_about(struct message *m, const struct task *task, const struct message_order *order,
                  const char *authored, json_t **ret_focus, struct error *err);

#endif
