//! Looks at a document's bytes before the parser does, which recurses as deep as brackets stand inside one another.

use async_graphql::{Pos, ServerError};

use super::{
    failure::{DOCUMENT_TOO_LARGE, PARSE_FAILED, TOO_MANY_TOKENS, TOO_NESTED, refuse},
    limits::Limits,
};

const BLOCK: &[u8] = b"\"\"\"";

/// Refuses a text that is too long, has too many tokens or too many brackets inside one another; otherwise answers how
/// many tokens it has. Linear in its length.
///
/// Up to the first place where it is no GraphQL, the parser sees the same tokens and brackets: whatever comes after
/// that place, it does not get to.
pub fn scan(text: &str, limits: &Limits) -> Result<usize, ServerError> {
    let most = limits.document_bytes;
    if text.len() > most {
        return Err(refuse(DOCUMENT_TOO_LARGE, format!("the document is longer than {most} bytes"), None));
    }
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    let (mut tokens, mut nesting) = (0, 0_usize);
    while let Some((start, first)) =
        scan.token().map_err(|at| refuse(PARSE_FAILED, "a string has no end", Some(place(text, at))))?
    {
        tokens += 1;
        match first {
            b'(' | b'[' | b'{' => nesting += 1,
            b')' | b']' | b'}' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        let refused = |code, message| Err(refuse(code, message, Some(place(text, start))));
        if tokens > limits.document_tokens {
            return refused(TOO_MANY_TOKENS, format!("the document has more than {} tokens", limits.document_tokens));
        }
        if nesting > limits.document_nesting {
            let most = limits.document_nesting;
            return refused(TOO_NESTED, format!("more than {most} brackets stand inside one another"));
        }
    }
    Ok(tokens)
}

fn place(text: &str, at: usize) -> Pos {
    let before = String::from_utf8_lossy(&text.as_bytes()[..at]);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Pos { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    /// Where the next token starts, and its first byte; the start of a string that does not end.
    fn token(&mut self) -> Result<Option<(usize, u8)>, usize> {
        self.skip_ignored();
        let start = self.at;
        let Some(first) = self.peek(0) else { return Ok(None) };
        self.at += 1;
        match first {
            b'"' if self.bytes[start..].starts_with(BLOCK) => self.block_string(start)?,
            b'"' => self.string(start)?,
            b'.' if self.bytes[start..].starts_with(b"...") => self.at += 2,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            b'-' | b'0'..=b'9' => self.number(first),
            _ => {}
        }
        Ok(Some((start, first)))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn skip_ignored(&mut self) {
        loop {
            self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b','));
            if self.peek(0) != Some(b'#') {
                return;
            }
            self.skip(|byte| byte != b'\n' && byte != b'\r');
        }
    }

    /// No longer than the parser takes it: to that one, `00` and `1-1` are two numbers each.
    fn number(&mut self, first: u8) {
        let leading = if first == b'-' { self.peek(0) } else { Some(first) };
        self.at += usize::from(first == b'-' && leading.is_some_and(|byte| byte.is_ascii_digit()));
        if leading != Some(b'0') {
            self.skip(|byte| byte.is_ascii_digit());
        }
        let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
        if self.peek(0) == Some(b'.') && is_digit(self.peek(1)) {
            self.at += 1;
            self.skip(|byte| byte.is_ascii_digit());
        }
        let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
        if matches!(self.peek(0), Some(b'e' | b'E')) && is_digit(self.peek(1 + sign)) {
            self.at += 1 + sign;
            self.skip(|byte| byte.is_ascii_digit());
        }
    }

    fn string(&mut self, start: usize) -> Result<(), usize> {
        loop {
            match self.peek(0) {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                None | Some(b'\n' | b'\r') => return Err(start),
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Without an end it is refused here: the parser would take its first two quotes for an empty string and go on.
    fn block_string(&mut self, start: usize) -> Result<(), usize> {
        self.at = start + BLOCK.len();
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if rest.is_empty() {
                return Err(start);
            } else if rest.starts_with(BLOCK) {
                break;
            }
            self.at += if rest.starts_with(b"\\\"\"\"") { 4 } else { 1 };
        }
        self.at += BLOCK.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Scan, scan};
    use crate::graphql::failure::code;

    fn tokens(text: &str) -> usize {
        let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
        std::iter::from_fn(|| scan.token().unwrap()).count()
    }

    /// The code of the refusal of a scan that allows only so much nesting.
    fn refusal(text: &str, document_nesting: usize) -> Option<String> {
        let refused = scan(text, &Limits { document_nesting, ..Limits::DEFAULT }).err()?;
        code(&refused).map(str::to_owned)
    }

    #[track_caller]
    fn assert_nests(text: &str, nesting: usize) {
        assert_eq!(refusal(text, nesting), None, "{text}");
        assert_eq!(refusal(text, nesting - 1).as_deref(), Some("TOO_NESTED"), "{text}");
    }

    #[test]
    fn brackets_count_outside_strings_and_comments_only() {
        assert_nests("{ a(x: [[1]], y: {b: 1}) { c } }", 4);
        assert_nests("{ a(x: \"[[[ \\\" [[\") # [[[[\n }", 2);
        assert_nests("{ a(x: \"\"\"[[[ \\\"\"\" [[ \" \"\" [ \"\"\") }", 2);
        assert_nests("{ a(x: \"\\\\\", y: [[1]]) }", 4);
        assert_nests("{ a(x: \"\", y: [[1]]) }", 4);
        assert_nests("{ a(x: \"\"\"\"\"\", y: [[1]]) }", 4);
        assert_nests("# \"\n{ a(y: [[1]]) # \"\"\"\r}", 4);
        assert_nests("[[[[[[[[[", 9);
        assert_nests("}}}}}}}}{{", 2);
    }

    #[test]
    fn a_string_without_an_end_hides_nothing() {
        for text in ["{ a(x: \"\"\" \" [[[[[[[", "{ a(x: \"\n[[[[[[[\") }", "\"", "\"\\", "\"\"\"", "\"\"\"\\\"\"\"\""]
        {
            assert_eq!(refusal(text, 32).as_deref(), Some("GRAPHQL_PARSE_FAILED"), "{text}");
        }
    }

    #[test]
    fn tokens_are_those_of_the_specification() {
        for (text, expected) in [
            ("", 0),
            (" ,\t\r\n # nothing", 0),
            ("query Q($n: Int! = -1.5e+10) { ...F @skip(if: $n) }", 23),
            ("{ a: b(c: \"d e\", f: \"\"\"g\nh\"\"\") }", 13),
            ("[0 -1 2.5 3e1 4.5E-6]", 7),
            ("00-1-1", 4),
            ("1.e", 3),
            ("....", 2),
            ("é", 2),
        ] {
            assert_eq!(tokens(text), expected, "{text}");
        }
    }

    #[test]
    fn a_refusal_says_where_and_quotes_nothing() {
        let refused = scan("{ é(secret:\n  \"mia", &Limits::DEFAULT).unwrap_err();
        assert_eq!((refused.locations[0].line, refused.locations[0].column), (2, 3));
        let deep = scan("{ é { secret", &Limits { document_nesting: 1, ..Limits::DEFAULT }).unwrap_err();
        assert_eq!((deep.locations[0].line, deep.locations[0].column), (1, 5));
        assert!(!refused.message.contains("mia") && !deep.message.contains("secret"));
    }

    #[test]
    fn length_and_tokens_are_counted_to_the_last() {
        let limits = Limits { document_bytes: 10, document_tokens: 3, ..Limits::DEFAULT };
        assert!(scan("{ a }     ", &limits).is_ok());
        assert_eq!(code(&scan("{ a }      ", &limits).unwrap_err()), Some("DOCUMENT_TOO_LARGE"));
        assert_eq!(code(&scan("{ a b }", &limits).unwrap_err()), Some("TOO_MANY_TOKENS"));
    }
}
