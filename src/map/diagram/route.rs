//! Routes the lines between boxes: through channels between rows and lanes to the right of all blocks, where there is
//! no text.
//!
//! A line leaves the lower edge of its source box and enters the upper edge of its target box. Lines that leave a box
//! or run straight use columns of the grid; lines that turn into a box use the positions halfway between columns. No
//! two lines therefore overlap.

use std::collections::HashMap;

use entity::step_link::StepLinkKind;

use super::{
    layout::{Loose, Plan, up},
    model::StepLink,
    picture::{Area, Line, What},
};

/// Distance between adjacent vertical lines, in pixels.
pub(super) const GRID: i64 = 14;
/// Distance between adjacent horizontal lines, in pixels.
const TRACK: i64 = 10;
/// Free space above and below the lines of a channel, in pixels.
const ROOM: i64 = 14;

/// Lines that leave and enter a box, by index.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// Lines that leave the box, from left to right.
    pub out: Vec<usize>,
    /// Lines that enter the box, from left to right, with their labels.
    pub into: Vec<(usize, Option<Loose>)>,
}

impl Ports {
    /// Returns the minimum width of the box.
    pub fn width(&self) -> i64 {
        let into: i64 = self.into.iter().map(|(_, label)| room(label.as_ref())).sum();
        self.out_width().max(GRID + into)
    }

    /// Returns the width that the leaving lines need.
    pub fn out_width(&self) -> i64 {
        GRID + GRID * i64::try_from(self.out.len()).unwrap_or(0)
    }

    /// Returns the height that the labels above the box need.
    pub fn strip(&self) -> i64 {
        self.into.iter().filter_map(|(_, label)| Some(label.as_ref()?.height + 6)).max().unwrap_or(0)
    }
}

/// Returns the width that an entering line needs, including its label.
fn room(label: Option<&Loose>) -> i64 {
    label.map_or(GRID, |label| up(label.width + 3 * GRID / 2))
}

/// Routes of all lines, computed before the rows have vertical positions.
pub(super) struct Routes {
    /// Route of each line.
    pub lines: Vec<Route>,
    /// Height of the channel above each row, and of the channel below the last row.
    pub channels: Vec<i64>,
    /// X coordinate at which each line enters its target box.
    pub ends: HashMap<usize, i64>,
    /// Right edge of all blocks and lanes.
    pub right: i64,
}

/// Route of a line: `index` of the link, x of `start` and `end`, and the horizontal pieces.
pub(super) struct Route {
    index: usize,
    start: i64,
    end: i64,
    /// Horizontal pieces in order: the channel, the track in the channel, and the x coordinate of the end.
    across: Vec<(usize, i64, i64)>,
}

impl Route {
    /// Returns the line, given the positions of boxes and channels.
    pub fn line(&self, links: &[StepLink], boxes: &[Area], channels: &[i64]) -> Line {
        let link = &links[self.index];
        let mut points = vec![(self.start, boxes[link.from].bottom())];
        let mut x = self.start;
        for (channel, track, to) in &self.across {
            let y = channels[*channel] + ROOM + track * TRACK;
            points.extend([(x, y), (*to, y)]);
            x = *to;
        }
        points.push((self.end, boxes[link.to].top));
        let goes_up = boxes[link.to].top <= boxes[link.from].top;
        Line { what: What::Link(link.kind), points, has_head: goes_up || link.kind == StepLinkKind::Loop }
    }
}

/// How a line gets from its source row to its target row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinePath {
    /// Straight down to the channel above the target row, then across.
    Down,
    /// Through a lane to the right of all blocks.
    Beside,
}

