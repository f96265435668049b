//! Diagrams of journeys: their pictures, the other formats, and who may have them.

mod api;
mod formats;
mod geometry;
mod golden;
mod served;
mod signed;

use entity::{noun::StringEnum, step_link::StepLinkKind};
use rapport::map::diagram::model::{Drawing, Influence, Stage, Step, StepLink};

fn step(name: &str, stage: Option<usize>) -> Step {
    Step { name: name.to_owned(), kind: "OTHER".to_owned(), stage, ..Step::default() }
}

fn links(list: &[(usize, usize, StepLinkKind, &str)]) -> Vec<StepLink> {
    let label = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    list.iter()
        .map(|(from, to, kind, text)| StepLink { from: *from, to: *to, kind: *kind, label: label(text) })
        .collect()
}

fn stages(names: &[&str]) -> Vec<Stage> {
    let stage = |(place, name): (usize, &&str)| Stage { id: format!("stage_{place}"), name: (*name).to_owned() };
    names.iter().enumerate().map(stage).collect()
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn influences(list: &[(&str, i64)]) -> Vec<Influence> {
    list.iter().map(|(name, strength)| Influence { name: (*name).to_owned(), strength: *strength }).collect()
}

fn named(mut drawing: Drawing) -> Drawing {
    "journey_01".clone_into(&mut drawing.id);
    for (place, step) in drawing.steps.iter_mut().enumerate() {
        step.id = format!("step_{place}");
    }
    drawing
}

/// Every text that a drawing shows.
fn shown(drawing: &Drawing) -> Vec<&str> {
    let mut texts = vec![drawing.title.as_str()];
    texts.extend(drawing.customer_segment.as_deref());
    texts.extend(drawing.stages.iter().map(|stage| stage.name.as_str()));
    for step in &drawing.steps {
        texts.push(&step.name);
        texts.extend(step.influencers.iter().map(|influence| influence.name.as_str()));
        texts.extend(step.mediums.iter().chain(&step.expectations).map(String::as_str));
    }
    texts.extend(drawing.links.iter().filter_map(|link| link.label.as_deref()));
    texts
}

/// A plain flow.
fn plain() -> Drawing {
    let mut hear = step("Hear of the espresso machine", None);
    hear.influencers = influences(&[("Advertisement", 2), ("A friend's advice", 5)]);
    hear.mediums = texts(&["Magazine", "Web"]);
    hear.expectations = texts(&["Learn in a minute what it does better", "See the price without asking"]);
    let mut shop = step("Try it in the shop", None);
    shop.influencers = influences(&[("Opening hours", 3)]);
    shop.mediums = texts(&["Shop"]);
    shop.expectations = texts(&[
        "Somebody who knows the machine is there",
        "I can taste a coffee",
        "Nobody presses me to buy",
        "The price is the same as on the web",
        "I can take it home at once",
    ]);
    let mut order = step("Buy", None);
    order.mediums = texts(&["Till", "Invoice"]);
    order.expectations = texts(&["Pay the way I like"]);
    let mut unpack = step("Unpack and use it for the first time", None);
    unpack.influencers = influences(&[("Hunger for coffee", 4)]);
    unpack.mediums = texts(&["The product itself", "Manual"]);
    unpack.expectations = texts(&[
        "The first cup within ten minutes of opening the box, without having to read more than one page of the manual",
    ]);
    named(Drawing {
        title: "Buying an espresso machine".to_owned(),
        summary: Some("From the first word of it to the first cup.".to_owned()),
        customer_segment: Some("Households".to_owned()),
        steps: vec![hear, shop, order, unpack],
        ..Drawing::default()
    })
}

/// Stages, a branch, a parallel, a way past, a way back.
fn branched() -> Drawing {
    use StepLinkKind::{Loop, Optional, Parallel, Sequence};
    let mut steps = vec![
        step("Compare offers", Some(0)),
        step("Ask by phone", Some(0)),
        step("Ask in the shop", Some(0)),
        step("Order", Some(1)),
        step("Get the confirmation", Some(1)),
        step("Pay", Some(1)),
        step("Take delivery", Some(1)),
        step("Use it", Some(2)),
        step("Have it repaired", Some(2)),
        step("Return it", Some(2)),
    ];
    steps[0].influencers = influences(&[("Test report", 4), ("Price", 5)]);
    steps[0].mediums = texts(&["Web"]);
    steps[0].expectations = texts(&["All prices in one table", "No registration"]);
    steps[1].mediums = texts(&["Phone"]);
    steps[1].expectations = texts(&["Answered within a minute"]);
    steps[2].mediums = texts(&["Shop"]);
    steps[3].mediums = texts(&["Web", "Phone", "Letter"]);
    steps[3].expectations = texts(&["Changed without fuss until it ships"]);
    steps[4].mediums = texts(&["Email"]);
    steps[5].influencers = influences(&[("Reminder", 1)]);
    steps[5].mediums = texts(&["Invoice"]);
    steps[6].mediums = texts(&["Courier"]);
    steps[6].expectations = texts(&["On the day that was promised", "A neighbour may take it"]);
    steps[7].influencers = influences(&[("Habit", 3)]);
    steps[7].mediums = texts(&["The product itself"]);
    steps[8].mediums = texts(&["Workshop"]);
    steps[8].expectations = texts(&["Back within a week"]);
    named(Drawing {
        title: "From the first question to the last".to_owned(),
        customer_segment: Some("People who buy for the first time".to_owned()),
        stages: stages(&["Consider", "Buy", "Own and look after it"]),
        links: links(&[
            (0, 1, Sequence, "has questions"),
            (0, 2, Sequence, "lives near a shop"),
            (0, 3, Optional, "knows already"),
            (1, 3, Sequence, ""),
            (2, 3, Sequence, ""),
            (3, 4, Parallel, ""),
            (3, 5, Parallel, ""),
            (4, 6, Sequence, ""),
            (5, 6, Sequence, ""),
            (6, 7, Sequence, ""),
            (7, 8, Optional, "it fails"),
            (8, 7, Loop, "repaired"),
            (7, 9, Optional, ""),
            (9, 0, Loop, "wants another one"),
        ]),
        steps,
        ..Drawing::default()
    })
}

/// A long one.
fn long() -> Drawing {
    use StepLinkKind::{Loop, Optional, Sequence};
    let mut steps: Vec<Step> =
        (0..40).map(|place| step(&format!("Step number {}", place + 1), Some(place / 8))).collect();
    for (place, step) in steps.iter_mut().enumerate() {
        step.influencers =
            influences(&[("Season", 1), ("Neighbours", 3)][..place % 3 % 2 + usize::from(place % 4 == 0)]);
        step.mediums = texts(&["Web", "Phone", "Letter"][..place % 4]);
        let all = [
            "It is quick",
            "It is right the first time",
            "I am told what happens",
            "It costs what was said",
            "I am thanked",
        ];
        step.expectations = texts(&all[..place % 6]);
    }
    let mut list: Vec<_> = (1..40).map(|to| (to - 1, to, Sequence, "")).collect();
    list.extend([
        (3, 9, Optional, "in a hurry"),
        (12, 20, Optional, ""),
        (30, 26, Loop, "once more"),
        (39, 1, Loop, "next year"),
    ]);
    let stages = stages(&["Awareness", "Consideration", "Purchase", "Use", "Farewell"]);
    named(Drawing { title: "A year with us".to_owned(), stages, links: links(&list), steps, ..Drawing::default() })
}

/// Right to left, words that are too long, emoji, signs of markup.
fn difficult() -> Drawing {
    use StepLinkKind::{Optional, Sequence};
    let mut steps = vec![
        step("הזמנה באתר", Some(0)),
        step("استلام الطلب في المتجر", Some(0)),
        step("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", Some(1)),
        step("在商店购买咖啡机并当场试用所有功能直到满意为止", Some(1)),
        step("Party 🎉👩‍👩‍👧‍👦🇩🇪 <b>\"&'</b>", None),
    ];
    steps[0].influencers = influences(&[("המלצה של חבר", 5), ("פרסומת", 1)]);
    steps[0].mediums = texts(&["אתר אינטרנט", "טלפון"]);
    steps[0].expectations =
        texts(&["תשובה תוך יום אחד, גם בסוף השבוע וגם בחגים, בלי לחכות בתור", "מחיר ידוע מראש (100 ₪)"]);
    steps[1].influencers = influences(&[("توصية", 2)]);
    steps[1].mediums = texts(&["متجر"]);
    steps[1].expectations = texts(&["موظف يتحدث العربية ويعرف المنتج جيدا"]);
    steps[2].influencers = influences(&[("Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz", 3)]);
    steps[2].mediums = texts(&["https://example.org/a/very/long/address/without/any/space/at/all"]);
    steps[2].expectations = texts(&["WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"]);
    steps[3].mediums = texts(&["店铺", "📞"]);
    steps[3].expectations = texts(&["有人会说我的语言，并且知道这台机器"]);
    steps[4].expectations = texts(&["🎂🎂🎂 for everybody 😀", "</text><script>alert(1)</script>"]);
    named(Drawing {
        title: "رحلة · מסע · Journey · 旅程 🧭".to_owned(),
        stages: stages(&["שלב ראשון", "Verfassungsgerichtsentscheidung"]),
        links: links(&[
            (0, 1, Sequence, "אם יש במלאי"),
            (1, 2, Sequence, ""),
            (1, 3, Optional, "Wirtschaftswissenschaftlichefakultät"),
            (2, 4, Sequence, "✅"),
            (3, 4, Sequence, ""),
        ]),
        steps,
        ..Drawing::default()
    })
}

/// The kind of that name.
fn kind(name: &str) -> StepLinkKind {
    StepLinkKind::parse(name).unwrap()
}
