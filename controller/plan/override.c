/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/override.h"

#include <string.h>

#include "config/base/arena.h"
#include "config/base/civil.h"
#include "config/base/error.h"
#include "controller/plan/packing.h"
#include "controller/store/store.h"

#define OVERRIDE_COLUMNS                                                                                    \
    "SELECT o.id, o.product_code, o.rule, o.rule_hash, o.red, o.reason, o.from_day, o.until_day, "          \
    "coalesce(a.login, ''), coalesce(b.login, ''), w.user_id, w.said_ms, w.signature, v.user_id, "          \
    "v.said_ms, "                                                                                           \
    "v.signature, e.override_id IS NOT NULL, coalesce(c.login, ''), coalesce(e.reason, '') "                \
    "FROM packing_override o LEFT JOIN packing_override_word w ON w.override_id = o.id AND w.place = 1 "    \
    "LEFT JOIN user a ON a.id = w.user_id LEFT JOIN packing_override_word v ON v.override_id = o.id AND "   \
    "v.place = 2 LEFT JOIN user b ON b.id = v.user_id LEFT JOIN packing_override_end e ON e.override_id = " \
    "o.id LEFT JOIN user c ON c.id = e.user_id "

enum { COLUMN_FIRST = 10, COLUMN_SECOND = 13 };

static const char *kept(struct store_rows *rows, int column, struct arena *arena, bool *failed)
{
    const char *text = store_text(rows, column), *copy = arena_text(arena, text, strlen(text));
    *failed |= !copy;
    return copy ? copy : "";
}

static void word_read(struct store_rows *rows, int column, int place, struct arena *arena, bool *failed,
                      struct override_row *row)
{
    if (store_is_null(rows, column))
        return;
    row->user[place] = store_int(rows, column);
    row->said_ms[place] = store_int(rows, column + 1);
    const void *bytes = store_blob(rows, column + 2, &row->signature_len[place]);
    row->signature[place] = arena_text(arena, bytes ? bytes : "", row->signature_len[place]);
    *failed |= !row->signature[place];
}

static int row_read(struct store_rows *rows, struct arena *arena, struct override_row *row, struct error *err)
{
    bool failed = false;
    size_t len = 0;
    const void *hash = store_blob(rows, 3, &len);
    *row = (struct override_row){.said = {.id = store_int(rows, 0),
                                          .product = kept(rows, 1, arena, &failed),
                                          .rule = kept(rows, 2, arena, &failed),
                                          .red = store_int(rows, 4) != 0,
                                          .reason = kept(rows, 5, arena, &failed),
                                          .from_day = (int32_t)store_int(rows, 6),
                                          .until_day = (int32_t)store_int(rows, 7),
                                          .login = kept(rows, 8, arena, &failed),
                                          .second = kept(rows, 9, arena, &failed)},
                                 .ended = store_int(rows, 16) != 0,
                                 .ended_by = kept(rows, 17, arena, &failed),
                                 .ended_why = kept(rows, 18, arena, &failed)};
    if (len == sizeof row->said.rule_hash)
        memcpy(row->said.rule_hash, hash, len);
    word_read(rows, COLUMN_FIRST, 0, arena, &failed, row);
    word_read(rows, COLUMN_SECOND, 1, arena, &failed, row);
    return failed ? error_set(err, E_MEMORY, "no memory for the overrides") : 0;
}

int override_load(struct store *store, const char *product, bool ended, struct arena *arena,
                  struct override_row **ret_rows, size_t *ret_count, struct error *err)
{
    struct store_rows *rows = NULL;
    int64_t most = 0;
    size_t count = 0;
    int more = 0;
    int status = store_get_int(store, &most, err, "SELECT count(*) FROM packing_override", "");
    if (status < 0)
        return status;
    struct override_row *found = arena_array(arena, (size_t)most + 1, sizeof *found);
    if (!found)
        return error_set(err, E_MEMORY, "no memory for the overrides");
    status =
        store_query(store, &rows, err,
                    OVERRIDE_COLUMNS "WHERE (?1 IS NULL OR o.product_code = ?1) AND (?2 OR e.override_id "
                                     "IS NULL) ORDER BY o.id",
                    "ti", product, (int64_t)ended);
    while (status == 0 && count < (size_t)most && (more = store_next(rows, err)) > 0) {
        status = row_read(rows, arena, &found[count], err);
        count++;
    }
    store_done(rows);
    if (status == 0 && more >= 0 && !ended && count > OVERRIDES_MAX)
        status =
            error_set(err, E_LIMIT, "more than %d overrides stand: end some with `sachet override revoke`",
                      OVERRIDES_MAX);
    if (status < 0 || more < 0)
        return status < 0 ? status : more;
    *ret_rows = found;
    *ret_count = count;
    return 0;
}

int override_find(struct store *store, int64_t id, struct arena *arena, struct override_row *ret_row,
                  struct error *err)
{
    struct store_rows *rows = NULL;
    int status = store_query(store, &rows, err, OVERRIDE_COLUMNS "WHERE o.id = ?", "i", id);
    int found = status < 0 ? status : store_next(rows, err);
    if (found == 0)
        found = error_set(err, E_NOT_FOUND, "there is no override %lld: `sachet override list` shows them",
                          (long long)id);
    if (found > 0)
        found = row_read(rows, arena, ret_row, err);
    store_done(rows);
    return found;
}

bool override_holds(const struct plan_override *said, const struct packing_verdict *verdict, int32_t day,
                    const char **ret_why)
{
    const char *why = NULL;
    if (strcmp(said->rule, verdict->id) != 0 ||
        memcmp(said->rule_hash, verdict->hash, sizeof said->rule_hash) != 0)
        why = "the rule says something else since";
    else if (verdict->red && (said->second[0] == '\0' || strcmp(said->second, said->login) == 0))
        why = "the rule is red: a second pharmacist must stand for it";
    else if (said->login[0] == '\0')
        why = "nobody stands for it";
    else if (day != CIVIL_DAY_NONE && day < said->from_day)
        why = "it does not hold yet";
    else if (day != CIVIL_DAY_NONE && day > said->until_day)
        why = "it has expired";
    if (ret_why)
        *ret_why = why;
    return why == NULL;
}
