/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/parties/partners.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"

void partners_read(const struct conf *site, struct partners *ret_partners)
{
    *ret_partners = (struct partners){
        .site = site,
        .base = conf_text(site, "partners.base"),
        .prefix = conf_text(site, "partners.prefix"),
        .payer = conf_text(site, "partners.payer"),
        .pharmacy = conf_text(site, "pharmacy.name"),
        .phone = conf_text(site, "pharmacy.phone"),
    };
}

bool partners_request_code(const struct partners *partners, enum task_kind kind, const char **ret_system,
                           const char **ret_code)
{
    int count = conf_count(partners->site, "partners.requests");
    for (int i = 0; i < count; i++) {
        if (strcmp(conf_text(partners->site, "partners.requests[%d].kind", i), task_kinds[kind].word) == 0) {
            *ret_system = conf_text(partners->site, "partners.requests[%d].system", i);
            *ret_code = conf_text(partners->site, "partners.requests[%d].code", i);
            return true;
        }
    }
    return false;
}

bool partners_answer(const struct partners *partners, const char *system, const char *code,
                     enum task_result *ret_result)
{
    int count = conf_count(partners->site, "partners.answers");
    for (int i = 0; i < count; i++) {
        const char *listed = conf_text(partners->site, "partners.answers[%d].system", i);
        if (strcmp(conf_text(partners->site, "partners.answers[%d].code", i), code) == 0 &&
            (listed[0] == '\0' || strcmp(listed, system) == 0))
            return task_result_parse(conf_text(partners->site, "partners.answers[%d].means", i), ret_result);
    }
    return false;
}

void partners_task_id(const struct partners *partners, int64_t task, char ret_id[PARTNERS_ID_BYTES])
{
    /* the site file's check holds the prefix to 24 bytes, a number has at most 20 */
    (void)snprintf(ret_id, PARTNERS_ID_BYTES, "%s-%" PRId64, partners->prefix, task);
}

int64_t partners_task_of(const struct partners *partners, const char *type, const char *text)
{
    size_t len = strlen(partners->prefix);
    if (type) {
        /* "Claim/sachet-12", and the same behind an address; a version may follow */
        size_t type_len = strlen(type);
        const char *at = NULL;
        for (const char *p = text; (p = strstr(p, type)) != NULL; p++) {
            if ((p == text || p[-1] == '/') && p[type_len] == '/')
                at = p + type_len + 1;
        }
        if (!at)
            return 0;
        text = at;
    }
    if (strncmp(text, partners->prefix, len) != 0 || text[len] != '-')
        return 0;
    const char *digits = text + len + 1;
    if (*digits < '1' || *digits > '9')
        return 0;
    char *end;
    errno = 0;
    long long id = strtoll(digits, &end, 10);
    bool ends = *end == '\0' || (type && strncmp(end, "/_history/", 10) == 0);
    return errno == 0 && ends ? id : 0;
}

bool partners_id_valid(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= 64 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == len;
}
