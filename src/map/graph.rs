//! A journey as a graph: pure, so that rules, answers and tests look at the same thing.

use std::collections::{HashMap, HashSet, VecDeque};

use sea_orm::prelude::Uuid;

/// Most moves along a link while paths are looked for, and steps of those that are found.
pub const MAX_MOVES: usize = 100_000;

/// Lines from step to step.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Where the lines of each step lead, and the line.
    next: HashMap<Uuid, Vec<(Uuid, Uuid)>>,
}

/// A path: each step, and the line that led to it.
pub type Path = Vec<(Uuid, Option<Uuid>)>;

impl Graph {
    /// Adds a line.
    pub fn add(&mut self, from: Uuid, to: Uuid, line: Uuid) {
        self.next.entry(from).or_default().push((to, line));
    }

    /// Takes a line away.
    pub fn remove(&mut self, from: Uuid, line: Uuid) {
        if let Some(next) = self.next.get_mut(&from) {
            next.retain(|(_, known)| *known != line);
        }
    }

    /// The circle that a line would close: its steps, the first once more at the end.
    pub fn circle(&self, from: Uuid, to: Uuid) -> Option<Vec<Uuid>> {
        let mut before: HashMap<Uuid, Uuid> = HashMap::new();
        let mut waiting = VecDeque::from([to]);
        while let Some(step) = waiting.pop_front() {
            if step == from {
                let mut path = vec![from];
                let mut place = from;
                while place != to {
                    place = before[&place];
                    path.push(place);
                }
                path.push(from);
                path.reverse();
                return Some(path);
            }
            for (next, _) in self.next.get(&step).into_iter().flatten() {
                if *next != to && !before.contains_key(next) {
                    before.insert(*next, step);
                    waiting.push_back(*next);
                }
            }
        }
        None
    }

    /// Up to `most` paths from a start to the first end they meet, no step twice on one, in the order of the starts
    /// and of the lines as they were added; and whether there may be more. Takes what it does from the moves that are `left`.
    pub fn paths(&self, starts: &[Uuid], ends: &HashSet<Uuid>, most: usize, left: &mut usize) -> (Vec<Path>, bool) {
        let hopeful = self.leading_to(ends);
        let mut found = Vec::new();
        for start in starts.iter().filter(|start| hopeful.contains(start)) {
            let mut path: Path = vec![(*start, None)];
            let mut on_path = HashSet::from([*start]);
            // For each step of the path, which of its lines comes next.
            let mut places = vec![0];
            while let Some(place) = places.last_mut() {
                let (step, _) = path[path.len() - 1];
                let lines = self.next.get(&step).map_or(&[][..], Vec::as_slice);
                if ends.contains(&step) && *place == 0 {
                    if found.len() == most || path.len() > *left {
                        return (found, true);
                    }
                    *left -= path.len();
                    found.push(path.clone());
                    *place = lines.len();
                }
                let Some((next, line)) = lines.get(*place).copied().filter(|_| !ends.contains(&step)) else {
                    places.pop();
                    path.pop();
                    on_path.remove(&step);
                    continue;
                };
                *place += 1;
                if hopeful.contains(&next) && on_path.insert(next) {
                    if *left == 0 {
                        return (found, true);
                    }
                    *left -= 1;
                    path.push((next, Some(line)));
                    places.push(0);
                }
            }
        }
        (found, false)
    }

    /// The steps from which an end can be reached, the ends included.
    fn leading_to(&self, ends: &HashSet<Uuid>) -> HashSet<Uuid> {
        let mut back: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for (from, next) in &self.next {
            for (to, _) in next {
                back.entry(*to).or_default().push(*from);
            }
        }
        let (mut known, mut waiting) = (ends.clone(), ends.iter().copied().collect::<Vec<_>>());
        while let Some(step) = waiting.pop() {
            for from in back.get(&step).into_iter().flatten() {
                if known.insert(*from) {
                    waiting.push(*from);
                }
            }
        }
        known
    }
}
