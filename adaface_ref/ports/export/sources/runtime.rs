#![allow(dead_code, unused_parens, unused_variables, clippy::all)]

const PI: f64 = std::f64::consts::PI;

/// factor * logistic(x) * exp(y): no 1 - p, and no bit lost where the product is normal
/// but a part of it would not be.
fn weighted(factor: f64, x: f64, y: f64) -> f64 {
    let power = if x < 0.0 { x + y } else { y };
    let below = 1.0 + (-x.abs()).exp();
    if factor == 0.0 {
        return 0.0;
    }
    if power < -600.0 && power > -900.0 {
        return factor * (power + 256.0).exp() / below * (-256.0f64).exp();
    }
    if power.exp() == 0.0 && factor.is_infinite() {
        return factor;
    }
    factor * (power.exp() / below)
}

/// x / sin(theta), and 0 where x is 0.
fn over_sine(x: f64, sine: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x / sine }
}

/// sin(q theta + a) / sin(theta), with its limits at c = +-1; where it is a Chebyshev
/// polynomial, by the recurrence, which has its zeros in the right places.
fn turned_ratio(q: f64, a: f64, c: f64, angle: f64) -> f64 {
    if a == 0.0 && q == q.floor() && (1.0..=64.0).contains(&q) {
        let (mut before, mut found) = (0.0, 1.0);
        for _ in 1..q as u32 {
            (before, found) = (found, 2.0 * c * found - before);
        }
        return found;
    }
    if c.abs() < 1.0 {
        return (q * angle + a).sin() / ((1.0 - c) * (1.0 + c)).sqrt();
    }
    if a == 0.0 && c > 0.0 {
        return q;
    }
    f64::INFINITY.copysign((q * angle + a).sin())
}

/// How many whole arcs of pi / q lie below the angle, q - 1 at most.
fn arcs_below(q: f64, angle: f64) -> f64 {
    (q * angle / PI).floor().min(q - 1.0)
}

/// (-1) to that power.
fn arcs_sign(q: f64, angle: f64) -> f64 {
    1.0 - 2.0 * (arcs_below(q, angle) % 2.0)
}
