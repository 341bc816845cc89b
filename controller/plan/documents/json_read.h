/* SPDX-License-Identifier: Apache-2.0 */
/* Small steps of reading JSON strictly, with the place of a fault in the message: drugs[3].doses[0].pills. */
#ifndef CONTROLLER_PLAN_DOCUMENTS_JSON_READ_H
#define CONTROLLER_PLAN_DOCUMENTS_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>

struct error;

/* A chain from a member up to the root: name, or index when name is NULL. */
struct place {
    const struct place *up;
    const char *name;
    int index;
};

/* Sets "place: message" and returns code. */
__attribute__((format(printf, 4, 5))) int place_error(const struct place *at, int code, struct error *err,
                                                      const char *format, ...);
/* value must be an object with no other members than known[] (ended by NULL). */
int read_object(const json_t *value, const struct place *at, const char *const *known, struct error *err);
/* An integer min..max. */
int read_int_value(const json_t *value, const struct place *at, int min, int max, int *ret,
                   struct error *err);
/* The same for a member; absent or null takes fallback. */
int read_int(const json_t *object, const struct place *at, const char *member, int min, int max, int fallback,
             int *ret, struct error *err);
/* A text member, borrowed; absent leaves *ret alone unless it is needed. */
int read_text(const json_t *object, const struct place *at, const char *member, bool needed, const char **ret,
              struct error *err);

#endif
