//! Layout of a drawing: places rows from top to bottom, boxes in rows, and texts around boxes. All lengths are in
//! pixels.

use super::{
    legend,
    model::{Drawing, Step},
    picture::{Align, Area, Line, Picture, Role, Text, What},
    route::{self, GRID, Ports},
    rows::Rows,
    text,
};

/// Maximum width of a text beside a box.
const BESIDE: i64 = 140;
/// Length of an arrow.
const ARROW: i64 = 42;
/// Minimum width of a box.
const BOX: i64 = 16 * GRID;
/// Maximum width of an expectation, including its bullet.
const BULLET: i64 = 24 * GRID;
/// Maximum width of a link label.
pub(super) const LABEL: i64 = 130;
/// Maximum width of a stage name.
const STAGE: i64 = 120;
/// Space between adjacent blocks and around the picture.
const MARGIN: i64 = 28;
/// Minimum width of a picture.
const NARROWEST: i64 = 420;

/// A text broken into lines, without a position.
#[derive(Debug)]
pub(super) struct Loose {
    pub role: Role,
    pub lines: Vec<String>,
    pub width: i64,
    pub height: i64,
    is_rtl: bool,
}

impl Loose {
    pub fn new(role: Role, whole: &str, most: i64) -> Self {
        let (size, step) = role.size();
        let of = |width: i64| if role.is_bold() { width * 10 / 11 } else { width };
        let lines = text::lines(whole, size, of(most));
        let widest = lines.iter().map(|line| text::width(line, size)).max().unwrap_or(0);
        let width = if role.is_bold() { widest * 11 / 10 + 1 } else { widest };
        let height = step * i64::try_from(lines.len()).unwrap_or(0);
        Self { role, lines, width, height, is_rtl: text::is_rtl(whole) }
    }

    /// Positions the text: `x` is the coordinate that `align` refers to, `top` the upper edge.
    pub fn at(self, step: Option<usize>, x: i64, top: i64, align: Align) -> Text {
        let left = match align {
            Align::Left => x,
            Align::Middle => x - self.width / 2,
            Align::Right => x - self.width,
        };
        let area = Area { left, top, width: self.width, height: self.height };
        Text { role: self.role, step, area, align, lines: self.lines, is_rtl: self.is_rtl }
    }
}

/// A step with its texts and sizes. Horizontal positions are relative to the left edge of the box.
pub(super) struct Block {
    pub ports: Ports,
    name: Loose,
    influencers: Vec<Loose>,
    mediums: Vec<Loose>,
    expectations: Vec<Loose>,
    width: i64,
    height: i64,
    /// Left edge of the bullets.
    indent: i64,
    /// Height of the expectations below the box.
    under: i64,
}

fn stack(texts: &[Loose]) -> i64 {
    texts.iter().map(|text| text.height + 8).sum()
}

impl Block {
    fn new(step: &Step, ports: Ports) -> Self {
        let beside = |role, name: &str| Loose::new(role, name, BESIDE);
        let influencers: Vec<Loose> =
            step.influencers.iter().map(|known| beside(Role::Influencer, &known.name)).collect();
        let mediums: Vec<Loose> = step.mediums.iter().map(|name| beside(Role::Medium, name)).collect();
        let width = BOX.max(ports.width());
        let name = Loose::new(Role::Name, &step.name, width - 24);
        let expectations: Vec<Loose> =
            step.expectations.iter().map(|text| Loose::new(Role::Expectation, text, BULLET - 16)).collect();
        let under = if expectations.is_empty() { 0 } else { 8 };
        let under = under + expectations.iter().map(|text| text.height + 4).sum::<i64>();
        let height = (name.height + 22).max(stack(&influencers) + 8).max(stack(&mediums) + 8);
        let indent = ports.out_width();
        Self { ports, name, influencers, mediums, expectations, width, height, indent, under }
    }

    /// Returns how far the block extends to the left of the box.
    fn left(&self) -> i64 {
        let widest = self.influencers.iter().map(|text| text.width).max();
        widest.map_or(0, |widest| widest + 6 + ARROW)
    }

    /// Returns how far the block extends to the right of the left edge of the box.
    fn right(&self) -> i64 {
        let mediums = self.mediums.iter().map(|text| text.width).max();
        let beside = mediums.map_or(0, |widest| widest + 6 + ARROW);
        let under = if self.expectations.is_empty() { 0 } else { self.indent + BULLET };
        (self.width + beside).max(under)
    }
}

/// Positions of rows, columns and lanes.
pub(super) struct Plan<'a> {
    pub rows: &'a Rows,
    pub blocks: &'a mut [Block],
    /// Left edge of the box of each step.
    pub x: Vec<i64>,
    /// Maximum extent of a block to the left of its box.
    pub left: i64,
    /// Distance between the boxes of adjacent blocks.
    pub pitch: i64,
    /// X coordinate at which the lanes to the right of all blocks start.
    pub edge: i64,
}

