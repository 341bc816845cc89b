/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-rig/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/buf.h"

/* Hazards by number, from 1; people: it begins with people and orders, and no simulated machine or line can
 * show it. */
static const struct {
    const char *name;
    bool people;
} hazards[] = {
    {"wrong drug", false},
    {"wrong strength, look-alike", false},
    {"wrong count", false},
    {"pill in the next pouch", false},
    {"pouch of another patient or date", false},
    {"stopped or changed drug", false},
    {"job that nobody approved, or altered", false},
    {"excluded drug", false},
    {"times too close", true},
    {"refill too early", true},
    {"expired stock", false},
    {"double dose by overlap", true},
    {"gap in therapy", false},
    {"doubtful pouch taken for good", false},
    {"command repeated", false},
    {"inspection blind", false},
    {"tired checker", false},
    {"unreadable or wrong label", false},
    {"cross-contamination", true},
    {"injury", false},
    {"safety switch lies", false},
    {"controller hangs", false},
    {"wrong machine or map", false},
    {"simulated taken for real", false},
    {"seal fails", false},
    {"privacy", true},
    {"record lost or altered", true},
    {"clock wrong", false},
};
enum { HAZARDS = sizeof hazards / sizeof hazards[0] };
_Static_assert(HAZARDS == 28, "the risk table's hazards");

static const char *elsewhere_of(int number)
{
    return hazards[number - 1].people ? "of people and orders: tests/hazards.md" : "no scenario was run";
}

/* "H3" stands in "H3 H4" and not in "H13". */
static bool names(const char *list, int number)
{
    char word[8];
    int len = snprintf(word, sizeof word, "H%d", number);
    for (const char *at = strstr(list, word); at; at = strstr(at + 1, word)) {
        bool starts = at == list || at[-1] == ' ';
        if (starts && (at[len] == '\0' || at[len] == ' '))
            return true;
    }
    return false;
}

/* Of the first hazard; "none" comes last. */
static int first_hazard(const struct page_row *row)
{
    int number = HAZARDS + 1;
    (void)sscanf(row->hazards, "H%2d", &number); /* "none" leaves it */
    return number;
}

static int by_hazard(const void *a, const void *b)
{
    const struct page_row *x = a, *y = b;
    int hazard = first_hazard(x) - first_hazard(y);
    return hazard ? hazard : strcmp(x->scenario, y->scenario);
}

void page_sort(struct page_row *rows, size_t count)
{
    if (count > 0)
        qsort(rows, count, sizeof *rows, by_hazard);
}

static size_t count_passed(const struct page_row *rows, size_t count)
{
    size_t passed = 0;
    for (size_t i = 0; i < count; i++)
        passed += rows[i].passed;
    return passed;
}

/* A row has the scenario's name in this mark, and the day of its last pass in the next one behind it. */
void page_last_pass(const char *page, const char *scenario, char ret_day[32])
{
    static const struct {
        const char *before, *after, *day, *end;
    } marks[] = {{"| `", "` |", "| last pass ", " |"},
                 {"<td><code>", "</code>", "<td class=\"day\">", "</td>"}};
    (void)snprintf(ret_day, 32, "never");
    for (size_t m = 0; m < 2; m++) {
        char key[PAGE_TEXT_BYTES + 32];
        (void)snprintf(key, sizeof key, "%s%s%s", marks[m].before, scenario,
                       marks[m].after); /* both are short */
        const char *row = strstr(page, key);
        const char *line_end = row ? strchr(row, '\n') : NULL;
        const char *day = row ? strstr(row, marks[m].day) : NULL;
        if (!day || (line_end && day > line_end))
            continue;
        day += strlen(marks[m].day);
        const char *end = strstr(day, marks[m].end);
        if (end && end - day < 32)
            (void)snprintf(ret_day, 32, "%.*s", (int)(end - day), day);
        return;
    }
}

static const char note[] =
    "A slip is a pouch that the store calls good and that is wrong in the machine's hidden truth: a hazard "
    "that this "
    "machine's sensors do not see. Every other difference between store and truth fails a scenario.";

/* ---- Markdown ---- */

static void add_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_char(out, '\\');
        buf_char(out, *text);
    }
}

void page_write_markdown(const struct page_row *rows, size_t count, const char *day, struct buf *out)
{
    buf_printf(out,
               "# Rig: hazards, controls, scenarios\n\nSIMULATED. %zu of %zu scenarios passed on %s.\n\n",
               count_passed(rows, count), count, day);
    buf_printf(out, "%s\n\n", note);
    buf_text(
        out,
        "| Hazard | Control | Scenario | What happens | Seed | Good | Void | Slips | Result | Last pass |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        const struct page_row *row = &rows[i];
        buf_printf(out, "| %s | ", row->hazards);
        add_cell(out, row->control);
        buf_printf(out, " | `%s` | ", row->scenario);
        add_cell(out, row->title);
        buf_printf(out, " | %" PRIu64 " | %" PRId64 " | %" PRId64 " | %" PRId64 " | ", row->seed, row->good,
                   row->voids, row->slips);
        buf_text(out, row->passed ? "passed" : "**failed**: ");
        add_cell(out, row->why);
        buf_printf(out, " | last pass %s |\n", row->last_pass);
    }
    buf_text(out, "\n## Hazards\n\n| Hazard | Scenarios |\n|---|---|\n");
    for (int h = 1; h <= HAZARDS; h++) {
        size_t found = 0;
        buf_printf(out, "| H%d %s | ", h, hazards[h - 1].name);
        for (size_t i = 0; i < count; i++) {
            if (names(rows[i].hazards, h))
                buf_printf(out, "%s`%s`%s", found++ ? ", " : "", rows[i].scenario,
                           rows[i].passed ? "" : " (failed)");
        }
        if (found == 0)
            buf_text(out, elsewhere_of(h));
        buf_text(out, " |\n");
    }
}

