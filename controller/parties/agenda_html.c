/* SPDX-License-Identifier: Apache-2.0 */
/* The page to print: what is in each pouch, a sheet to tick off day by day, what is taken beside the pouches.
 */
#include <stdio.h>
#include <string.h>

#include "config/base/buf.h"
#include "config/base/civil.h"
#include "controller/parties/agenda_private.h"
#include "controller/plan/label.h"

/* For eyes of eighty years: 14 points and more, black on white, nothing said by colour, no fonts from
 * elsewhere. The sheet to tick off, a day and a drug stay on one page of A4 and of Letter. */
static const char style[] =
    "@page { margin: 12mm }\n"
    "body { font: 14pt/1.35 sans-serif; color: #000; background: #fff; max-width: 190mm; margin: 1em auto; "
    "padding: 0 1em }\n"
    "h1 { font-size: 22pt; margin: 0 }\n"
    "h2 { font-size: 17pt; margin: .9em 0 .3em; break-after: avoid }\n"
    "p { margin: .5em 0 }\n"
    "b { white-space: nowrap }\n"
    "section.drug b { white-space: normal }\n"
    "table { border-collapse: collapse; width: 100%; table-layout: fixed }\n"
    "th, td { border: 1px solid #000; padding: .2em .4em; text-align: left; vertical-align: top }\n"
    "th.count { width: 13% }\n"
    "th.when { width: 33% }\n"
    "td.count { font-size: 17pt; font-weight: bold }\n"
    "tr, section.drug, section.slot, section.days { break-inside: avoid }\n"
    "table.days th, table.days td { font-size: 12pt; padding: .15em .25em }\n"
    "table.days .out { border: none }\n"
    ".date { font-weight: bold }\n"
    ".tick { display: inline-block; width: .9em; height: .9em; border: 1.5px solid #000; margin-right: .3em; "
    "vertical-align: -.1em }\n"
    ".look, .why { font-size: 12pt }\n"
    "section.drug { margin-bottom: .6em }\n"
    ".draft { border: 3px solid #000; font-size: 18pt; font-weight: bold; padding: .3em; text-align: center "
    "}\n"
    "footer { margin-top: 1em; border-top: 1px solid #000; padding-top: .3em }\n"
    "@media print { body { margin: 0; padding: 0; max-width: none } }\n";

static const char *look_of(const struct plan_text *plan, int64_t order)
{
    for (size_t i = 0; i < plan->order_count; i++) {
        if (plan->orders[i].id == order && plan->orders[i].product) {
            const struct plan_product *product = plan_text_product(plan, plan->orders[i].product);
            return product ? product->look : "";
        }
    }
    return "";
}

static void take_row(const struct agenda *a, const struct plan_take *take, struct buf *out)
{
    struct buf days;
    buf_init(&days);
    agenda_days_text(a->review.plan, take, &days);
    buf_text(out, "<tr><td class=\"count\">");
    agenda_amount_text(take->amount_milli, out);
    buf_text(out, "</td><td>");
    buf_html(out, agenda_drug(a, take->order_id));
    buf_text(out, "<div class=\"look\">");
    buf_html(out, look_of(a->review.plan, take->order_id));
    buf_text(out, "</div></td><td>");
    buf_html(out, buf_string(&days));
    buf_text(out, "</td></tr>\n");
    buf_finish(&days);
}

static void slots(const struct agenda *a, struct buf *out)
{
    const struct plan_text *plan = a->review.plan;
    for (size_t s = 0; s < plan->slot_count; s++) {
        char time[LABEL_TIME_BYTES];
        label_time(plan->slots[s].minute, time);
        buf_text(out, "<section class=\"slot\"><h2>");
        buf_html(out, plan->slots[s].name);
        buf_printf(out,
                   ", %s%s</h2>\n<table>\n<tr><th class=\"count\">Pieces</th><th>Medicine</th><th "
                   "class=\"when\">Days</th></tr>\n",
                   time, plan->slots[s].offset ? " (after midnight, dated the next day)" : "");
        for (size_t t = 0; t < plan->take_count; t++) {
            if (plan->takes[t].slot == plan->slots[s].number)
                take_row(a, &plan->takes[t], out);
        }
        buf_text(out, "</table></section>\n");
    }
}

static void day_cell(const struct agenda *a, int32_t day, struct buf *out)
{
    char date[AGENDA_DATE_BYTES];
    agenda_date_short(day, date);
    buf_printf(out, "<td><div class=\"date\">%s</div>", date + 4); /* its column says the weekday */
    for (size_t i = 0; i < a->event_count; i++) {
        char time[LABEL_TIME_BYTES];
        int pieces = 0;
        const struct agenda_event *event = &a->events[i];
        if (event->day != day || event->gone)
            continue;
        for (size_t k = 0; k < event->item_count; k++)
            pieces += event->items[k].whole + event->items[k].half;
        label_time(event->minute, time);
        buf_printf(out, "<div><span class=\"tick\"></span>%s: %d</div>", time, pieces);
    }
    buf_text(out, "</td>");
}

