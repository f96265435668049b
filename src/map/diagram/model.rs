//! A journey as it is drawn, whatever the format.

use std::borrow::Cow;

use entity::step_link::StepLinkKind;

/// A journey with all that a picture shows of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawing {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it is.
    pub summary: Option<String>,
    /// The kind of customer whose journey it is.
    pub customer_segment: Option<String>,
    /// Its stages in order.
    pub stages: Vec<Stage>,
    /// Its steps in order.
    pub steps: Vec<Step>,
    /// The lines between its steps.
    pub links: Vec<StepLink>,
}

/// A stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A step with what its interaction point says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// What stands in its box: its label, or the name of its point.
    pub name: String,
    /// Kind of its interaction point.
    pub kind: String,
    /// Place of its stage among the stages.
    pub stage: Option<usize>,
    /// What moves the customer to it.
    pub influencers: Vec<Influence>,
    /// Names of the mediums it runs over.
    pub mediums: Vec<String>,
    /// The statements of its top five expectations, the most important first.
    pub expectations: Vec<String>,
}

/// An influencer at a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Influence {
    /// Its name.
    pub name: String,
    /// How strongly it moves the customer, 1 to 5.
    pub strength: i64,
}

/// A line from step to step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepLink {
    /// Place of the step it starts at.
    pub from: usize,
    /// Place of the step it ends at.
    pub to: usize,
    /// What it means.
    pub kind: StepLinkKind,
    /// What stands at it.
    pub label: Option<String>,
}

impl Drawing {
    /// The lines to draw between steps that are there. A journey without links is drawn in the order of its steps.
    pub fn lines(&self) -> Cow<'_, [StepLink]> {
        let count = self.steps.len();
        if self.links.is_empty() {
            let next = |to: usize| StepLink { from: to - 1, to, kind: StepLinkKind::Sequence, label: None };
            return (1..count).map(next).collect();
        }
        if self.links.iter().all(|link| link.from < count && link.to < count) {
            return Cow::Borrowed(&self.links);
        }
        self.links.iter().filter(|link| link.from < count && link.to < count).cloned().collect()
    }

    /// The stage of a step, if there is one of that place.
    pub fn stage_of(&self, step: usize) -> Option<usize> {
        self.steps[step].stage.filter(|stage| *stage < self.stages.len())
    }
}
