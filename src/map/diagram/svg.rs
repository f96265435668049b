//! Writes a picture as SVG, without scripts or external references, so that it is safe to embed in any page.

use std::fmt::Write as _;

use entity::step_link::StepLinkKind;

use super::{
    Theme,
    layout::draw,
    legend::{Entry, Sample},
    model::Drawing,
    picture::{Align, Area, Line, Picture, Role, Text, What},
    text::{clean, escaped},
};

/// Radius of the corners of lines, in pixels.
const CORNER: i64 = 6;
/// Explanation of the notation for screen readers.
const NOTATION: &str = "Boxes from top to bottom are the steps of the journey, lines are their order. Arrows into the \
                        left of a box are influencers, arrows into the right are mediums. Bullets under a box are the \
                        top five expectations.";

/// Colours by purpose.
struct Palette {
    paper: &'static str,
    bands: [&'static str; 2],
    ink: &'static str,
    quiet: &'static str,
    influencer: &'static str,
    medium: &'static str,
    way_back: &'static str,
}

const LIGHT: Palette = Palette {
    paper: "#ffffff",
    bands: ["#f1f4f8", "#e6ebf2"],
    ink: "#17202b",
    quiet: "#44515f",
    influencer: "#8a4405",
    medium: "#07567f",
    way_back: "#87255f",
};

const DARK: Palette = Palette {
    paper: "#11151b",
    bands: ["#171d25", "#1e2631"],
    ink: "#eaeff5",
    quiet: "#b6c2cf",
    influencer: "#f2b56f",
    medium: "#82c8f2",
    way_back: "#ef9fcd",
};

/// Returns the drawing as SVG.
pub fn svg(drawing: &Drawing, theme: Theme) -> String {
    let picture = draw(drawing);
    let mut out = String::new();
    let Picture { width, height, .. } = &picture;
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"rapport-journey\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"graphics-document document\">"
    );
    let about = drawing.summary.as_deref().map(clean).unwrap_or_default();
    let _ = writeln!(
        out,
        "<title>{}</title>\n<desc>{}</desc>",
        escaped(&drawing.title),
        escaped(&format!("{about} {NOTATION}"))
    );
    out += &style(theme);
    out += "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n";
    for (index, (stage, area)) in picture.bands.iter().enumerate().filter(|(_, (stage, _))| stage.is_some()) {
        let odd = stage.unwrap_or(index) % 2;
        let _ = writeln!(
            out,
            "<rect class=\"band{odd}\" y=\"{}\" width=\"{width}\" height=\"{}\"/>",
            area.top, area.height
        );
    }
    for text in picture.texts.iter().filter(|text| text.step.is_none()) {
        set(&mut out, text, if text.role == Role::Title { " role=\"heading\" aria-level=\"1\"" } else { "" });
    }
    out += "<g aria-hidden=\"true\">\n";
    for line in picture.lines.iter().filter(|line| matches!(line.what, What::Link(_))) {
        stroke(&mut out, line);
    }
    out += "</g>\n";
    let mut blocks: Vec<Block<'_>> = drawing.steps.iter().map(|_| Block::default()).collect();
    for text in &picture.texts {
        if let Some(step) = text.step {
            blocks[step].texts.push(text);
        }
    }
    for line in &picture.lines {
        if let What::Influence(step, _) | What::Medium(step) = line.what {
            blocks[step].lines.push(line);
        }
    }
    for (step, x, y) in &picture.bullets {
        blocks[*step].bullets.push((*x, *y));
    }
    for (step, known) in blocks.into_iter().enumerate() {
        block(&mut out, picture.boxes[step], &known, step + 1);
    }
    legend(&mut out, &picture.legend);
    out += "</svg>\n";
    out
}

fn legend(out: &mut String, entries: &[Entry]) {
    if entries.is_empty() {
        return;
    }
    *out += "<g role=\"list\" aria-label=\"Legend\">\n";
    for Entry { sample, text } in entries {
        match sample {
            Sample::Line(line) => stroke(out, line),
            Sample::Bullet(x, y) => bullet(out, *x, *y),
        }
        set(out, text, " role=\"listitem\"");
    }
    *out += "</g>\n";
}

