/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two folders. Written: files replaced whole (config/base/file.h). Read: files that end in .json, in order of
 * their bytes; a sender must rename whole files into the inbox, what begins with a dot is not looked at, and
 * what is no ordinary file comes with its trouble. Settled files are renamed into done/, refused/ (with
 * NAME.reason.txt) or orders/.
 */
#include "controller/parties/port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/error.h"
#include "config/base/file.h"

enum { PATH_BYTES = 4096, SAME_NAME_MAX = 10000, KEPT_NAME_MAX = 200 };

static const char *const fate_folders[] = {
    [PORT_DONE] = "done", [PORT_REFUSED] = "refused", [PORT_ORDER] = "orders"};

/* One look into a folder. */
struct listing {
    char **names; /* sorted; NULL before the look */
    size_t count, at;
};

struct folders {
    struct port port;
    char *outbox, *inbox;
    struct listing arrived, orders;
    char *bytes; /* of the item handed out last */
    char trouble[160];
};

__attribute__((format(printf, 3, 4))) static int path_make(char path[PATH_BYTES], struct error *err,
                                                           const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(path, PATH_BYTES, format, args);
    va_end(args);
    return n < 0 || n >= PATH_BYTES
               ? error_set(err, E_LIMIT, "path too long, at most %d bytes", PATH_BYTES - 1)
               : 0;
}

/* The folder and those above it. */
static int folder_make(const char *path, struct error *err)
{
    char part[PATH_BYTES];
    int rc = path_make(part, err, "%s", path);
    for (char *slash = part + 1; rc == 0; slash++) {
        bool last = *slash == '\0';
        if (!last && *slash != '/')
            continue;
        *slash = '\0';
        if (mkdir(part, 0750) < 0 && errno != EEXIST)
            rc = error_set_errno(err, E_FILE, errno, "folder %s cannot be made", part);
        if (last)
            break;
        *slash = '/';
    }
    return rc;
}

/* FOLDER/NAME, whole or not at all; NAME may have one folder in front. */
static int file_put(const char *folder, const char *name, const void *bytes, size_t len, struct error *err)
{
    char below[PATH_BYTES], path[PATH_BYTES];
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    int rc =
        path_make(below, err, "%s%s%.*s", folder, slash ? "/" : "", slash ? (int)(slash - name) : 0, name);
    if (rc == 0)
        rc = path_make(path, err, "%s/%s", below, base);
    if (rc == 0)
        rc = folder_make(below, err);
    return rc ? rc : file_replace(path, bytes, len, err);
}

static int folders_write(struct port *port, const char *name, const void *bytes, size_t len,
                         struct error *err)
{
    struct folders *f = (struct folders *)port;
    return file_put(f->outbox, name, bytes, len, err);
}

