/* SPDX-License-Identifier: Apache-2.0 */
/* A roll for people, flagged pouches first, and as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/release/release.h"

void release_to_text(const struct release_roll *roll, struct buf *out)
{
    buf_printf(out,
               "%splan %" PRId64
               ", version %d, patient %s: %zu of %zu pouches made, %zu flagged, %zu to decide\n",
               roll->simulated ? "*** SIMULATED, not for dispensing ***\n" : "", roll->plan, roll->version,
               roll->patient, roll->good, roll->pouch_count, roll->flagged, roll->undecided);
    if (roll->released) {
        char when[INSTANT_TEXT_BYTES];
        instant_format(roll->released_ms, when);
        buf_printf(out, "released by %s at %s\n", roll->released_by, when);
    }
    for (size_t i = 0; i < roll->pouch_count; i++) {
        const struct release_pouch *pouch = &roll->pouches[i];
        if (pouch->flag == RELEASE_NONE && !pouch->decided)
            continue;
        buf_printf(out, "  pouch %-4d %s %s %s  %s\n             %s\n             %s", pouch->number,
                   pouch->date, pouch->time, pouch->slot, pouch->token, pouch->holds,
                   release_flag_text(pouch->flag));
        if (pouch->last_void[0])
            buf_printf(out, " (%d void, the last: %s)", pouch->voids, pouch->last_void);
        buf_char(out, '\n');
        if (pouch->decided)
            buf_printf(out, "             %s by %s: %s\n", pouch->accepted ? "accepted" : "REJECTED",
                       pouch->login, pouch->reason);
    }
    if (roll->scans && !roll->released) {
        buf_text(out, "scan from the strip:");
        for (size_t i = 0; i < roll->scan_count; i++)
            buf_printf(out, " %s",
                       i == 0                      ? "its first pouch,"
                       : i == roll->scan_count - 1 ? "its last pouch"
                                                   : "the pouch behind a cut,");
        buf_char(out, '\n');
    }
}

int release_to_json(const struct release_roll *roll, struct buf *out, struct error *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < roll->pouch_count; i++) {
        const struct release_pouch *p = &roll->pouches[i];
        (void)json_array_append_new(
            list, json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:b,s:i,s:s,s:s,s:s,s:s}", "pouch", p->number, "date",
                            p->date, "time", p->time, "slot", p->slot, "holds", p->holds, "token", p->token,
                            "good", (int)p->good, "voids", p->voids, "last_void", p->last_void, "flag",
                            release_flag_word(p->flag), "decision",
                            !p->decided   ? ""
                            : p->accepted ? "accept"
                                          : "reject",
                            "reason", p->reason));
    }
    json_t *object =
        json_pack("{s:s,s:I,s:i,s:s,s:b,s:b,s:i,s:i,s:i,s:i,s:i,s:o}", "format", "sachet-release/1", "plan",
                  (json_int_t)roll->plan, "version", roll->version, "patient", roll->patient, "simulated",
                  (int)roll->simulated, "released", (int)roll->released, "pouch_count",
                  (int)roll->pouch_count, "good", (int)roll->good, "flagged", (int)roll->flagged, "undecided",
                  (int)roll->undecided, "scans", (int)roll->scan_count, "pouches", list);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (text)
        buf_text(out, text);
    free(text);
    return text && !out->failed ? 0 : error_set(err, E_MEMORY, "no memory for the release");
}
