//! Width, line breaks, direction and escaping of texts in diagrams.

use unicode_segmentation::UnicodeSegmentation;

/// Returns the estimated width of a text in pixels, as for a wide font, because the actual font is unknown.
pub fn width(text: &str, size: i64) -> i64 {
    let hundredths: i64 = text.graphemes(true).map(advance).sum();
    (hundredths * size + 99) / 100
}

/// Returns the estimated width of a grapheme cluster, in hundredths of the font size.
fn advance(grapheme: &str) -> i64 {
    let Some(sign) = grapheme.chars().next() else { return 0 };
    // An emoji, single or joined, is one glyph. Combining characters count extra: a font may be unable to combine them.
    if grapheme.chars().any(|sign| matches!(sign, '\u{fe0f}' | '\u{200d}' | '\u{1f000}'..='\u{1faff}')) {
        return 140;
    }
    let rest = i64::try_from(grapheme.chars().count().saturating_sub(1)).unwrap_or(0);
    let first = match sign {
        ' ' | '!' | '\'' | ',' | '.' | ':' | ';' | 'i' | 'j' | 'l' | 'I' | '|' => 36,
        '(' | ')' | '[' | ']' | 'f' | 'r' | 't' | '/' | '\\' | '-' | '`' => 43,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' | 'æ' | 'œ' | 'Æ' | 'Œ' => 103,
        'N' | 'O' | 'Q' | 'G' | 'D' | 'H' | 'U' | 'C' | '<' | '>' | '=' | '+' | '~' | '&' | '#' => 85,
        'A'..='Z' => 73,
        '\0'..='\u{7f}' => 65,
        '\u{590}'..='\u{8ff}' => 75,
        '\u{80}'..='\u{24f}' => 78,
        '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{20000}'..='\u{3fffd}' => 105,
        _ => 100,
    };
    first + 20 * rest
}

/// Breaks a text into lines of at most `most` pixels: between words, and inside words that are too long.
pub fn lines(text: &str, size: i64, most: i64) -> Vec<String> {
    let text = clean(text);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let glued = lines.last().map(|line| format!("{line} {word}")).filter(|line| width(line, size) <= most);
        if let (Some(glued), Some(line)) = (glued, lines.last_mut()) {
            *line = glued;
        } else if width(word, size) <= most {
            lines.push(word.to_owned());
        } else {
            lines.extend(broken(word, size, most));
        }
    }
    lines
}

fn broken(word: &str, size: i64, most: i64) -> Vec<String> {
    let (mut parts, mut part, mut hundredths) = (Vec::new(), String::new(), 0);
    for grapheme in word.graphemes(true) {
        let next = advance(grapheme);
        if !part.is_empty() && (hundredths + next) * size > most * 100 {
            parts.push(std::mem::take(&mut part));
            hundredths = 0;
        }
        part.push_str(grapheme);
        hundredths += next;
    }
    parts.push(part);
    parts
}

/// Returns whether the first alphabetic character is of a right-to-left script.
pub fn is_rtl(text: &str) -> bool {
    let strong = text.chars().find(|sign| sign.is_alphabetic());
    strong.is_some_and(|sign| {
        matches!(sign, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
            || matches!(sign, '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    })
}

/// Returns the text on one line with white space collapsed, without characters that XML does not allow and without
/// bidirectional control characters.
pub fn clean(text: &str) -> String {
    let shown = |sign: char| match sign {
        sign if sign.is_whitespace() || sign.is_control() => Some(' '),
        '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        sign => Some(sign),
    };
    let text: String = text.chars().filter_map(shown).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the text on one line, escaped for an element or an attribute of XML or HTML.
pub fn escaped(text: &str) -> String {
    verbatim(&clean(text))
}

/// Returns the text escaped for an element or an attribute of XML. An XML reader gets back the same text, except for
/// characters that XML does not allow, which are omitted.
pub fn verbatim(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            // XML readers normalize a raw tab in an attribute to a space, and a raw CR LF to a line feed.
            '\t' => escaped.push_str("&#9;"),
            '\r' => escaped.push_str("&#13;"),
            '\0'..='\u{1f}' if sign != '\n' => {}
            '\u{fffe}' | '\u{ffff}' => {}
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            sign => escaped.push(sign),
        }
    }
    escaped
}
