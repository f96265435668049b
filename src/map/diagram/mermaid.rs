//! Writes a drawing as a Mermaid flowchart.

use std::fmt::Write as _;

use entity::step_link::StepLinkKind;

use super::{model::Drawing, text::clean};
use crate::text::is_blank;

/// Returns the drawing as Mermaid. Stages are subgraphs, influencers and mediums are separate nodes, and expectations
/// are listed below the name inside the box, because a flowchart cannot place text beside a node.
pub fn mermaid(drawing: &Drawing) -> String {
    let mut out =
        format!("---\ntitle: \"{}\"\n---\nflowchart TB\n", written(&drawing.title, |code| format!("\\u{code:04x}")));
    out += "classDef influencer fill:none,stroke:#8a4405,stroke-dasharray:3 3\n";
    out += "classDef medium fill:none,stroke:#07567f\n";
    for (place, stage) in drawing.stages.iter().enumerate() {
        let _ = writeln!(out, "subgraph stage{place} [\"{}\"]", quoted(&stage.name));
        for step in (0..drawing.steps.len()).filter(|step| drawing.stage_of(*step) == Some(place)) {
            node(&mut out, drawing, step);
        }
        out += "end\n";
    }
    for step in (0..drawing.steps.len()).filter(|step| drawing.stage_of(*step).is_none()) {
        node(&mut out, drawing, step);
    }
    for link in drawing.lines().iter() {
        let line = match link.kind {
            StepLinkKind::Sequence => "---",
            StepLinkKind::Optional => "-.-",
            StepLinkKind::Parallel => "===",
            StepLinkKind::Loop => "-.->",
        };
        let label = link.label.as_deref().map(|label| format!("|\"{}\"|", quoted(label))).unwrap_or_default();
        let _ = writeln!(out, "step{} {line}{label} step{}", link.from, link.to);
    }
    out
}

fn node(out: &mut String, drawing: &Drawing, place: usize) {
    let step = &drawing.steps[place];
    let mut text = quoted(&step.name);
    for expectation in &step.expectations {
        let _ = write!(text, "<br/>• {}", quoted(expectation));
    }
    let _ = writeln!(out, "step{place}[\"{text}\"]");
    for (index, influence) in step.influencers.iter().enumerate() {
        let name = quoted(&influence.name);
        let _ = writeln!(out, "step{place}from{index}([\"{name}\"]):::influencer --> step{place}");
    }
    for (index, medium) in step.mediums.iter().enumerate() {
        let _ = writeln!(out, "step{place}over{index}[/\"{}\"/]:::medium --> step{place}", quoted(medium));
    }
}

/// Returns the text for a quoted string of a flowchart.
fn quoted(text: &str) -> String {
    // Mermaid rejects an empty label.
    if is_blank(text) { "–".to_owned() } else { written(text, |code| format!("#{code};")) }
}

/// Returns the text with `number(code point)` in place of each character that could end the string or be parsed as
/// markup, Markdown or a directive.
fn written(text: &str, number: impl Fn(u32) -> String) -> String {
    let mut written = String::new();
    for sign in clean(text).chars() {
        if sign.is_alphanumeric() || !sign.is_ascii() || matches!(sign, ' ' | ',' | '.' | '?' | '!') {
            written.push(sign);
        } else {
            written.push_str(&number(sign.into()));
        }
    }
    written
}
