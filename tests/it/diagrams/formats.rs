//! Mermaid, DOT and CJML: what they say, that nothing in a text ends it, and what is read back.

use entity::step_link::StepLinkKind;
use proptest::prelude::*;
use rapport::map::diagram::{Theme, cjml, dot, mermaid, model::Drawing, read_cjml, svg};
use roxmltree::Document;

use super::{branched, difficult, geometry::journeys, long, named, plain, step, texts};

/// Texts that would like to be something else.
const NASTY: [&str; 12] = [
    "<script>alert(1)</script>",
    "</text></svg><svg onload=alert(1)>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "]]><!--",
    "&amp;&#60;script&#62;&unknown;",
    "%%{init: {\"securityLevel\": \"loose\"}}%%",
    "\"] click step0 call alert()",
    "end\nsubgraph x",
    "\\\" ] evil [ label=\\\"",
    "\u{1b}[31mred\u{7}\u{0}\u{b}\u{fffe}\u{202e}desrever",
    "`**bold** ``` #quot; ;",
];

/// A journey of such texts.
pub fn nasty() -> Drawing {
    let mut drawing = branched();
    drawing.title = NASTY.join(" ");
    drawing.summary = Some(NASTY.concat());
    drawing.customer_segment = Some(NASTY[2].to_owned());
    for (place, stage) in drawing.stages.iter_mut().enumerate() {
        NASTY[place].clone_into(&mut stage.name);
    }
    for (place, step) in drawing.steps.iter_mut().enumerate() {
        NASTY[place].clone_into(&mut step.name);
        step.mediums = texts(&NASTY);
        step.expectations = texts(&NASTY[..5]);
        for influence in &mut step.influencers {
            NASTY[place + 1].clone_into(&mut influence.name);
        }
    }
    for (place, link) in drawing.links.iter_mut().enumerate() {
        link.label = Some(NASTY[place % NASTY.len()].to_owned());
    }
    drawing
}

#[test]
fn nothing_in_a_text_becomes_markup() {
    for theme in [Theme::Auto, Theme::Light, Theme::Dark] {
        let svg = svg(&nasty(), theme);
        let document = Document::parse(&svg).unwrap();
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            let name = node.tag_name().name();
            let known = ["svg", "title", "desc", "style", "rect", "g", "path", "circle", "text", "tspan"];
            assert!(known.contains(&name), "{name}");
            for attribute in node.attributes() {
                let name = attribute.name();
                assert!(!name.starts_with("on") && !name.contains("href") && name != "style", "{name}");
            }
        }
        let style = document.descendants().find(|node| node.has_tag_name("style")).unwrap().text().unwrap();
        assert!(!style.contains("url(") && !style.contains("@import") && !style.contains("</"));
        assert!(svg.chars().all(|sign| sign == '\n' || !sign.is_control()));
        // The one address is the name of the language.
        assert_eq!(svg.replace("http://www.w3.org/2000/svg", "").matches("://").count(), 0);
    }
}

#[test]
fn a_picture_says_what_it_is() {
    let svg = svg(&plain(), Theme::Auto);
    let document = Document::parse(&svg).unwrap();
    let root = document.root_element();
    assert!(root.attribute("role").is_some_and(|role| role.contains("graphics-document")));
    let child = |name: &str| root.children().find(|child| child.has_tag_name(name)).unwrap().text().unwrap();
    assert_eq!(child("title"), "Buying an espresso machine");
    assert!(child("desc").starts_with("From the first word of it to the first cup."));
    let lists: Vec<_> = document.descendants().filter_map(|node| node.attribute("aria-label")).collect();
    assert!(["Influencers", "Mediums", "Expectations", "1", "4"].iter().all(|label| lists.contains(label)));
}