/// Lays out a drawing and returns its picture.
pub fn draw(drawing: &Drawing) -> Picture {
    let lines = drawing.lines();
    let rows = Rows::of(drawing, &lines);
    let mut ports: Vec<Ports> = drawing.steps.iter().map(|_| Ports::default()).collect();
    for (index, line) in lines.iter().enumerate() {
        ports[line.from].out.push(index);
        ports[line.to].into.push((index, line.label.as_deref().map(|label| Loose::new(Role::Label, label, LABEL))));
    }
    let mut blocks: Vec<Block> = drawing.steps.iter().zip(ports).map(|(step, ports)| Block::new(step, ports)).collect();
    let left = up(blocks.iter().map(Block::left).max().unwrap_or(0));
    let right = up(blocks.iter().map(Block::right).max().unwrap_or(0));
    // A multiple of twice the grid, so that the midpoint between two columns is on the grid too.
    let pitch = (left + right + MARGIN + 2 * GRID - 1) / (2 * GRID) * (2 * GRID);

    let headings: Vec<Loose> = drawing.stages.iter().map(|stage| Loose::new(Role::Stage, &stage.name, STAGE)).collect();
    let beside = if rows.bands.iter().any(|(stage, _)| stage.is_some()) { up(STAGE + MARGIN) } else { 0 };
    let x = columns(&rows, pitch);
    let first = x.iter().zip(&blocks).map(|(x, block)| x - up(block.left())).min().unwrap_or(0);
    let x: Vec<i64> = x.iter().map(|x| x - first + MARGIN + beside).collect();
    let edge = x.iter().zip(&blocks).map(|(x, block)| x + up(block.right())).max().unwrap_or(MARGIN);
    let mut plan = Plan { rows: &rows, blocks: &mut blocks, x, left, pitch, edge };
    let routes = route::routes(&mut plan, &lines);

    let mut picture = Picture { width: (routes.right + MARGIN).max(NARROWEST), ..Picture::default() };
    let mut y = MARGIN;
    for (role, text) in [(Role::Title, Some(&drawing.title)), (Role::Segment, drawing.customer_segment.as_ref())] {
        let Some(text) = text else { continue };
        let text = Loose::new(role, text, picture.width - 2 * MARGIN);
        let height = text.height;
        picture.texts.push(text.at(None, MARGIN, y, Align::Left));
        y += height + 4;
    }
    y += 12;
    let tops = place_rows(&mut picture, &plan, &routes.channels, headings, y);
    let x = std::mem::take(&mut plan.x);
    picture.boxes = vec![Area::default(); drawing.steps.len()];
    for (step, block) in blocks.into_iter().enumerate() {
        let top = tops.rows[rows.row_of[step]];
        picture.boxes[step] = Area { left: x[step], top, width: block.width, height: block.height };
        place_block(&mut picture, step, &drawing.steps[step], block, &routes);
    }
    for route in &routes.lines {
        picture.lines.push(route.line(&lines, &picture.boxes, &tops.channels));
    }
    legend::add(&mut picture, MARGIN);
    picture
}

/// Rounds a length up to a multiple of [`GRID`].
pub(super) fn up(length: i64) -> i64 {
    (length + GRID - 1).div_euclid(GRID) * GRID
}

/// Returns the left edge of the box of each step: at the mean position of its predecessors, at least `pitch` from
/// adjacent boxes.
fn columns(rows: &Rows, pitch: i64) -> Vec<i64> {
    let mut x = vec![0; rows.row_of.len()];
    for row in &rows.steps {
        let count = i64::try_from(row.len()).unwrap_or(0);
        // Adjacent steps whose wanted positions are closer than `pitch` form a group, which is placed at their mean.
        let mut groups: Vec<(i64, i64)> = Vec::new();
        for (index, step) in (0..).zip(row) {
            let above = &rows.above[*step];
            let near = i64::try_from(above.len()).unwrap_or(0);
            let wanted = match near {
                0 => (2 * index - count + 1) * pitch / 2,
                near => above.iter().map(|other| x[*other]).sum::<i64>() / near,
            };
            groups.push((wanted - index * pitch, 1));
            while let [.., (sum, size), (next, more)] = groups[..]
                && sum.div_euclid(size) > next.div_euclid(more)
            {
                groups.pop();
                groups.pop();
                groups.push((sum + next, size + more));
            }
        }
        let places = groups.iter().flat_map(|(sum, size)| (0..*size).map(move |_| sum.div_euclid(*size)));
        for ((index, step), place) in (0..).zip(row).zip(places) {
            x[*step] = (place + index * pitch).div_euclid(GRID) * GRID;
        }
    }
    x
}

