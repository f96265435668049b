//! A journey as a directed graph of steps and links: pure functions, used by write rules, queries and tests.

use std::collections::{HashMap, HashSet, VecDeque};

use sea_orm::prelude::Uuid;

/// Maximum cost of a path search: moves along a link plus steps of the paths found.
pub const MAX_MOVES: usize = 100_000;

/// Directed edges between steps.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Outgoing edges by step: the target step and the id of the edge.
    next: HashMap<Uuid, Vec<(Uuid, Uuid)>>,
}

/// A path: its steps in order, each with the edge that leads to it; `None` for the first step.
pub type Path = Vec<(Uuid, Option<Uuid>)>;

impl Graph {
    /// Adds an edge.
    pub fn add(&mut self, from: Uuid, to: Uuid, line: Uuid) {
        self.next.entry(from).or_default().push((to, line));
    }

    /// Removes an edge.
    pub fn remove(&mut self, from: Uuid, line: Uuid) {
        if let Some(next) = self.next.get_mut(&from) {
            next.retain(|(_, known)| *known != line);
        }
    }

    /// Returns a cycle that an edge from `from` to `to` would close: its steps in order, the first step repeated at the
    /// end. `None` if there is no cycle.
    pub fn cycle(&self, from: Uuid, to: Uuid) -> Option<Vec<Uuid>> {
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

    /// Returns up to `most` paths from a start to the first end reached, and whether more may exist. No path visits a
    /// step twice. Paths follow the order of the starts and the order in which edges were added. Subtracts the cost of
    /// the search from `left`, and stops when `left` is used up.
    pub fn paths(&self, starts: &[Uuid], ends: &HashSet<Uuid>, most: usize, left: &mut usize) -> (Vec<Path>, bool) {
        let reaches_end = self.leading_to(ends);
        let mut found = Vec::new();
        for start in starts.iter().filter(|start| reaches_end.contains(start)) {
            let mut path: Path = vec![(*start, None)];
            let mut on_path = HashSet::from([*start]);
            // For each step of the path, the index of the outgoing edge to try next.
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
                if reaches_end.contains(&next) && on_path.insert(next) {
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

    /// Returns the steps from which an end is reachable, including the ends.
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