#[test]
fn a_text_cannot_leave_its_line_of_mermaid_or_dot() {
    let lines = |text: String| text.lines().count();
    let (calm, wild) = (branched(), nasty());
    let mut calm_like_wild = wild.clone();
    for step in &mut calm_like_wild.steps {
        step.name = "a".to_owned();
        step.mediums = step.mediums.iter().map(|_| "a".to_owned()).collect();
        step.expectations = step.expectations.iter().map(|_| "a".to_owned()).collect();
        for influence in &mut step.influencers {
            "a".clone_into(&mut influence.name);
        }
    }
    calm_like_wild.stages.clone_from(&calm.stages);
    for link in &mut calm_like_wild.links {
        link.label = Some("a".to_owned());
    }
    calm_like_wild.title = "a".to_owned();
    assert_eq!(lines(mermaid(&wild)), lines(mermaid(&calm_like_wild)));
    assert_eq!(lines(dot(&wild)), lines(dot(&calm_like_wild)));
    let mermaid = mermaid(&wild);
    assert!(!mermaid.contains("%%") && !mermaid.contains("<script") && !mermaid.contains('`'));
}

#[test]
fn links_look_as_what_they_mean() {
    let drawing = branched();
    let (mermaid, dot) = (mermaid(&drawing), dot(&drawing));
    for line in
        ["step1 --- step3", "step0 -.-|\"knows already\"| step3", "step3 === step4", "step8 -.->|\"repaired\"| step7"]
    {
        assert!(mermaid.contains(line), "{mermaid}");
    }
    for line in [
        "step1:box -> step3:box [dir=none]",
        "step0:box -> step3:box [dir=none style=dashed label=\"knows already\"]",
        "step0from0 -> step0:box:w",
        "step0:box:e -> step0over0 [dir=back",
    ] {
        assert!(dot.contains(line), "{dot}");
    }
}

#[test]
fn what_cjml_says_is_read_back_without_loss() {
    for drawing in [plain(), branched(), long(), difficult()] {
        assert_eq!(read_cjml(&cjml(&drawing)).unwrap(), drawing);
    }
    assert_eq!(read_cjml(&cjml(&nasty())).unwrap().steps.len(), nasty().steps.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_journey_is_read_back_from_cjml(drawing in journeys()) {
        prop_assert_eq!(read_cjml(&cjml(&drawing)).unwrap(), drawing);
    }

    #[test]
    fn any_text_is_read_back_from_cjml_as_it_was(text in "[a-c \\t\\r\\n&<>\"'\u{85}\u{200b}\u{2028}👩]{0,20}[a-c]") {
        let mut drawing = named(Drawing { steps: vec![step(&text, None)], ..Drawing::default() });
        drawing.title.clone_from(&text);
        drawing.summary = Some(text.clone());
        drawing.steps[0].mediums = vec![text.clone(), text.clone()];
        drawing.steps[0].expectations = vec![text];
        prop_assert_eq!(read_cjml(&cjml(&drawing)).unwrap(), drawing);
    }

    #[test]
    fn no_label_of_mermaid_or_dot_is_empty(text in "[ \\t\\n\u{7}\u{200b}\u{feff}\u{2800}\u{202e}\u{ffff}]{0,4}") {
        let mut drawing = branched();
        for step in &mut drawing.steps {
            step.name.clone_from(&text);
            step.mediums = vec![text.clone()];
        }
        for stage in &mut drawing.stages {
            stage.name.clone_from(&text);
        }
        for link in &mut drawing.links {
            link.label = Some(text.clone());
        }
        let (mermaid, dot) = (mermaid(&drawing), dot(&drawing));
        for empty in ["[\"\"]", "[/\"\"/]", "([\"\"])", "|\"\"|", "label=<>", "<B></B>"] {
            prop_assert!(!mermaid.contains(empty) && !dot.contains(empty), "{}", empty);
        }
    }

    #[test]
    fn reading_never_panics(text in ".{0,300}") {
        drop(read_cjml(&text));
        drop(read_cjml(&format!("<CJML version=\"2.0\"><plannedJourney><touchpoints>{text}</touchpoints></plannedJourney></CJML>")));
    }
}

#[test]
fn cjml_has_the_elements_of_its_published_example() {
    let mut drawing = branched();
    drawing.steps[7].mediums.clear();
    drawing.steps[7].kind = "PRODUCT_USE".to_owned();
    let text = cjml(&drawing);
    let document = Document::parse(&text).unwrap();
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("version")), ("CJML", Some("2.0")));
    let names: Vec<&str> = root
        .descendants()
        .filter(|node| node.is_element() && node.tag_name().namespace().is_none())
        .map(|node| node.tag_name().name())
        .collect();
    for name in [
        "plannedJourney",
        "journeyID",
        "actors",
        "endUser",
        "actorName",
        "serviceProvider",
        "companyName",
        "touchpoints",
        "touchpointID",
        "initiator",
        "refersTo",
        "initiatorLabel",
        "receiver",
        "receiverLabel",
        "channel",
        "channelName",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    let count = |name: &str| names.iter().filter(|known| **known == name).count();
    assert_eq!((count("plannedCommunicationPoint"), count("plannedAction")), (9, 1));
    let actors: Vec<_> = root.descendants().filter_map(|node| node.attribute("actorID")).collect();
    assert!(root.descendants().filter_map(|node| node.attribute("actorIDref")).all(|actor| actors.contains(&actor)));
}