/// Vertical positions of rows and channels.
struct Tops {
    /// Upper edge of the boxes of each row.
    rows: Vec<i64>,
    /// Upper edge of the channel above each row, and of the channel below the last row.
    channels: Vec<i64>,
}

/// Places rows from `y` downwards with channels between them, and adds the bands of the stages behind them.
fn place_rows(picture: &mut Picture, plan: &Plan<'_>, channels: &[i64], headings: Vec<Loose>, mut y: i64) -> Tops {
    let mut tops = Tops { rows: Vec::new(), channels: Vec::new() };
    let mut headings: Vec<Option<Loose>> = headings.into_iter().map(Some).collect();
    let mut rows = plan.rows.steps.iter().enumerate();
    for (stage, count) in &plan.rows.bands {
        // The channel above the first row of a band belongs to the previous band, except in the first band.
        let top = if tops.rows.is_empty() { y } else { y + channels[tops.rows.len()] };
        for (index, row) in rows.by_ref().take(*count) {
            tops.channels.push(y);
            let blocks = || row.iter().map(|step| &plan.blocks[*step]);
            y += channels[index] + if tops.channels.len() > 1 && y + channels[index] == top { MARGIN / 2 } else { 0 };
            y += blocks().map(|block| block.ports.strip()).max().unwrap_or(0);
            tops.rows.push(y);
            y += blocks().map(|block| block.height + block.under).max().unwrap_or(0);
        }
        let heading = stage.and_then(|stage| headings[stage].take());
        let bottom = heading.as_ref().map_or(0, |heading| top + heading.height + 24 - channels[tops.rows.len()]);
        y = y.max(bottom);
        let area = Area { left: 0, top, width: picture.width, height: y + channels[tops.rows.len()] - top };
        picture.bands.push((*stage, area));
        picture.texts.extend(heading.map(|heading| heading.at(None, MARGIN / 2, top + 12, Align::Left)));
    }
    tops.channels.push(y);
    // Stages without steps get a band with their name too.
    y += channels.last().copied().unwrap_or(0);
    for (stage, heading) in headings.into_iter().enumerate() {
        let Some(heading) = heading else { continue };
        let height = heading.height + 24;
        picture.bands.push((Some(stage), Area { left: 0, top: y, width: picture.width, height }));
        picture.texts.push(heading.at(None, MARGIN / 2, y + 12, Align::Left));
        y += height;
    }
    picture.height = y + MARGIN / 2;
    tops
}

/// Adds the texts, arrows and bullets of a block inside, beside, below and above its box.
fn place_block(picture: &mut Picture, step: usize, drawn: &Step, block: Block, routes: &route::Routes) {
    let area = picture.boxes[step];
    let (here, middle) = (Some(step), area.top + area.height / 2);
    let top = middle - block.name.height / 2;
    picture.texts.push(block.name.at(here, area.left + area.width / 2, top, Align::Middle));

    let mut y = middle - stack(&block.influencers) / 2 + 4;
    for (text, influence) in block.influencers.into_iter().zip(&drawn.influencers) {
        let at = y + text.height / 2;
        y += text.height + 8;
        picture.texts.push(text.at(here, area.left - ARROW - 6, at - (y - 8 - at), Align::Right));
        let points = vec![(area.left - ARROW, at), (area.left, at)];
        picture.lines.push(Line { what: What::Influence(step, influence.strength), points, has_head: true });
    }
    let mut y = middle - stack(&block.mediums) / 2 + 4;
    for text in block.mediums {
        let at = y + text.height / 2;
        y += text.height + 8;
        picture.texts.push(text.at(here, area.right() + ARROW + 6, at - (y - 8 - at), Align::Left));
        let points = vec![(area.right() + ARROW, at), (area.right(), at)];
        picture.lines.push(Line { what: What::Medium(step), points, has_head: true });
    }
    let mut y = area.bottom() + 8;
    let left = area.left + block.indent;
    let widest = block.expectations.iter().map(|text| text.width).max().unwrap_or(0);
    let right = (left + widest + 12).max(area.right().min(left + BULLET));
    for text in block.expectations {
        let (x, align, bullet) =
            if text.is_rtl { (right - 12, Align::Right, right - 4) } else { (left + 12, Align::Left, left + 4) };
        picture.bullets.push((step, bullet, y + 8));
        let height = text.height + 4;
        picture.texts.push(text.at(here, x, y, align));
        y += height;
    }
    for (link, label) in block.ports.into {
        let (Some(label), Some(x)) = (label, routes.ends.get(&link)) else { continue };
        let top = area.top - label.height - 4;
        picture.texts.push(label.at(here, *x + GRID / 2 + 1, top, Align::Left));
    }
}
