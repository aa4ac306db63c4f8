"""Random valid offerings: every kind of field and every rule, written as YAML and read back as they were."""

import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from catalog.offerings.language import OfferingDocument
from catalog.offerings.reading import read_offering
from tests.catalog.offerings.conftest import SMALL

CONTENT = yaml.safe_load(SMALL)
TEXT = st.text("abc äßλ,:#'\"{}[]-?!|>&*%@", min_size=1, max_size=20).map(str.strip).filter(bool)
TIMES = st.tuples(
    st.sampled_from(["mon", "tue", "sat", "sun"]), st.integers(0, 23), st.integers(0, 23), st.integers(0, 59)
).map(lambda parts: f"{parts[0]} {parts[1]:02d}:{parts[3]:02d}-{parts[2]:02d}:00")
DURATIONS = st.tuples(st.integers(1, 99), st.sampled_from("mhd")).map(lambda parts: f"{parts[0]}{parts[1]}")
CHOICES = st.lists(st.sampled_from(["red", "blue", "no", "1.0", "~"]), min_size=1, unique=True).map(
    lambda values: [{"value": value, "label": f"The {value}", "points": len(value)} for value in values]
)
COLUMNS = st.lists(
    st.sampled_from(["text", "number", "host_name", "email", "date", "person"]), min_size=1, max_size=4
).map(lambda kinds: [{"kind": kind, "name": f"c{n}", "label": kind} for n, kind in enumerate(kinds)])
SPECIAL = {
    "one_of": st.fixed_dictionaries({"choices": CHOICES}),
    "some_of": st.fixed_dictionaries({"choices": CHOICES}),
    "table": st.fixed_dictionaries({"columns": COLUMNS, "at_most": st.integers(1, 200)}),
    "duration": st.fixed_dictionaries({"at_most": st.just("99d"), "default": DURATIONS}),
    "date_time": st.fixed_dictionaries({"latest_days": st.integers(0, 3650)}),
    "unit": st.fixed_dictionaries({"own": st.booleans()}),
}
KINDS = [
    *(
        "text",
        "long_text",
        "number",
        "boolean",
        "one_of",
        "some_of",
        "date",
        "date_time",
        "duration",
        "person",
    ),
    *("email", "host_name", "host_names", "group", "unit", "table", "networks", "ports", "protocol", "csr"),
]


@st.composite
def fields(draw):
    kind = draw(st.sampled_from(KINDS))
    extra = draw(SPECIAL.get(kind, st.just({})))
    return {
        "kind": kind,
        "label": draw(TEXT),
        "hint": draw(TEXT),
        "required": draw(st.booleans()),
        **extra,
    }


@st.composite
def offerings(draw):
    content = json.loads(json.dumps(CONTENT))
    more = draw(st.lists(fields(), max_size=6))
    for number, field in enumerate(more):
        content["form"]["sections"].append(
            {"title": draw(TEXT), "fields": [{**field, "name": f"extra_{number}"}]}
        )
    content["kind"] = draw(
        st.sampled_from(
            [
                "normal",
                "emergency",
                "standard",
                [{"kind": "standard", "when": "beneficiary.is_self"}, {"kind": "normal"}],
            ]
        )
    )
    if content["kind"] == "emergency":
        content["emergency"] = {
            "committee": [{"name": draw(TEXT), "approvers": {"group": "soc"}}],
            "quorum": draw(st.integers(2, 20)),
            "first_aid": {"steps": ["put"], "choices": draw(st.sampled_from([{}, {"colour": ["red"]}]))},
            "review": draw(st.sampled_from(["90m", "24h", "2d"])),
        }
    content["retention"] = draw(st.sampled_from(["one-year", "three-years", "seven-years", "ten-years"]))
    content["audience"] = draw(st.sampled_from(['"soc" in requester.groups', 'requester.unit == "x"']))
    content["window"] = {"timezone": "Europe/Berlin", "times": draw(st.lists(TIMES, min_size=1, max_size=3))}
    content["duplicates"] = draw(st.lists(st.sampled_from(["colour", "person"]), unique=True))
    content["conflicts"] = [
        {"when": "held.labels.exists(l, l == 'x')", "then": "raise", "points": 5, "message": draw(TEXT)}
    ]
    content["denials"] = [{"when": "risk.score > 90", "message": draw(TEXT)}]
    content["mails"] = {"fulfilled": draw(TEXT), "refused": draw(TEXT)}
    return content


@given(offerings(), st.booleans())
def test_a_random_valid_offering_reads_back_as_it_was_written(content, flow):
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, default_flow_style=flow, width=10_000)
    document = read_offering(text, "random.yaml")
    assert isinstance(document, OfferingDocument)
    again = read_offering(
        yaml.safe_dump(document.to_json(), allow_unicode=True, sort_keys=False), "again.yaml"
    )
    assert again == document
    assert again.digest == document.digest
    assert OfferingDocument.model_validate_json(json.dumps(document.to_json())) == document
