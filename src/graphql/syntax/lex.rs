//! Splits a document into the tokens of the GraphQL specification, with the same results as graphql-js.

use async_graphql::Pos;

use super::strings;

/// A token and its position.
#[derive(Debug)]
pub struct Token<'a> {
    /// Kind and content of the token.
    pub kind: Kind<'a>,
    /// Line and column of the start, from 1. Columns count characters.
    pub pos: Pos,
}

/// Kind and content of a token.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A name or keyword.
    Name(&'a str),
    /// An integer, as written.
    Int(&'a str),
    /// A number with a fraction or an exponent, as written.
    Float(&'a str),
    /// The value of a string or block string, after escapes and indentation are processed.
    Text(String),
    /// A punctuator: one of `! $ & ( ) : = @ [ ] { | }`.
    Sign(u8),
    /// The punctuator `...`.
    Spread,
}

/// A lexical error. Does not quote the text.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Byte offset of the error.
    pub at: usize,
    /// Description: a sentence without a full stop.
    pub what: &'static str,
}

impl Mistake {
    /// Creates an error at a byte offset.
    pub const fn new(at: usize, what: &'static str) -> Self {
        Self { at, what }
    }
}

/// Reads the tokens of a text in order. Reads each byte once.
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// `pos` is the position of this byte offset.
    counted: usize,
    pos: Pos,
}

impl<'a> Lexer<'a> {
    /// Creates a lexer at the start of a text.
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0, counted: 0, pos: Pos { line: 1, column: 1 } }
    }

    /// Returns the next token, or `None` at the end of the text. Err if the text there is not a token.
    pub fn token(&mut self) -> Result<Option<Token<'a>>, Mistake> {
        self.skip_ignored();
        let start = self.at;
        let pos = self.place(start);
        let Some(first) = self.peek(0) else { return Ok(None) };
        let kind = match first {
            b'"' => {
                let (value, end) = strings::read(self.text, start)?;
                self.at = end;
                Kind::Text(value)
            }
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|' | b'}' => {
                self.at += 1;
                Kind::Sign(first)
            }
            b'.' if self.text[start..].starts_with("...") => {
                self.at += 3;
                Kind::Spread
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                self.skip(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                Kind::Name(&self.text[start..self.at])
            }
            b'-' | b'0'..=b'9' => self.number(start)?,
            _ => return Err(Mistake::new(start, "a character that has no meaning outside of a string")),
        };
        Ok(Some(Token { kind, pos }))
    }

    /// Returns the line and column of a byte offset, which must not be before that of an earlier call.
    pub fn place(&mut self, at: usize) -> Pos {
        let bytes = self.text.as_bytes();
        for here in self.counted..at.min(bytes.len()) {
            match bytes[here] {
                // CR LF is one line break; the line feed counts it.
                b'\r' if bytes.get(here + 1) == Some(&b'\n') => {}
                b'\n' | b'\r' => self.pos = Pos { line: self.pos.line + 1, column: 1 },
                // Continuation bytes of UTF-8.
                0x80..=0xbf => {}
                _ => self.pos.column += 1,
            }
        }
        self.counted = self.counted.max(at);
        self.pos
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn skip_ignored(&mut self) {
        loop {
            self.skip(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b','));
            if self.peek(0) == Some(b'#') {
                self.skip(|byte| byte != b'\n' && byte != b'\r');
            } else if self.text[self.at..].starts_with('\u{feff}') {
                self.at += '\u{feff}'.len_utf8();
            } else {
                return;
            }
        }
    }

    fn number(&mut self, start: usize) -> Result<Kind<'a>, Mistake> {
        self.at += usize::from(self.peek(0) == Some(b'-'));
        if self.peek(0) == Some(b'0') {
            self.at += 1;
            if self.peek(0).is_some_and(|byte| byte.is_ascii_digit()) {
                return Err(Mistake::new(self.at, "a number does not start with 0 and another digit"));
            }
        } else {
            self.digits()?;
        }
        let mut is_float = false;
        if self.peek(0) == Some(b'.') {
            is_float = true;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            is_float = true;
            self.at += 1;
            self.at += usize::from(matches!(self.peek(0), Some(b'+' | b'-')));
            self.digits()?;
        }
        if self.peek(0).is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_')) {
            return Err(Mistake::new(self.at, "a number ends before a letter or a dot"));
        }
        let written = &self.text[start..self.at];
        Ok(if is_float { Kind::Float(written) } else { Kind::Int(written) })
    }

    fn digits(&mut self) -> Result<(), Mistake> {
        let start = self.at;
        self.skip(|byte| byte.is_ascii_digit());
        if self.at == start { Err(Mistake::new(start, "a digit is missing in a number")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Lexer, Mistake};

    fn tokens(text: &str) -> Result<Vec<String>, Mistake> {
        let mut lexer = Lexer::new(text);
        let mut shown = Vec::new();
        while let Some(token) = lexer.token()? {
            shown.push(match token.kind {
                Kind::Name(text) | Kind::Int(text) | Kind::Float(text) => text.to_owned(),
                Kind::Text(text) => format!("{text:?}"),
                Kind::Sign(sign) => char::from(sign).to_string(),
                Kind::Spread => "...".to_owned(),
            });
        }
        Ok(shown)
    }

    #[test]
    fn tokens_are_those_of_the_specification() {
        for (text, expected) in [
            ("", ""),
            (" ,\t\r\n\u{feff} # nothing {", ""),
            ("\u{feff}{a\u{feff}}", "{ a }"),
            (
                "query Q($n: Int! = -1.5e+10) { ...F @skip(if: $n) }",
                "query Q ( $ n : Int ! = -1.5e+10 ) { ... F @ skip ( if : $ n ) }",
            ),
            ("{ a: b(c: \"d e\", f: \"\"\"g\nh\"\"\") }", "{ a : b ( c : \"d e\" f : \"g\\nh\" ) }"),
            ("[0 -1 2.5 3e1 4.5E-6 -0]", "[ 0 -1 2.5 3e1 4.5E-6 -0 ]"),
            ("1-1", "1 -1"),
            ("# \"\n{ a(y: [[1]]) # \"\"\"\r}", "{ a ( y : [ [ 1 ] ] ) }"),
        ] {
            assert_eq!(tokens(text).map(|tokens| tokens.join(" ")), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_where_it_stands() {
        for (text, at) in [
            ("é", 0),
            ("{ \0", 2),
            ("..", 0),
            ("....", 3),
            ("00", 1),
            ("01", 1),
            ("-", 1),
            ("1.", 2),
            ("1.e", 2),
            ("1e", 2),
            ("0xF", 1),
            ("1a", 1),
            ("1_", 1),
            ("1.5.", 3),
            ("1...", 2),
            ("\u{200b}", 0),
            ("a\u{a0}b", 1),
            ("'a'", 0),
            ("%", 0),
        ] {
            assert_eq!(tokens(text).map_err(|mistake| mistake.at), Err(at), "{text}");
        }
    }

    #[test]
    fn places_count_lines_and_characters() {
        let mut lexer = Lexer::new("é a\r\n  b\rc\n\n\u{feff}d");
        assert!(lexer.token().is_err());
        let mut lexer = Lexer::new("\"é\" a\r\n  b\rc\n\n\u{feff}d \"\"\"\n\"\"\" e");
        let mut places = Vec::new();
        while let Some(token) = lexer.token().unwrap() {
            places.push((token.pos.line, token.pos.column));
        }
        assert_eq!(places, [(1, 1), (1, 5), (2, 3), (3, 1), (5, 2), (5, 4), (6, 5)]);
    }
}
