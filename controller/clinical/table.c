/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/clinical/table.h"

#include <string.h>

#include "config/base/arena.h"
#include "config/base/buf.h"
#include "config/base/csv.h"
#include "config/base/error.h"
#include "config/base/file.h"
#include "config/rules.h"

enum { COLUMN_KIND, COLUMN_A, COLUMN_B, COLUMN_GRADE, COLUMN_EFFECT, COLUMN_ADVICE, COLUMN_SOURCE, COLUMNS };

static const char *const columns[COLUMNS] = {"kind", "a", "b", "grade", "effect", "advice", "source"};

struct reader {
    struct arena *arena;
    struct table *table;
    struct csv csv;
    struct error *err;
    int name_room, member_room, pair_room;
};

static int refuse(const struct reader *r, int column, const char *what)
{
    const struct csv_field *field = &r->csv.fields[column < r->csv.count ? column : 0];
    return error_set(r->err, E_INPUT, "%s:%d:%d: %s", r->csv.name, field->line, field->column, what);
}

static int no_memory(const struct reader *r)
{
    return error_set(r->err, E_MEMORY, "%s: no memory for it", r->csv.name);
}

/* One more place in an array in the arena, which doubles; the old copy stays until the arena goes. */
static void *grow(struct reader *r, void *old, int count, int *room, size_t size)
{
    if (count < *room)
        return old;
    int wider = *room ? *room * 2 : 64;
    void *new = arena_array(r->arena, (size_t)wider, size);
    if (new &&count > 0)
        memcpy(new, old, (size_t)count * size);
    *room = wider;
    return new;
}

static const char *keep(struct reader *r, int column)
{
    return arena_text(r->arena, r->csv.fields[column].text, r->csv.fields[column].len);
}

/* The place of a name; -1 without memory. A linear search would be slow for thousands: names come in runs, so
 * the last ones are looked at first. */
static int name_place(struct reader *r, const char *name)
{
    struct table *t = r->table;
    for (int i = t->name_count - 1; i >= 0; i--) {
        if (strcmp(t->names[i], name) == 0)
            return i;
    }
    t->names = grow(r, t->names, t->name_count, &r->name_room, sizeof *t->names);
    const char *copy = arena_text(r->arena, name, strlen(name));
    if (!t->names || !copy)
        return -1;
    t->names[t->name_count] = copy;
    return t->name_count++;
}

static int read_class(struct reader *r)
{
    struct table *t = r->table;
    char name[256];
    struct buf text;
    buf_init_fixed(&text, name, sizeof name);
    buf_printf(&text, "@%s", r->csv.fields[COLUMN_A].text);
    if (text.failed || r->csv.fields[COLUMN_A].len == 0 || r->csv.fields[COLUMN_B].len == 0)
        return refuse(r, COLUMN_A, "a class row has a name of at most 250 bytes in a and an ingredient in b");
    t->members = grow(r, t->members, t->member_count, &r->member_room, sizeof *t->members);
    int place = t->members ? name_place(r, name) : -1;
    const char *ingredient = keep(r, COLUMN_B);
    if (place < 0 || !ingredient)
        return no_memory(r);
    t->members[t->member_count++] = (struct table_member){.class_name = place, .ingredient = ingredient};
    return 0;
}

static bool class_known(const struct table *t, const char *name)
{
    for (int i = 0; i < t->member_count; i++) {
        if (strcmp(t->names[t->members[i].class_name], name) == 0)
            return true;
    }
    return false;
}

static int read_pair(struct reader *r)
{
    struct table *t = r->table;
    struct table_pair pair = {0};
    if (!clinical_grade_parse(r->csv.fields[COLUMN_GRADE].text, &pair.grade))
        return refuse(r, COLUMN_GRADE, "the grade is none of stop, serious, caution, note");
    for (int column = COLUMN_A; column < COLUMNS; column++) {
        if (r->csv.fields[column].len == 0)
            return refuse(r, column, "a pair row has no empty field");
    }
    for (int column = COLUMN_A; column <= COLUMN_B; column++) {
        const char *name = r->csv.fields[column].text;
        if (name[0] == '@' && !class_known(t, name))
            return refuse(r, column, "there is no such class: its rows stand above the pairs");
    }
    t->pairs = grow(r, t->pairs, t->pair_count, &r->pair_room, sizeof *t->pairs);
    pair.a = name_place(r, r->csv.fields[COLUMN_A].text);
    pair.b = name_place(r, r->csv.fields[COLUMN_B].text);
    pair.effect = keep(r, COLUMN_EFFECT);
    pair.advice = keep(r, COLUMN_ADVICE);
    pair.source = keep(r, COLUMN_SOURCE);
    if (!t->pairs || pair.a < 0 || pair.b < 0 || !pair.effect || !pair.advice || !pair.source)
        return no_memory(r);
    t->pairs[t->pair_count++] = pair;
    return 0;
}

static int read_row(struct reader *r)
{
    const char *kind = r->csv.fields[COLUMN_KIND].text;
    if (r->csv.count != COLUMNS)
        return refuse(r, 0, "a row has seven fields: kind,a,b,grade,effect,advice,source");
    if (r->table->member_count + r->table->pair_count >= TABLE_ROWS_MAX)
        return error_set(r->err, E_LIMIT, "%s: more than %d rows", r->csv.name, TABLE_ROWS_MAX);
    if (strcmp(kind, "class") == 0)
        return read_class(r);
    if (strcmp(kind, "pair") == 0)
        return read_pair(r);
    return refuse(r, COLUMN_KIND, "the kind is neither class nor pair");
}

static int read_head(struct reader *r)
{
    int more = csv_next(&r->csv, r->err);
    bool right = more > 0 && r->csv.count == COLUMNS;
    for (int i = 0; right && i < COLUMNS; i++)
        right = strcmp(r->csv.fields[i].text, columns[i]) == 0;
    if (more < 0)
        return more;
    return right
               ? 0
               : error_set(r->err, E_INPUT,
                           "%s:1:1: the first line is not kind,a,b,grade,effect,advice,source", r->csv.name);
}

int table_read(const char *file, struct arena *arena, struct table *ret_table, struct error *err)
{
    struct buf bytes;
    struct error own;
    struct table table = {0};
    struct reader r = {.arena = arena, .table = &table, .err = err ? err : &own};
    buf_init(&bytes);
    int status = file_read(file, TABLE_BYTES_MAX, &bytes, r.err);
    if (status == 0) {
        table.bytes = arena_text(arena, buf_string(&bytes), bytes.len);
        table.len = bytes.len;
        csv_init(&r.csv, file, buf_string(&bytes), bytes.len);
        status = table.bytes ? read_head(&r) : no_memory(&r);
        for (int more = 1; status == 0 && (more = csv_next(&r.csv, r.err)) != 0;)
            status = more < 0 ? more : read_row(&r);
        csv_finish(&r.csv);
    }
    buf_finish(&bytes);
    if (status == 0)
        *ret_table = table;
    return status;
}

void table_match(const struct table *table, const char *ingredient, unsigned char *fits)
{
    for (int i = 0; i < table->name_count; i++)
        fits[i] = table->names[i][0] != '@' && rules_ingredient(ingredient, table->names[i]);
    for (int i = 0; i < table->member_count; i++) {
        if (rules_ingredient(ingredient, table->members[i].ingredient))
            fits[table->members[i].class_name] = 1;
    }
}
