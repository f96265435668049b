//! What the lines and signs of a picture mean: a row of samples below it, only of what it shows.

use entity::step_link::StepLinkKind;

use super::{
    layout::Loose,
    picture::{Align, Line, Picture, Role, Text, What},
};

/// Length of a sample.
const SAMPLE: i64 = 34;
/// Between a sample and its words, and half of what is between two entries.
const GAP: i64 = 8;
/// Height of a row.
const ROW: i64 = 20;

/// A sample, and what it means.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it looks like.
    pub sample: Sample,
    /// What it means.
    pub text: Text,
}

/// What something looks like in the picture.
#[derive(Clone, Debug)]
pub enum Sample {
    /// A line or an arrow.
    Line(Line),
    /// A bullet, by its middle.
    Bullet(i64, i64),
}

/// Adds the legend of what is in the picture below it, within its width and `margin`.
pub(super) fn add(picture: &mut Picture, margin: i64) {
    let shows = |is_it: fn(What) -> bool| picture.lines.iter().any(|line| is_it(line.what));
    let kinds: [(bool, Option<What>, &str); 7] = [
        (
            shows(|what| what == What::Link(StepLinkKind::Sequence)),
            Some(What::Link(StepLinkKind::Sequence)),
            "next step",
        ),
        (
            shows(|what| what == What::Link(StepLinkKind::Optional)),
            Some(What::Link(StepLinkKind::Optional)),
            "optional",
        ),
        (
            shows(|what| what == What::Link(StepLinkKind::Parallel)),
            Some(What::Link(StepLinkKind::Parallel)),
            "in parallel",
        ),
        (shows(|what| what == What::Link(StepLinkKind::Loop)), Some(What::Link(StepLinkKind::Loop)), "back again"),
        (
            shows(|what| matches!(what, What::Influence(..))),
            Some(What::Influence(0, 3)),
            "influencer, thicker is stronger",
        ),
        (shows(|what| matches!(what, What::Medium(_))), Some(What::Medium(0)), "medium"),
        (!picture.bullets.is_empty(), None, "expectation, most important first"),
    ];
    let (mut x, mut y) = (margin, picture.height);
    for (_, what, meaning) in kinds.into_iter().filter(|(is_shown, ..)| *is_shown) {
        let text = Loose::new(Role::Label, meaning, picture.width - 2 * margin - SAMPLE - GAP);
        let width = SAMPLE + GAP + text.width;
        if x > margin && x + width > picture.width - margin {
            (x, y) = (margin, y + ROW);
        }
        let middle = y + ROW / 2;
        let sample = match what {
            None => Sample::Bullet(x + SAMPLE / 2, middle),
            Some(what) => {
                let (from, to) = ((x, middle), (x + SAMPLE, middle));
                // The arrow of a medium points to the left: into the right of a box.
                let points = if matches!(what, What::Medium(_)) { vec![to, from] } else { vec![from, to] };
                Sample::Line(Line { what, points, has_head: true })
            }
        };
        let top = middle - text.height / 2;
        picture.legend.push(Entry { sample, text: text.at(None, x + SAMPLE + GAP, top, Align::Left) });
        x += width + 2 * GAP;
    }
    if !picture.legend.is_empty() {
        picture.height = y + ROW + margin / 2;
    }
}
