"""Values of the scalars that schemathesis does not know."""

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Mars/Olympus"])
schemathesis.graphql.scalar("TimeZone", zones.map(nodes.String))
