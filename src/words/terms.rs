//! What a search looks for: words, beginnings of words and phrases.

use super::{Word, words};

/// Maximum length of a search text in characters.
pub const MAX_TEXT: usize = 500;
/// Maximum number of words in a search text.
pub const MAX_TERMS: usize = 32;

/// Words that must follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The words; at least one.
    pub tokens: Vec<String>,
    /// Whether a word that begins with the last one is enough.
    pub is_prefix: bool,
}

/// What a search looks for: every term must be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms(Vec<Term>);

/// Why a search text cannot be searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// It has no word.
    #[error("has no letter or digit to search for")]
    NoWord,
    /// It is too long.
    #[error("has more than {MAX_TEXT} characters")]
    TooLong,
    /// It has too many words.
    #[error("has more than {MAX_TERMS} words; in Chinese, Japanese and Thai each character is a word")]
    TooManyWords,
}

impl Terms {
    /// Reads a search text: words, `wor*` for a beginning, and `"words in this order"`. A quotation mark without a second
    /// one quotes the rest. What has several words without a space, such as `INV-2024`, is a phrase.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        if text.chars().count() > MAX_TEXT {
            return Err(Mistake::TooLong);
        }
        let mut terms: Vec<Term> = Vec::new();
        let mut rest = text;
        while let Some((piece, behind)) = next_piece(rest) {
            rest = behind;
            let is_prefix = piece.trim_end().ends_with('*') || rest.starts_with('*');
            let tokens: Vec<String> = words(piece).map(|word| word.token).collect();
            let term = Term { tokens, is_prefix };
            if !term.tokens.is_empty() && !terms.contains(&term) {
                terms.push(term);
            }
        }
        match terms.iter().map(|term| term.tokens.len()).sum::<usize>() {
            0 => Err(Mistake::NoWord),
            count if count > MAX_TERMS => Err(Mistake::TooManyWords),
            _ => Ok(Self(terms)),
        }
    }

    /// Returns the terms; at least one.
    pub fn all(&self) -> &[Term] {
        &self.0
    }

    /// Returns the number of phrases: terms of several words.
    pub fn phrases(&self) -> usize {
        self.0.iter().filter(|term| term.tokens.len() > 1).count()
    }

    /// Returns as many phrases without what they say.
    #[must_use]
    pub fn without_words(&self) -> Self {
        let phrase = Term { tokens: vec![String::new(); 2], is_prefix: false };
        Self(vec![phrase; self.phrases()])
    }

    /// Returns whether a text with these words has every term.
    pub fn are_in(&self, text: &[Word]) -> bool {
        self.0.iter().all(|term| term.places(text).next().is_some())
    }

    /// Returns the ranges of bytes of a text with these words that the terms match, in order and apart from each other.
    pub fn ranges(&self, text: &[Word]) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = self.0.iter().flat_map(|term| term.places(text)).collect();
        found.sort_unstable();
        let mut ranges: Vec<(usize, usize)> = Vec::with_capacity(found.len());
        for (start, end) in found {
            match ranges.last_mut().filter(|last| start <= last.1) {
                Some(last) => last.1 = last.1.max(end),
                None => ranges.push((start, end)),
            }
        }
        ranges
    }
}

impl Term {
    /// Returns where the term stands in a text with these words.
    fn places<'a>(&'a self, text: &'a [Word]) -> impl Iterator<Item = (usize, usize)> + 'a {
        let (last, before) = self.tokens.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
        let is_here = move |here: &&[Word]| {
            let (ends, begins) = here.split_last().expect("a window has a word");
            let is_end = if self.is_prefix { ends.token.starts_with(last) } else { ends.token == last };
            is_end && begins.iter().map(|word| &word.token).eq(before)
        };
        let range = |here: &[Word]| (here[0].start, here[here.len() - 1].end);
        text.windows(self.tokens.len().max(1)).filter(is_here).map(range)
    }
}

/// Splits the next word or quotation off a search text.
fn next_piece(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let first = text.chars().next()?;
    if is_quote(first) {
        let inside = &text[first.len_utf8()..];
        let end = inside.find(is_quote).unwrap_or(inside.len());
        let behind = inside[end..].chars().next().map_or(end, |quote| end + quote.len_utf8());
        return Some((&inside[..end], &inside[behind..]));
    }
    let end = text.find(|sign: char| sign.is_whitespace() || is_quote(sign)).unwrap_or(text.len());
    Some(text.split_at(end))
}

/// Returns whether a character is a double quotation mark, also one of those that a word processor makes of it.
const fn is_quote(sign: char) -> bool {
    matches!(sign, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{ff02}')
}

#[cfg(test)]
mod tests {
    use super::{Mistake, Terms};
    use crate::words::words;

    fn parsed(text: &str) -> Vec<(String, bool)> {
        let terms = Terms::parse(text).unwrap();
        terms.all().iter().map(|term| (term.tokens.join(" "), term.is_prefix)).collect()
    }

    #[test]
    fn a_search_text_has_words_beginnings_and_phrases() {
        for (text, expected) in [
            ("red Shoes", vec![("red", false), ("shoes", false)]),
            ("sho*  *red", vec![("sho", true), ("red", false)]),
            ("\"red shoes\" blue", vec![("red shoes", false), ("blue", false)]),
            ("\"red sho*\"", vec![("red sho", true)]),
            ("\u{201e}red sho\u{201c}*", vec![("red sho", true)]),
            ("INV-2024", vec![("inv 2024", false)]),
            ("\"no end", vec![("no end", false)]),
            ("a\"b\"c", vec![("a", false), ("b", false), ("c", false)]),
            ("\"\" - red red", vec![("red", false)]),
            ("東京*", vec![("東 京", true)]),
        ] {
            let expected: Vec<(String, bool)> = expected.into_iter().map(|(text, is)| (text.to_owned(), is)).collect();
            assert_eq!(parsed(text), expected, "{text}");
        }
        assert_eq!(Terms::parse(" \"*\" -- "), Err(Mistake::NoWord));
        assert_eq!(Terms::parse(""), Err(Mistake::NoWord));
        assert_eq!(Terms::parse(&"x".repeat(501)), Err(Mistake::TooLong));
        assert_eq!(Terms::parse(&"東".repeat(33)), Err(Mistake::TooManyWords));
    }

    #[test]
    fn every_term_must_be_found_and_is_shown_once() {
        let text: Vec<_> = words("The red shoes, and red shoelaces").collect();
        let found = |query: &str| {
            let terms = Terms::parse(query).unwrap();
            (terms.are_in(&text), terms.ranges(&text))
        };
        assert_eq!(found("red"), (true, vec![(4, 7), (19, 22)]));
        assert_eq!(found("\"red shoe*\" red"), (true, vec![(4, 13), (19, 32)]));
        assert!(!found("red blue").0);
        assert!(!found("\"shoes red\"").0);
        assert!(!found("sho").0);
    }
}
