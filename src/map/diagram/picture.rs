//! A picture of a drawing: texts, boxes and lines with positions and sizes in pixels.

use entity::step_link::StepLinkKind;

use super::legend::Entry;

/// A picture of a journey.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Width of the picture.
    pub width: i64,
    /// Height of the picture.
    pub height: i64,
    /// Background bands, each with the index of its stage; `None` for a band of steps without a stage.
    pub bands: Vec<(Option<usize>, Area)>,
    /// Box of each step.
    pub boxes: Vec<Area>,
    /// Texts.
    pub texts: Vec<Text>,
    /// Lines and arrows.
    pub lines: Vec<Line>,
    /// Bullets: the index of the step, and x and y of the center.
    pub bullets: Vec<(usize, i64, i64)>,
    /// Legend: the meaning of lines and bullets.
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

/// A text broken into lines.
#[derive(Clone, Debug)]
pub struct Text {
    /// Role of the text.
    pub role: Role,
    /// Index of the step that the text belongs to.
    pub step: Option<usize>,
    /// Area that the text occupies.
    pub area: Area,
    /// Horizontal alignment of the lines in the area.
    pub align: Align,
    /// Lines of the text.
    pub lines: Vec<String>,
    /// Whether the text runs from right to left.
    pub is_rtl: bool,
}

/// Role of a text.
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
    /// Returns the font size and the line height in pixels.
    pub const fn size(self) -> (i64, i64) {
        match self {
            Self::Title => (20, 26),
            Self::Segment | Self::Stage => (13, 18),
            Self::Name => (14, 19),
            Self::Influencer | Self::Medium | Self::Expectation => (12, 16),
            Self::Label => (11, 14),
        }
    }

    /// Returns whether the text is bold, and therefore wider.
    pub const fn is_bold(self) -> bool {
        matches!(self, Self::Title | Self::Stage | Self::Name)
    }
}

/// Horizontal alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Aligned to the left edge.
    Left,
    /// Centered between both edges.
    Middle,
    /// Aligned to the right edge.
    Right,
}

/// A line along a sequence of points.
#[derive(Clone, Debug)]
pub struct Line {
    /// What the line shows.
    pub what: What,
    /// Points of the line, including start and end.
    pub points: Vec<(i64, i64)>,
    /// Whether the line ends with an arrowhead.
    pub has_head: bool,
}

/// What a line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A link between steps.
    Link(StepLinkKind),
    /// An influencer: the index of the step, and the strength.
    Influence(usize, i64),
    /// A medium: the index of the step.
    Medium(usize),
}