/* ---- HTML ---- */

static void add_td(struct buf *out, const char *text)
{
    buf_text(out, "<td>");
    buf_html(out, text);
    buf_text(out, "</td>");
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Rig</title>\n<style>\n"
    "body { font: 15px/1.4 system-ui, sans-serif; max-width: 95rem; margin: 1rem auto; padding: 0 1rem; }\n"
    ".wide { overflow-x: auto; }\n"
    "table { border-collapse: collapse; min-width: 100%; }\n"
    "th, td { border-bottom: 1px solid #b0b0b0; padding: 0.2rem 0.6rem; text-align: left; vertical-align: "
    "top; }\n"
    "th { border-bottom: 2px solid #404040; }\n"
    "code, .day, .hazards { white-space: nowrap; }\n"
    "td.hazards { white-space: normal; min-width: 5.5rem; }\n"
    ".n { text-align: right; }\n.n, td a { white-space: nowrap; }\n"
    ".failed { background: #ffdcdc; }\n.failed .result { font-weight: bold; }\n.slips { background: #fff3c4; "
    "}\n"
    "@media print { body { font-size: 9pt; } code { white-space: normal; } }\n"
    "</style>\n</head>\n<body>\n<h1>Rig: hazards, controls, scenarios</h1>\n";

/* "H3 H4" as links to the rows of the hazards. */
static void add_hazards(struct buf *out, const char *list)
{
    buf_text(out, "<td class=\"hazards\">");
    for (int h = 1; h <= HAZARDS; h++) {
        if (names(list, h))
            buf_printf(out, "<a href=\"#H%d\" title=\"%s\">H%d</a> ", h, hazards[h - 1].name, h);
    }
    if (strcmp(list, "none") == 0)
        buf_text(out, "none");
    buf_text(out, "</td>");
}

static void write_html_row(const struct page_row *row, struct buf *out)
{
    buf_text(out, "<tr id=\"");
    buf_html(out, row->scenario);
    buf_text(out, !row->passed ? "\" class=\"failed\">" : row->slips > 0 ? "\" class=\"slips\">" : "\">");
    add_hazards(out, row->hazards);
    add_td(out, row->control);
    buf_text(out, "<td><code>");
    buf_html(out, row->scenario);
    buf_text(out, "</code></td>");
    add_td(out, row->title);
    buf_printf(out,
               "<td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRId64 "</td><td class=\"n\">%" PRId64
               "</td><td class=\"n\">%" PRId64 "</td><td class=\"result\">",
               row->seed, row->good, row->voids, row->slips);
    buf_text(out, row->passed ? "passed" : "failed: ");
    buf_html(out, row->why);
    buf_printf(out, "</td><td class=\"day\">%s</td></tr>\n", row->last_pass);
}

static void write_html_hazard(const struct page_row *rows, size_t count, int h, struct buf *out)
{
    size_t found = 0, passed = 0;
    for (size_t i = 0; i < count; i++) {
        found += names(rows[i].hazards, h);
        passed += names(rows[i].hazards, h) && rows[i].passed;
    }
    buf_printf(out, "<tr id=\"H%d\"%s><td>H%d</td><td>%s</td><td class=\"n\">", h,
               passed < found ? " class=\"failed\"" : "", h, hazards[h - 1].name);
    if (found > 0)
        buf_printf(out, "%zu of %zu", passed, found);
    buf_text(out, "</td><td>");
    for (size_t i = 0; i < count; i++) {
        if (!names(rows[i].hazards, h))
            continue;
        buf_text(out, "<a href=\"#");
        buf_html(out, rows[i].scenario);
        buf_text(out, "\">");
        buf_html(out, rows[i].scenario);
        buf_text(out, rows[i].passed ? "</a> " : "</a> (failed) ");
    }
    if (found == 0)
        buf_html(out, elsewhere_of(h));
    buf_text(out, "</td></tr>\n");
}

void page_write_html(const struct page_row *rows, size_t count, const char *day, struct buf *out)
{
    buf_text(out, head);
    buf_printf(out, "<p>SIMULATED. %zu of %zu scenarios passed on %s.</p>\n", count_passed(rows, count),
               count, day);
    buf_printf(out, "<p>%s</p>\n", note);
    buf_text(out, "<h2>Hazards</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>Hazard</th><th>What</th>"
                  "<th class=\"n\">Passed</th><th>Scenarios</th></tr></thead>\n<tbody>\n");
    for (int h = 1; h <= HAZARDS; h++)
        write_html_hazard(rows, count, h, out);
    buf_text(
        out,
        "</tbody>\n</table></div>\n<h2>Scenarios</h2>\n<div class=\"wide\"><table>\n"
        "<thead><tr><th>Hazard</th><th>Control</th><th>Scenario</th><th>What happens</th><th "
        "class=\"n\">Seed</th><th class=\"n\">Good</th><th class=\"n\">Void</th><th class=\"n\">Slips</th>"
        "<th>Result</th><th>Last pass</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < count; i++)
        write_html_row(&rows[i], out);
    buf_text(out, "</tbody>\n</table></div>\n</body>\n</html>\n");
}
