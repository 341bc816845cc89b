/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/error.h"

#include <stdio.h>
#include <string.h>

static const struct error_row {
    int code;
    const char *name;
    const char *text;
    enum error_class class;
} error_rows[] = {
#define ERROR_ROW(name_, code_, text_, class_) \
    {.code = code_, .name = #name_, .text = text_, .class = class_},
    ERROR_TABLE(ERROR_ROW)
#undef ERROR_ROW
};

static const struct error_row *find_row(int code)
{
    for (size_t i = 0; i < sizeof error_rows / sizeof error_rows[0]; i++) {
        if (error_rows[i].code == code)
            return &error_rows[i];
    }
    return NULL;
}

/* One line, whatever came in with a name or a value: control characters (C0, DEL, and C1 as UTF-8 has them)
 * would break the line or steer the terminal. A sequence that the end of the buffer cut goes, too. */
static void tidy(char *message)
{
    unsigned char *p = (unsigned char *)message;
    for (; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
        else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
            p[0] = p[1] = '?';
    }
    size_t len = strlen(message), tail = 0;
    if (len < ERROR_MESSAGE_BYTES - 1)
        return;
    while (tail < 3 && (message[len - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (message[len - 1 - tail] & 0x80)
        message[len - 1 - tail] = '\0';
}

int error_set(struct error *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        (void)vsnprintf(err->message, sizeof err->message, format,
                        args); /* cut at the end: still a sentence */
        va_end(args);
        tidy(err->message);
    }
    return code;
}

int error_set_errno(struct error *err, int code, int errno_value, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        int used = vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        if (used >= 0 && (size_t)used < sizeof err->message) {
            char text[128];
            (void)snprintf(err->message + used, sizeof err->message - (size_t)used, ": %s",
                           strerror_r(errno_value, text, sizeof text)); /* a cut tail is harmless */
        }
        tidy(err->message);
    }
    return code;
}

int error_prefix(struct error *err, int code, const char *format, ...)
{
    if (!err)
        return code;
    char tail[ERROR_MESSAGE_BYTES];
    memcpy(tail, err->message, sizeof tail);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->message)
        (void)snprintf(err->message + used, sizeof err->message - (size_t)used, ": %s", tail);
    tidy(err->message);
    return code;
}

const char *error_text(int code)
{
    const struct error_row *row = find_row(code);
    return row ? row->text : "error";
}

const char *error_name(int code)
{
    const struct error_row *row = find_row(code);
    return row ? row->name : "E_UNKNOWN";
}

enum error_class error_class_of(int code)
{
    const struct error_row *row = find_row(code);
    return row ? row->class : ERROR_CLASS_SYSTEM;
}

int error_exit_status(int code)
{
    if (code == 0)
        return 0;
    switch (error_class_of(code)) {
    case ERROR_CLASS_CALLER:
        return 2;
    case ERROR_CLASS_INPUT:
        return 1;
    case ERROR_CLASS_DEVICE:
    case ERROR_CLASS_LINK:
    case ERROR_CLASS_STORE:
    case ERROR_CLASS_SYSTEM:
        return 3;
    }
    return 3;
}
