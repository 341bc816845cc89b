/* SPDX-License-Identifier: Apache-2.0 */
#include "config/paths.h"

#include "config/base/error.h"
#include "config/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int paths_data(const char *name, char *path, size_t size, struct error *err)
{
    /* A folder named in the environment is meant: the others are not looked at then. */
    const char *named = getenv("SACHET_DATA_DIR");
    const char *const folders[] = {named && named[0] ? named : SACHET_DATA_INSTALLED, SACHET_DATA_SOURCE};
    size_t count = named && named[0] ? 1 : 2;
    for (size_t i = 0; i < count; i++) {
        int n = snprintf(path, size, "%s%s%s", folders[i], name[0] ? "/" : "", name);
        if (n < 0 || (size_t)n >= size)
            return error_set(err, E_LIMIT, "%s/%s: path too long, limit %zu bytes", folders[i], name,
                             size - 1);
        if (access(path, R_OK) == 0)
            return 0;
    }
    return error_set(err, E_NOT_FOUND,
                     "%s: not found in %s%s%s, set SACHET_DATA_DIR to the folder config/defaults", name,
                     folders[0], count > 1 ? " nor in " : "", count > 1 ? folders[1] : "");
}

int paths_rules(const struct conf *site, const char *name, char *path, size_t size, struct error *err)
{
    char file[64];
    const char *own = conf_text(site, "rules.%s", name);
    (void)snprintf(file, sizeof file, "rules/%s.yaml", name); /* fits */
    if (!conf_has(site, "rules.%s", name) && access(own, F_OK) != 0)
        return paths_data(file, path, size, err);
    int n = snprintf(path, size, "%s", own);
    return n >= 0 && (size_t)n < size ? 0 : error_set(err, E_LIMIT, "%s: path too long", own);
}
