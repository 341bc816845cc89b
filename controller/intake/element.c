/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/intake/element.h"

#include <string.h>

#include "config/base/quantity.h"

const char *element_text(const struct tree *object, const char *key)
{
    const char *text = tree_text(tree_get(object, key));
    return text != NULL ? text : "";
}

const char *element_text_checked(const struct tree *object, const char *key, struct reasons *reasons)
{
    const struct tree *value = tree_get(object, key);
    if (value != NULL && value->type != TREE_TEXT)
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s is no text", key);
    return element_text(object, key);
}

bool element_milli(const struct tree *object, const char *key, int64_t *ret_milli, struct reasons *reasons)
{
    const struct tree *value = tree_get(object, key);
    if (value == NULL)
        return false;
    if (value->type != TREE_INTEGER && value->type != TREE_REAL) {
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s is no number", key);
        return false;
    }
    if (quantity_from_double(tree_number(value), ret_milli))
        return true;
    reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s has more than 3 decimal places or is too large", key);
    return false;
}

bool element_whole(const struct tree *object, const char *key, int64_t *ret, struct reasons *reasons)
{
    int64_t milli;
    if (!element_milli(object, key, &milli, reasons))
        return false;
    if (milli % QUANTITY_ONE != 0)
        reasons_add(reasons, REASON_CODE_BAD_ELEMENT, "%s is no whole number", key);
    else
        *ret = milli / QUANTITY_ONE;
    return milli % QUANTITY_ONE == 0;
}

const char *element_concept_text(const struct tree *concept)
{
    const struct tree *codings = tree_get(concept, "coding");
    const char *text = element_text(concept, "text");
    for (size_t i = 0; i < tree_count(codings) && text[0] == '\0'; i++)
        text = element_text(tree_at(codings, i), "display");
    return text[0] != '\0' ? text : element_text(tree_at(codings, 0), "code");
}

const struct tree *element_below(const struct tree *value, const char *name)
{
    const size_t count = tree_count(value) + tree_members(value);
    for (size_t i = 0; i < count; i++) {
        const struct tree *item = &value->in.items[i];
        const bool container = item->type == TREE_LIST || item->type == TREE_OBJECT;
        const bool empty = item->type == TREE_NULL || (container && item->len == 0);
        if (item->key != NULL && !empty && strcmp(item->key, name) == 0)
            return item;
        const struct tree *found = container ? element_below(item, name) : NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

bool element_has_modifier(const struct tree *value, const char **ret_url)
{
    const struct tree *found = element_below(value, "modifierExtension");
    if (found == NULL)
        return false;
    *ret_url = element_text(found->type == TREE_LIST ? tree_at(found, 0) : found, "url");
    return true;
}
