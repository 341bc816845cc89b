/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/fhir_json.h"

#include "config/base/civil.h"
#include "config/base/quantity.h"

#include <ctype.h>
#include <string.h>

const char *fhir_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

const char *fhir_text_checked(const json_t *object, const char *key, struct reasons *reasons)
{
    const json_t *value = json_object_get(object, key);
    if (value != NULL && !json_is_string(value))
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s is no text", key);
    return fhir_text(object, key);
}

bool fhir_milli(const json_t *object, const char *key, int64_t *ret_milli, struct reasons *reasons)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return false;
    if (!json_is_number(value)) {
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s is no number", key);
        return false;
    }
    if (!quantity_from_double(json_number_value(value), ret_milli)) {
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s has more than 3 decimal places or is too large",
                    key);
        return false;
    }
    return true;
}

bool fhir_whole(const json_t *object, const char *key, int64_t *ret, struct reasons *reasons)
{
    int64_t milli;
    if (!fhir_milli(object, key, &milli, reasons))
        return false;
    if (milli % QUANTITY_ONE != 0) {
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s is no whole number", key);
        return false;
    }
    *ret = milli / QUANTITY_ONE;
    return true;
}

const json_t *fhir_array(const json_t *object, const char *key, struct reasons *reasons)
{
    const json_t *value = json_object_get(object, key);
    if (value != NULL && !json_is_array(value)) {
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s is no list", key);
        return NULL;
    }
    return json_array_size(value) > 0 ? value : NULL;
}

const json_t *fhir_object(const json_t *object, const char *key, struct reasons *reasons)
{
    const json_t *value = json_object_get(object, key);
    if (value != NULL && !json_is_object(value)) {
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s is no object", key);
        return NULL;
    }
    return value;
}

const char *fhir_concept_text(const json_t *concept)
{
    const char *text = fhir_text(concept, "text");
    if (text[0] != '\0')
        return text;
    const json_t *codings = json_object_get(concept, "coding");
    for (size_t i = 0; i < json_array_size(codings); i++) {
        text = fhir_text(json_array_get(codings, i), "display");
        if (text[0] != '\0')
            return text;
    }
    return fhir_text(json_array_get(codings, 0), "code");
}

/* Reads exactly count digits; false when one is none. */
static bool digits(const char *text, int count, int *ret)
{
    *ret = 0;
    for (int i = 0; i < count; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        *ret = *ret * 10 + (text[i] - '0');
    }
    return true;
}

/* "HH:MM[:SS[.f…]]" and a zone "Z" or "+HH:MM"; all of it must be right although only the day is used. */
static bool clock_right(const char *text)
{
    int hour, minute, second = 0;
    if (!digits(text, 2, &hour) || text[2] != ':' || !digits(text + 3, 2, &minute))
        return false;
    text += 5;
    if (*text == ':') {
        if (!digits(text + 1, 2, &second))
            return false;
        text += 3;
        if (*text == '.') {
            text++;
            if (!isdigit((unsigned char)*text))
                return false;
            while (isdigit((unsigned char)*text))
                text++;
        }
    }
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    if (*text == 'Z' && text[1] == '\0')
        return true;
    if (*text == '+' || *text == '-') {
        int zone_hour, zone_minute;
        return digits(text + 1, 2, &zone_hour) && text[3] == ':' && digits(text + 4, 2, &zone_minute) &&
               text[6] == '\0' && zone_hour <= 14 && zone_minute <= 59;
    }
    return *text == '\0';
}

bool fhir_date_read(const char *text, int32_t *ret_first, int32_t *ret_last)
{
    int year, month, mday;
    int32_t first, next;
    size_t len = strlen(text);
    if (!digits(text, 4, &year))
        return false;
    if (len == 4) {
        if (!civil_from_ymd(year, 1, 1, &first) || !civil_from_ymd(year, 12, 31, &next))
            return false;
        *ret_first = first;
        *ret_last = next;
        return true;
    }
    if (text[4] != '-' || !digits(text + 5, 2, &month))
        return false;
    if (len == 7) {
        if (!civil_from_ymd(year, month, 1, &first))
            return false;
        *ret_first = first;
        bool last_month = month == 12;
        if (!civil_from_ymd(last_month ? year + 1 : year, last_month ? 1 : month + 1, 1, &next))
            return false;
        *ret_last = next - 1;
        return true;
    }
    if (text[7] != '-' || !digits(text + 8, 2, &mday) || !civil_from_ymd(year, month, mday, &first))
        return false;
    if (text[10] != '\0' && (text[10] != 'T' || !clock_right(text + 11)))
        return false;
    *ret_first = *ret_last = first;
    return true;
}

const char *fhir_unknown_key(const json_t *object, const char *const *keys)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (strcmp(key, "id") == 0 || strcmp(key, "extension") == 0 ||
            strcmp(key, "modifierExtension") == 0 || strcmp(key, "fhir_comments") == 0)
            continue;
        int i = 0;
        while (keys[i] != NULL && strcmp(keys[i], key) != 0)
            i++;
        if (keys[i] == NULL)
            return key;
    }
    return "";
}

static bool empty(const json_t *value)
{
    return json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static const json_t *find_key(const json_t *value, const char *name)
{
    const json_t *found = NULL;
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value) && found == NULL; i++)
            found = find_key(json_array_get(value, i), name);
    } else if (json_is_object(value)) {
        const char *key;
        json_t *child;
        json_object_foreach((json_t *)(uintptr_t)value, key, child)
        {
            if (strcmp(key, name) == 0 && !empty(child))
                return child;
            found = find_key(child, name);
            if (found != NULL)
                return found;
        }
    }
    return found;
}

bool fhir_has_modifier(const json_t *value, const char **ret_url)
{
    const json_t *found = find_key(value, "modifierExtension");
    if (found == NULL)
        return false;
    *ret_url = fhir_text(json_is_array(found) ? json_array_get(found, 0) : found, "url");
    return true;
}

bool fhir_has_key(const json_t *value, const char *key)
{
    return find_key(value, key) != NULL;
}
