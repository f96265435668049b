//! The calls that add a tenant condition, as the text of the program shows them.

use std::{fmt, fs, path::Path};

use rapport::store::statement::tenant_check::TenantCheck;

use crate::architecture::{File, sources};

/// The methods that add a condition, without the ending of those whose condition stands beside another.
pub const METHODS: [&str; 3] = ["filter_tenant", "same_tenant", "filter_models"];

/// The ending of a method whose condition stands beside another that does the same.
const AGAIN: &str = "_again";

/// A call that adds a tenant condition.
#[derive(Clone, Debug)]
pub struct Place {
    pub check: TenantCheck,
    /// The path of the function that calls: `store::writing::delete::used`.
    pub function: String,
    /// Whether the loss of the condition changes no answer, because another wall does the same.
    pub is_doubled: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.check, self.function)
    }
}

impl Place {
    pub fn is_in(&self, function: &str) -> bool {
        self.function == function
    }
}

/// The files that may add conditions: all but the one that has the methods.
pub fn callers() -> impl Iterator<Item = File> {
    sources("src").filter(|file| !file.path.ends_with("store/statement/tenant_check.rs"))
}

/// All places, in the order of files and lines.
pub fn places() -> Vec<Place> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places = Vec::new();
    for File { path, .. } in callers() {
        let name: &'static str = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned().leak();
        let module = name["src/".len()..].trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
        let mut function = "";
        let text = fs::read_to_string(&path).unwrap();
        for (line, code) in text.lines().enumerate().filter(|(_, code)| !code.trim_start().starts_with("//")) {
            if let Some((_, rest)) = format!(" {code}").split_once(" fn ") {
                function = rest[..rest.find(['(', '<']).unwrap_or(rest.len())].to_owned().leak();
            }
            for method in METHODS {
                for (place, _) in code.match_indices(&format!(".{method}")) {
                    let before = code[..=place].chars().count();
                    let is_doubled = code[place + 1 + method.len()..].starts_with(AGAIN);
                    places.push(Place {
                        check: TenantCheck {
                            file: name,
                            line: u32::try_from(line + 1).unwrap(),
                            column: u32::try_from(before + 1).unwrap(),
                        },
                        function: format!("{module}::{function}"),
                        is_doubled,
                    });
                }
            }
        }
    }
    places.sort_by_key(|place| place.check);
    places
}
