//! Suggestions for unknown names.

use std::fmt::Write;

use chrono_tz::TZ_VARIANTS;

/// Maximum number of names in a suggestion.
const MAX: usize = 3;
/// Maximum number of enum values listed when no value is close.
const MAX_LISTED: usize = 12;
/// Maximum length of a name that gets suggestions, in bytes; a longer one is not a typing error.
const MAX_LENGTH: usize = 64;

/// The start of each suggestion. Callers without a token get none: see
/// [`crate::graphql::failure::withhold_suggestions`].
pub const OPENING: &str = " Did you mean ";

/// Returns the names at the smallest edit distance from `name`, if within two fifths of its length.
fn close<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    if name.len() > MAX_LENGTH {
        return Vec::new();
    }
    let lower = name.to_lowercase();
    let most = (name.chars().count() * 2 / 5).max(1);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|known| known.len().abs_diff(name.len()) <= most)
        .map(|known| (strsim::osa_distance(&lower, &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    found.sort_unstable();
    let closest = found.first().map_or(0, |(distance, _)| *distance);
    found.retain(|(distance, _)| *distance == closest);
    found.truncate(MAX);
    found.into_iter().map(|(_, known)| known).collect()
}

/// Returns the known name closest to `name`, if one is close. Ignores case.
pub fn one<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    close(name, known).first().copied()
}

/// Returns the IANA time zone closest to a text: matched by name or city, ignoring case, or with a typing error.
pub fn time_zone(given: &str) -> Option<&'static str> {
    let given = given.trim().replace(' ', "_");
    let city = |name: &'static str| name.rsplit('/').next().unwrap_or(name);
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let exact = |name: &&'static str| name.eq_ignore_ascii_case(&given);
    let by_city = |name: &&'static str| city(name).eq_ignore_ascii_case(&given);
    let far = names().find(exact).or_else(|| names().filter(|name| name.contains('/')).find(by_city));
    far.or_else(|| one(&given, names())).or_else(|| {
        let found = one(&given, names().map(city))?;
        names().find(|name| city(name) == found)
    })
}

/// Returns a sentence that suggests the names close to `name`; empty if there are none.
pub fn name<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    question(&close(name, known), "\"")
}

/// Returns a sentence that suggests the enum values close to `name`, or else lists all of them.
pub fn value<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let found = close(name, known.clone());
    if !found.is_empty() {
        return question(&found, "");
    }
    let mut all: Vec<&str> = known.into_iter().collect();
    all.sort_unstable();
    let rest = if all.len() > MAX_LISTED { ", …" } else { "" };
    all.truncate(MAX_LISTED);
    format!("{OPENING}one of {}{rest}?", all.join(", "))
}

/// Returns a sentence that suggests `form`.
pub fn form(form: &str) -> String {
    format!("{OPENING}{form}?")
}

fn question(found: &[&str], quote: &str) -> String {
    let mut text = String::new();
    for (at, name) in found.iter().enumerate() {
        let before = match at {
            0 => OPENING,
            _ if at + 1 == found.len() => " or ",
            _ => ", ",
        };
        let _ = write!(text, "{before}{quote}{name}{quote}");
    }
    if !text.is_empty() {
        text.push('?');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{name, one, time_zone, value};

    const KINDS: [&str; 4] = ["COMPLAINT", "SUGGESTION", "PRAISE", "QUESTION"];

    #[test]
    fn close_names_are_told_and_others_are_not() {
        let fields = ["name", "names", "contact", "description"];
        assert_eq!(name("nmae", fields), " Did you mean \"name\"?");
        assert_eq!(name("nam", ["nap", "name", "names"]), " Did you mean \"name\" or \"nap\"?");
        assert_eq!(name("NAME", ["name", "contact"]), " Did you mean \"name\"?");
        assert_eq!(name("discription", fields), " Did you mean \"description\"?");
        assert_eq!(name("zzz", fields), "");
        assert_eq!(name(&"n".repeat(10_000), ["n"]), "");
    }

    #[test]
    fn values_of_an_enum_are_all_told_where_none_is_close() {
        assert_eq!(value("complaints", KINDS), " Did you mean COMPLAINT?");
        assert_eq!(value("NONSENSE", KINDS), " Did you mean one of COMPLAINT, PRAISE, QUESTION, SUGGESTION?");
        let many: Vec<String> = (10..40).map(|number| format!("A{number}")).collect();
        assert!(value("NONSENSE", many.iter().map(String::as_str)).ends_with("A21, …?"));
    }

    #[test]
    fn a_slip_of_the_pen_is_told_from_another_word() {
        let known = ["listen", "log", "points", "points-per-second"];
        assert_eq!(one("listn", known), Some("listen"));
        assert_eq!(one("LISTEN", known), Some("listen"));
        assert_eq!(one("pionts", known), Some("points"));
        assert_eq!(one("database", known), None);
    }

    #[test]
    fn a_time_zone_is_found_by_its_city() {
        for (given, meant) in [
            ("Berlin", "Europe/Berlin"),
            ("berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("Europe/Berln", "Europe/Berlin"),
            ("New York", "America/New_York"),
            ("america/new york", "America/New_York"),
            ("Berln", "Europe/Berlin"),
            ("utc", "UTC"),
        ] {
            assert_eq!(time_zone(given), Some(meant), "{given}");
        }
        assert_eq!(time_zone("Mars/Base"), None);
    }
}
