"""Values of the scalars that schemathesis does not know."""

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Mars/Olympus"])
schemathesis.graphql.scalar("TimeZone", zones.map(nodes.String))
samples = {
    "Date": ["2026-01-31", "2026-02-30"],
    "Decimal": ["12.5", "-0.0001", "1e3"],
    "Duration": ["PT1H30M", "P1Y"],
    "EmailAddress": ["mia@example.org", "mia"],
    "CurrencyCode": ["EUR", "XXX"],
    "LanguageTag": ["en-US", "en_US"],
    "LocalTime": ["09:30", "24:01"],
    "Sequence": ["1", "-1"],
    "URL": ["https://example.org/", "javascript:alert(1)"],
}
for name, texts in samples.items():
    schemathesis.graphql.scalar(name, st.sampled_from(texts).map(nodes.String))
