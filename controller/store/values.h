/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values: widens every integer of a list of arguments to 64 bits before it goes through "...".
 *
 * A plain int where the callee reads an int64_t is undefined behaviour that mostly works and then does not.
 * The store's calls are macros over STORE_VALUES, so that nobody has to think of it: pointers and 64-bit
 * values pass as they are, narrower integers, enums and bools are widened by their value. At most 40
 * arguments; more stop the compiler.
 */
#ifndef CONTROLLER_STORE_VALUES_H
#define CONTROLLER_STORE_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#define STORE_VALUE(x) _Generic((x), \
    bool: (int64_t)(x), char: (int64_t)(x), signed char: (int64_t)(x), unsigned char: (int64_t)(x), \
    short: (int64_t)(x), unsigned short: (int64_t)(x), int: (int64_t)(x), unsigned int: (int64_t)(x), \
    default: (x))

#define STORE_VALUES(...) \
    STORE_VALUES_CAT(STORE_VALUES_, STORE_VALUES_COUNT(__VA_ARGS__))(__VA_ARGS__)
#define STORE_VALUES_CAT(a, b)  STORE_VALUES_CAT_(a, b)
#define STORE_VALUES_CAT_(a, b) a##b
#define STORE_VALUES_COUNT(...) STORE_VALUES_COUNT_(__VA_ARGS__, \
    40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, \
    20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define STORE_VALUES_COUNT_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, \
    a19, a20, a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, a33, a34, a35, a36, a37, a38, a39, \
    a40, count, ...) count

#define STORE_VALUES_1(x) STORE_VALUE(x)
#define STORE_VALUES_2(x, ...) STORE_VALUE(x), STORE_VALUES_1(__VA_ARGS__)
#define STORE_VALUES_3(x, ...) STORE_VALUE(x), STORE_VALUES_2(__VA_ARGS__)
#define STORE_VALUES_4(x, ...) STORE_VALUE(x), STORE_VALUES_3(__VA_ARGS__)
#define STORE_VALUES_5(x, ...) STORE_VALUE(x), STORE_VALUES_4(__VA_ARGS__)
#define STORE_VALUES_6(x, ...) STORE_VALUE(x), STORE_VALUES_5(__VA_ARGS__)
#define STORE_VALUES_7(x, ...) STORE_VALUE(x), STORE_VALUES_6(__VA_ARGS__)
#define STORE_VALUES_8(x, ...) STORE_VALUE(x), STORE_VALUES_7(__VA_ARGS__)
#define STORE_VALUES_9(x, ...) STORE_VALUE(x), STORE_VALUES_8(__VA_ARGS__)
#define STORE_VALUES_10(x, ...) STORE_VALUE(x), STORE_VALUES_9(__VA_ARGS__)
#define STORE_VALUES_11(x, ...) STORE_VALUE(x), STORE_VALUES_10(__VA_ARGS__)
#define STORE_VALUES_12(x, ...) STORE_VALUE(x), STORE_VALUES_11(__VA_ARGS__)
#define STORE_VALUES_13(x, ...) STORE_VALUE(x), STORE_VALUES_12(__VA_ARGS__)
#define STORE_VALUES_14(x, ...) STORE_VALUE(x), STORE_VALUES_13(__VA_ARGS__)
#define STORE_VALUES_15(x, ...) STORE_VALUE(x), STORE_VALUES_14(__VA_ARGS__)
#define STORE_VALUES_16(x, ...) STORE_VALUE(x), STORE_VALUES_15(__VA_ARGS__)
#define STORE_VALUES_17(x, ...) STORE_VALUE(x), STORE_VALUES_16(__VA_ARGS__)
#define STORE_VALUES_18(x, ...) STORE_VALUE(x), STORE_VALUES_17(__VA_ARGS__)
#define STORE_VALUES_19(x, ...) STORE_VALUE(x), STORE_VALUES_18(__VA_ARGS__)
#define STORE_VALUES_20(x, ...) STORE_VALUE(x), STORE_VALUES_19(__VA_ARGS__)
#define STORE_VALUES_21(x, ...) STORE_VALUE(x), STORE_VALUES_20(__VA_ARGS__)
#define STORE_VALUES_22(x, ...) STORE_VALUE(x), STORE_VALUES_21(__VA_ARGS__)
#define STORE_VALUES_23(x, ...) STORE_VALUE(x), STORE_VALUES_22(__VA_ARGS__)
#define STORE_VALUES_24(x, ...) STORE_VALUE(x), STORE_VALUES_23(__VA_ARGS__)
#define STORE_VALUES_25(x, ...) STORE_VALUE(x), STORE_VALUES_24(__VA_ARGS__)
#define STORE_VALUES_26(x, ...) STORE_VALUE(x), STORE_VALUES_25(__VA_ARGS__)
#define STORE_VALUES_27(x, ...) STORE_VALUE(x), STORE_VALUES_26(__VA_ARGS__)
#define STORE_VALUES_28(x, ...) STORE_VALUE(x), STORE_VALUES_27(__VA_ARGS__)
#define STORE_VALUES_29(x, ...) STORE_VALUE(x), STORE_VALUES_28(__VA_ARGS__)
#define STORE_VALUES_30(x, ...) STORE_VALUE(x), STORE_VALUES_29(__VA_ARGS__)
#define STORE_VALUES_31(x, ...) STORE_VALUE(x), STORE_VALUES_30(__VA_ARGS__)
#define STORE_VALUES_32(x, ...) STORE_VALUE(x), STORE_VALUES_31(__VA_ARGS__)
#define STORE_VALUES_33(x, ...) STORE_VALUE(x), STORE_VALUES_32(__VA_ARGS__)
#define STORE_VALUES_34(x, ...) STORE_VALUE(x), STORE_VALUES_33(__VA_ARGS__)
#define STORE_VALUES_35(x, ...) STORE_VALUE(x), STORE_VALUES_34(__VA_ARGS__)
#define STORE_VALUES_36(x, ...) STORE_VALUE(x), STORE_VALUES_35(__VA_ARGS__)
#define STORE_VALUES_37(x, ...) STORE_VALUE(x), STORE_VALUES_36(__VA_ARGS__)
#define STORE_VALUES_38(x, ...) STORE_VALUE(x), STORE_VALUES_37(__VA_ARGS__)
#define STORE_VALUES_39(x, ...) STORE_VALUE(x), STORE_VALUES_38(__VA_ARGS__)
#define STORE_VALUES_40(x, ...) STORE_VALUE(x), STORE_VALUES_39(__VA_ARGS__)
/* clang-format on */

#endif
