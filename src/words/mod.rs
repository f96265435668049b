//! The analyser of the search: takes texts and queries apart into words that can be compared.
//!
//! A word is a run of letters, digits and their marks; every other character separates words, so that `INV-2024` and
//! `ann@example.com` are two and three words. Words end where UAX #29 says, which makes each character a word in scripts
//! without spaces: Chinese, Japanese, Thai, Lao, Khmer, Burmese. Words are compared without case, width, compatibility
//! forms, and the marks that writers leave out: accents, Hebrew points, Arabic vowel signs.

mod snippet;
mod terms;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

pub use self::{
    snippet::{Segment, snippet},
    terms::{Term, Terms},
};

/// Number of characters by which longer words are compared.
const LONGEST: usize = 64;

/// Stands between the words of two texts, so that no phrase goes on in the next text: no word is like it.
pub const GAP: &str = "¶";

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The form in which words are compared: never empty, only letters, digits and marks.
    pub token: String,
    /// Index of its first byte in the text.
    pub start: usize,
    /// Index after its last byte.
    pub end: usize,
}

/// Returns the words of a text, in order.
pub fn words(text: &str) -> impl Iterator<Item = Word> {
    text.unicode_word_indices()
        .flat_map(|(start, segment)| pieces(segment).map(move |range| (start, range, segment)))
        .filter_map(|(start, (from, to), segment)| {
            let token = token(&segment[from..to]);
            (!token.is_empty()).then_some(Word { token, start: start + from, end: start + to })
        })
}

/// Returns texts as one, separated by commas, with its words and a [`GAP`] between those of two texts.
pub fn joined(texts: &[String]) -> (String, Vec<Word>) {
    let (mut all, mut found) = (String::new(), Vec::new());
    for text in texts {
        if !all.is_empty() {
            all.push_str(", ");
            found.push(Word { token: GAP.to_owned(), start: all.len(), end: all.len() });
        }
        let from = all.len();
        all.push_str(text);
        found.extend(words(text).map(|word| Word { start: from + word.start, end: from + word.end, ..word }));
    }
    (all, found)
}

/// Splits a word of UAX #29 further: at everything that is no part of a word, and before each katakana.
fn pieces(segment: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut pieces: Vec<(usize, usize)> = Vec::with_capacity(1);
    let (mut is_open, mut is_alone) = (false, false);
    for (at, sign) in segment.char_indices() {
        if !is_part(sign) {
            is_open = false;
            continue;
        }
        let (end, is_mark) = (at + sign.len_utf8(), is_sound_mark(sign) || !sign.is_alphanumeric());
        match pieces.last_mut().filter(|_| is_open && (is_mark || !(is_alone || is_katakana(sign)))) {
            Some(piece) => piece.1 = end,
            None => pieces.push((at, end)),
        }
        is_open = true;
        is_alone = if is_mark { is_alone } else { is_katakana(sign) };
    }
    pieces.into_iter()
}

/// Returns whether a character belongs to a word. Format characters inside a word, such as the joiners of Persian and a
/// soft hyphen, do not separate it.
fn is_part(sign: char) -> bool {
    sign.is_alphanumeric() || is_combining_mark(sign) || matches!(sign, '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}')
}

/// Returns whether a character is katakana, which UAX #29 joins although a compound has no spaces either.
const fn is_katakana(sign: char) -> bool {
    matches!(sign, '\u{30a1}'..='\u{30fa}' | '\u{30fc}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9d}')
}

/// Returns whether a character is a voicing mark of halfwidth katakana, which belongs to the one before.
const fn is_sound_mark(sign: char) -> bool {
    matches!(sign, '\u{ff9e}' | '\u{ff9f}')
}

/// Returns the form in which a word is compared.
fn token(word: &str) -> String {
    if word.is_ascii() {
        return word.chars().take(LONGEST).map(|sign| sign.to_ascii_lowercase()).collect();
    }
    let plain = word.nfkd().flat_map(char::to_lowercase).filter(|sign| !is_left_out(*sign)).flat_map(spelt);
    plain.nfc().filter(|sign| sign.is_alphanumeric() || is_combining_mark(*sign)).take(LONGEST).collect()
}

