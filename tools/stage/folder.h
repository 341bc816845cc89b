/* SPDX-License-Identifier: Apache-2.0 */
/* folder: a folder for a while, under TMPDIR or /tmp. Blocks for the disk. */
#ifndef TOOLS_STAGE_FOLDER_H
#define TOOLS_STAGE_FOLDER_H

struct error;

enum { FOLDER_PATH_BYTES = 256 };

struct folder {
    char path[FOLDER_PATH_BYTES]; /* "": none */
};

/* E_FILE. */
int folder_make(struct folder *folder, struct error *err);
/* The same where nothing reaches a disk, if the system has such a place. */
int folder_make_in_memory(struct folder *folder, struct error *err);
/* With all in it; nothing when there is none. What cannot be removed stays. */
void folder_remove(struct folder *folder);
/* FOLDER/name; name is short and ours. */
const char *folder_path(const struct folder *folder, const char *name, char ret_path[FOLDER_PATH_BYTES]);

#endif
