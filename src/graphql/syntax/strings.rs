//! Parses strings and block strings according to the GraphQL specification.

use super::lex::Mistake;

const BLOCK: &str = "\"\"\"";

const NO_END: &str = "a string has no end";
const NO_ESCAPE: &str = "there is no such escape sequence in a string";
const NO_CHARACTER: &str = "a Unicode escape is \\uXXXX, two of these for a surrogate pair, or \\u{X} with 1 to 8 hexadecimal digits, and names a character";

/// Reads the string or block string whose opening quote is at `start`. Returns its value and the offset of the byte
/// after it. Err if it has no end or contains an invalid escape sequence.
pub fn read(text: &str, start: usize) -> Result<(String, usize), Mistake> {
    if text[start..].starts_with(BLOCK) { block(text, start) } else { quoted(text, start) }
}

fn quoted(text: &str, start: usize) -> Result<(String, usize), Mistake> {
    let mut value = String::new();
    let mut at = start + 1;
    loop {
        // All of these bytes are ASCII, so slicing next to them is at a character boundary.
        let length = text[at..].bytes().position(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r'));
        let end = at + length.ok_or(Mistake::new(start, NO_END))?;
        value.push_str(&text[at..end]);
        match text.as_bytes()[end] {
            b'"' => return Ok((value, end + 1)),
            b'\\' => {
                let (character, length) = escape(&text[end + 1..]).map_err(|what| Mistake::new(end, what))?;
                value.push(character);
                at = end + 1 + length;
            }
            _ => return Err(Mistake::new(start, NO_END)),
        }
    }
}

/// Parses the escape sequence after a backslash. Returns the character and the length of the sequence in bytes.
fn escape(text: &str) -> Result<(char, usize), &'static str> {
    let simple = match text.as_bytes().first().ok_or(NO_END)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(&text[1..]).map(|(character, length)| (character, length + 1)).ok_or(NO_CHARACTER),
        _ => return Err(NO_ESCAPE),
    };
    Ok((simple, 1))
}

/// Parses the escape sequence after `\u`. Returns the character and the length of the sequence in bytes.
fn unicode(text: &str) -> Option<(char, usize)> {
    if let Some(inner) = text.strip_prefix('{') {
        let length = inner.bytes().position(|byte| byte == b'}').filter(|length| (1..=8).contains(length))?;
        return Some((char::from_u32(hexadecimal(&inner[..length])?)?, length + 2));
    }
    let unit = |from: usize| hexadecimal(text.get(from..from + 4)?);
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 4));
    }
    // The first half of a surrogate pair.
    let second = if text.get(4..6) == Some("\\u") { unit(6)? } else { return None };
    let is_pair = (0xd800..0xdc00).contains(&first) && (0xdc00..0xe000).contains(&second);
    let point = 0x1_0000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
    is_pair.then(|| char::from_u32(point)).flatten().map(|character| (character, 10))
}

/// Parses hexadecimal digits. Unlike `u32::from_str_radix`, refuses a sign.
fn hexadecimal(digits: &str) -> Option<u32> {
    let is_sound = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_sound { u32::from_str_radix(digits, 16).ok() } else { None }
}

fn block(text: &str, start: usize) -> Result<(String, usize), Mistake> {
    let mut raw = String::new();
    let mut at = start + BLOCK.len();
    loop {
        let end = at + text[at..].find(BLOCK).ok_or(Mistake::new(start, NO_END))?;
        let piece = &text[at..end];
        if let Some(before) = piece.strip_suffix('\\') {
            raw.push_str(before);
            raw.push_str(BLOCK);
            at = end + BLOCK.len();
        } else {
            raw.push_str(piece);
            return Ok((dedented(&raw), end + BLOCK.len()));
        }
    }
}

/// Removes the common indentation of all lines except the first, and blank lines at the start and the end.
fn dedented(raw: &str) -> String {
    let unified = raw.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = unified.split('\n').collect();
    let indentation = |line: &str| line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let is_blank = |line: &&str| indentation(line) == line.len();
    let common = lines.iter().skip(1).filter(|line| !is_blank(line)).map(|line| indentation(line)).min().unwrap_or(0);
    let Some(first) = lines.iter().position(|line| !is_blank(line)) else { return String::new() };
    let last = lines.iter().rposition(|line| !is_blank(line)).unwrap_or(first);
    let cut = |(at, line): (usize, &&str)| match at {
        0 => (*line).to_owned(),
        _ => line.get(common..).unwrap_or_default().to_owned(),
    };
    lines.iter().enumerate().map(cut).skip(first).take(last - first + 1).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::read;

    #[track_caller]
    fn assert_reads(text: &str, expected: &str) {
        assert_eq!(read(text, 0), Ok((expected.to_owned(), text.len())), "{text}");
    }

    #[test]
    fn surrogate_pairs_and_braces_name_characters() {
        assert_reads(r#""caf\u00e9 \uD83D\uDE00 \u{1F600}""#, "café 😀 😀");
        assert_reads(r#""\u{0000000a}\u{41}\uFFFF\uD7FF\uE000""#, "\nA\u{ffff}\u{d7ff}\u{e000}");
        assert_reads(r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t");
    }

    #[test]
    fn a_mistake_says_at_which_byte() {
        for (text, at) in [
            (r#""ab\uD83D""#, 3),
            (r#""\uDE00\uD83D""#, 1),
            (r#""\uD83D\u0041""#, 1),
            (r#""\uD83D\n""#, 1),
            (r#""\u{D83D}\u{DE00}""#, 1),
            (r#""\u{}""#, 1),
            (r#""\u{110000}""#, 1),
            (r#""\u{000000041}""#, 1),
            (r#""\u{+41}""#, 1),
            (r#""\u+041""#, 1),
            (r#""\u00e""#, 1),
            (r#""\x""#, 1),
            ("\"a\nb\"", 0),
            ("\"a\rb\"", 0),
            ("\"a", 0),
            ("\"a\\", 2),
            ("\"\"\"a\\\"\"\"", 0),
        ] {
            assert_eq!(read(text, 0).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn block_strings_lose_what_the_layout_of_the_document_put_in() {
        assert_reads("\"\"\"\"\"\"", "");
        assert_reads("\"\"\"\n    a\r\n      b\r\r    \\\"\"\" \\n\n  \n\"\"\"", "a\n  b\n\n\"\"\" \\n");
        assert_reads("\"\"\"  first\n    second\n \n   third\"\"\"", "  first\n second\n\nthird");
        assert_reads("\"\"\" \n\t\n\"\"\"", "");
        assert_reads("\"\"\"\\\"\"\"\"\"\"", "\"\"\"");
    }
}