fn bullet(out: &mut String, x: i64, y: i64) {
    let _ = writeln!(out, "<circle class=\"ink\" cx=\"{x}\" cy=\"{y}\" r=\"2.5\"/>");
}

/// Texts, lines and bullets of one box.
#[derive(Default)]
struct Block<'a> {
    texts: Vec<&'a Text>,
    lines: Vec<&'a Line>,
    bullets: Vec<(i64, i64)>,
}

fn block(out: &mut String, area: Area, known: &Block<'_>, number: usize) {
    let _ = writeln!(out, "<g role=\"group\" aria-label=\"{number}\">");
    let Area { left, top, width, height } = area;
    let _ =
        writeln!(out, "<rect class=\"box\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"5\"/>");
    for line in &known.lines {
        stroke(out, line);
    }
    for (x, y) in &known.bullets {
        bullet(out, *x, *y);
    }
    for (role, label) in [
        (Role::Label, None),
        (Role::Name, None),
        (Role::Influencer, Some("Influencers")),
        (Role::Medium, Some("Mediums")),
        (Role::Expectation, Some("Expectations")),
    ] {
        let mut texts = known.texts.iter().filter(|text| text.role == role).peekable();
        let Some(label) = label.filter(|_| texts.peek().is_some()) else {
            texts.for_each(|text| set(out, text, ""));
            continue;
        };
        let _ = writeln!(out, "<g role=\"list\" aria-label=\"{label}\">");
        texts.for_each(|text| set(out, text, " role=\"listitem\""));
        *out += "</g>\n";
    }
    *out += "</g>\n";
}

fn set(out: &mut String, text: &Text, attributes: &str) {
    let (size, step) = text.role.size();
    let x = match text.align {
        Align::Left => text.area.left,
        Align::Middle => text.area.left + text.area.width / 2,
        Align::Right => text.area.right(),
    };
    // In right-to-left text, `start` is the right edge.
    let anchor = match (text.align, text.is_rtl) {
        (Align::Middle, _) => "middle",
        (Align::Left, false) | (Align::Right, true) => "start",
        (Align::Right, false) | (Align::Left, true) => "end",
    };
    let direction = if text.is_rtl { " direction=\"rtl\"" } else { "" };
    let y = text.area.top + (10 * step + 7 * size) / 20;
    let class = class(text.role);
    let _ = write!(out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\"{direction}{attributes}>");
    for (index, line) in text.lines.iter().enumerate() {
        let line = escaped(line);
        let _ = match index {
            0 => write!(out, "{line}"),
            _ => write!(out, "<tspan x=\"{x}\" dy=\"{step}\">{line}</tspan>"),
        };
    }
    *out += "</text>\n";
}

const fn class(role: Role) -> &'static str {
    match role {
        Role::Title => "title",
        Role::Segment => "segment",
        Role::Stage => "stage",
        Role::Name => "name",
        Role::Influencer => "influencer",
        Role::Medium => "medium",
        Role::Expectation => "expectation",
        Role::Label => "label",
    }
}

