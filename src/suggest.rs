//! What somebody may have meant who wrote a name that is not known.

use chrono_tz::TZ_VARIANTS;

/// How much alike two names must be, of 1.
const ALIKE: f64 = 0.6;

/// The known name closest to a given one, if any is close. Case makes no difference.
pub fn close<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    let alike = |name: &'a str| (strsim::normalized_damerau_levenshtein(&given, &name.to_lowercase()), name);
    let best = known.into_iter().map(alike).filter(|(alike, _)| *alike >= ALIKE);
    best.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

/// The IANA time zone that a text may mean: by its city, in another case, or with a slip of the pen.
pub fn time_zone(given: &str) -> Option<&'static str> {
    let given = given.trim().replace(' ', "_");
    let city = |name: &'static str| name.rsplit('/').next().unwrap_or(name);
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let exact = |name: &&'static str| name.eq_ignore_ascii_case(&given);
    let by_city = |name: &&'static str| city(name).eq_ignore_ascii_case(&given);
    let far = names().find(exact).or_else(|| names().filter(|name| name.contains('/')).find(by_city));
    far.or_else(|| close(&given, names())).or_else(|| {
        let found = close(&given, names().map(city))?;
        names().find(|name| city(name) == found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_told_from_another_word() {
        let known = ["listen", "log", "points", "points-per-second"];
        assert_eq!(close("listn", known), Some("listen"));
        assert_eq!(close("LISTEN", known), Some("listen"));
        assert_eq!(close("pionts", known), Some("points"));
        assert_eq!(close("database", known), None);
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