static void days(const struct agenda *a, struct buf *out)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const struct plan_text *plan = a->review.plan;
    int32_t last = plan->start_day + plan->days - 1;
    if (a->event_count > 0 && a->events[a->event_count - 1].day > last)
        last = a->events[a->event_count - 1].day; /* a pouch after the last midnight */
    buf_text(out, "<section class=\"days\"><h2>Day by day</h2>\n<p>Time, and how many pieces are in the "
                  "pouches. Tick what was taken.</p>\n"
                  "<table class=\"days\">\n<thead><tr>");
    for (int i = 0; i < 7; i++)
        buf_printf(out, "<th>%s</th>", names[i]);
    buf_text(out, "</tr></thead>\n");
    for (int32_t monday = plan->start_day - civil_weekday(plan->start_day); monday <= last; monday += 7) {
        buf_text(out, "<tr>");
        for (int32_t day = monday; day < monday + 7; day++) {
            if (day < plan->start_day || day > last)
                buf_text(out, "<td class=\"out\"></td>");
            else
                day_cell(a, day, out);
        }
        buf_text(out, "</tr>\n");
    }
    buf_text(out, "</table></section>\n");
}

static void paragraph(const char *text, const char *opening, struct buf *out)
{
    if (!text[0])
        return;
    buf_text(out, opening);
    buf_html(out, text);
    buf_text(out, "</div>");
}

static void apart(const struct agenda *a, enum plan_state state, const char *title, struct buf *out)
{
    bool headed = false;
    for (size_t i = 0; i < a->review.drug_count; i++) {
        const struct review_drug *drug = &a->review.drugs[i];
        if (drug->state != state || drug->change == REVIEW_GONE)
            continue;
        if (!headed)
            buf_printf(out, "<h2>%s</h2>\n", title);
        headed = true;
        buf_text(out, "<section class=\"drug\"><b>");
        buf_html(out, drug->drug);
        buf_text(out, "</b>");
        struct buf why;
        buf_init(&why);
        agenda_reason_text(drug->reason, &why);
        paragraph(a->instructions[i][0] ? a->instructions[i] : drug->words, "<div>", out);
        paragraph(buf_string(&why), "<div class=\"why\">", out);
        buf_finish(&why);
        buf_text(out, "</section>\n");
    }
}

static void distances(const struct agenda *a, struct buf *out)
{
    bool headed = false;
    for (size_t n = 0; n < a->review.plan->note_count; n++) {
        struct buf line;
        buf_init(&line);
        if (agenda_distance_text(&a->review.plan->notes[n], &line)) {
            buf_text(out, headed ? "" : "<h2>Keep apart</h2>\n<ul>\n");
            headed = true;
            buf_text(out, "<li>");
            buf_html(out, buf_string(&line));
            buf_text(out, "</li>\n");
        }
        buf_finish(&line);
    }
    if (headed)
        buf_text(out, "</ul>\n");
}

void agenda_to_html(const struct agenda *a, struct buf *out)
{
    const struct plan_text *plan = a->review.plan;
    char from[AGENDA_DATE_BYTES], to[AGENDA_DATE_BYTES], born[AGENDA_DATE_BYTES];
    agenda_date(plan->start_day, from);
    agenda_date(plan->start_day + plan->days - 1, to);
    buf_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Medicines of ");
    buf_html(out, plan->patient_name);
    buf_printf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
    if (agenda_banner(a)[0])
        buf_printf(out, "<p class=\"draft\">%s</p>\n", agenda_banner(a));
    buf_text(out, "<h1>");
    buf_html(out, plan->patient_name);
    buf_text(out, "</h1>\n<p>");
    if (plan->birth_day != CIVIL_DAY_NONE) {
        agenda_date(plan->birth_day, born);
        buf_printf(out, "Born %s. ", strchr(born, ' ') + 1); /* without its weekday */
    }
    buf_printf(out, "This roll: from <b>%s</b> to <b>%s</b>, %zu pouches.", from, to, plan->pouch_count);
    if (a->next_day != CIVIL_DAY_NONE) {
        agenda_date(a->next_day, from);
        buf_printf(out, " The next roll begins on <b>%s</b>.", from);
    }
    buf_text(out, "</p>\n");
    slots(a, out);
    days(a, out);
    apart(a, PLAN_APART, "Not in the pouches: take these as you were told", out);
    apart(a, PLAN_WAITING, "Not in the pouches: the pharmacist is still asking about these", out);
    distances(a, out);
    buf_text(out, "<footer>Questions: ");
    buf_html(out, a->pharmacy);
    buf_text(out, ", phone ");
    buf_html(out, a->phone);
    buf_printf(out, ". Version %d of this plan; a newer one takes its place.</footer>\n</body>\n</html>\n",
               plan->version);
}
