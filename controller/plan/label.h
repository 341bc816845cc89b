/* SPDX-License-Identifier: Apache-2.0 */
/*
 * label: the text on one pouch, in lines that fit the printer.
 *
 * Upper half who and when (patient, weekday and date, slot and time, part), then one entry a product with its
 * count, then the pharmacy. Words are wrapped between blanks, a word longer than a line is broken; nothing is
 * ever cut off or made smaller. What does not fit goes to a second pouch (scheduler/roll), so that
 * label_lines_for_products says how much room the fixed lines leave. Numbers follow ISMP's guidance: no
 * trailing zero, no naked decimal point, a fraction in words ("1 and 1/2"); times follow USP chapter 17:
 * "MORNING 8 AM". Pure, any thread.
 */
#ifndef CONTROLLER_PLAN_LABEL_H
#define CONTROLLER_PLAN_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { LABEL_COLUMNS_MIN = 16, LABEL_TIME_BYTES = 16, LABEL_SLOT_COLUMNS_MAX = 16 /* of a slot's name */ };

/* What is the same on all pouches of a roll. */
struct label_form {
    int lines;
    int columns; /* >= LABEL_COLUMNS_MIN */
    const char *patient;
    const char *pharmacy; /* name */
    const char *phone;    /* "" for none */
    const char *address;  /* on one line; NULL or "" for none */
    bool provisional;     /* some product is provisional: a line is kept for the mark */
};

struct label_item {
    const char *name; /* with its strength */
    int whole;
    int half;
};

struct label_pouch {
    int32_t day;
    int minute;
    const char *slot;
    int part;
    int parts;
    bool provisional; /* a product in it is provisional */
    const struct label_item *items;
    int item_count;
};

/* Lines left for products; 0 or less when the form itself does not fit. */
int label_lines_for_products(const struct label_form *form);
/* Lines that a product needs at most; halves: counts may have a half. */
int label_lines_of(const struct label_form *form, const char *name, bool halves);
/* Adds the label's lines with \n between them; never more than form->lines when the items' lines fit. */
void label_write(const struct label_form *form, const struct label_pouch *pouch, struct buf *out);
/* Lines of a label text. */
int label_line_count(const char *text);

/* "8 AM", "12:30 PM", "12 NOON", "12 MIDNIGHT". */
void label_time(int minute, char text[LABEL_TIME_BYTES]);
/* "2", "1/2", "1 and 1/2"; "0" for nothing. */
void label_count(int whole, int half, struct buf *out);

#endif
