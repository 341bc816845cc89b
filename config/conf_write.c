/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of a format as a commented YAML file: what `sachet init` writes and what the reference page
 * shows.
 *
 * Defaults are written out as live lines, not as comments: a site's behaviour is then what stands in its own
 * file, and a later version of the program with another default does not change it in silence.
 */
#include "config/conf_private.h"

#include "config/base/buf.h"
#include "config/base/error.h"

#include <string.h>

enum { WIDTH = 100, STEP = 2 };

struct writer {
    const struct conf_schema *schema;
    const struct conf_setting *settings;
    size_t setting_count;
    struct buf *out;
};

static void indent(struct writer *writer, int depth, bool live, const char *mark)
{
    for (int i = 0; i < depth * STEP - (int)strlen(mark); i++)
        buf_char(writer->out, ' ');
    if (!live)
        buf_text(writer->out, "# ");
    buf_text(writer->out, mark);
}

/* text as comment lines, wrapped between words. */
static void write_comment(struct writer *writer, int depth, const char *text)
{
    size_t width = (size_t)(WIDTH - depth * STEP - 2);
    while (*text) {
        size_t n = strlen(text);
        if (n > width) {
            n = width;
            while (n > 0 && text[n] != ' ')
                n--;
            if (n == 0)
                n = strcspn(text, " ");
        }
        indent(writer, depth, true, "");
        buf_text(writer->out, "# ");
        buf_add(writer->out, text, n);
        buf_char(writer->out, '\n');
        text += n;
        while (*text == ' ')
            text++;
    }
}

static void write_doc(struct writer *writer, int depth, const struct conf_key *row)
{
    struct buf text;
    buf_init(&text);
    buf_text(&text, row->doc);
    if (row->type != CONF_MAP) {
        buf_text(&text, conf_type_is_list(row->type) ? " [list, each " : " [");
        conf_value_allowed(row, &text);
        if (row->required)
            buf_text(&text, "; required");
        if (row->preset)
            buf_printf(&text, "; default %s", row->preset[0] ? row->preset : "empty");
        buf_char(&text, ']');
    }
    if (text.failed)
        writer->out->failed = true;
    write_comment(writer, depth, buf_string(&text));
    buf_finish(&text);
}

static void write_value(struct writer *writer, const struct conf_key *row, const char *value)
{
    bool quote =
        row->type == CONF_TEXT || row->type == CONF_FILE || row->type == CONF_TOD || row->type == CONF_DATE;
    if (quote)
        buf_char(writer->out, '"');
    for (const char *p = value; *p; p++) {
        if (quote && (*p == '"' || *p == '\\'))
            buf_char(writer->out, '\\');
        buf_char(writer->out, *p);
    }
    if (quote)
        buf_char(writer->out, '"');
    buf_char(writer->out, '\n');
}

/* The last setting of the row, or NULL. */
static const char *setting_of(const struct writer *writer, const struct conf_key *row)
{
    const char *value = NULL;
    for (size_t i = 0; i < writer->setting_count; i++) {
        if (strcmp(writer->settings[i].path, row->path) == 0)
            value = writer->settings[i].value;
    }
    return value;
}

static void write_rows(struct writer *writer, const char *prefix, int depth, bool live, bool item);

static void write_row(struct writer *writer, const struct conf_key *row, const char *name, int depth,
                      bool live, bool dash)
{
    char below[CONF_PATH_MAX];
    const char *set = setting_of(writer, row);
    const char *value = set ? set : row->preset ? row->preset : row->example;
    bool list = row->type == CONF_MAPS || conf_type_is_list(row->type);
    bool mine = live && (set || row->type == CONF_MAP || row->preset || row->required ||
                         (row->type == CONF_MAPS && row->example));
    struct buf path;
    write_doc(writer, depth, row);
    indent(writer, depth, mine, dash ? "- " : "");
    buf_printf(writer->out, "%s:", name);
    if (row->type != CONF_MAP && row->type != CONF_MAPS) {
        buf_char(writer->out, ' ');
        write_value(writer, row, value ? value : list ? "[]" : "");
        return;
    }
    buf_char(writer->out, '\n');
    buf_init_fixed(&path, below, sizeof below);
    buf_printf(&path, "%s%s.", row->path, row->type == CONF_MAPS ? "[]" : "");
    write_rows(writer, buf_string(&path), depth + (row->type == CONF_MAPS ? 2 : 1), mine,
               row->type == CONF_MAPS);
}

static void write_rows(struct writer *writer, const char *prefix, int depth, bool live, bool item)
{
    size_t len = strlen(prefix);
    bool first = item;
    for (size_t i = 0; i < writer->schema->count; i++) {
        const struct conf_key *row = &writer->schema->keys[i];
        if (!conf_row_below(row, prefix, len))
            continue;
        if (depth == 0)
            buf_char(writer->out, '\n');
        write_row(writer, row, row->path + len, depth, live, first);
        first = false;
    }
}

static void write_all(struct writer *writer)
{
    write_comment(writer, 0, writer->schema->title);
    write_comment(writer, 0, "Check it with `sachet check FILE` after every change.");
    buf_printf(writer->out, "format: %s\n", writer->schema->format);
    write_rows(writer, "", 0, true, false);
}

void conf_write_commented(const struct conf_schema *schema, struct buf *out)
{
    struct writer writer = {.schema = schema, .out = out};
    write_all(&writer);
}

int conf_write_settings(const struct conf_schema *schema, const struct conf_setting *settings, size_t count,
                        struct buf *out, struct error *err)
{
    struct writer writer = {.schema = schema, .settings = settings, .setting_count = count, .out = out};
    for (size_t i = 0; i < count; i++) {
        const struct conf_key *row = conf_schema_row(schema, settings[i].path);
        struct conf_nearest nearest;
        char shown[CONF_SHOWN_BYTES];
        if (row && row->type != CONF_MAP && row->type != CONF_MAPS)
            continue;
        conf_nearest_init(&nearest, settings[i].path);
        for (size_t k = 0; k < schema->count; k++)
            conf_nearest_try(&nearest, schema->keys[k].path);
        return error_set(err, E_INPUT, "%s has no key `%s`%s%s%s", schema->format,
                         conf_show(settings[i].path, shown), nearest.best ? ", did you mean `" : "",
                         nearest.best ? nearest.best : "", nearest.best ? "`?" : "");
    }
    write_all(&writer);
    return 0;
}
