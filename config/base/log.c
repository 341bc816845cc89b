/* SPDX-License-Identifier: Apache-2.0 */
#include "config/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "config/base/civil.h"
#include "config/base/clock.h"

enum { LOG_LINE_BYTES = 1024 };

static struct {
    const char *program;
    enum log_level level;
    struct clock *clock;
    void (*sink)(void *data, enum log_level level, const char *line);
    void *data;
} log_state = {.program = "sachet", .level = LOG_INFO};

void log_init(const char *program, enum log_level level, struct clock *clock)
{
    log_state.program = program;
    log_state.level = level;
    log_state.clock = clock;
}

void log_set_sink(void (*sink)(void *data, enum log_level level, const char *line), void *data)
{
    log_state.sink = sink;
    log_state.data = data;
}

void log_write(enum log_level level, const char *module, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (level > log_state.level)
        return;
    char line[LOG_LINE_BYTES];
    char stamp[INSTANT_TEXT_BYTES + 1] = "";
    if (log_state.clock) {
        instant_format(clock_wall_ms(log_state.clock), stamp);
        stamp[INSTANT_TEXT_BYTES - 1] = ' ';
        stamp[INSTANT_TEXT_BYTES] = '\0';
    }
    int used =
        snprintf(line, sizeof line - 1, "%s%s: %s: %s: ", stamp, log_state.program, names[level], module);
    size_t len = used < 0 ? 0 : (size_t)used;
    if (len < sizeof line - 1) {
        va_list args;
        va_start(args, format);
        int more = vsnprintf(line + len, sizeof line - 1 - len, format, args);
        va_end(args);
        len += more < 0 ? 0 : (size_t)more;
    }
    if (len > sizeof line - 2)
        len = sizeof line - 2; /* a cut line is still a line */
    line[len] = '\0';
    if (log_state.sink) {
        log_state.sink(log_state.data, level, line);
        return;
    }
    line[len] = '\n';
    ssize_t written = write(STDERR_FILENO, line, len + 1);
    (void)written; /* nobody is left to tell */
}
