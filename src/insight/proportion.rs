//! Proportions with confidence intervals: Wilson's for a proportion, Newcombe's for the difference of two. Pure
//! functions.

/// Confidence level of the intervals.
pub const CONFIDENCE: f64 = 0.95;
/// The two-sided normal quantile for [`CONFIDENCE`].
const Z: f64 = 1.959_963_984_540_054;

/// A count out of a total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    /// The count, from 0 to `whole`.
    part: i64,
    /// The total, at least 1.
    whole: i64,
}

/// A number with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Lower bound of the interval.
    pub lower: f64,
    /// Upper bound of the interval.
    pub upper: f64,
}

impl Proportion {
    /// Returns `part` out of `whole`, or `None` if `whole` is less than 1 or `part` is not from 0 to `whole`.
    pub const fn new(part: i64, whole: i64) -> Option<Self> {
        if whole > 0 && 0 <= part && part <= whole { Some(Self { part, whole }) } else { None }
    }

    /// Returns the proportion, 0 to 1, with Wilson's score interval:
    /// `(k + z²/2 ± z·√(k(n−k)/n + z²/4)) / (n + z²)`.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn estimate(self) -> Estimate {
        let (k, n) = (self.part as f64, self.whole as f64);
        let value = k / n;
        let (middle, half) = (Z.mul_add(Z / 2.0, k), Z * (k * (n - k) / n + Z * Z / 4.0).sqrt());
        let around = Z.mul_add(Z, n);
        // Clamp, because rounding could put the proportion outside of the interval.
        let lower = ((middle - half) / around).clamp(0.0, value);
        let upper = ((middle + half) / around).clamp(value, 1.0);
        Estimate { value, lower, upper }
    }

    /// Returns this proportion minus another one, −1 to 1, with Newcombe's interval, which is computed from the two
    /// Wilson intervals (Newcombe 1998, method 10).
    pub fn minus(self, other: Self) -> Estimate {
        let (one, other) = (self.estimate(), other.estimate());
        let value = one.value - other.value;
        let down = (one.value - one.lower).powi(2) + (other.upper - other.value).powi(2);
        let up = (one.upper - one.value).powi(2) + (other.value - other.lower).powi(2);
        Estimate { value, lower: (value - down.sqrt()).max(-1.0), upper: (value + up.sqrt()).min(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(part: i64, whole: i64) -> Proportion {
        Proportion::new(part, whole).unwrap()
    }

    /// Formats a number with four decimal places, like the publication.
    fn printed(number: f64) -> String {
        format!("{number:.4}")
    }

    #[test]
    fn the_difference_is_the_published_one() {
        // Newcombe 1998, case (a): 56/70 and 48/80.
        let found = of(56, 70).minus(of(48, 80));
        assert_eq!([found.value, found.lower, found.upper].map(printed), ["0.2000", "0.0524", "0.3339"]);
    }

    #[test]
    fn the_interval_of_one_proportion_is_the_published_one() {
        for (part, whole, lower, upper) in [(81, 263, "0.2553", "0.3662"), (15, 148, "0.0624", "0.1605")] {
            let found = of(part, whole).estimate();
            assert_eq!([found.lower, found.upper].map(printed), [lower, upper]);
        }
    }

    #[test]
    fn nothing_counted_has_no_proportion() {
        for (part, whole) in [(0, 0), (0, -1), (-1, 5), (6, 5)] {
            assert_eq!(Proportion::new(part, whole), None, "{part} of {whole}");
        }
        assert!(of(0, 1).estimate().value.abs() < f64::EPSILON);
    }

    #[test]
    fn all_against_none_ends_at_the_ends() {
        let found = of(10, 10).minus(of(0, 10));
        assert!((found.value - 1.0).abs() < f64::EPSILON && (found.upper - 1.0).abs() < f64::EPSILON);
        assert!(found.lower > 0.5);
    }

    fn any_proportion() -> impl Strategy<Value = Proportion> {
        (1_i64..=2_147_483_647)
            .prop_flat_map(|whole| (0..=whole, Just(whole)))
            .prop_map(|(part, whole)| of(part, whole))
            .boxed()
            .prop_union((1_i64..=50).prop_flat_map(|n| (0..=n, Just(n))).prop_map(|(k, n)| of(k, n)).boxed())
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_number_and_stays_in_bounds(one in any_proportion(), other in any_proportion()) {
            let own = one.estimate();
            prop_assert!(0.0 <= own.lower && own.lower <= own.value && own.value <= own.upper && own.upper <= 1.0);
            let found = one.minus(other);
            prop_assert!(-1.0 <= found.lower && found.upper <= 1.0);
            prop_assert!(found.lower <= found.value && found.value <= found.upper);
        }

        #[test]
        fn a_difference_turned_round_is_its_negative(one in any_proportion(), other in any_proportion()) {
            let (there, back) = (one.minus(other), other.minus(one));
            prop_assert_eq!(there, Estimate { value: -back.value, lower: -back.upper, upper: -back.lower });
        }

        #[test]
        fn more_of_the_same_narrows_the_interval(
            (part, whole) in (1_i64..=1_000).prop_flat_map(|n| (0..=n, Just(n))),
        ) {
            let width = |estimate: Estimate| estimate.upper - estimate.lower;
            prop_assert!(width(of(part * 4, whole * 4).estimate()) < width(of(part, whole).estimate()));
        }
    }
}
