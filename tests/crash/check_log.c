/* SPDX-License-Identifier: Apache-2.0 */
/* check-log: asserts the line's invariants (tests/support/witness.h) on the event log of a sachet-sim and the
 * store that was packed with. Exit status 0 they agree, 1 the first violation is said, 2 used wrongly. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/base/error.h"
#include "controller/store/store.h"
#include "tests/support/witness.h"

int main(int argc, char **argv)
{
    bool lossy = argc > 1 && strcmp(argv[1], "--lossy") == 0;
    char **words = argv + (lossy ? 2 : 1);
    int count = argc - (lossy ? 2 : 1);
    if (count < 2 || count > 4) {
        fprintf(stderr,
                "usage: %s [--lossy] LOG STORE [SERIAL [MACHINE]]\n"
                "LOG of sachet-sim --log, STORE a sachet.db at rest, SERIAL of the machine (SIM00001), "
                "MACHINE its\n"
                "number in the log (0). --lossy: sachet-sim was killed on the way, its last lines may be "
                "missing.\n",
                argv[0]);
        return 2;
    }
    struct error err = {0};
    struct witness *witness = witness_create(count > 3 ? (unsigned)atoi(words[3]) : 0, lossy);
    struct store *store = witness ? store_open(words[1], false, &err) : NULL;
    int rc = store ? witness_read(witness, words[0], &err) : E_STORE;
    if (rc == 0)
        rc = witness_check(witness, store, count > 2 ? words[2] : "SIM00001", true, &err);
    if (rc == 0)
        printf("%u pouches, %u good, %u power-ons: log and store agree\n", witness_pouches(witness),
               witness_good(witness), witness_boots(witness));
    else
        fprintf(stderr, "%s\n", err.message);
    store_close(store);
    witness_destroy(witness);
    return rc == 0 ? 0 : 1;
}
