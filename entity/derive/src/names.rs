//! Converts names of tables, columns and types to names of the API.

/// Converts `interaction_point` to `InteractionPoint`.
pub fn upper_camel(snake: &str) -> String {
    snake.split('_').map(capitalized).collect()
}

/// Converts `point_kind` to `pointKind`.
pub fn lower_camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalized(word))
}

/// Converts `InteractionPoint` to `interaction_point`.
pub fn snake(camel: &str) -> String {
    let mut name = String::new();
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// Converts `InteractionPoint` to `interactionPoint`.
pub fn uncapitalized(name: &str) -> String {
    name.chars()
        .enumerate()
        .map(|(place, letter)| if place == 0 { letter.to_ascii_lowercase() } else { letter })
        .collect()
}

/// Returns the plural of an English noun by the regular rules.
pub fn plural(singular: &str) -> String {
    let is_vowel = |letter: char| "aeiou".contains(letter);
    match singular.strip_suffix('y') {
        Some(stem) if !stem.ends_with(is_vowel) => format!("{stem}ies"),
        _ if ["s", "x", "z", "ch", "sh"].iter().any(|end| singular.ends_with(end)) => format!("{singular}es"),
        _ => format!("{singular}s"),
    }
}

/// Returns the indefinite article of a noun.
pub fn article(name: &str) -> &'static str {
    if name.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" }
}

fn capitalized(word: &str) -> String {
    word.chars()
        .enumerate()
        .map(|(place, letter)| if place == 0 { letter.to_ascii_uppercase() } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{lower_camel, plural, snake, uncapitalized, upper_camel};

    #[test]
    fn names_of_the_api_follow_from_those_of_tables_and_types() {
        assert_eq!(upper_camel("interaction_point"), "InteractionPoint");
        assert_eq!(lower_camel("corrected_through"), "correctedThrough");
        assert_eq!(snake("FeedbackRecord"), "feedback_record");
        assert_eq!(uncapitalized("FeedbackRecord"), "feedbackRecord");
    }

    #[test]
    fn plurals_follow_the_rules_of_english() {
        for (one, many) in
            [("journey", "journeys"), ("policy", "policies"), ("address", "addresses"), ("branch", "branches")]
        {
            assert_eq!(plural(one), many);
        }
    }
}
