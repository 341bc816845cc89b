/* SPDX-License-Identifier: Apache-2.0 */
/* signer: the person of --user with the key that signs, for the verbs whose word is a signature. */
#ifndef TOOLS_SACHET_SIGNER_H
#define TOOLS_SACHET_SIGNER_H

struct cli;
struct error;
struct seal_key;
struct user;

/* One question for the password. what: "to sign". The key is the caller's to close. Needs the store. E_ARG
 * without --user, E_DENIED. */
int signer_open(struct cli *cli, const char *what, struct user *ret_user, struct seal_key **ret_key,
                struct error *err);

#endif
