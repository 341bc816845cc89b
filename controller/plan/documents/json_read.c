/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/documents/json_read.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/error.h"

static void place_name(const struct place *at, struct buf *out)
{
    if (at->up)
        place_name(at->up, out);
    if (!at->name)
        buf_printf(out, "[%d]", at->index);
    else if (at->name[0])
        buf_printf(out, "%s%s", out->len ? "." : "", at->name);
}

int place_error(const struct place *at, int code, struct error *err, const char *format, ...)
{
    char where[256];
    char what[ERROR_MESSAGE_BYTES];
    struct buf out;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args); /* a cut message is still a message */
    va_end(args);
    buf_init_fixed(&out, where, sizeof where);
    place_name(at, &out);
    return out.len ? error_set(err, code, "%s: %s", buf_string(&out), what)
                   : error_set(err, code, "%s", what);
}

int read_object(const json_t *value, const struct place *at, const char *const *known, struct error *err)
{
    if (!json_is_object(value))
        return place_error(at, E_INPUT, err, "must be an object");
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i])
            return place_error(at, E_INPUT, err, "unknown member \"%.64s\"", key);
    }
    return 0;
}

int read_int_value(const json_t *value, const struct place *at, int min, int max, int *ret, struct error *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
        return place_error(at, E_INPUT, err, "must be a whole number %d..%d", min, max);
    *ret = (int)json_integer_value(value);
    return 0;
}

int read_int(const json_t *object, const struct place *at, const char *member, int min, int max, int fallback,
             int *ret, struct error *err)
{
    const json_t *value = json_object_get(object, member);
    struct place here = {.up = at, .name = member};
    if (!value || json_is_null(value)) {
        *ret = fallback;
        return 0;
    }
    return read_int_value(value, &here, min, max, ret, err);
}

int read_text(const json_t *object, const struct place *at, const char *member, bool needed, const char **ret,
              struct error *err)
{
    const json_t *value = json_object_get(object, member);
    struct place here = {.up = at, .name = member};
    if (!value && !needed)
        return 0;
    if (!json_is_string(value))
        return place_error(&here, E_INPUT, err, value ? "must be a text" : "is missing");
    *ret = json_string_value(value);
    return 0;
}
