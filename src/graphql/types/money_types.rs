//! The types of amounts of money.

use async_graphql::registry::Registry;
use entity::{
    kind::{CurrencyCode, money},
    noun::{Field, Kind},
};

use super::roots::{add_input, add_object, field, value};

/// Type of an amount with its currency.
pub const MONEY: &str = "Money";
/// Type of an amount with its currency in inputs.
pub const MONEY_INPUT: &str = "MoneyInput";
/// The amount in a value of type [`MONEY`].
pub static AMOUNT: Field = Field::new("amount", "", Kind::Scalar(money::Amount::SCALAR), "The amount.");
/// The currency in a value of type [`MONEY`].
pub static CURRENCY: Field = Field::new("currency", "", Kind::Scalar(CurrencyCode::SCALAR), "The currency.");

/// Registers the types.
pub(super) fn register(registry: &mut Registry) {
    let amount = "The amount as an exact decimal number, for example `\"12.50\"`, with at most as many digits after the \
                  point as the currency's smallest unit has.";
    let currency = "The currency of the amount.";
    add_object(
        registry,
        MONEY,
        "An amount of money.",
        vec![field(AMOUNT.name, "Decimal!", amount), field(CURRENCY.name, "CurrencyCode!", currency)],
    );
    add_input(
        registry,
        MONEY_INPUT,
        "An amount of money.",
        false,
        vec![value(AMOUNT.name, "Decimal!", amount), value(CURRENCY.name, "CurrencyCode!", currency)],
    );
}
