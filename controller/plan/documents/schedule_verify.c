/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/plan/documents/schedule_verify.h"

#include "config/base/error.h"
#include "controller/plan/documents/regimen_json.h"
#include "controller/plan/documents/schedule_json.h"
#include "controller/seal/seal.h"
#include "scheduler/proof/proof.h"

int schedule_verify(const struct json_t *regimen_object, const struct json_t *result_object,
                    struct arena *arena, struct error *err)
{
    struct regimen *regimen;
    struct slots_result *result;
    uint8_t claimed[SEAL_HASH_BYTES];
    uint8_t hash[SEAL_HASH_BYTES];
    int rc = regimen_from_json(regimen_object, arena, &regimen, err);
    if (!rc)
        rc = schedule_from_json(result_object, regimen, arena, &result, claimed, err);
    if (!rc)
        rc = regimen_hash(regimen, hash, err);
    if (!rc && !seal_equal(hash, claimed, sizeof hash))
        rc = error_set(err, E_TAMPERED, "the result was made for another instance: its hash does not match");
    return rc ? rc : proof_check(regimen, result, err);
}
