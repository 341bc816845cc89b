/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token: the number printed on a pouch, by which a person finds it again: "12-00017-K", a remake
 * "12-00017R1-8". Batch, place in the batch, remake, and one check character (ISO/IEC 7064, MOD 37,36), which
 * finds every single wrong character and every swap of neighbours. Unique per fill. A pouch of a simulated
 * machine bears SIM before all of it, "SIM12-00017-4", so that nobody takes it for one that was dispensed.
 * Pure, any thread.
 */
#ifndef CONTROLLER_PACK_TOKEN_H
#define CONTROLLER_PACK_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

enum { TOKEN_BYTES = 33 }; /* 32 characters and the NUL, as the mailbox has them */

/* batch and pouch from 1, remake 0 for the first try. false when it does not fit into 32 characters. */
bool token_format(int64_t batch, int64_t pouch, int64_t remake, char ret_token[TOKEN_BYTES]);
/* Marks it as one of a simulated machine. false when it does not fit any more. */
bool token_mark_simulated(char token[TOKEN_BYTES]);
bool token_is_simulated(const char *token);
/* Reads exactly what those two write, the check character included. */
bool token_parse(const char *token, int64_t *ret_batch, int64_t *ret_pouch, int64_t *ret_remake);
/* Of text in digits, A-Z and hyphens; a hyphen counts as Z, so that it cannot move unseen. */
char token_check_character(const char *text);

#endif
