//! Rapport's built-in bank of review questions, each with a key that never changes.

use entity::review_question::ReviewComponent::{self, Assumptions, DesiredResults, Experiences};

/// Key, component and text of each question, in the order of the review.
pub(super) const BANK: [(&str, ReviewComponent, &str); 26] = [
    (
        "assumptions.before",
        Assumptions,
        "What does the customer take for granted about this point before the first word is said?",
    ),
    (
        "assumptions.product",
        Assumptions,
        "What does the customer believe the product or service can do, and where did they get that from?",
    ),
    (
        "assumptions.source",
        Assumptions,
        "Which of our own materials, promises or prices led the customer to expect this?",
    ),
    ("assumptions.precedent", Assumptions, "What has dealing with other companies taught the customer to expect here?"),
    ("assumptions.correct", Assumptions, "Which of these assumptions are right, which are wrong, and how do we know?"),
    (
        "assumptions.cost",
        Assumptions,
        "What does it cost the customer, and us, when a wrong assumption is found out only at this point?",
    ),
    (
        "assumptions.correction",
        Assumptions,
        "What would give the customer a truer picture earlier, and over which medium should it reach them?",
    ),
    ("assumptions.ours", Assumptions, "What do we assume about the customer here that nobody has ever asked them?"),
    (
        "experiences.arrival",
        Experiences,
        "What brings the customer to this point, and in what state of mind do they arrive?",
    ),
    (
        "experiences.course",
        Experiences,
        "What does the customer see, hear and do here, from the first moment to the last?",
    ),
    (
        "experiences.effort",
        Experiences,
        "Where does the customer wait, repeat themselves, look something up or ask for help?",
    ),
    (
        "experiences.mediums",
        Experiences,
        "Over which mediums does this happen, and does the customer get the same answer over each of them?",
    ),
    (
        "experiences.agenda",
        Experiences,
        "What does the person want for themselves here, and how does that differ from what their company wants?",
    ),
    ("experiences.promise", Experiences, "What do we say will happen here, and how often is that what happens?"),
    (
        "experiences.feeling",
        Experiences,
        "How does the customer feel on leaving, and what would they tell a friend about it?",
    ),
    (
        "experiences.trouble",
        Experiences,
        "What goes wrong here most often, who notices it first, and what is done about it?",
    ),
    (
        "experiences.listening",
        Experiences,
        "How can the customer tell us what they think at this point, and who reads it?",
    ),
    (
        "results.wanted",
        DesiredResults,
        "What does the customer want to have, know or be able to do once this point is behind them?",
    ),
    (
        "results.readiness",
        DesiredResults,
        "Is the customer ready for that result, and what else must be in place first?",
    ),
    (
        "results.ours",
        DesiredResults,
        "What do we want out of this point, and does it stand in the way of what the customer wants?",
    ),
    (
        "results.measure",
        DesiredResults,
        "How do we find out whether the customer got what they expected, and who checks it?",
    ),
    ("results.verified", DesiredResults, "What did the last customers we asked say about whether they got it?"),
    (
        "results.extra",
        DesiredResults,
        "What one thing beyond the expected could we give here that is worth having and costs us little?",
    ),
    (
        "results.learning",
        DesiredResults,
        "What could the customer learn here that would let them get more out of what they have bought?",
    ),
    (
        "results.offer",
        DesiredResults,
        "Which offer would be of real use to the customer at this moment, and who puts it to them?",
    ),
    (
        "results.next",
        DesiredResults,
        "What is the customer's next step, do they know it, and who takes care that it happens?",
    ),
];
