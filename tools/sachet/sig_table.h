/* SPDX-License-Identifier: Apache-2.0 */
/* sig_table: the words of prescriptions for verbs that read texts: --table FILE, else those of the program;
 * and the language that --language names. */
#ifndef TOOLS_SACHET_SIG_TABLE_H
#define TOOLS_SACHET_SIG_TABLE_H

#include "controller/intake/sig/sigtext.h"

struct cli;
struct error;

/* The caller destroys *ret_table. */
int sig_table_open(const struct cli *cli, struct sigtext_table **ret_table,
                   enum sigtext_language *ret_language, struct error *err);

#endif