static bool name_wanted(const char *name)
{
    size_t len = strlen(name);
    return name[0] != '.' && len > 5 && len < PORT_NAME_BYTES && strcmp(name + len - 5, ".json") == 0;
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int look(const char *folder, struct listing *list, struct error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return error_set_errno(err, E_FILE, errno, "inbox %s cannot be read", folder);
    list->names = calloc(PORT_ITEMS_MAX, sizeof *list->names);
    int rc = list->names ? 0 : error_set(err, E_MEMORY, "out of memory reading the inbox");
    for (struct dirent *entry; rc == 0 && list->count < PORT_ITEMS_MAX && (entry = readdir(dir));) {
        if (!name_wanted(entry->d_name))
            continue;
        list->names[list->count] = strdup(entry->d_name);
        if (list->names[list->count])
            list->count++;
        else
            rc = error_set(err, E_MEMORY, "out of memory reading the inbox");
    }
    (void)closedir(dir); /* was only read */
    if (rc == 0)
        qsort(list->names, list->count, sizeof *list->names, name_compare);
    return rc;
}

/* The folder that an item lies in. */
static int item_folder(const struct folders *f, bool order, char folder[PATH_BYTES], struct error *err)
{
    return order ? path_make(folder, err, "%s/%s", f->inbox, fate_folders[PORT_ORDER])
                 : path_make(folder, err, "%s", f->inbox);
}

/* The whole file in f->bytes; what is wrong with it goes to f->trouble. */
static void item_read(struct folders *f, const char *folder, const char *name, struct port_item *item)
{
    char path[PATH_BYTES];
    struct stat info;
    int fd = path_make(path, NULL, "%s/%s", folder, name) == 0
                 ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
                 : -1;
    if (fd < 0 || fstat(fd, &info) < 0) {
        (void)snprintf(f->trouble, sizeof f->trouble, "the file cannot be opened");
        item->trouble = f->trouble;
    } else if (!S_ISREG(info.st_mode)) {
        (void)snprintf(f->trouble, sizeof f->trouble, "it is not an ordinary file");
        item->trouble = f->trouble;
    } else if (info.st_size > PORT_ITEM_BYTES_MAX) {
        (void)snprintf(f->trouble, sizeof f->trouble, "the file has more than %d bytes", PORT_ITEM_BYTES_MAX);
        item->trouble = f->trouble;
    } else if ((f->bytes = malloc((size_t)info.st_size + 1)) != NULL) {
        ssize_t got = 0;
        while ((size_t)info.st_size > item->len &&
               ((got = read(fd, f->bytes + item->len, (size_t)info.st_size - item->len)) > 0 ||
                (got < 0 && errno == EINTR)))
            item->len += got > 0 ? (size_t)got : 0;
        f->bytes[item->len] = '\0';
        item->bytes = f->bytes;
    }
    if (fd >= 0)
        (void)close(fd); /* was only read */
}

static int item_next(struct folders *f, bool order, struct port_item *ret_item, struct error *err)
{
    struct listing *list = order ? &f->orders : &f->arrived;
    char folder[PATH_BYTES];
    int rc = item_folder(f, order, folder, err);
    if (rc == 0 && !list->names)
        rc = look(folder, list, err);
    if (rc < 0 || list->at == list->count)
        return rc;
    *ret_item = (struct port_item){.order = order};
    free(f->bytes);
    f->bytes = NULL;
    (void)snprintf(ret_item->name, sizeof ret_item->name, "%s",
                   list->names[list->at]); /* look() kept to the length */
    item_read(f, folder, list->names[list->at++], ret_item);
    if (!ret_item->bytes && !ret_item->trouble)
        return error_set(err, E_MEMORY, "out of memory reading the inbox");
    return 1;
}

static int folders_next(struct port *port, struct port_item *ret_item, struct error *err)
{
    return item_next((struct folders *)port, false, ret_item, err);
}

static int folders_next_order(struct port *port, struct port_item *ret_item, struct error *err)
{
    return item_next((struct folders *)port, true, ret_item, err);
}

/* A free name in the folder: NAME, else NAME with a number before its ending. A name that would leave no room
 * for number and reason is cut. */
static int free_path(const char *folder, const char *long_name, char path[PATH_BYTES], struct error *err)
{
    struct stat info;
    char name[PORT_NAME_BYTES];
    bool cut = strlen(long_name) > KEPT_NAME_MAX;
    (void)snprintf(name, sizeof name, "%.*s%s", KEPT_NAME_MAX, long_name, cut ? ".json" : "");
    int rc = path_make(path, err, "%s/%s", folder, name);
    for (int i = 2; rc == 0 && lstat(path, &info) == 0; i++) {
        if (i > SAME_NAME_MAX)
            return error_set(err, E_LIMIT, "%s: too many files of one name", path);
        rc = path_make(path, err, "%s/%.*s.%d.json", folder, (int)strlen(name) - 5, name, i);
    }
    return rc;
}

static int folders_settle(struct port *port, const struct port_item *item, enum port_fate fate,
                          const char *reason, struct error *err)
{
    struct folders *f = (struct folders *)port;
    char folder[PATH_BYTES], lies[PATH_BYTES], from[PATH_BYTES], to[PATH_BYTES], why[PATH_BYTES];
    int rc = path_make(folder, err, "%s/%s", f->inbox, fate_folders[fate]);
    if (rc == 0)
        rc = item_folder(f, item->order, lies, err);
    if (rc == 0)
        rc = path_make(from, err, "%s/%s", lies, item->name);
    if (rc == 0)
        rc = free_path(folder, item->name, to, err);
    if (rc == 0 && fate == PORT_REFUSED) {
        /* The reason first: a file in refused/ never stands there without one. */
        const char *base = strrchr(to, '/') + 1;
        rc = path_make(why, err, "%s.reason.txt", base);
        if (rc == 0)
            rc = file_put(folder, why, reason, strlen(reason), err);
    }
    if (rc == 0 && rename(from, to) < 0)
        rc = error_set_errno(err, E_FILE, errno, "%s cannot be moved to %s", from, to);
    if (rc == 0)
        rc = file_sync(folder, err);
    return rc ? rc : file_sync(lies, err);
}

static void listing_free(struct listing *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
}

static void folders_destroy(struct port *port)
{
    struct folders *f = (struct folders *)port;
    listing_free(&f->arrived);
    listing_free(&f->orders);
    free(f->bytes);
    free(f->inbox);
    free(f->outbox);
    free(f);
}

void port_destroy(struct port *port)
{
    if (port)
        port->destroy(port);
}

struct port *port_folder_create(const char *outbox, const char *inbox, struct error *err)
{
    char path[PATH_BYTES];
    struct folders *f = calloc(1, sizeof *f);
    if (!f) {
        error_set(err, E_MEMORY, "out of memory opening the outbox");
        return NULL;
    }
    f->port = (struct port){.write = folders_write,
                            .next = folders_next,
                            .next_order = folders_next_order,
                            .settle = folders_settle,
                            .destroy = folders_destroy};
    f->outbox = strdup(outbox);
    f->inbox = strdup(inbox);
    int rc = f->outbox && f->inbox ? folder_make(outbox, err)
                                   : error_set(err, E_MEMORY, "out of memory opening the outbox");
    for (size_t i = 0; rc == 0 && i < sizeof fate_folders / sizeof fate_folders[0]; i++) {
        rc = path_make(path, err, "%s/%s", inbox, fate_folders[i]);
        if (rc == 0)
            rc = folder_make(path, err);
    }
    if (rc == 0)
        return &f->port;
    folders_destroy(&f->port);
    return NULL;
}
