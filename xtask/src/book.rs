//! Builds the book and checks its links.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Result, command, root, run};

/// Builds the book with `mdbook`. `mdbook` rewrites every link to an `.md` file to `.html`, even for files that are not
/// pages of the book; this restores those links, so that the book can be read in a clone. Err if a link is broken.
pub fn build() -> Result {
    run(command("mdbook", &["build", "docs"]))?;
    let mut pages = Vec::new();
    walk(&root().join("book"), &mut pages).map_err(|error| error.to_string())?;
    let mut broken = Vec::new();
    // `print.html` repeats all pages in another folder, so it is skipped.
    for page in pages.iter().filter(|page| !page.ends_with("print.html") && !page.ends_with("404.html")) {
        let text = fs::read_to_string(page).map_err(|error| error.to_string())?;
        let mended = mend(page, &text, &mut broken);
        if mended != text {
            fs::write(page, mended).map_err(|error| error.to_string())?;
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(format!("broken links:\n{}", broken.join("\n"))) }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "html") {
            found.push(path);
        }
    }
    Ok(())
}

fn mend(page: &Path, text: &str, broken: &mut Vec<String>) -> String {
    let mut parts = text.split("href=\"");
    let mut result = parts.next().unwrap_or_default().to_owned();
    let folder = page.parent().unwrap_or(page);
    for part in parts {
        let (target, rest) = part.split_once('"').unwrap_or((part, ""));
        let (path, anchor) = target.find('#').map_or((target, ""), |at| target.split_at(at));
        let markdown = path.strip_suffix(".html").map(|stem| format!("{stem}.md"));
        let index = path.strip_suffix("README.html").map(|folder| format!("{folder}index.html"));
        let is_there = |path: &str| folder.join(path).exists();
        let mended = if path.is_empty() || path.contains(':') || is_there(path) {
            path.to_owned()
        } else if let Some(index) = index.filter(|index| is_there(index)) {
            index
        } else if let Some(markdown) = markdown.filter(|markdown| is_there(markdown)) {
            markdown
        } else {
            broken.push(format!("{}: {target}", page.display()));
            path.to_owned()
        };
        result.extend(["href=\"", &mended, anchor, "\"", rest]);
    }
    result
}
