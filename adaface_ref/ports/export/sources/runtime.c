#include "margin_softmax.h"

#include <math.h>

#define PI 3.14159265358979323846

/* factor * logistic(x) * exp(y): no 1 - p, and no bit lost where the product is normal
   but a part of it would not be. */
MARGIN_SOFTMAX static double weighted(double factor, double x, double y) {
    const double power = x < 0.0 ? x + y : y;
    const double below = 1.0 + exp(x < 0.0 ? x : -x);
    if (factor == 0.0) return 0.0;
    if (power < -600.0 && power > -900.0)
        return factor * exp(power + 256.0) / below * exp(-256.0);
    if (exp(power) == 0.0 && isinf(factor)) return factor;
    return factor * (exp(power) / below);
}

/* x / sin(theta), and 0 where x is 0. */
MARGIN_SOFTMAX static double over_sine(double x, double sine) {
    return x == 0.0 ? 0.0 : x / sine;
}

/* sin(q theta + a) / sin(theta), with its limits at c = +-1; where it is a Chebyshev
   polynomial, by the recurrence, which has its zeros in the right places. */
MARGIN_SOFTMAX static double turned_ratio(double q, double a, double c, double angle) {
    if (a == 0.0 && q == floor(q) && q >= 1.0 && q <= 64.0) {
        double before = 0.0, found = 1.0;
        for (double k = 1.0; k < q; k += 1.0) {
            const double next = 2.0 * c * found - before;
            before = found;
            found = next;
        }
        return found;
    }
    if (fabs(c) < 1.0) return sin(q * angle + a) / sqrt((1.0 - c) * (1.0 + c));
    if (a == 0.0 && c > 0.0) return q;
    return copysign(INFINITY, sin(q * angle + a));
}

/* How many whole arcs of pi / q lie below the angle, q - 1 at most. */
MARGIN_SOFTMAX static double arcs_below(double q, double angle) {
    return fmin(floor(q * angle / PI), q - 1.0);
}

/* (-1) to that power. */
MARGIN_SOFTMAX static double arcs_sign(double q, double angle) {
    return 1.0 - 2.0 * fmod(arcs_below(q, angle), 2.0);
}
