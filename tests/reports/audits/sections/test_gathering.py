"""What each section gathers of what happened."""

from __future__ import annotations

import pytest

from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from reports.audits.sections import plain_tables
from reports.audits.sections.registry import SECTIONS, gather_sections, read_sections
from tests.reports.audits.sections.conftest import Story, facts_of, lived
from tests.reports.conftest import EvidenceWorld


def test_every_control_counts_the_requests_whose_version_names_it(story: Story) -> None:
    facts = story.facts["controls"]
    rows = [member.row for member in story.scope.members]
    with story.world.db.reading() as session:
        document = document_of(session.get_one(OfferingVersion, story.world.shelves.version_id))
    named = {f"{framework} {name}" for framework, names in document.controls.items() for name in names}
    assert named <= {f"{line.framework} {line.control}" for line in facts.lines}
    for line in facts.lines:
        supporting = [row for row in rows if f"{line.framework} {line.control}" in row.controls]
        assert line.requests == len(supporting) == sum(line.offerings.values()) > 0


def test_a_stage_over_a_weekend_waits_for_its_working_hours_alone(story: Story) -> None:
    waits = {(line.offering, line.stage): line for line in story.facts["timeliness"].waits}
    manager = waits["words-approved-twice", "manager"]
    assert manager.count == 3
    # Three days of eight hours, and the seven minutes before the decision; five days by the clock are 7200 minutes.
    assert manager.longest == 3 * 8 * 60 + 7
    assert manager.late == 1
    assert manager.median == 7


def test_whoever_approved_their_own_request_is_named(story: Story) -> None:
    facts = story.facts["duties"]
    assert [(found.reference, found.rule, found.person) for found in facts.violations] == [
        (story.references["slow"], "requester", f"person:{story.world.cast.requester}")
    ]
    assert facts.requests == 4 and facts.approvals == 4 and facts.by_policy == 1


def test_what_was_done_although_nobody_allowed_it_is_named(story: Story) -> None:
    member = next(each for each in story.scope.members if each.row.reference == story.references["done"])
    nobody = type(member)(member.request_id, member.row.model_copy(update={"approvals": 0}))
    scope = type(story.scope)(story.scope.query, 0, story.scope.after_size, story.scope.as_of, (nobody,))
    found = facts_of(story.world, scope)["duties"].violations
    assert [(violation.reference, violation.rule) for violation in found] == [
        (member.row.reference, "nobody")
    ]


def test_an_emergency_that_nobody_reviewed_in_time_is_lapsed(story: Story) -> None:
    lines = story.facts["emergencies"].lines
    assert [(line.reference, line.standing, line.undone_at) for line in lines] == [
        (story.references["slow"], "lapsed", None)
    ]


def test_a_use_of_a_standing_approval_after_its_end_is_outside(story: Story) -> None:
    (line,) = story.facts["standing"].lines
    assert (line.used, line.used_in_period, line.uses_outside) == (1, 1, 1)
    assert line.signers == (f"person:{story.world.cast.owner}",)


def test_an_exception_past_its_day_is_still_told(story: Story) -> None:
    facts = story.facts["exceptions"]
    (line,) = facts.lines
    assert line.until < facts.today
    assert line.proposed_by != line.confirmed_by


def test_what_failed_and_was_undone_is_counted_from_the_ledger(story: Story) -> None:
    lines = {line.reference: line.counts for line in story.facts["failures"].lines}
    assert set(lines) == {story.references["failed"]}
    counts = lines[story.references["failed"]]
    assert counts["step:failed"] == 1 and counts["step:reverted"] == 1 and counts["request:failed"] == 1


def test_a_campaign_past_its_day_has_its_items_late(story: Story) -> None:
    (line,) = story.facts["access_reviews"].lines
    assert (line.state, line.items, line.late) == ("open", {"open": 1}, 1)


def test_targets_are_told_by_their_last_reading_and_findings_by_their_age(story: Story) -> None:
    facts = story.facts["reconciliation"]
    shelf = next(line for line in facts.targets if line.connector == "shelf")
    rack = next(line for line in facts.targets if line.connector == "rack")
    assert (shelf.readings, shelf.unanswered, shelf.live, shelf.explained) == (2, 0, 14, 13)
    assert (rack.readings, rack.unanswered, rack.last_at) == (1, 1, None)
    (line,) = facts.findings
    assert (line.open, line.accepted, line.closed) == ((1, 0, 1, 0), 1, 0)


