//! Where the lines between boxes run: in channels between rows and in lanes beside all blocks, where no text is.
//!
//! A line leaves its box below and meets the other one above. Columns of the grid belong to lines that leave a box or
//! run straight, the places between them to lines that turn into one: so no two ever cover one another.

use std::collections::HashMap;

use entity::step_link::StepLinkKind;

use super::{
    layout::{Loose, Plan, up},
    model::StepLink,
    picture::{Area, Line, What},
};

/// Distance of lines side by side.
pub(super) const GRID: i64 = 14;
/// Distance of lines one above the other.
const TRACK: i64 = 10;
/// Free room above and below the lines of a channel.
const ROOM: i64 = 14;

/// Where lines leave and meet a box.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// Lines that leave it, from left to right.
    pub out: Vec<usize>,
    /// Lines that meet it, from left to right, with their labels.
    pub into: Vec<(usize, Option<Loose>)>,
}

impl Ports {
    /// How wide a box must be.
    pub fn width(&self) -> i64 {
        let into: i64 = self.into.iter().map(|(_, label)| room(label.as_ref())).sum();
        self.out_width().max(GRID + into)
    }

    /// How wide the lines are that leave it.
    pub fn out_width(&self) -> i64 {
        GRID + GRID * i64::try_from(self.out.len()).unwrap_or(0)
    }

    /// How high the labels above it are.
    pub fn strip(&self) -> i64 {
        self.into.iter().filter_map(|(_, label)| Some(label.as_ref()?.height + 6)).max().unwrap_or(0)
    }
}

/// How wide a line is that meets a box.
fn room(label: Option<&Loose>) -> i64 {
    label.map_or(GRID, |label| up(label.width + 3 * GRID / 2))
}

/// The lines, before rows have their heights.
pub(super) struct Routes {
    /// Each line's way.
    pub lines: Vec<Route>,
    /// Height of the channel above each row, and below the last.
    pub channels: Vec<i64>,
    /// Where each line meets its box.
    pub ends: HashMap<usize, i64>,
    /// Right edge of all.
    pub right: i64,
}

/// The way of a line.
pub(super) struct Route {
    index: usize,
    start: i64,
    end: i64,
    /// Pieces across, from the first to the last: the channel, the place in it, and where it leads.
    across: Vec<(usize, i64, i64)>,
}

impl Route {
    /// The line, once boxes and channels have their places.
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

/// How a line gets from row to row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Down to the channel above the other row, and across.
    Down,
    /// In a lane beside all blocks.
    Beside,
}

/// Finds a way for each line.
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
    let ways: Vec<Way> = links.iter().enumerate().map(|(index, link)| way(plan, link, starts[&index])).collect();
    let mut ends: HashMap<usize, i64> = HashMap::new();
    for step in 0..plan.blocks.len() {
        let left = plan.x[step];
        let into = &mut plan.blocks[step].ports.into;
        into.sort_by_key(|(index, _)| (ways[*index] == Way::Beside, starts[index], *index));
        let mut place = left + GRID;
        for (index, label) in into.iter() {
            let is_straight = ways[*index] == Way::Down && starts[index] == place;
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

/// A line runs down if no block stands in its way.
fn way(plan: &Plan<'_>, link: &StepLink, start: i64) -> Way {
    let (from, to) = (plan.rows.row_of[link.from], plan.rows.row_of[link.to]);
    let is_in_the_way = |step: &usize| {
        let left = plan.x[*step] - plan.left;
        (left - GRID..left + plan.pitch).contains(&start)
    };
    if to > from && !plan.rows.steps[from + 1..to].iter().flatten().any(is_in_the_way) {
        Way::Down
    } else {
        Way::Beside
    }
}

/// The lane of each line that needs one, from 1: the shortest ones next to the blocks.
fn lanes(plan: &Plan<'_>, links: &[StepLink], ways: &[Way]) -> HashMap<usize, i64> {
    let mut spans: Vec<(usize, usize, usize)> = Vec::new();
    for (index, link) in links.iter().enumerate().filter(|(index, _)| ways[*index] == Way::Beside) {
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
