/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-rig/diff.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"

/* One line of a log in words: "at 12.034 s machine 0, pouch 7: drop, bay 3, pieces 1". */
static void say_line(const char *line, size_t len, struct buf *out)
{
    json_t *event = json_loadb(line, len, 0, NULL);
    const char *key;
    json_t *value;
    if (len == 0) {
        buf_text(out, "it has ended");
        return;
    }
    if (!json_is_object(event)) {
        buf_printf(out, "no event: %.*s", (int)(len < 120 ? len : 120), line);
        json_decref(event);
        return;
    }
    int64_t t = json_integer_value(json_object_get(event, "t"));
    const char *name = json_string_value(json_object_get(event, "ev"));
    int64_t seq = json_integer_value(json_object_get(event, "seq"));
    buf_printf(out, "at %" PRId64 ".%06" PRId64 " s machine %" PRId64, t / 1000000, t % 1000000,
               (int64_t)json_integer_value(json_object_get(event, "m")));
    if (seq > 0)
        buf_printf(out, ", pouch %" PRId64, seq);
    buf_printf(out, ": %s", name ? name : "?");
    json_object_foreach(event, key, value)
    {
        if (strcmp(key, "t") == 0 || strcmp(key, "m") == 0 || strcmp(key, "seq") == 0 ||
            strcmp(key, "ev") == 0)
            continue;
        if (json_is_string(value))
            buf_printf(out, ", %s", json_string_value(value));
        else
            buf_printf(out, ", %s %" PRId64, key, (int64_t)json_integer_value(value));
    }
    json_decref(event);
}

bool diff_logs(const char *first, const char *second, struct buf *out)
{
    for (unsigned long number = 1;; number++) {
        size_t a = strcspn(first, "\n"), b = strcspn(second, "\n");
        if (a == b && memcmp(first, second, a) == 0) {
            if (!first[a] && !second[b])
                return true;
            if ((first[a] == '\n') == (second[b] == '\n')) {
                first += a + 1;
                second += b + 1;
                continue;
            }
        }
        buf_printf(out, "the logs part at line %lu\n  first:  ", number);
        say_line(first, a, out);
        buf_text(out, "\n  second: ");
        say_line(second, b, out);
        buf_char(out, '\n');
        return false;
    }
}