def test_versions_and_freezes_are_those_of_the_period(story: Story) -> None:
    facts = story.facts["policies"]
    versions = {line.offering: line for line in facts.versions}
    first, second = (line for line in facts.versions if line.offering == "words-by-policy")
    assert (first.version, second.version) == (1, 2)
    assert first.replaced_at == second.published_at and second.replaced_at is None
    assert [ask.stage for ask in versions["words-approved-twice"].asked] == ["manager", "owner"]
    assert versions["words-approved-twice"].asked[0].who == "line-manager"
    assert [line.name for line in facts.restrictions] == ["Closing of the year"]


def test_roles_come_with_their_groups_and_the_ledger_says_since_when(story: Story) -> None:
    facts = story.facts["administrators"]
    cast = story.world.cast
    roles = {(line.person, line.role): line for line in facts.roles}
    assert not {role for _person, role in roles} & {"person", "unit_lead"}
    line = roles[f"person:{cast.compliance}", "compliance"]
    (change,) = facts.changes
    assert (line.group, line.since, line.given_by) == ("compliance", change.at, f"person:{cast.operator}")
    assert change.given and change.person == line.person
    assert [each.since for each in facts.roles if each is not line] == [None] * (len(facts.roles) - 1)


def test_a_head_that_was_signed_five_days_late_is_found(story: Story) -> None:
    facts = story.facts["logging"]
    assert (facts.first, facts.last, facts.missing) == (1, story.scope.after_size, 0)
    assert sum(line.entries for line in facts.tags) == facts.last
    assert facts.heads == facts.late_heads == 1
    assert facts.longest_delay > 5 * 86_400


def test_every_list_of_every_section_becomes_a_table(story: Story) -> None:
    with story.world.db.snapshot() as session:
        sections = gather_sections(session, story.scope)
    tables = {table.name: table for table in plain_tables(sections)}
    assert {name.partition(".")[0] for name in tables} == {section.name for section in SECTIONS}
    for table in tables.values():
        assert all(len(row) == len(table.header) for row in table.rows), table.name
    waits = tables["timeliness.waits"]
    assert "manager" in {row[waits.header.index("stage")] for row in waits.rows}
    assert (
        tables["emergencies.lines"].rows[0][tables["emergencies.lines"].header.index("standing")] == "lapsed"
    )


@pytest.mark.parametrize("section", ["logging", "policies", "reconciliation", "standing", "timeliness"])
def test_sections_of_another_form_are_refused(story: Story, section: str) -> None:

    with story.world.db.snapshot() as session:
        sections = gather_sections(session, story.scope)
    sections[section]["added"] = 1
    with pytest.raises(ValueError, match="added"):
        read_sections(sections)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_both_databases_gather_the_same(world: EvidenceWorld, story: Story) -> None:
    """Windows, filters and ages are computed by the database; people's numbers are its own."""
    again = lived(world)
    assert again.references == story.references
    for name in ("controls", "timeliness", "emergencies", "failures", "access_reviews", "reconciliation"):
        assert again.facts[name] == story.facts[name], name
    theirs, ours = again.facts["logging"], story.facts["logging"]
    for figure in ("missing", "backwards", "heads", "late_heads", "longest_delay"):
        assert getattr(theirs, figure) == getattr(ours, figure), figure
    assert [(line.used_in_period, line.uses_outside) for line in again.facts["standing"].lines] == [(1, 1)]
    assert [(found.reference, found.rule) for found in again.facts["duties"].violations] == [
        (found.reference, found.rule) for found in story.facts["duties"].violations
    ]
    assert _in_force(again) == _in_force(story)


def _in_force(story: Story) -> list[tuple[str, int, str | None]]:
    """The versions whose offerings the story itself published."""
    return [
        (line.offering, line.version, line.replaced_at)
        for line in story.facts["policies"].versions
        if line.offering in {"words-approved-twice", "words-by-policy"}
    ]
