/* SPDX-License-Identifier: Apache-2.0 */
/*
 * news: one FHIR R4 resource that the other side sent, read to what it says of one task.
 *
 * Strict where an answer is concerned: a code that the site does not list, a decision that is not spelled
 * out, a status that takes the resource back, an element that may change its meaning: E_INPUT with the
 * reason, for a person. Free text is kept as a note and never read for its meaning. Elements that do not
 * concern us are left alone. messages.md is the reference page. Pure but for the arena; any thread.
 */
#ifndef CONTROLLER_PARTIES_NEWS_H
#define CONTROLLER_PARTIES_NEWS_H

#include <jansson.h>
#include <stdint.h>

#include "controller/parties/partners.h"
#include "controller/parties/task.h"

struct arena;
struct error;

enum { NEWS_KEY_BYTES = 220 };

enum news_what {
    NEWS_NOTHING, /* a companion in a Bundle (Patient, Organization, ...), or nothing new for us */
    NEWS_EVENT,   /* the task moved */
    NEWS_ANSWER,  /* the task is answered, or asked back */
};

struct news {
    enum news_what what;
    char key[NEWS_KEY_BYTES]; /* "ClaimResponse/17/3": type, id and version or hash; "" for a companion */
    int64_t task;
    enum task_event event;
    const char *note;
    struct task_answer answer; /* task, result, until_day, facts, reference, note, source */
    const json_t
        *prescription; /* the renewed MedicationRequest, which the intake must read, too; NULL: none */
};

/* hash: the resource's own as text, for one without a version. */
int news_read(const json_t *resource, const char *hash, const struct partners *partners, struct arena *arena,
              struct news *ret_news, struct error *err);
/* True for a kind of task that this type of resource may answer. */
bool news_fits(const char *type, enum task_kind kind);

#endif
