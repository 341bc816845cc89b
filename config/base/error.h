/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: one table of codes, one caller-owned struct for the sentence that a person reads.
 *
 * A function that can fail returns int: 0 done, negative a code of this table. The last argument is an
 * optional `struct error *` (NULL allowed) that receives what happened, to what, and what to do. Libraries
 * return, the outermost caller prints once. Each code has a class, and a class has an exit status (0 done, 1
 * a person must look, 2 used wrongly, 3 environment).
 */
#ifndef CONFIG_BASE_ERROR_H
#define CONFIG_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

enum error_class {
    ERROR_CLASS_CALLER, /* the command line or the call was wrong: exit 2 */
    ERROR_CLASS_INPUT,  /* data was refused or something was found: exit 1 */
    ERROR_CLASS_DEVICE, /* the machine answered, and the answer is bad: exit 3 */
    ERROR_CLASS_LINK,   /* the machine did not answer: exit 3 */
    ERROR_CLASS_STORE,  /* the store or its disk: exit 3 */
    ERROR_CLASS_SYSTEM, /* files, memory, sockets: exit 3 */
};

/* X(name, code, text, class) */
#define ERROR_TABLE(X)                                                                 \
    X(E_ARG, -1001, "wrong argument", ERROR_CLASS_CALLER)                              \
    X(E_STATE, -1002, "not possible in this state", ERROR_CLASS_INPUT)                 \
    X(E_SYNTAX, -1101, "cannot be read", ERROR_CLASS_INPUT)                            \
    X(E_INPUT, -1102, "input refused", ERROR_CLASS_INPUT)                              \
    X(E_LIMIT, -1103, "over a limit", ERROR_CLASS_INPUT)                               \
    X(E_VERSION, -1104, "unknown version", ERROR_CLASS_INPUT)                          \
    X(E_NOT_FOUND, -1105, "not found", ERROR_CLASS_INPUT)                              \
    X(E_EXISTS, -1106, "exists already", ERROR_CLASS_INPUT)                            \
    X(E_DENIED, -1107, "not allowed", ERROR_CLASS_INPUT)                               \
    X(E_TAMPERED, -1108, "signature or hash does not match", ERROR_CLASS_INPUT)        \
    X(E_INFEASIBLE, -1109, "no solution keeps every rule", ERROR_CLASS_INPUT)          \
    X(E_DEVICE, -1201, "the machine reports a fault", ERROR_CLASS_DEVICE)              \
    X(E_MISMATCH, -1202, "the machine is not the expected one", ERROR_CLASS_DEVICE)    \
    X(E_FENCED, -1203, "another controller has taken the machine", ERROR_CLASS_DEVICE) \
    X(E_LINK, -1301, "no connection to the machine", ERROR_CLASS_LINK)                 \
    X(E_TIMEOUT, -1302, "no answer in time", ERROR_CLASS_LINK)                         \
    X(E_FRAME, -1303, "damaged answer", ERROR_CLASS_LINK)                              \
    X(E_STORE, -1401, "store failed", ERROR_CLASS_STORE)                               \
    X(E_STORE_VERSION, -1402, "store is of another version", ERROR_CLASS_STORE)        \
    X(E_LOCKED, -1403, "store is locked by another program", ERROR_CLASS_STORE)        \
    X(E_FULL, -1404, "disk full", ERROR_CLASS_STORE)                                   \
    X(E_FILE, -1501, "file cannot be used", ERROR_CLASS_SYSTEM)                        \
    X(E_MEMORY, -1502, "out of memory", ERROR_CLASS_SYSTEM)                            \
    X(E_SYSTEM, -1503, "system call failed", ERROR_CLASS_SYSTEM)

enum error_code {
#define ERROR_ENUM(name, code, text, class) name = code,
    ERROR_TABLE(ERROR_ENUM)
#undef ERROR_ENUM
};

enum { ERROR_MESSAGE_BYTES = 512 };

struct error {
    int code;                          /* 0 or an enum error_code */
    char message[ERROR_MESSAGE_BYTES]; /* one line for a person, no control characters; "" for none */
};

/* Stores code and a formatted message in err (may be NULL) and returns code, so that `return error_set(...)`
 * reads well. */
__attribute__((format(printf, 3, 4))) int error_set(struct error *err, int code, const char *format, ...);

/* Like error_set, with ": " and the text of errno_value behind the message. */
__attribute__((format(printf, 4, 5))) int error_set_errno(struct error *err, int code, int errno_value,
                                                          const char *format, ...);

/* Puts a formatted context and ": " before the message that err holds (may be NULL); returns `code`, what
 * failed, as it is. */
__attribute__((format(printf, 3, 4))) int error_prefix(struct error *err, int code, const char *format, ...);

#ifdef __clang_analyzer__ /* it looks at one file at a time and would take a refusal for a 0 */
#define error_set(err, code, ...) ((void)error_set(err, code, __VA_ARGS__), (code))
#endif

/* The table's short text and class of a code; unknown codes read "error" and ERROR_CLASS_SYSTEM. */
const char *error_text(int code);
/* The code's name as in the table, for example "E_LIMIT". */
const char *error_name(int code);
enum error_class error_class_of(int code);

/* 0 for 0, else 1, 2 or 3 by class (DESIGN: exit codes). */
int error_exit_status(int code);

#endif