fn stroke(out: &mut String, line: &Line) {
    let class = match line.what {
        What::Link(StepLinkKind::Sequence) => "link".to_owned(),
        What::Link(StepLinkKind::Optional) => "link optional".to_owned(),
        What::Link(StepLinkKind::Parallel) => "link parallel".to_owned(),
        What::Link(StepLinkKind::Loop) => "link loop".to_owned(),
        What::Influence(_, strength) => format!("link into{}", strength.clamp(1, 5)),
        What::Medium(_) => "link over".to_owned(),
    };
    let _ = write!(out, "<path class=\"{class}\" d=\"");
    let mut points = line.points.clone();
    if let (true, [.., from, to]) = (line.has_head, &mut points[..]) {
        // Shorten the line: a thick one would be visible beside the tip of the arrowhead.
        *to = (to.0 - 6 * (to.0 - from.0).signum(), to.1 - 6 * (to.1 - from.1).signum());
    }
    for (index, (x, y)) in points.iter().copied().enumerate() {
        let Some((after, before)) = points.get(index + 1).zip(index.checked_sub(1).map(|before| points[before])) else {
            let _ = write!(out, "{}{x} {y}", if index == 0 { 'M' } else { 'L' });
            continue;
        };
        let ((x1, y1), (x2, y2)) = (towards((x, y), before), towards((x, y), *after));
        let _ = writeln!(out, "L{x1} {y1}Q{x} {y} {x2} {y2}");
    }
    *out += "\"/>";
    if let (true, [.., from, to]) = (line.has_head, &line.points[..]) {
        let (x, y) = *to;
        let (dx, dy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
        let (left, right) = ((x - 8 * dx - 4 * dy, y - 8 * dy - 4 * dx), (x - 8 * dx + 4 * dy, y - 8 * dy + 4 * dx));
        let class = match line.what {
            What::Link(StepLinkKind::Loop) => "loop-head",
            What::Link(_) => "ink",
            What::Influence(..) => "into-head",
            What::Medium(_) => "over-head",
        };
        let _ =
            writeln!(out, "<path class=\"{class}\" d=\"M{x} {y}L{} {}L{} {}Z\"/>", left.0, left.1, right.0, right.1);
    }
}

/// Returns the point at which the curve of a corner joins the line to the next or previous point.
fn towards((x, y): (i64, i64), (to_x, to_y): (i64, i64)) -> (i64, i64) {
    let step = |from: i64, to: i64| (to - from).signum() * CORNER.min((to - from).abs() / 2);
    (x + step(x, to_x), y + step(y, to_y))
}

/// Returns the style sheet. Each selector starts with the class of the picture, so that the rules do not affect the
/// embedding page.
fn style(theme: Theme) -> String {
    let mut css = String::from("<style>\n");
    css += ".rapport-journey text{font-family:system-ui,\"Segoe UI\",Helvetica,Arial,\"DejaVu Sans\",sans-serif}\n";
    for role in [
        Role::Title,
        Role::Segment,
        Role::Stage,
        Role::Name,
        Role::Influencer,
        Role::Medium,
        Role::Expectation,
        Role::Label,
    ] {
        let bold = if role.is_bold() { ";font-weight:600" } else { "" };
        let _ = writeln!(css, ".rapport-journey .{}{{font-size:{}px{bold}}}", class(role), role.size().0);
    }
    css += ".rapport-journey .link{fill:none;stroke-width:1.6}\n";
    css += ".rapport-journey .optional{stroke-dasharray:7 5}\n.rapport-journey .parallel{stroke-width:3.6}\n";
    css += ".rapport-journey .loop{stroke-dasharray:2 4}\n.rapport-journey .box{stroke-width:1.6}\n";
    for strength in 1..=5 {
        let tenths = 6 + 6 * strength;
        let _ = writeln!(css, ".rapport-journey .into{strength}{{stroke-width:{}.{}}}", tenths / 10, tenths % 10);
    }
    match theme {
        Theme::Light => css += &colours(&LIGHT),
        Theme::Dark => css += &colours(&DARK),
        Theme::Auto => {
            css += &colours(&LIGHT);
            let _ = writeln!(css, "@media (prefers-color-scheme:dark){{\n{}}}", colours(&DARK));
        }
    }
    css += "</style>\n";
    css
}

fn colours(palette: &Palette) -> String {
    let Palette { paper, bands, ink, quiet, influencer, medium, way_back } = palette;
    let mut css = String::new();
    for (selectors, rule) in [
        (&["paper"][..], format!("fill:{paper}")),
        (&["band0"], format!("fill:{}", bands[0])),
        (&["band1"], format!("fill:{}", bands[1])),
        (&["box"], format!("fill:{paper};stroke:{ink}")),
        (&["title", "stage", "name", "expectation", "ink"], format!("fill:{ink}")),
        (&["segment", "label"], format!("fill:{quiet}")),
        (&["influencer", "into-head"], format!("fill:{influencer}")),
        (&["medium", "over-head"], format!("fill:{medium}")),
        (&["loop-head"], format!("fill:{way_back}")),
        (&["link"], format!("stroke:{ink}")),
        (&["loop"], format!("stroke:{way_back}")),
        (&["over"], format!("stroke:{medium}")),
        (&["into1", "into2", "into3", "into4", "into5"], format!("stroke:{influencer}")),
    ] {
        let selectors: Vec<String> = selectors.iter().map(|name| format!(".rapport-journey .{name}")).collect();
        let _ = writeln!(css, "{}{{{rule}}}", selectors.join(","));
    }
    css
}
