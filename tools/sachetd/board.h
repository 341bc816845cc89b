/* SPDX-License-Identifier: Apache-2.0 */
/* board: the panel beside one machine as the site file names its lines, on the kernel's GPIO chips. Only here
 * sachetd names that backend. */
#ifndef TOOLS_SACHETD_BOARD_H
#define TOOLS_SACHETD_BOARD_H

#include <stdint.h>

struct conf;
struct error;
struct gpio;
struct panel;

struct board {
    struct gpio *gpio; /* NULL: the machine has no panel */
    struct panel *panel;
};

/* Of machines[index]. site must outlive the board. What panel_lines, the chip or the memory said; a site
 * whose panel cannot be had is not run without it. */
int board_open(const struct conf *site, int index, int64_t now_ms, struct board *ret_board,
               struct error *err);
void board_close(struct board *board);

#endif
