//! Writes a drawing as CJML 2.0, the XML of the Customer Journey Modeling Language.
//!
//! Data that CJML has no element for is written in Rapport's own XML namespace: other CJML readers ignore it, and
//! [`read_cjml`](super::read_cjml) restores it without loss.

use std::fmt::Write as _;

use entity::{interaction_point::PointKind, noun::StringEnum};

use super::{
    model::{Drawing, Step},
    text::{clean, verbatim},
};

/// XML namespace of the elements and attributes that CJML does not define.
pub(super) const NAMESPACE: &str = "urn:rapport:journey:1";
const CUSTOMER: &str = "customer";
const ORGANIZATION: &str = "organization";

/// Returns the drawing as the planned journey of a CJML document.
pub fn cjml(drawing: &Drawing) -> String {
    let mut out = Writer::default();
    out.text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.open(&format!("CJML version=\"2.0\" xmlns:rapport=\"{NAMESPACE}\""));
    out.open("plannedJourney");
    out.leaf("journeyID", &drawing.id);
    out.leaf("rapport:title", &drawing.title);
    if let Some(summary) = &drawing.summary {
        out.leaf("rapport:summary", summary);
    }
    if let Some(segment) = &drawing.customer_segment {
        out.leaf("rapport:customerSegment", segment);
    }
    for stage in &drawing.stages {
        out.leaf(&format!("rapport:stage rapport:id=\"{}\"", verbatim(&stage.id)), &stage.name);
    }
    out.open("actors");
    out.open(&format!("endUser actorID=\"{CUSTOMER}\""));
    out.leaf("actorName", drawing.customer_segment.as_deref().unwrap_or("Customer"));
    out.close();
    out.open(&format!("serviceProvider actorID=\"{ORGANIZATION}\""));
    out.leaf("companyName", "Organization");
    out.close();
    out.close();
    out.open("touchpoints");
    for (place, step) in drawing.steps.iter().enumerate() {
        touchpoint(&mut out, drawing, place, step);
    }
    out.close();
    for link in drawing.links.iter().filter(|link| link.from.max(link.to) < drawing.steps.len()) {
        let (from, to) = (verbatim(&drawing.steps[link.from].id), verbatim(&drawing.steps[link.to].id));
        let kind = link.kind.name();
        let name = format!("rapport:link rapport:from=\"{from}\" rapport:to=\"{to}\" rapport:kind=\"{kind}\"");
        out.leaf(&name, link.label.as_deref().unwrap_or_default());
    }
    out.close();
    out.close();
    out.text
}

/// Writes a step as a communication point, or as an action if the customer acts alone.
fn touchpoint(out: &mut Writer, drawing: &Drawing, place: usize, step: &Step) {
    let is_kind = |kinds: &[PointKind]| kinds.iter().any(|kind| kind.name() == step.kind);
    let is_action = step.mediums.is_empty() && is_kind(&[PointKind::Consideration, PointKind::ProductUse]);
    let is_theirs = is_action || is_kind(&[PointKind::Consideration, PointKind::Complaint, PointKind::PointOfRepair]);
    out.open(if is_action { "plannedAction" } else { "plannedCommunicationPoint" });
    out.leaf("touchpointID", &step.id);
    out.open("initiator");
    let (initiator, receiver) = if is_theirs { (CUSTOMER, ORGANIZATION) } else { (ORGANIZATION, CUSTOMER) };
    out.empty(&format!("refersTo actorIDref=\"{initiator}\""));
    out.leaf("initiatorLabel", &step.name);
    out.close();
    if !is_action {
        out.open("receiver");
        out.empty(&format!("refersTo actorIDref=\"{receiver}\""));
        out.leaf("receiverLabel", &step.name);
        out.close();
    }
    // CJML allows one channel per touchpoint; further mediums are written in Rapport's namespace.
    let mut mediums = step.mediums.iter();
    if let Some(first) = mediums.next() {
        out.open("channel");
        out.leaf("channelName", first);
        out.close();
    }
    mediums.for_each(|medium| out.leaf("rapport:medium", medium));
    out.leaf("rapport:kind", &step.kind);
    if let Some(stage) = drawing.stage_of(place) {
        out.leaf("rapport:stageID", &drawing.stages[stage].id);
    }
    for influence in &step.influencers {
        out.leaf(&format!("rapport:influencer rapport:strength=\"{}\"", influence.strength), &influence.name);
    }
    for expectation in &step.expectations {
        out.leaf("rapport:expectation", expectation);
    }
    out.close();
}

/// Writes nested XML elements with indentation.
#[derive(Default)]
struct Writer {
    text: String,
    open: Vec<String>,
}

impl Writer {
    fn indent(&mut self) {
        self.text.push_str(&"  ".repeat(self.open.len()));
    }

    /// Writes a start tag; `tag` is the name of the element, optionally followed by attributes.
    fn open(&mut self, tag: &str) {
        self.indent();
        let _ = writeln!(self.text, "<{tag}>");
        self.open.push(name(tag).to_owned());
    }

    fn close(&mut self) {
        let Some(name) = self.open.pop() else { return };
        self.indent();
        let _ = writeln!(self.text, "</{name}>");
    }

    fn leaf(&mut self, tag: &str, text: &str) {
        self.indent();
        // Mark white space as significant where a reader of indented XML would collapse it.
        let space = if clean(text) == text { "" } else { " xml:space=\"preserve\"" };
        let _ = writeln!(self.text, "<{tag}{space}>{}</{}>", verbatim(text), name(tag));
    }

    fn empty(&mut self, tag: &str) {
        self.indent();
        let _ = writeln!(self.text, "<{tag}/>");
    }
}

fn name(tag: &str) -> &str {
    tag.split(' ').next().unwrap_or(tag)
}
