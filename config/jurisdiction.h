/* SPDX-License-Identifier: Apache-2.0 */
/* jurisdiction: the words of sachet-jurisdiction/1 that code decides by, in the order of its lists. */
#ifndef CONFIG_JURISDICTION_H
#define CONFIG_JURISDICTION_H

enum jurisdiction_kind {
    JURISDICTION_BEYOND_USE,
    JURISDICTION_CONTROLLED,
    JURISDICTION_CONSENT,
    JURISDICTION_CHILD_RESISTANCE,
    JURISDICTION_LABEL,
    JURISDICTION_KINDS,
};
extern const char *const jurisdiction_kinds[]; /* NULL-ended */

enum jurisdiction_element {
    JURISDICTION_PATIENT,
    JURISDICTION_DATE,
    JURISDICTION_TIME,
    JURISDICTION_DRUG,
    JURISDICTION_STRENGTH,
    JURISDICTION_QUANTITY,
    JURISDICTION_PHARMACY,
    JURISDICTION_PHONE,
    JURISDICTION_ADDRESS,
    JURISDICTION_ELEMENTS,
};
extern const char *const jurisdiction_elements[]; /* NULL-ended */

#endif
