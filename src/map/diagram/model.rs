//! Model of a journey's diagram, independent of the output format.

use std::borrow::Cow;

use entity::step_link::StepLinkKind;

/// A journey with all data that a diagram shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawing {
    /// Id of the journey.
    pub id: String,
    /// Title of the journey.
    pub title: String,
    /// Summary of the journey.
    pub summary: Option<String>,
    /// The kind of customer whose journey it is.
    pub customer_segment: Option<String>,
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Links between the steps.
    pub links: Vec<StepLink>,
}

/// A stage of a journey.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// Id of the stage.
    pub id: String,
    /// Name of the stage.
    pub name: String,
}

/// A step with the data of its interaction point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Id of the step.
    pub id: String,
    /// Text in the box: the label of the step, or the name of its point.
    pub name: String,
    /// Kind of the interaction point.
    pub kind: String,
    /// Index of the stage in [`Drawing::stages`].
    pub stage: Option<usize>,
    /// Influencers of the interaction point.
    pub influencers: Vec<Influence>,
    /// Names of the mediums of the interaction point.
    pub mediums: Vec<String>,
    /// Statements of the top five expectations, most important first.
    pub expectations: Vec<String>,
}

/// An influencer at a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Influence {
    /// Name of the influencer.
    pub name: String,
    /// Strength of the influence, 1 to 5.
    pub strength: i64,
}

/// A link between two steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepLink {
    /// Index of the source step in [`Drawing::steps`].
    pub from: usize,
    /// Index of the target step in [`Drawing::steps`].
    pub to: usize,
    /// Kind of the link.
    pub kind: StepLinkKind,
    /// Label of the link.
    pub label: Option<String>,
}

impl Drawing {
    /// Returns the links to draw, without those that refer to a missing step. For a journey without links, returns
    /// SEQUENCE links that join the steps in their order.
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

    /// Returns the index of a step's stage, or `None` if the step has no stage or the stage does not exist.
    pub fn stage_of(&self, step: usize) -> Option<usize> {
        self.steps[step].stage.filter(|stage| *stage < self.stages.len())
    }
}
