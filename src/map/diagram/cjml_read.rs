//! Reads CJML 2.0: the nested form, including Rapport's own namespace, and the flat form of the CJML generator.

use std::collections::HashMap;

use entity::{interaction_point::PointKind, noun::StringEnum, step_link::StepLinkKind};
use roxmltree::{Document, Node, ParsingOptions};

use super::{
    cjml::NAMESPACE,
    model::{Drawing, Influence, Stage, Step, StepLink},
    text::clean,
};

/// Maximum length of a document in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Maximum number of XML nodes in a document.
const MAX_NODES: u32 = 50_000;
/// Maximum number of attributes of an element; the parser compares each attribute with every other one.
const MAX_ATTRIBUTES: usize = 64;
/// Maximum number of namespace declarations in a document; each element looks up those of its ancestors.
const MAX_NAMESPACES: usize = 64;
/// Maximum nesting depth of elements.
const MAX_DEPTH: usize = 32;

/// Returns the first planned journey of a document, or else its first actual one. Err with a message if the document
/// is invalid, exceeds a limit or has a DTD, so that no entity is expanded and no external resource is fetched.
pub fn read_cjml(text: &str) -> Result<Drawing, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("the document exceeds {MAX_BYTES} bytes"));
    }
    check_shape(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| error.to_string())?;
    let root = document.root_element();
    match root.tag_name().name() {
        "CJML" => {
            let journey = child(root, "plannedJourney").or_else(|| child(root, "actualJourney"));
            nested(journey.ok_or("the document has no plannedJourney")?)
        }
        "cjml" => Ok(flat(root)),
        _ => Err("the document is no CJML".to_owned()),
    }
}

/// Checks nesting depth, attributes per element and namespace declarations before the XML parser runs.
fn check_shape(text: &str) -> Result<(), String> {
    let (mut rest, mut depth, mut namespaces) = (text, 0_usize, 0_usize);
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let other = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">"), ("</", ">")];
        if let Some((begin, end)) = other.into_iter().find(|(begin, _)| rest.starts_with(begin)) {
            if begin == "</" {
                depth = depth.saturating_sub(1);
            }
            let Some(place) = rest[begin.len()..].find(end) else { return Ok(()) };
            rest = &rest[begin.len() + place + end.len()..];
            continue;
        }
        let (length, attributes) = tag(rest);
        if attributes > MAX_ATTRIBUTES {
            return Err(format!("an element has more than {MAX_ATTRIBUTES} attributes"));
        }
        let tag = &rest[..length];
        namespaces += tag.matches("xmlns").count();
        if namespaces > MAX_NAMESPACES {
            return Err(format!("the document has more than {MAX_NAMESPACES} namespace declarations"));
        }
        if !tag.ends_with("/>") {
            depth += 1;
        }
        if depth > MAX_DEPTH {
            return Err(format!("elements are nested more than {MAX_DEPTH} deep"));
        }
        rest = &rest[length..];
    }
    Ok(())
}

/// Returns the length in bytes of the tag at the start of `text`, and the number of quoted values in it.
fn tag(text: &str) -> (usize, usize) {
    let (mut quote, mut values) = (None, 0);
    for (place, byte) in text.bytes().enumerate() {
        match quote {
            Some(end) if byte == end => quote = None,
            None if byte == b'>' => return (place + 1, values),
            None if byte == b'"' || byte == b'\'' => (quote, values) = (Some(byte), values + 1),
            _ => {}
        }
    }
    (text.len(), values)
}

