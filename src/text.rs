//! Rules for text: a name is one visible line; any other text may contain only characters that all formats can carry.

use std::{fmt::Write as _, fs, io, path::Path};

/// Removes white space and byte order marks at both ends. Editors and spreadsheets write a byte order mark at the
/// start.
pub fn trim(text: &str) -> &str {
    text.trim_matches(|sign: char| sign.is_whitespace() || sign == BYTE_ORDER_MARK)
}

/// Removes the byte order mark that editors and spreadsheets write at the start of a file.
pub fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// Reads a text file in UTF-8, with or without a byte order mark. The error for another encoding says so.
pub fn read_file(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let is_utf16 = matches!(error.as_bytes(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        let found = if is_utf16 { "the file is UTF-16" } else { "the file is not UTF-8" };
        io::Error::new(io::ErrorKind::InvalidData, format!("{found}; save it as UTF-8"))
    })?;
    Ok(without_byte_order_mark(&text).to_owned())
}

/// Whether the text has no visible character.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|sign| sign.is_whitespace() || sign.is_control() || is_noncharacter(sign) || is_invisible(sign))
}

/// Returns the first character that is not allowed in a name: one that breaks the line, changes the direction of the
/// following text, or makes different names look alike. Joiners, which emoji and Persian need, and variation selectors
/// are allowed.
pub fn refused_in_name(text: &str) -> Option<char> {
    let is_braille = text.chars().any(|sign| matches!(sign, '\u{2801}'..='\u{28ff}'));
    text.chars().find(|sign| match *sign {
        '\u{2800}' => !is_braille,
        sign => {
            sign.is_control()
                || is_noncharacter(sign)
                || matches!(sign, '\u{2028}' | '\u{2029}' | '\u{200b}' | BYTE_ORDER_MARK | '\u{fff9}'..='\u{fffb}')
                || matches!(sign, '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}')
                || matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                || matches!(sign, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
        }
    })
}

/// Returns the first character that XML cannot represent, not even escaped (XML 1.0, production 2): a text with such a
/// character does not survive export and import in every format.
pub fn refused_in_text(text: &str) -> Option<char> {
    text.chars().find(|sign| match *sign {
        '\t' | '\n' | '\r' => false,
        sign => matches!(sign, '\0'..='\u{1f}') || is_noncharacter(sign),
    })
}

/// Returns the error message for a character that is not allowed.
pub fn refusal(sign: char) -> String {
    format!("the text contains the character U+{:04X}, which is not allowed here", u32::from(sign))
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Whether the character has the property `Default_Ignorable_Code_Point` (Unicode 17), or is a letter or symbol that is
/// displayed as blank.
fn is_invisible(sign: char) -> bool {
    matches!(sign,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | BYTE_ORDER_MARK | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether the character is U+FFFE or U+FFFF of any plane, or in U+FDD0 to U+FDEF.
fn is_noncharacter(sign: char) -> bool {
    let code = u32::from(sign);
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}

/// Formats a number below a million with a comma between thousands.
pub fn grouped(number: usize) -> String {
    let (thousands, rest) = (number / 1_000, number % 1_000);
    if thousands == 0 { rest.to_string() } else { format!("{thousands},{rest:03}") }
}
/// Returns bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string succeeds");
        text
    })
}
