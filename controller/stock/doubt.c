/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/stock/doubt.h"

#include <assert.h>

#include "config/base/error.h"
#include "controller/store/store.h"

struct doubt doubt_of_entry(int requested, int counted)
{
    assert(requested >= 0 && counted >= -1);
    if (counted < 0)
        return (struct doubt){.most = (int64_t)DOUBT_POCKET_PIECES * requested};
    /* Each pulse stands for one turn; one more turn may have given none. */
    int turns = counted + (counted < requested ? 1 : 0);
    return (struct doubt){.least = -counted, .most = (int64_t)DOUBT_POCKET_PIECES * turns - counted};
}

int doubt_open(struct store *store, int64_t canister, int64_t fill, int entry, const struct doubt *doubt,
               const char *why, int64_t wall_ms, struct error *err)
{
    if (doubt->least == 0 && doubt->most == 0)
        return 0;
    return store_exec(store, err,
                      "INSERT INTO stock_doubt (canister_id, fill_id, entry, least, most, why, opened_ms)"
                      " VALUES (?1, nullif(?2, 0), CASE ?2 WHEN 0 THEN NULL ELSE ?3 END, ?4, ?5, ?6, ?7)",
                      "iiiiiti", canister, fill, (int64_t)entry, doubt->least, doubt->most, why, wall_ms);
}

int doubt_open_unknown(struct store *store, const char *reason, int64_t wall_ms, struct error *err)
{
    return store_exec(store, err,
                      "INSERT INTO stock_doubt (canister_id, fill_id, entry, least, most, why, opened_ms)"
                      " SELECT i.canister_id, i.fill_id, i.entry, 0, ?1 * i.requested, ?2, ?3 FROM fill f"
                      " JOIN fill_item i ON i.fill_id = f.id WHERE f.state = 'void' AND f.result_ms = ?3"
                      " AND f.reason = ?2 AND i.counted IS NULL",
                      "iti", (int64_t)DOUBT_POCKET_PIECES, reason, wall_ms);
}

int doubt_open_machine(struct store *store, const char *machine, int64_t pouches, int64_t wall_ms,
                       struct error *err)
{
    if (pouches <= 0)
        return 0;
    return store_exec(store, err,
                      "INSERT INTO stock_doubt (canister_id, least, most, why, opened_ms)"
                      " SELECT id, 0, ?1, 'the machine made pouches that the store does not know', ?2"
                      " FROM canister WHERE machine = ?3",
                      "iit", pouches * DOUBT_ENTRY_PIECES * DOUBT_POCKET_PIECES, wall_ms, machine);
}

int doubt_open_under_way(struct store *store, int64_t canister, int64_t wall_ms, struct error *err)
{
    return store_exec(
        store, err,
        "INSERT INTO stock_doubt (canister_id, fill_id, entry, least, most, why, opened_ms)"
        " SELECT i.canister_id, i.fill_id, i.entry, -?1 * i.requested, 0, 'the canister was counted"
        " while the pouch was under way', ?2 FROM fill f JOIN fill_item i ON i.fill_id = f.id"
        " WHERE f.state = 'intended' AND i.canister_id = ?3",
        "iii", (int64_t)DOUBT_POCKET_PIECES, wall_ms, canister);
}

int doubt_settle_fill(struct store *store, int64_t fill, int64_t wall_ms, struct error *err)
{
    return store_exec(store, err,
                      "UPDATE stock_doubt SET settled_ms = ?, settled_by = 'sachetd', settled_how = 'result'"
                      " WHERE fill_id = ? AND settled_ms IS NULL",
                      "ii", wall_ms, fill);
}

int doubt_settle(struct store *store, int64_t canister, const char *how, const char *actor, int64_t wall_ms,
                 struct error *err)
{
    return store_exec(store, err,
                      "UPDATE stock_doubt SET settled_ms = ?, settled_by = ?, settled_how = ?"
                      " WHERE canister_id = ? AND settled_ms IS NULL",
                      "itti", wall_ms, actor, how, canister);
}
