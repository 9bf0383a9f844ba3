const PI = Math.PI;
const { abs, acos, cos, exp, floor, min, sin, sqrt } = Math;

// factor * logistic(x) * exp(y): no 1 - p, and no bit lost where the product is normal
// but a part of it would not be.
function weighted(factor, x, y) {
  const power = x < 0 ? x + y : y;
  const below = 1 + exp(-abs(x));
  if (factor === 0) return 0;
  if (power < -600 && power > -900) return ((factor * exp(power + 256)) / below) * exp(-256);
  if (exp(power) === 0 && abs(factor) === Infinity) return factor;
  return factor * (exp(power) / below);
}

// x / sin(theta), and 0 where x is 0.
function over_sine(x, sine) {
  return x === 0 ? 0 : x / sine;
}

// sin(q theta + a) / sin(theta), with its limits at c = +-1; where it is a Chebyshev
// polynomial, by the recurrence, which has its zeros in the right places.
function turned_ratio(q, a, c, angle) {
  if (a === 0 && q === floor(q) && q >= 1 && q <= 64) {
    let [before, found] = [0, 1];
    for (let k = 1; k < q; k += 1) [before, found] = [found, 2 * c * found - before];
    return found;
  }
  if (abs(c) < 1) return sin(q * angle + a) / sqrt((1 - c) * (1 + c));
  if (a === 0 && c > 0) return q;
  return sin(q * angle + a) < 0 ? -Infinity : Infinity;
}

// How many whole arcs of pi / q lie below the angle, q - 1 at most.
function arcs_below(q, angle) {
  return min(floor((q * angle) / PI), q - 1);
}

// (-1) to that power.
const arcs_sign = (q, angle) => 1 - 2 * (arcs_below(q, angle) % 2);