fn nested(journey: Node<'_, '_>) -> Result<Drawing, String> {
    let own = |name| ours(journey, name).next().map(content).filter(|text| !text.is_empty());
    let id = child(journey, "journeyID").map(content).unwrap_or_default();
    let mut drawing = Drawing {
        title: own("title").unwrap_or_else(|| id.clone()),
        id,
        summary: own("summary"),
        customer_segment: own("customerSegment"),
        ..Drawing::default()
    };
    let mut stages = HashMap::new();
    for stage in ours(journey, "stage") {
        let id = attribute(stage, "id");
        stages.insert(id.clone(), drawing.stages.len());
        drawing.stages.push(Stage { id, name: content(stage) });
    }
    let touchpoints = child(journey, "touchpoints").ok_or("there are no touchpoints")?;
    let mut places = HashMap::new();
    for point in touchpoints.children().filter(Node::is_element) {
        let step = touchpoint(point, &stages);
        if places.insert(step.id.clone(), drawing.steps.len()).is_some() {
            return Err(format!("two touchpoints have the id {}", step.id));
        }
        drawing.steps.push(step);
    }
    for link in ours(journey, "link") {
        let place = |name| {
            let id = attribute(link, name);
            places.get(&id).copied().ok_or_else(|| format!("a link names the touchpoint {id}, which is not there"))
        };
        let kind = attribute(link, "kind");
        let kind = StepLinkKind::parse(&kind).ok_or_else(|| format!("{kind} is no kind of link"))?;
        let label = Some(content(link)).filter(|label| !label.is_empty());
        drawing.links.push(StepLink { from: place("from")?, to: place("to")?, kind, label });
    }
    Ok(drawing)
}

fn touchpoint(point: Node<'_, '_>, stages: &HashMap<String, usize>) -> Step {
    let below = |outer, inner| child(point, outer).and_then(|outer| child(outer, inner)).map(content);
    let name = below("initiator", "initiatorLabel").or_else(|| below("receiver", "receiverLabel"));
    let is_action = point.tag_name().name().ends_with("Action");
    let kind = ours(point, "kind").next().map(content).filter(|kind| PointKind::parse(kind).is_some());
    Step {
        id: child(point, "touchpointID").map(content).unwrap_or_default(),
        name: name.unwrap_or_default(),
        kind: kind.unwrap_or_else(|| if is_action { PointKind::Consideration } else { PointKind::Other }.name().into()),
        stage: ours(point, "stageID").next().and_then(|stage| stages.get(&content(stage)).copied()),
        influencers: ours(point, "influencer")
            .map(|known| Influence {
                name: content(known),
                strength: attribute(known, "strength").parse().unwrap_or(1).clamp(1, 5),
            })
            .collect(),
        mediums: below("channel", "channelName").into_iter().chain(ours(point, "medium").map(content)).collect(),
        expectations: ours(point, "expectation").map(content).collect(),
    }
}

/// Reads the flat form of the generator, which lists actors and touchpoints side by side.
fn flat(root: Node<'_, '_>) -> Drawing {
    let title = child(root, "journeyName").or_else(|| child(root, "title")).map(content).unwrap_or_default();
    let mut drawing = Drawing { title, ..Drawing::default() };
    for point in root.descendants().filter(|node| node.tag_name().name() == "touchpoint") {
        let below = |name| child(point, name).map(content).filter(|text| !text.is_empty());
        let is_action = point.attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("action"));
        drawing.steps.push(Step {
            id: point.attribute("id").map(clean).unwrap_or_default(),
            name: below("initiatorDescription").or_else(|| below("receiverDescription")).unwrap_or_default(),
            kind: if is_action { PointKind::Consideration } else { PointKind::Other }.name().to_owned(),
            mediums: below("channel").into_iter().collect(),
            ..Step::default()
        });
    }
    drawing
}

fn child<'a, 'b>(node: Node<'a, 'b>, name: &str) -> Option<Node<'a, 'b>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}

fn ours<'a, 'b: 'a>(node: Node<'a, 'b>, name: &'a str) -> impl Iterator<Item = Node<'a, 'b>> {
    node.children().filter(move |child| child.has_tag_name((NAMESPACE, name)))
}

/// Returns the concatenated text of an element and its descendants. Collapses white space, which may be indentation,
/// unless `xml:space="preserve"` applies.
fn content(node: Node<'_, '_>) -> String {
    let text: String = node.descendants().filter(Node::is_text).filter_map(|part| part.text()).collect();
    let space = node.ancestors().find_map(|above| above.attribute((roxmltree::NS_XML_URI, "space")));
    if space == Some("preserve") { text } else { clean(&text) }
}

fn attribute(node: Node<'_, '_>, name: &str) -> String {
    node.attribute((NAMESPACE, name)).map(clean).unwrap_or_default()
}
