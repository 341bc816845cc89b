/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/intake.h"

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "controller/intake/dosage.h"
#include "controller/intake/tree.h"

#include <string.h>

static void write_text(const char *text, struct buf *out)
{
    tree_write_text(text != NULL ? text : "", text != NULL ? strlen(text) : 0, out);
}

const char *order_unit(const struct order *order)
{
    const char *form = order->product != NULL ? order->product->form : "";
    if (strstr(form, "tablet") != NULL)
        return "tablet";
    return strstr(form, "capsule") != NULL ? "capsule" : "piece";
}

enum which { WHICH_ALL, WHICH_REASONS, WHICH_NOTES };

static void write_reasons(const struct reasons *reasons, enum which which, struct buf *out)
{
    const char *comma = "";
    buf_char(out, '[');
    for (int i = 0; i < reasons->count; i++) {
        const struct reason *row = &reasons->rows[i];
        bool note = reason_class_of(row->code) == REASON_NOTE;
        if ((which == WHICH_NOTES && !note) || (which == WHICH_REASONS && note))
            continue;
        buf_text(out, comma);
        buf_text(out, "{\"code\":\"");
        buf_text(out, reason_name(row->code));
        buf_text(out, "\",\"text\":");
        write_text(row->text[0] != '\0' ? row->text : reason_text(row->code), out);
        buf_char(out, '}');
        comma = ",";
    }
    buf_char(out, ']');
}

static void write_codes(const struct reasons *reasons, struct buf *out)
{
    const char *comma = "";
    bool seen[REASON_CODE_COUNT] = {false};
    buf_char(out, '[');
    for (int i = 0; i < reasons->count; i++) {
        enum reason_code code = reasons->rows[i].code;
        if (reason_class_of(code) == REASON_NOTE || seen[code])
            continue;
        seen[code] = true;
        buf_printf(out, "%s\"%s\"", comma, reason_name(code));
        comma = ",";
    }
    buf_char(out, ']');
}

void order_write_reasons(const struct order *order, struct buf *out)
{
    write_reasons(&order->reasons, WHICH_ALL, out);
}

void order_write_codes(const struct order *order, struct buf *out)
{
    buf_char(out, '[');
    for (int i = 0; i < order->code_count; i++) {
        buf_text(out, i > 0 ? ",{\"system\":" : "{\"system\":");
        write_text(order->codes[i].system, out);
        buf_text(out, ",\"code\":");
        write_text(order->codes[i].code, out);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void write_drug(const struct order *order, struct buf *out)
{
    buf_text(out, "{\"name\":");
    write_text(order->drug_name, out);
    buf_text(out, ",\"codes\":");
    order_write_codes(order, out);
    buf_text(out, ",\"product\":");
    if (order->product != NULL)
        write_text(order->product->code, out);
    else
        buf_text(out, "null");
    buf_printf(out, ",\"provisional\":%s}",
               order->product != NULL && order->product->provisional ? "true" : "false");
}

void order_write(const struct order *order, struct buf *out)
{
    const char *unit = order_unit(order);
    buf_text(out, "{\"source\":");
    write_text(order->source_id, out);
    buf_text(out, ",\"patient\":");
    write_text(order->patient != NULL && order->patient->id[0] ? order->patient->id : order->patient_ref,
               out);
    buf_printf(out, ",\"outcome\":\"%s\",\"reasons\":", outcome_text(order->reasons.outcome));
    write_codes(&order->reasons, out);
    buf_text(out, ",\"details\":");
    write_reasons(&order->reasons, WHICH_REASONS, out);
    buf_text(out, ",\"notes\":");
    write_reasons(&order->reasons, WHICH_NOTES, out);
    buf_text(out, ",\"drug\":");
    write_drug(order, out);
    if (order->has_reading) {
        char words_mem[2048];
        struct buf words;
        buf_text(out, ",\"reading\":");
        reading_write(&order->reading, out);
        buf_text(out, ",\"dosage\":");
        dosage_write(&order->reading, strcmp(unit, "piece") == 0 ? "" : unit, out);
        buf_init_fixed(&words, words_mem, sizeof words_mem);
        reading_describe(&order->reading, unit, &words);
        buf_text(out, ",\"text\":");
        write_text(buf_string(&words), out);
    } else {
        buf_text(out, ",\"reading\":null,\"dosage\":null,\"text\":null");
    }
    buf_text(out, ",\"place\":");
    write_text(order->place, out);
    buf_char(out, '}');
}
