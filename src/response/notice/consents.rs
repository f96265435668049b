//! By which mediums customers allow to be served, at an instant.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    consent::ConsentPurpose,
    id::{CustomerId, MediumId},
};
use sea_orm::prelude::Uuid;

use crate::{
    Result,
    record::consent::{Decision, decisions},
    store::Tx,
};

/// The decisions of customers about being served, oldest first.
pub(super) struct Consents(HashMap<CustomerId, Vec<Decision>>);

impl Consents {
    pub(super) async fn read(tx: &Tx, customers: &[Uuid]) -> Result<Self> {
        let mut decisions = decisions(tx, customers).await?;
        for decisions in decisions.values_mut() {
            decisions.retain(|decision| decision.purpose == ConsentPurpose::Service);
        }
        Ok(Self(decisions))
    }

    /// Returns a customer's decisions until an instant, newest first.
    fn until(&self, customer: CustomerId, at: DateTime<Utc>) -> impl Iterator<Item = &Decision> {
        let decisions = self.0.get(&customer).map_or(&[][..], Vec::as_slice);
        decisions.iter().rev().filter(move |decision| decision.at <= at)
    }

    /// Returns whether a customer allows a medium: the newest decision about it, or about every medium, holds.
    pub(super) fn allow(&self, customer: CustomerId, medium: MediumId, at: DateTime<Utc>) -> bool {
        let mut about = self.until(customer, at).filter(|known| known.medium.is_none_or(|known| known == medium));
        about.next().is_some_and(|decision| decision.is_granted)
    }

    /// Returns whether a customer allows mediums about which no later decision was made.
    pub(super) fn allow_others(&self, customer: CustomerId, at: DateTime<Utc>) -> bool {
        self.until(customer, at).find(|known| known.medium.is_none()).is_some_and(|decision| decision.is_granted)
    }

    /// Returns the mediums that a customer has named, the newest decision first.
    pub(super) fn named(&self, customer: CustomerId, at: DateTime<Utc>) -> impl Iterator<Item = MediumId> {
        self.until(customer, at).filter_map(|decision| decision.medium)
    }
}
