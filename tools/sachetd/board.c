/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachetd/board.h"

#include "config/base/error.h"
#include "config/base/log.h"
#include "config/conf.h"
#include "controller/pack/panel.h"
#include "hw/gpio.h"
#include "hw/gpio/chips.h"

int board_open(const struct conf *site, int index, int64_t now_ms, struct board *ret_board, struct error *err)
{
    struct gpio_line lines[GPIO_LINES_MAX];
    unsigned count = 0;
    struct board board = {0};
    *ret_board = board;
    if (conf_text(site, "machines[%d].panel.chip", index)[0] == '\0')
        return 0;
    struct panel_config config = {.name = conf_text(site, "machines[%d].name", index),
                                  .chip = conf_text(site, "machines[%d].panel.chip", index),
                                  .discrepancy_ms =
                                      (uint32_t)conf_int(site, "machines[%d].panel.discrepancy", index)};
    for (int r = 0; r < PANEL_ROLES; r++)
        config.lines[r] = conf_text(site, "machines[%d].panel.%s", index, panel_role_key((enum panel_role)r));
    int rc = panel_lines(&config, lines, &count, err);
    if (rc == 0) {
        board.gpio = gpio_chips_open(lines, count, "sachetd", err);
        rc = board.gpio ? 0 : err->code;
    }
    if (rc == 0) {
        board.panel = panel_create(&config, board.gpio, now_ms, err);
        rc = board.panel ? 0 : err->code;
    }
    if (rc < 0) {
        error_prefix(err, rc, "panel of machine %s", config.name);
        board_close(&board);
        return rc;
    }
    log_info("sachetd", "machine=%s panel chip=%s lines=%u backend=\"%s\"", config.name, config.chip, count,
             gpio_backend(board.gpio));
    *ret_board = board;
    return 0;
}

void board_close(struct board *board)
{
    panel_destroy(board->panel);
    gpio_destroy(board->gpio);
    *board = (struct board){0};
}
