//! Where things stand in a picture: no text on another, no line through a text or a box, every text once.

use entity::step_link::StepLinkKind;
use proptest::{collection::vec, option, prelude::*};
use rapport::map::diagram::{
    Theme, draw,
    legend::{Entry, Sample},
    model::{Drawing, Influence, Stage, Step, StepLink},
    picture::{Area, Line, Picture, What},
    svg,
};
use roxmltree::Document;

use super::{branched, difficult, kind, long, named, plain, shown};

const KINDS: [StepLinkKind; 4] =
    [StepLinkKind::Sequence, StepLinkKind::Optional, StepLinkKind::Loop, StepLinkKind::Parallel];

fn meet(one: Area, other: Area) -> bool {
    one.left < other.right() && other.left < one.right() && one.top < other.bottom() && other.top < one.bottom()
}

/// The area that a piece of a line touches.
fn touched(from: (i64, i64), to: (i64, i64)) -> Area {
    assert!(from.0 == to.0 || from.1 == to.1, "lines run straight: {from:?} {to:?}");
    let (left, top) = (from.0.min(to.0), from.1.min(to.1));
    Area { left, top, width: (from.0 - to.0).abs() + 1, height: (from.1 - to.1).abs() + 1 }
}

fn pieces(line: &Line) -> impl Iterator<Item = Area> {
    line.points.windows(2).map(|two| touched(two[0], two[1]))
}

fn check(drawing: &Drawing) {
    let Picture { width, height, boxes, texts, lines, legend, .. } = draw(drawing);
    let whole = Area { left: 0, top: 0, width, height };
    let inside = |area: &Area| area.left >= 0 && area.top >= 0 && area.right() <= width && area.bottom() <= height;
    for (place, text) in texts.iter().enumerate() {
        assert!(inside(&text.area), "{text:?} leaves {whole:?}");
        for other in &texts[place + 1..] {
            assert!(!meet(text.area, other.area), "{text:?} lies on {other:?}");
        }
        for (step, area) in boxes.iter().enumerate() {
            let is_its_name =
                text.step == Some(step) && squeezed(&text.lines.concat()) == squeezed(&drawing.steps[step].name);
            assert!(is_its_name || !meet(text.area, *area), "{text:?} lies on the box {step}");
        }
    }
    // The legend stands below all else, and its samples before its words.
    let lowest =
        texts.iter().map(|text| text.area).chain(boxes.iter().copied()).map(|area| area.bottom()).max().unwrap();
    let lowest = lines.iter().flat_map(pieces).map(|piece| piece.bottom()).fold(lowest, i64::max);
    for (place, entry) in legend.iter().enumerate() {
        assert!(inside(&entry.text.area) && entry.text.area.top >= lowest, "{entry:?} lies on the picture");
        let sample = |entry: &Entry| match &entry.sample {
            Sample::Line(line) => pieces(line).collect(),
            Sample::Bullet(x, y) => vec![Area { left: x - 3, top: y - 3, width: 6, height: 6 }],
        };
        for area in sample(entry) {
            assert!(inside(&area) && area.top >= lowest, "{entry:?}");
            assert!(legend.iter().all(|other| !meet(area, other.text.area)), "{entry:?} crosses a text");
        }
        assert!(legend[place + 1..].iter().all(|other| !meet(entry.text.area, other.text.area)), "{entry:?}");
    }
    let shows = |is_it: fn(What) -> bool| lines.iter().any(|line| is_it(line.what));
    let explained = |is_it: fn(What) -> bool| {
        legend.iter().any(|entry| matches!(&entry.sample, Sample::Line(line) if is_it(line.what)))
    };
    for is_it in [
        |what| matches!(what, What::Influence(..)),
        |what| matches!(what, What::Medium(_)),
        |what| matches!(what, What::Link(StepLinkKind::Sequence)),
        |what| matches!(what, What::Link(StepLinkKind::Optional)),
        |what| matches!(what, What::Link(StepLinkKind::Parallel)),
        |what| matches!(what, What::Link(StepLinkKind::Loop)),
    ] as [fn(What) -> bool; 6]
    {
        assert_eq!(shows(is_it), explained(is_it), "the legend explains what is there, and nothing else");
    }
    for (step, area) in boxes.iter().enumerate() {
        assert!(inside(area));
        assert!(boxes[step + 1..].iter().all(|other| !meet(*area, *other)), "the box {step} lies on another");
    }
    let mut ends: Vec<(i64, i64)> = Vec::new();
    for line in &lines {
        for piece in pieces(line) {
            assert!(inside(&piece), "{line:?} leaves {whole:?}");
            let text = texts.iter().find(|text| meet(text.area, piece));
            assert!(text.is_none(), "{line:?} crosses {text:?}");
            // A line begins and ends at the edge of a box, and touches no other.
            let within = |area: &Area| Area {
                left: area.left + 1,
                top: area.top + 1,
                width: area.width - 2,
                height: area.height - 2,
            };
            assert!(boxes.iter().all(|area| !meet(within(area), piece)), "{line:?} crosses a box");
        }
        let (first, last) = (line.points[0], line.points[line.points.len() - 1]);
        let on_edge = |x: i64, side: &dyn Fn(&Area) -> i64| boxes.iter().any(|area| side(area) == x);
        match line.what {
            What::Influence(step, _) => assert_eq!(last.0, boxes[step].left, "into the left"),
            What::Medium(step) => assert_eq!(last.0, boxes[step].right(), "into the right"),
            What::Link(_) => {
                assert!(on_edge(first.1, &Area::bottom) && on_edge(last.1, &|area| area.top));
                ends.extend([first, last]);
            }
        }
    }
    let count = ends.len();
    ends.sort_unstable();
    ends.dedup();
    assert_eq!(ends.len(), count, "each line has an end of its own");
}

