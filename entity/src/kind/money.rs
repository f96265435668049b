//! Amounts of money.

use super::{Decimal, currency_code::digits, decimal::written};

/// Digits after the decimal point of a stored amount: the maximum of all currencies in ISO 4217.
pub const SCALE: u32 = 4;

/// An amount of money, in ten-thousandths of its currency, which is in another column of the row. Amounts of different
/// currencies are never added.
pub type Amount = Decimal<SCALE>;

/// Returns whether an amount in ten-thousandths of a currency is a multiple of the smallest unit of the currency.
pub fn is_exact(units: i64, currency: &str) -> bool {
    digits(currency).and_then(|digits| SCALE.checked_sub(digits)).is_some_and(|rest| units % 10_i64.pow(rest) == 0)
}

/// Formats an amount in ten-thousandths of a currency with all digits of the currency, for example `12.50`.
pub fn text(units: i64, currency: &str) -> String {
    match digits(currency).and_then(|digits| Some((digits, SCALE.checked_sub(digits)?))) {
        Some((digits, rest)) if is_exact(units, currency) => written(units / 10_i64.pow(rest), digits),
        _ => written(units, SCALE),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_exact, text};

    #[test]
    fn an_amount_has_no_more_digits_than_its_currency() {
        for (units, currency, is_right) in [
            (125_000, "EUR", true),
            (125_050, "EUR", false),
            (10_000, "JPY", true),
            (15_000, "JPY", false),
            (12_340, "KWD", true),
            (12_345, "KWD", false),
            (12_345, "CLF", true),
            (-100, "USD", true),
            (10_000, "XXX", false),
        ] {
            assert_eq!(is_exact(units, currency), is_right, "{units} {currency}");
        }
    }

    #[test]
    fn an_amount_is_shown_with_the_digits_of_its_currency() {
        for (units, currency, shown) in
            [(125_000, "EUR", "12.50"), (-10_000, "JPY", "-1"), (5, "CLF", "0.0005"), (0, "USD", "0.00")]
        {
            assert_eq!(text(units, currency), shown);
        }
    }
}
