//! What a drawing looks like: texts, boxes and lines with their places, in pixels.

use entity::step_link::StepLinkKind;

use super::legend::Entry;

/// A picture.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Its width.
    pub width: i64,
    /// Its height.
    pub height: i64,
    /// Bands behind the rest: the stage, if it is one's.
    pub bands: Vec<(Option<usize>, Area)>,
    /// The box of each step.
    pub boxes: Vec<Area>,
    /// Texts.
    pub texts: Vec<Text>,
    /// Lines and arrows.
    pub lines: Vec<Line>,
    /// Bullets: the middle of each, with its step.
    pub bullets: Vec<(usize, i64, i64)>,
    /// What its lines and signs mean.
    pub legend: Vec<Entry>,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub left: i64,
    /// Upper edge.
    pub top: i64,
    /// Width.
    pub width: i64,
    /// Height.
    pub height: i64,
}

impl Area {
    /// Right edge.
    pub const fn right(&self) -> i64 {
        self.left + self.width
    }

    /// Lower edge.
    pub const fn bottom(&self) -> i64 {
        self.top + self.height
    }
}

/// A text on its lines.
#[derive(Clone, Debug)]
pub struct Text {
    /// What it is.
    pub role: Role,
    /// The step it belongs to.
    pub step: Option<usize>,
    /// Where it stands.
    pub area: Area,
    /// To which edge of its area its lines are set.
    pub align: Align,
    /// Its lines.
    pub lines: Vec<String>,
    /// Whether it is read from right to left.
    pub is_rtl: bool,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The journey's title.
    Title,
    /// The kind of customer.
    Segment,
    /// A stage's name.
    Stage,
    /// A step's name.
    Name,
    /// An influencer's name.
    Influencer,
    /// A medium's name.
    Medium,
    /// An expectation's statement.
    Expectation,
    /// A link's label.
    Label,
}

impl Role {
    /// Size of the letters, and distance from line to line.
    pub const fn size(self) -> (i64, i64) {
        match self {
            Self::Title => (20, 26),
            Self::Segment | Self::Stage => (13, 18),
            Self::Name => (14, 19),
            Self::Influencer | Self::Medium | Self::Expectation => (12, 16),
            Self::Label => (11, 14),
        }
    }

    /// Whether its letters are bold, which makes them wider.
    pub const fn is_bold(self) -> bool {
        matches!(self, Self::Title | Self::Stage | Self::Name)
    }
}

/// To which edge lines are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// To the left one.
    Left,
    /// To both alike.
    Middle,
    /// To the right one.
    Right,
}

/// A line along these points.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is.
    pub what: What,
    /// Its corners.
    pub points: Vec<(i64, i64)>,
    /// Whether it ends with the head of an arrow.
    pub has_head: bool,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A link between steps.
    Link(StepLinkKind),
    /// An influencer of a step, with its strength.
    Influence(usize, i64),
    /// A medium of a step.
    Medium(usize),
}
