/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/documents/json_write.h"

#include "config/base/buf.h"

void json_write_text(struct buf *out, const char *text)
{
    buf_char(out, '"');
    for (const char *c = text; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte == '"' || byte == '\\')
            buf_printf(out, "\\%c", byte);
        else if (byte < 0x20)
            buf_printf(out, "\\u%04x", byte);
        else
            buf_char(out, *c);
    }
    buf_char(out, '"');
}
