//! Assigns steps to rows, and orders the steps of each row.

use std::collections::BTreeMap;

use entity::step_link::StepLinkKind;

use super::model::{Drawing, StepLink};

/// Number of passes that reorder the rows to reduce crossings.
const SWEEPS: usize = 6;

/// Steps grouped into rows from top to bottom, and rows grouped into bands.
#[derive(Debug)]
pub(super) struct Rows {
    /// Steps of each row, from left to right.
    pub steps: Vec<Vec<usize>>,
    /// Row of each step.
    pub row_of: Vec<usize>,
    /// For each step, the steps in rows above that have a link to it.
    pub above: Vec<Vec<usize>>,
    /// Bands from top to bottom: the stage, if any, and the number of rows.
    pub bands: Vec<(Option<usize>, usize)>,
}

impl Rows {
    /// Assigns the steps of a drawing to rows: each step below its predecessors and in the band of its stage.
    pub fn of(drawing: &Drawing, lines: &[StepLink]) -> Self {
        let count = drawing.steps.len();
        let forward = || lines.iter().filter(|line| line.kind != StepLinkKind::Loop && line.from != line.to);
        let (mut before, mut after) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        for line in forward() {
            before[line.to].push(line.from);
            after[line.from].push(line.to);
        }
        let order = topological(&before, &after);
        let mut place = vec![0; count];
        for (index, step) in order.iter().enumerate() {
            place[*step] = index;
        }
        // Drop the back edges of cycles that contain no LOOP link.
        for step in 0..count {
            before[step].retain(|other| place[*other] < place[step]);
            after[step].retain(|other| place[*other] > place[step]);
        }
        let is_alone = |step: usize| before[step].is_empty() && after[step].is_empty();
        let (linked, alone): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|step| !is_alone(*step));
        let mut alone = alone;
        alone.sort_unstable();

        let mut bands: Vec<Option<usize>> = (0..count).map(|step| drawing.stage_of(step).map(of_stage)).collect();
        for step in linked.iter().chain(&alone).copied() {
            if bands[step].is_some() {
                continue;
            }
            let led_from = before[step].iter().filter_map(|other| bands[*other]).max().map(past);
            let leads_to = || after[step].iter().filter_map(|other| bands[*other]).min().map(ahead);
            let beside = || bands[..step].iter().rev().find_map(|band| *band).map(past);
            bands[step] = Some(led_from.or_else(leads_to).or_else(beside).unwrap_or(0));
        }
        let mut layers = vec![0; count];
        for step in linked {
            let above = before[step].iter().filter(|other| bands[**other] == bands[step]);
            layers[step] = above.map(|other| layers[*other] + 1).max().unwrap_or(0);
        }
        for step in alone {
            let beside = (0..step).rev().find(|other| bands[*other] == bands[step]);
            layers[step] = beside.map_or(0, |other| layers[other] + 1);
        }

        let mut keyed: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
        for step in 0..count {
            keyed.entry((bands[step].unwrap_or(0), layers[step])).or_default().push(step);
        }
        let (mut rows, mut row_of, mut shown) = (Vec::new(), vec![0; count], Vec::<(usize, usize)>::new());
        for ((band, _), steps) in keyed {
            for step in &steps {
                row_of[*step] = rows.len();
            }
            match shown.last_mut() {
                Some((known, rows)) if *known == band => *rows += 1,
                _ => shown.push((band, 1)),
            }
            rows.push(steps);
        }
        for step in 0..count {
            before[step].retain(|other| row_of[*other] < row_of[step]);
            after[step].retain(|other| row_of[*other] > row_of[step]);
        }
        let bands = shown.into_iter().map(|(band, rows)| ((band % 2 == 1).then_some(band / 2), rows)).collect();
        let mut found = Self { steps: rows, row_of, above: before, bands };
        found.order(&after);
        found
    }

    /// Reorders rows to reduce crossings: sorts the steps of each row by the mean position of their linked steps, in
    /// alternating downward and upward passes.
    fn order(&mut self, below: &[Vec<usize>]) {
        let mut place = vec![0_usize; self.row_of.len()];
        for row in &self.steps {
            set_places(row, &mut place);
        }
        for sweep in 0..SWEEPS {
            let is_down = sweep % 2 == 0;
            let linked = if is_down { &self.above } else { below };
            let count = self.steps.len();
            for index in 0..count {
                let row = &mut self.steps[if is_down { index } else { count - 1 - index }];
                let middle = |step: usize| match linked[step].len() {
                    0 => place[step],
                    several => linked[step].iter().map(|other| place[*other]).sum::<usize>() / several,
                };
                let mut keyed: Vec<(usize, usize, usize)> =
                    row.iter().map(|step| (middle(*step), place[*step], *step)).collect();
                keyed.sort_unstable();
                *row = keyed.into_iter().map(|(.., step)| step).collect();
                set_places(row, &mut place);
            }
        }
    }
}

/// Sets the positions of the steps of a row, spread evenly over a width that is the same for all rows.
fn set_places(row: &[usize], place: &mut [usize]) {
    for (index, step) in row.iter().enumerate() {
        place[*step] = (2 * index + 1) * 1_000_000 / (2 * row.len());
    }
}

/// Returns the band of a stage: an odd number. Even numbers are the bands of steps without a stage: before the first
/// stage, between two stages, and after the last.
const fn of_stage(stage: usize) -> usize {
    2 * stage + 1
}

/// Returns the band for steps without a stage that come after `band`.
const fn past(band: usize) -> usize {
    band + band % 2
}

/// Returns the band for steps without a stage that come before `band`.
const fn ahead(band: usize) -> usize {
    band - band % 2
}

/// Returns the steps in topological order. A cycle is entered at its first step that is left.
fn topological(before: &[Vec<usize>], after: &[Vec<usize>]) -> Vec<usize> {
    let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut ready: std::collections::BTreeSet<usize> = (0..before.len()).filter(|step| missing[*step] == 0).collect();
    let mut waiting: std::collections::BTreeSet<usize> = (0..before.len()).filter(|step| missing[*step] > 0).collect();
    let mut order = Vec::new();
    while let Some(step) = ready.pop_first().or_else(|| waiting.pop_first()) {
        order.push(step);
        for next in &after[step] {
            missing[*next] = missing[*next].saturating_sub(1);
            if missing[*next] == 0 && waiting.remove(next) {
                ready.insert(*next);
            }
        }
    }
    order
}
