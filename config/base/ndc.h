/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndc: National Drug Codes as they are written, as the eleven digits 5-4-2 that FDA and HIPAA compare (the
 * short segment gets a leading zero). Pure, any thread.
 */
#ifndef CONFIG_BASE_NDC_H
#define CONFIG_BASE_NDC_H

enum { NDC_BYTES = 12 /* eleven digits and the NUL */, NDC_FORMS_MAX = 3 };

/*
 * The forms that a written NDC can stand for: hyphens 4-4-2, 5-3-2, 5-4-1, 5-4-2 and eleven bare digits give
 * one, ten bare digits three that cannot be told apart. Returns how many; 0: not an NDC.
 */
int ndc_forms(const char *text, char forms[NDC_FORMS_MAX][NDC_BYTES]);

#endif
