//! Legend of a picture: samples of the kinds of lines and bullets that the picture contains, below it.

use entity::step_link::StepLinkKind;

use super::{
    layout::Loose,
    picture::{Align, Line, Picture, Role, Text, What},
};

/// Width of a sample in pixels.
const SAMPLE: i64 = 34;
/// Space between a sample and its text in pixels; the space between two entries is twice that.
const GAP: i64 = 8;
/// Height of a row in pixels.
const ROW: i64 = 20;

/// An entry of the legend.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Sample of the line or bullet.
    pub sample: Sample,
    /// Meaning of the sample.
    pub text: Text,
}

/// Sample of an element of the picture.
#[derive(Clone, Debug)]
pub enum Sample {
    /// A line or an arrow.
    Line(Line),
    /// A bullet, by the coordinates of its center.
    Bullet(i64, i64),
}

/// Adds the legend below the picture, within its width less `margin` on both sides, and increases the height.
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
                // In a diagram, the arrow of a medium points to the left, into the right side of a box.
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
