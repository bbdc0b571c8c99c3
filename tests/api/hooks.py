"""What Schemathesis cannot know from the API's description: how addresses and lists look that must be taken."""

import schemathesis
from hypothesis import strategies as st

# Few enough to meet one another, so that calls find what others have made; a domain in other letters among them.
ADDRESSES = st.builds(
    "{}@{}".format,
    st.from_regex(r"[a-z]{1,3}(\+[a-z]{1,2})?", fullmatch=True),
    st.sampled_from(["example.org", "Sub.Example.org", "bücher.example"]),
)
NAMES = st.text(st.characters(exclude_characters='",\r\n\t;', exclude_categories=["Cc", "Cs"]), max_size=10)

schemathesis.openapi.format("email", ADDRESSES)


@st.composite
def lists(draw):
    rows = draw(st.lists(st.tuples(ADDRESSES, NAMES), max_size=5))
    text = "email,name\n" + "".join(f'{email},"{name}"\n' for email, name in rows)
    return text.encode()


schemathesis.openapi.media_type("text/csv", lists())
