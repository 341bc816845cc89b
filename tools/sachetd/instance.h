/* SPDX-License-Identifier: Apache-2.0 */
/* instance: one sachetd a store. A lock file beside the store that the kernel gives back when the process
 * dies; it holds the process number for people. Never blocks. */
#ifndef TOOLS_SACHETD_INSTANCE_H
#define TOOLS_SACHETD_INSTANCE_H

struct error;

/* A descriptor to keep open, or E_LOCKED with the number of the process that has it, or E_FILE. */
int instance_take(const char *store_path, int *ret_fd, struct error *err);

#endif