#[test]
fn the_flat_form_of_the_generator_is_read() {
    let text = r#"<cjml><actor id="a"><actorName>Mia</actorName><actorRole>customer</actorRole></actor>
        <touchpoint id="t1" type="communication"><initiator>a</initiator><initiatorDescription>Calls</initiatorDescription>
            <receiver>b</receiver><receiverDescription>Is called</receiverDescription><channel>phone</channel></touchpoint>
        <touchpoint id="t2" type="action"><initiator>a</initiator><initiatorDescription>Thinks</initiatorDescription></touchpoint></cjml>"#;
    let mut wanted = vec![step("Calls", None), step("Thinks", None)];
    wanted[0].mediums = texts(&["phone"]);
    "CONSIDERATION".clone_into(&mut wanted[1].kind);
    for (step, id) in wanted.iter_mut().zip(["t1", "t2"]) {
        id.clone_into(&mut step.id);
    }
    assert_eq!(read_cjml(text).unwrap().steps, wanted);
}

#[test]
fn what_is_no_cjml_or_would_harm_is_refused() {
    let inside = |text: &str| format!("<CJML version=\"2.0\"><plannedJourney>{text}</plannedJourney></CJML>");
    let deep = inside(&("<a>".repeat(200_000)));
    let point = "<a><touchpointID>1</touchpointID></a>";
    let link = "<r:link xmlns:r=\"urn:rapport:journey:1\" r:from=\"1\" r:to=\"2\" r:kind=\"SEQUENCE\"/>";
    let many = inside(&format!("<touchpoints>{}</touchpoints>", "<a/>".repeat(60_000)));
    for text in [
        "",
        "CJML",
        "<html/>",
        "<CJML version=\"2.0\"/>",
        &inside(""),
        &inside(&format!("<touchpoints>{point}{point}</touchpoints>")),
        &inside(&format!("<touchpoints>{point}</touchpoints>{link}")),
        "<!DOCTYPE CJML [<!ENTITY a \"b\">]><CJML><plannedJourney><touchpoints>&a;</touchpoints></plannedJourney></CJML>",
        "<!DOCTYPE CJML SYSTEM \"file:///etc/passwd\"><CJML><plannedJourney><touchpoints/></plannedJourney></CJML>",
        &inside("<touchpoints>&unknown;</touchpoints>"),
        &deep,
        &many,
        &inside(&" ".repeat(1024 * 1024)),
    ] {
        assert!(read_cjml(text).is_err(), "{}", &text[..text.len().min(200)]);
    }
    assert!(read_cjml(&inside("<touchpoints/>")).is_ok());
}

#[test]
fn a_journey_without_links_is_joined_in_its_order() {
    let drawing = named(Drawing { steps: vec![step("a", None), step("b", None)], ..Drawing::default() });
    assert!(mermaid(&drawing).contains("step0 --- step1"));
    assert!(drawing.links.is_empty() && drawing.lines()[0].kind == StepLinkKind::Sequence);
}