/// Whether two lines lie on one another for a while: where they only cross, they do not.
fn no_two_lines_cover_one_another(drawing: &Drawing) {
    let picture = draw(drawing);
    let links: Vec<&Line> = picture.lines.iter().filter(|line| matches!(line.what, What::Link(_))).collect();
    for (place, line) in links.iter().enumerate() {
        for other in &links[place + 1..] {
            for (one, two) in pieces(line).flat_map(|one| pieces(other).map(move |two| (one, two))) {
                let is_parallel = (one.width == 1) == (two.width == 1);
                assert!(!(is_parallel && meet(one, two)), "{line:?} covers {other:?}");
            }
        }
    }
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The texts of an SVG, their lines joined.
fn drawn(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts
        .map(|node| node.descendants().filter(roxmltree::Node::is_text).filter_map(|inner| inner.text()).collect())
        .collect()
}

fn every_text_is_there_once(drawing: &Drawing) {
    let mut drawn: Vec<String> = drawn(&svg(drawing, Theme::Auto)).iter().map(|text| squeezed(text)).collect();
    let mut wanted: Vec<String> = shown(drawing).into_iter().map(squeezed).collect();
    wanted.extend(draw(drawing).legend.iter().map(|entry| squeezed(&entry.text.lines.concat())));
    drawn.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(drawn, wanted);
}

#[test]
fn the_pictures_that_are_kept_have_no_text_on_a_text_and_no_line_through_one() {
    for drawing in [plain(), branched(), long(), difficult()] {
        check(&drawing);
        no_two_lines_cover_one_another(&drawing);
        every_text_is_there_once(&drawing);
    }
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z]{1,9}( [a-z]{1,9}){0,5}",
        1 => "[a-zA-Z]{40,90}",
        1 => "[\u{5d0}-\u{5ea}]{1,8}( [\u{5d0}-\u{5ea}]{1,8}){0,3}",
        1 => "[一-龥]{1,40}",
    ]
}

fn some_step(stages: usize) -> impl Strategy<Value = Step> {
    let influences = vec((words(), 1_i64..=5), 0..4);
    let stage = option::of(0..stages.max(1));
    (words(), stage, influences, vec(words(), 0..4), vec(words(), 0..6)).prop_map(
        |(name, stage, influences, mediums, expectations)| Step {
            name,
            kind: "OTHER".to_owned(),
            stage,
            influencers: influences.into_iter().map(|(name, strength)| Influence { name, strength }).collect(),
            mediums,
            expectations,
            ..Step::default()
        },
    )
}

/// Any journey; links may even close circles that no journey of ours has.
pub(super) fn journeys() -> impl Strategy<Value = Drawing> {
    let stages = vec(words(), 0..4);
    (stages, 1_usize..14).prop_flat_map(|(names, count)| {
        let stages: Vec<Stage> =
            names.into_iter().enumerate().map(|(place, name)| Stage { id: format!("stage_{place}"), name }).collect();
        let link = (0..count, 0..count, 0..4_usize, option::of(words()));
        (Just(stages.clone()), vec(some_step(stages.len()), count), vec(link, 0..24), words()).prop_map(
            |(stages, mut steps, links, title)| {
                for step in &mut steps {
                    step.stage = step.stage.filter(|stage| *stage < stages.len());
                }
                let link = |(from, to, kind, label)| StepLink { from, to, kind: KINDS[kind], label };
                let links = links.into_iter().map(link).collect();
                named(Drawing { title, stages, steps, links, ..Drawing::default() })
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_text_lies_on_another_and_no_line_crosses_a_text(drawing in journeys()) {
        check(&drawing);
        no_two_lines_cover_one_another(&drawing);
        every_text_is_there_once(&drawing);
    }
}

#[test]
fn a_plain_flow_is_one_straight_line_from_top_to_bottom() {
    let picture = draw(&plain());
    let links: Vec<&Line> = picture.lines.iter().filter(|line| line.what == What::Link(kind("SEQUENCE"))).collect();
    assert_eq!(links.len(), 3);
    assert!(
        links.iter().all(|line| line.points.len() == 2 && line.points[0].0 == links[0].points[0].0 && !line.has_head)
    );
}

#[test]
fn a_step_stands_below_those_that_lead_to_it_and_only_ways_back_have_heads() {
    let drawing = branched();
    let picture = draw(&drawing);
    for link in drawing.links.iter().filter(|link| link.kind != StepLinkKind::Loop) {
        assert!(picture.boxes[link.from].bottom() < picture.boxes[link.to].top);
    }
    for line in &picture.lines {
        if let What::Link(kind) = line.what {
            assert_eq!(line.has_head, kind == StepLinkKind::Loop);
        }
    }
}

#[test]
fn the_largest_journey_is_drawn() {
    let steps = (0..1_000).map(|place| super::step(&format!("Step {place}"), None)).collect();
    let links = (0..5_000)
        .map(|place: usize| StepLink {
            from: place % 1_000,
            to: place * 7 % 1_000,
            kind: KINDS[place % 4],
            label: None,
        })
        .collect();
    let drawing = named(Drawing { title: "Large".to_owned(), steps, links, ..Drawing::default() });
    assert_eq!(drawn(&svg(&drawing, Theme::Auto)).len(), 1_001 + draw(&drawing).legend.len());
}
