/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/refill/pouch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/civil.h"
#include "config/base/error.h"

static int item_add(struct pouch_content *content, const char *code, size_t len, int64_t milli)
{
    int at = 0;
    for (; at < content->count; at++) {
        int order = strncmp(content->item[at].code, code, len);
        if (order == 0 && content->item[at].code[len] == '\0') {
            content->item[at].milli += milli;
            return 0;
        }
    }
    if (content->count == POUCH_ITEMS_MAX || len > PLAN_CODE_BYTES_MAX)
        return E_SYNTAX;
    memcpy(content->item[at].code, code, len);
    content->item[at].code[len] = '\0';
    content->item[at].milli = milli;
    content->count++;
    return 0;
}

/* "CODE:whole:2,CODE:half:1" */
static int items_read(struct pouch_content *content, const char *text)
{
    while (*text) {
        size_t code = strcspn(text, ":");
        const char *piece = text + code + 1;
        bool whole = strncmp(piece, "whole:", 6) == 0;
        if (text[code] != ':' || (!whole && strncmp(piece, "half:", 5) != 0))
            return E_SYNTAX;
        char *end;
        long count = strtol(piece + (whole ? 6 : 5), &end, 10);
        if (count < 1 || count > 1000 || (*end != ',' && *end != '\0') ||
            item_add(content, text, code, count * (whole ? 1000 : 500)) < 0)
            return E_SYNTAX;
        text = *end == ',' ? end + 1 : end;
    }
    return content->count > 0 ? 0 : E_SYNTAX;
}

/* The items stand last in the line; a label before them may hold the same word. */
static const char *items_of(const char *line)
{
    const char *found = NULL;
    for (const char *at = strstr(line, " items="); at; at = strstr(at + 1, " items="))
        found = at;
    return found ? found + strlen(" items=") : "";
}

int pouch_content_read(const char *line, int day_start, struct pouch_content *ret_content, struct error *err)
{
    struct pouch_content content = {0};
    char date[CIVIL_TEXT_BYTES], time[TOD_TEXT_BYTES];
    if (sscanf(line, "pouch %d %10s %5s", &content.number, date, time) != 3 ||
        !civil_parse(date, &content.label_day) || !tod_parse(time, &content.minute) ||
        items_read(&content, items_of(line)) < 0)
        return error_set(err, E_SYNTAX, "a pouch's line cannot be read");
    content.day = content.label_day - (content.minute < day_start);
    *ret_content = content;
    return 0;
}
