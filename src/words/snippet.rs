//! The part of a text around what a search found in it.

use super::{Terms, Word};

/// Number of bytes before the first match that a snippet shows.
const BEFORE: usize = 60;
/// Number of bytes of a snippet after which it ends with the next word.
const LENGTH: usize = 240;

/// A part of a snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Plain text.
    pub text: String,
    /// Whether the search matches it.
    pub is_match: bool,
}

/// Returns the beginning of what matches in a text, with some words around it. `words` are those of the text. The
/// segments follow each other without a gap; an ellipsis shows that the text goes on.
pub fn snippet(text: &str, words: &[Word], terms: &Terms) -> Vec<Segment> {
    let ranges = terms.ranges(words);
    let first = ranges.first().map_or(0, |range| range.0);
    let from = words.iter().map(|word| word.start).find(|start| start + BEFORE >= first).filter(|_| first > BEFORE);
    let from = from.unwrap_or(0);
    let last = words.iter().map(|word| word.end).take_while(|end| *end <= from + LENGTH).last().unwrap_or(0);
    let first_end = ranges.first().map_or(0, |range| range.1.min(from + 2 * LENGTH));
    let to = if from + LENGTH >= text.len() { text.len() } else { boundary(text, last.max(first_end)) };
    let mut segments: Vec<Segment> = Vec::new();
    let mut add = |text: &str, is_match: bool| match segments.last_mut().filter(|last| last.is_match == is_match) {
        _ if text.is_empty() => {}
        Some(last) => last.text.push_str(text),
        None => segments.push(Segment { text: text.to_owned(), is_match }),
    };
    if from > 0 {
        add("…", false);
    }
    let mut at = from;
    for (start, end) in ranges.into_iter().filter(|range| range.0 < to) {
        add(&text[at..start], false);
        at = end.min(to);
        add(&text[start..at], true);
    }
    add(&text[at..to], false);
    if to < text.len() {
        add("…", false);
    }
    segments
}

/// Returns the last boundary of a character at or before an index.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::snippet;
    use crate::words::{Terms, Word, words};

    fn shown(text: &str, query: &str) -> String {
        let found: Vec<Word> = words(text).collect();
        let segments = snippet(text, &found, &Terms::parse(query).unwrap());
        segments.iter().map(|it| if it.is_match { format!("[{}]", it.text) } else { it.text.clone() }).collect()
    }

    #[test]
    fn a_snippet_shows_what_matches_between_its_neighbours() {
        assert_eq!(shown("The <b>Café</b> is open", "cafe"), "The <b>[Café]</b> is open");
        assert_eq!(shown("東京タワーへ行く", "タワー"), "東京[タワー]へ行く");
        let long = format!("{}needle {}", "hay ".repeat(100), "straw ".repeat(100));
        let seen = shown(&long, "needle");
        assert!(seen.starts_with("…hay") && seen.ends_with("…") && seen.contains("hay [needle] straw"), "{seen}");
        assert!(seen.len() < 300, "{seen}");
    }

    #[test]
    fn a_snippet_is_short_whatever_matches() {
        let long = "a ".repeat(10_000);
        assert!(shown(&long, &format!("\"{}\"", "a ".repeat(30))).len() < 600);
        let one = "é".repeat(20_000);
        assert!(shown(&one, "é*").len() < 1_100);
    }
}
