//! Writes a drawing as a Graphviz graph.

use std::fmt::Write as _;

use entity::step_link::StepLinkKind;

use super::{
    model::{Drawing, Step},
    text::{self, clean, escaped},
};

/// Maximum width of a line of text in pixels.
const MAX: i64 = 240;
/// Font size in pixels.
const SIZE: i64 = 12;

/// Returns the drawing in the DOT language. Stages are clusters.
pub fn dot(drawing: &Drawing) -> String {
    let title = quoted(&drawing.title);
    let mut out =
        format!("digraph journey {{\nlabel=\"{title}\" labelloc=t fontsize=18 fontname=\"Helvetica,sans-serif\"\n");
    out += "rankdir=TB newrank=true nodesep=0.3\n";
    out += "node [shape=plain fontname=\"Helvetica,sans-serif\" fontsize=12]\n";
    out += "edge [fontname=\"Helvetica,sans-serif\" fontsize=11]\n";
    for (place, stage) in drawing.stages.iter().enumerate() {
        let _ = writeln!(
            out,
            "subgraph cluster{place} {{\nlabel=\"{}\" labeljust=l style=filled color=\"#e6ebf2\"",
            quoted(&stage.name)
        );
        for step in (0..drawing.steps.len()).filter(|step| drawing.stage_of(*step) == Some(place)) {
            node(&mut out, &drawing.steps[step], step);
        }
        out += "}\n";
    }
    for step in (0..drawing.steps.len()).filter(|step| drawing.stage_of(*step).is_none()) {
        node(&mut out, &drawing.steps[step], step);
    }
    for link in drawing.lines().iter() {
        let look = match link.kind {
            StepLinkKind::Sequence => "dir=none",
            StepLinkKind::Optional => "dir=none style=dashed",
            StepLinkKind::Parallel => "dir=none penwidth=3",
            StepLinkKind::Loop => "style=dotted constraint=false color=\"#87255f\"",
        };
        let label = link.label.as_deref().map(|label| format!(" label=\"{}\"", quoted(label))).unwrap_or_default();
        let _ = writeln!(out, "step{}:box -> step{}:box [{look}{label}]", link.from, link.to);
    }
    out += "}\n";
    out
}

/// Writes a step as a box with its expectations as bullets below, and on the same rank its influencers to the left
/// and its mediums to the right.
fn node(out: &mut String, step: &Step, place: usize) {
    let mut rows = String::new();
    for text in &step.expectations {
        let _ = write!(rows, "<TR><TD ALIGN=\"LEFT\" BALIGN=\"LEFT\">• {}</TD></TR>", broken(text));
    }
    let _ = writeln!(
        out,
        "step{place} [label=<<TABLE BORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"4\"><TR><TD PORT=\"box\" BORDER=\"1\" \
         BGCOLOR=\"white\" CELLPADDING=\"10\"><B>{}</B></TD></TR>{rows}</TABLE>>]",
        broken(&step.name)
    );
    let mut beside = Vec::new();
    for (index, influence) in step.influencers.iter().enumerate() {
        let (name, strength) = (broken(&influence.name), influence.strength.clamp(1, 5));
        let _ = writeln!(out, "step{place}from{index} [label=<{name}> fontcolor=\"#8a4405\"]");
        let width = format!("{}.{}", (4 + 4 * strength) / 10, (4 + 4 * strength) % 10);
        let _ = writeln!(out, "step{place}from{index} -> step{place}:box:w [color=\"#8a4405\" penwidth={width}]");
        beside.push(format!("step{place}from{index}"));
    }
    beside.push(format!("step{place}"));
    for (index, medium) in step.mediums.iter().enumerate() {
        let _ = writeln!(out, "step{place}over{index} [label=<{}> fontcolor=\"#07567f\"]", broken(medium));
        let _ = writeln!(out, "step{place}:box:e -> step{place}over{index} [dir=back color=\"#07567f\"]");
        beside.push(format!("step{place}over{index}"));
    }
    let _ = writeln!(out, "{{rank=same; {}}}", beside.join("; "));
}

/// Returns the text as lines for an HTML-like label.
fn broken(text: &str) -> String {
    let lines = text::lines(text, SIZE, MAX);
    let lines: Vec<String> = lines.iter().map(|line| escaped(line).replace('\\', "&#92;")).collect();
    // Graphviz rejects an empty HTML-like label.
    if lines.is_empty() { "–".to_owned() } else { lines.join("<BR/>") }
}

/// Returns the text for a quoted string, broken into lines.
fn quoted(text: &str) -> String {
    let lines = text::lines(&clean(text), SIZE, MAX);
    // Graphviz decodes HTML entities in quoted strings too.
    let lines = lines.iter().map(|line| escaped(line).replace('\\', "&#92;"));
    lines.collect::<Vec<_>>().join("\\n")
}
