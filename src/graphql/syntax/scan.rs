//! Reads the tokens of a document and checks limits before parsing, which recurses as deep as brackets are nested.

use async_graphql::ServerError;

use super::lex::{Kind, Lexer, Token};
use crate::graphql::{
    documents::limits::Limits,
    failure::{DOCUMENT_TOO_LARGE, PARSE_FAILED, TOO_MANY_TOKENS, TOO_NESTED, refuse},
};

/// Returns the tokens of a text. Err if the text is too long, has too many tokens or too deeply nested brackets, or
/// contains a lexical error. Linear in the length of the text.
pub fn scan<'a>(text: &'a str, limits: &Limits) -> Result<Vec<Token<'a>>, ServerError> {
    let most = limits.document_bytes;
    if text.len() > most {
        return Err(refuse(DOCUMENT_TOO_LARGE, format!("the document is longer than {most} bytes"), None));
    }
    let mut lexer = Lexer::new(text);
    let (mut tokens, mut nesting) = (Vec::new(), 0_usize);
    loop {
        let token = match lexer.token() {
            Ok(Some(token)) => token,
            Ok(None) => return Ok(tokens),
            Err(mistake) => return Err(refuse(PARSE_FAILED, mistake.what, Some(lexer.place(mistake.at)))),
        };
        match token.kind {
            Kind::Sign(b'(' | b'[' | b'{') => nesting += 1,
            Kind::Sign(b')' | b']' | b'}') => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        let most = limits.document_tokens;
        if tokens.len() == most {
            return Err(refuse(TOO_MANY_TOKENS, format!("the document has more than {most} tokens"), Some(token.pos)));
        }
        let most = limits.document_nesting;
        if nesting > most {
            return Err(refuse(TOO_NESTED, format!("brackets are nested more than {most} deep"), Some(token.pos)));
        }
        tokens.push(token);
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, scan};
    use crate::graphql::failure::code;

    /// Scans with a limit on nesting and returns the code of the error, if any.
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
    fn a_refusal_says_where_and_quotes_nothing() {
        let refused = scan("{ (secret:\n  \"mia", &Limits::DEFAULT).unwrap_err();
        assert_eq!((refused.locations[0].line, refused.locations[0].column), (2, 3));
        let escape = scan("{ a(secret: \"é \\uD83D\")", &Limits::DEFAULT).unwrap_err();
        assert_eq!((escape.locations[0].line, escape.locations[0].column), (1, 16));
        let deep = scan("{ e { secret", &Limits { document_nesting: 1, ..Limits::DEFAULT }).unwrap_err();
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
