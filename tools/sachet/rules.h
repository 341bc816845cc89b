/* SPDX-License-Identifier: Apache-2.0 */
/* The site's rule files as a policy, and the patients that a command line means, for the verbs about plans.
 */
#ifndef TOOLS_SACHET_RULES_H
#define TOOLS_SACHET_RULES_H

#include <stddef.h>
#include <stdint.h>

struct cli;
struct conf;
struct error;
struct policy;

enum { PATIENT_ID_BYTES = 512 };

struct site_rules {
    struct conf *timing;
    struct conf *packing;
    struct conf *jurisdiction;
    struct policy *policy;
};

/* Opens the store and the site, too. Give it back with site_rules_close, also after an error. */
int site_rules_open(struct cli *cli, struct site_rules *ret_rules, struct error *err);
void site_rules_close(struct site_rules *rules);

/*
 * The patients named on the command line, or with --all every patient by source id, as numbers of the store.
 * *ret_patients is the caller's to free(). E_ARG when nobody is named, E_NOT_FOUND for an unknown one.
 */
int cli_patients(struct cli *cli, int64_t **ret_patients, size_t *ret_count, struct error *err);
/* How a patient is called; longer names are cut. */
struct cli_patient {
    char id[PATIENT_ID_BYTES]; /* source id */
    char name[256];
    char shown[PATIENT_ID_BYTES + 260]; /* "source-id (Name)", for lines on a screen */
};
/* E_NOT_FOUND when the store has no such row. */
int cli_patient_get(struct cli *cli, int64_t patient, struct cli_patient *ret, struct error *err);

#endif