/// Computes the routes of all lines, and sorts the ports of each box.
pub(super) fn routes(plan: &mut Plan<'_>, links: &[StepLink]) -> Routes {
    let row = |step: usize| plan.rows.row_of[step];
    let mut starts: HashMap<usize, i64> = HashMap::new();
    for step in 0..plan.blocks.len() {
        let x = &plan.x;
        let key = |index: &usize| {
            let to = links[*index].to;
            (row(to) != row(step) + 1, row(to) <= row(step), x[to], *index)
        };
        let out = &mut plan.blocks[step].ports.out;
        out.sort_by_key(key);
        starts.extend((1..).zip(out.iter()).map(|(place, index)| (*index, x[step] + place * GRID)));
    }
    let ways: Vec<LinePath> = links.iter().enumerate().map(|(index, link)| way(plan, link, starts[&index])).collect();
    let mut ends: HashMap<usize, i64> = HashMap::new();
    for step in 0..plan.blocks.len() {
        let left = plan.x[step];
        let into = &mut plan.blocks[step].ports.into;
        into.sort_by_key(|(index, _)| (ways[*index] == LinePath::Beside, starts[index], *index));
        let mut place = left + GRID;
        for (index, label) in into.iter() {
            let is_straight = ways[*index] == LinePath::Down && starts[index] == place;
            ends.insert(*index, if is_straight { place } else { place + GRID / 2 });
            place += room(label.as_ref());
        }
    }
    let lanes = lanes(plan, links, &ways);
    let mut pieces: Vec<Vec<(i64, i64, usize, usize)>> = vec![Vec::new(); plan.rows.steps.len() + 1];
    let mut found: Vec<Route> = Vec::new();
    let mut right = plan.edge;
    for (index, link) in links.iter().enumerate() {
        let (start, end) = (starts[&index], ends[&index]);
        let (below, above) = (plan.rows.row_of[link.from] + 1, plan.rows.row_of[link.to]);
        let across = match lanes.get(&index) {
            Some(lane) => {
                let x = plan.edge + lane * GRID;
                right = right.max(x);
                vec![(below, start, x), (above, x, end)]
            }
            None if start == end => Vec::new(),
            None => vec![(above, start, end)],
        };
        for (piece, (channel, from, to)) in across.iter().enumerate() {
            pieces[*channel].push((*from.min(to), *from.max(to), index, piece));
        }
        let across = across.into_iter().map(|(channel, _, to)| (channel, 0, to)).collect();
        found.push(Route { index, start, end, across });
    }
    let mut channels = Vec::new();
    for pieces in &mut pieces {
        pieces.sort_unstable();
        let mut tracks: Vec<i64> = Vec::new();
        for (from, to, index, piece) in pieces {
            let free = tracks.iter().position(|end| *end + GRID / 2 < *from).unwrap_or_else(|| {
                tracks.push(0);
                tracks.len() - 1
            });
            tracks[free] = *to;
            found[*index].across[*piece].1 = i64::try_from(free).unwrap_or(0);
        }
        channels.push(2 * ROOM + TRACK * i64::try_from(tracks.len()).unwrap_or(0));
    }
    Routes { lines: found, channels, ends, right }
}

/// Returns [`LinePath::Down`] if the target row is below the source row and no block in between is in the way.
fn way(plan: &Plan<'_>, link: &StepLink, start: i64) -> LinePath {
    let (from, to) = (plan.rows.row_of[link.from], plan.rows.row_of[link.to]);
    let is_in_the_way = |step: &usize| {
        let left = plan.x[*step] - plan.left;
        (left - GRID..left + plan.pitch).contains(&start)
    };
    if to > from && !plan.rows.steps[from + 1..to].iter().flatten().any(is_in_the_way) {
        LinePath::Down
    } else {
        LinePath::Beside
    }
}

/// Returns the lane of each line that needs one, numbered from 1. Lines that span fewer rows get lanes closer to the
/// blocks.
fn lanes(plan: &Plan<'_>, links: &[StepLink], ways: &[LinePath]) -> HashMap<usize, i64> {
    let mut spans: Vec<(usize, usize, usize)> = Vec::new();
    for (index, link) in links.iter().enumerate().filter(|(index, _)| ways[*index] == LinePath::Beside) {
        let (below, above) = (plan.rows.row_of[link.from] + 1, plan.rows.row_of[link.to]);
        spans.push((below.min(above), below.max(above), index));
    }
    spans.sort_unstable_by_key(|(first, last, index)| (last - first, *first, *index));
    let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut lanes = HashMap::new();
    for (first, last, index) in spans {
        let is_free = |lane: &Vec<(usize, usize)>| lane.iter().all(|(from, to)| last < *from || *to < first);
        let free = taken.iter().position(is_free).unwrap_or_else(|| {
            taken.push(Vec::new());
            taken.len() - 1
        });
        taken[free].push((first, last));
        lanes.insert(index, i64::try_from(free + 1).unwrap_or(0));
    }
    lanes
}
