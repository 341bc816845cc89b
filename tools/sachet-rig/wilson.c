/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/sachet-rig/sense.h"

/* z = 1.96 for 95 %, and z squared, in ten-thousandths. */
enum { Z = 19600, Z2 = 38416, ONE = 10000 };

static int64_t root(int64_t value)
{
    int64_t r = 0;
    for (int64_t bit = INT64_C(1) << 31; bit; bit >>= 1) {
        if ((r + bit) * (r + bit) <= value)
            r += bit;
    }
    return r;
}

/* (2k + z2 -+ z sqrt(z2 + 4k(n - k) / n)) / (2 (n + z2)), E. B. Wilson 1927, everything times ONE. */
struct sense_interval sense_wilson(int64_t k, int64_t n)
{
    if (n <= 0)
        return (struct sense_interval){0, 0, 1000};
    int64_t spread = (int64_t)Z2 * ONE + 4 * ONE * (k * (n - k)) / n * ONE;
    int64_t half = Z * root(spread) / ONE;
    int64_t middle = 2 * k * ONE + Z2, under = 2 * (n * ONE + Z2);
    int64_t least = k == 0 ? 0 : (middle - half) * 1000 / under;
    int64_t most = k == n ? 1000 : ((middle + half) * 1000 + under - 1) / under;
    return (struct sense_interval){
        .rate = (int)((k * 1000 + n / 2) / n), .least = (int)least, .most = (int)most};
}