/// Returns whether a mark is often left out in writing: an accent, a Hebrew point, an Arabic vowel sign or lengthening.
const fn is_left_out(sign: char) -> bool {
    matches!(sign, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}'
        | '\u{5c7}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

/// Spells letters that have no decomposition as they are written without them on a keyboard.
fn spelt(sign: char) -> impl Iterator<Item = char> {
    let [first, second] = match sign {
        'ß' => ['s', 's'],
        'æ' => ['a', 'e'],
        'œ' => ['o', 'e'],
        'þ' => ['t', 'h'],
        'ø' => ['o', '\0'],
        'ł' => ['l', '\0'],
        'đ' | 'ð' => ['d', '\0'],
        'ı' => ['i', '\0'],
        'ς' => ['σ', '\0'],
        other => [other, '\0'],
    };
    std::iter::once(first).chain(Some(second).filter(|second| *second != '\0'))
}

#[cfg(test)]
mod tests {
    use super::words;

    fn tokens(text: &str) -> Vec<String> {
        words(text).map(|word| word.token).collect()
    }

    #[test]
    fn words_are_compared_without_case_width_and_accents() {
        for (text, expected) in [
            ("Ein Café, ein CAFÉ.", vec!["ein", "cafe", "ein", "cafe"]),
            ("Cafe\u{301}", vec!["cafe"]),
            ("Straße STRASSE", vec!["strasse", "strasse"]),
            ("Łódź Ørsted Æsir", vec!["lodz", "orsted", "aesir"]),
            ("ΟΔΥΣΣΕΎΣ Οδυσσεύς", vec!["οδυσσευσ", "οδυσσευσ"]),
            ("İstanbul ISTANBUL", vec!["istanbul", "istanbul"]),
            ("Ｆｕｌｌ ｗｉｄｔｈ １２", vec!["full", "width", "12"]),
            ("ﬁnal 𝐁old ①", vec!["final", "bold", "1"]),
            ("שָׁלוֹם", vec!["שלום"]),
            ("مُحَمَّد", vec!["محمد"]),
            ("می\u{200c}خواهم", vec!["میخواهم"]),
            ("soft\u{ad}hyphen", vec!["softhyphen"]),
            ("हिन्दी भाषा", vec!["हिन्दी", "भाषा"]),
            ("한국어 검색", vec!["한국어", "검색"]),
        ] {
            assert_eq!(tokens(text), expected, "{text}");
        }
    }

    #[test]
    fn everything_but_letters_digits_and_marks_separates() {
        assert_eq!(tokens("INV-2024_001"), ["inv", "2024", "001"]);
        assert_eq!(tokens("ann@example.com can't 3.14"), ["ann", "example", "com", "can", "t", "3", "14"]);
        assert_eq!(tokens("a\0b\u{1f}c 🙂 — !?"), ["a", "b", "c"]);
        assert_eq!(tokens(""), [""; 0]);
    }

    #[test]
    fn scripts_without_spaces_are_taken_apart_by_character() {
        assert_eq!(tokens("東京タワー、ガ"), ["東", "京", "タ", "ワ", "ー", "ガ"]);
        assert_eq!(tokens("ｶﾞﾗｽ"), ["ガ", "ラ", "ス"]);
        assert_eq!(
            tokens("ひらがな"),
            ["ひ", "ら", "か\u{3099}", "な"].map(|sign| if sign.len() > 3 { "が" } else { sign })
        );
        assert_eq!(tokens("ภาษาไทย").concat(), "ภาษาไทย");
        assert!(tokens("ภาษาไทย").len() > 4);
        assert_eq!(tokens("iPhone を買う"), ["iphone", "を", "買", "う"]);
    }

    #[test]
    fn a_word_knows_where_it_stands() {
        let text = "Ein Café_au";
        let found: Vec<&str> = words(text).map(|word| &text[word.start..word.end]).collect();
        assert_eq!(found, ["Ein", "Café", "au"]);
    }

    #[test]
    fn a_long_word_is_compared_by_its_beginning() {
        let long = "x".repeat(10_000);
        assert_eq!(tokens(&long), ["x".repeat(64)]);
    }
}
