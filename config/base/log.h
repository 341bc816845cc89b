/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: lines for engineers, on stderr unless a sink is set. Ids only, never a patient's name. A failure is
 * logged once, at the edge. Safe from any thread (one write a line); the sink must be, too. Set-up belongs to
 * main().
 */
#ifndef CONFIG_BASE_LOG_H
#define CONFIG_BASE_LOG_H

struct clock;

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* clock stamps the lines (NULL: no stamp); program stands in front. Both must outlive the log. */
void log_init(const char *program, enum log_level level, struct clock *clock);
/* line has no newline; level is that of the line. NULL restores stderr. */
void log_set_sink(void (*sink)(void *data, enum log_level level, const char *line), void *data);

/* Message first, then key=value pairs: log_write(LOG_INFO, "line", "connected host=%s", host). */
__attribute__((format(printf, 3, 4))) void log_write(enum log_level level, const char *module,
                                                     const char *format, ...);

#define log_error(module, ...)   log_write(LOG_ERROR, module, __VA_ARGS__)
#define log_warning(module, ...) log_write(LOG_WARNING, module, __VA_ARGS__)
#define log_info(module, ...)    log_write(LOG_INFO, module, __VA_ARGS__)
#define log_debug(module, ...)   log_write(LOG_DEBUG, module, __VA_ARGS__)

#endif
