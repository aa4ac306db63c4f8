"""The twelve points of approving through a mailed link: each sentence, and the tests that try it by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from approvals.decisions.model import Decision, Verdict
from approvals.decisions.right import NotYours
from portal.identity.model import Person
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story

SENTENCES: dict[str, tuple[str, ...]] = {
    "1 The link is a pointer of 128 random bits or more, stored hashed": (
        "test_the_identifier_has_192_bits_and_is_stored_hashed",
    ),
    "1 It carries no authority": (
        "test_a_link_leads_its_approver_to_the_decision_card",
        "test_signed_in_as_someone_else_gives_403_and_an_audit_entry",
    ),
    "1 GET and HEAD never change state": ("test_the_link_itself_takes_nothing_but_get_and_head",),
    "1 A hundred fetches by a mail scanner cause no decision and use nothing up": (
        "test_a_hundred_fetches_by_a_mail_scanner_cause_no_decision_and_use_nothing_up",
    ),
    "2 Not signed in: the sign-in redirect, and nothing of the request in the page": (
        "test_not_signed_in_gives_the_sign_in_redirect_and_nothing_of_the_request",
    ),
    "2 Signed in as someone who is not an eligible approver: 403, and an audit entry": (
        "test_signed_in_as_someone_else_gives_403_and_an_audit_entry",
        "test_an_approver_who_left_the_group_is_someone_else",
    ),
    "3 Referrer-Policy: no-referrer": ("test_no_referrer_and_no_cache_on_any_answer",),
    "3 No third-party asset": ("test_the_pages_behind_a_link_load_nothing_from_elsewhere",),
    "3 The identifier is masked in logs": (
        "test_the_identifier_is_masked_in_logs",
        "test_the_identifier_of_a_link_is_masked_in_every_handler",
    ),
    "4 Deciding is a POST with CSRF token and Origin check": (
        "test_every_route_that_changes_something_refuses_a_form_without_a_token",
        "test_a_change_that_comes_from_elsewhere_is_refused",
    ),
    "4 By a session whose sign-in is at most 15 minutes old, 5 for high risk": (
        "test_the_sign_in_is_at_most_15_minutes_old_and_5_for_high_risk",
        "test_a_sign_in_from_the_future_or_of_unknown_time_does_not_count",
    ),
    "4 With the acr that the offering demands": ("test_the_stage_demands_its_authentication_context",),
    "4 Otherwise sign in again and come back to the same page with the comment kept": (
        "test_an_old_sign_in_is_sent_to_sign_in_again_and_the_comment_is_kept",
        "test_after_signing_in_again_the_person_presses_once_more",
        "test_one_sign_in_serves_all_of_them",
    ),
    "5 The form carries the seal over answers, offering version, plan, risk and route": (
        "test_a_planned_request_is_sealed_over_all_of_it_and_its_first_stage_asked",
        "test_what_is_stored_and_no_longer_fits_its_seal_is_never_approved",
    ),
    "5 Another seal in the database: 409, and the page shows what changed": (
        "test_another_seal_shows_what_changed_and_keeps_the_comment",
        "test_each_is_decided_on_its_own_seal_and_one_bad_one_stops_no_other",
    ),
    "5 Any edit voids every approval so far, in the same transaction": (
        "test_an_edit_voids_every_approval_so_far_in_the_same_transaction",
        "test_accepting_edits_the_request_and_earlier_approvals_fall_and_the_proposer_may_approve_it",
    ),
    "6 Eligibility is computed again when deciding": ("test_eligibility_is_computed_again_when_deciding",),
    "6 And again when fulfilling": ("test_eligibility_and_seal_are_computed_again_when_fulfilling",),
    "6 Directory unreachable: refuse, never a remembered yes": (
        "test_a_directory_that_cannot_be_read_refuses_and_no_earlier_yes_is_remembered",
    ),
    "7 Nobody approves their own request: requester, beneficiary, last editor, publisher": (
        "test_nobody_decides_their_own_request",
    ),
    "7 Nor anyone reached from them by delegation": (
        "test_nobody_reached_by_a_delegation_decides_their_own_request",
    ),
    "7 People are matched on issuer and subject, never on e-mail": (
        "test_people_are_matched_on_issuer_and_subject_never_on_e_mail",
        "test_the_sealed_route_names_people_by_immutable_identity_and_rule",
    ),
    "7 One person counts once in a request, over all its stages": (
        "test_one_person_counts_once_over_all_stages",
        "test_one_person_counts_once_over_all_parts",
        "test_one_person_counts_once_even_in_the_place_of_two",
    ),
    "8 Delegation is dated": ("test_a_delegation_that_has_ended_or_not_begun_gives_nothing",),
    "8 One level deep": ("test_it_is_one_level_deep",),
    "8 Never wider than the delegator's own right": ("test_it_is_never_wider_than_the_delegators_own_right",),
    "8 Both names on the decision": ("test_both_names_stand_on_the_decision_in_the_ledger_and_on_the_page",),
    "8 The substitute is notified": ("test_the_substitute_is_notified_and_finds_it_in_the_inbox",),
    "9 One unique constraint per stage and approver": (
        "test_the_database_itself_takes_one_decision_for_each_stage_and_person",
    ),
    "9 Fifty approvals and denials at once: one outcome, the others get 409": (
        "test_fifty_approvals_at_once_give_one_outcome",
        "test_fifty_denials_at_once_give_one_outcome",
        "test_fifty_approvals_and_denials_at_once_give_one_outcome_and_a_denial_wins",
    ),
    "9 A denial wins over an approval until fulfilment has started": (
        "test_a_denial_wins_over_an_approval_until_fulfilment_has_started",
        "test_once_fulfilment_has_started_a_denial_comes_too_late",
    ),
    "10 Links end after 7 days or with the stage": (
        "test_a_link_ends_after_seven_days_and_shows_the_request_read_only",
    ),
    "10 An old link shows the outcome, read-only": (
        "test_a_link_ends_with_its_stage_and_shows_the_outcome_read_only",
    ),
    "11 Break-glass: its own role, a reason, two people": (
        "test_one_person_alone_changes_nothing_and_the_others_are_called",
        "test_neither_a_party_nor_anybody_without_the_role_nor_who_has_decided_may",
        "test_it_takes_a_reason_a_fresh_sign_in_and_the_very_seal_that_the_first_one_saw",
    ),
    "11 Everybody skipped is told at once, a review within 24 hours": (
        "test_two_people_carry_it_past_its_approvers_who_are_told_and_review_it",
    ),
    "11 Automatic undo if nobody reviews": ("test_nobody_reviews_it_so_it_is_undone",),
    "12 CR, LF and bidirectional controls never reach a mail header": (
        "test_line_breaks_and_bidirectional_controls_never_reach_the_header_of_an_approvers_mail",
    ),
    "12 A reply to the mail decides nothing": ("test_a_reply_to_the_mail_decides_nothing",),
}


@pytest.fixture(scope="module")
def written() -> frozenset[str]:
    """Every test that there is."""
    texts = (path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    return frozenset(name for text in texts for name in re.findall(r"^def (test_\w+)\(", text, re.MULTILINE))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_sentence_is_tried_by_a_test_of_its_name(sentence: str, written: frozenset[str]) -> None:
    assert SENTENCES[sentence]
    assert set(SENTENCES[sentence]) <= written


@pytest.mark.on_sqlite
def test_people_are_matched_on_issuer_and_subject_never_on_e_mail(
    story: Story, decide: Callable[..., None]
) -> None:
    """Neither does somebody gain by an approver's address, nor does an approver lose by the requester's."""
    with story.db.transaction() as session:
        manager = session.get_one(Person, story.cast.manager)
        session.get_one(Person, story.cast.outsider).email = manager.email
        manager.email = session.get_one(Person, story.cast.requester).email
    request_id = story.planned(MANAGER_STAGE)
    with pytest.raises(NotYours):
        decide(request_id, story.cast.outsider)
    decide(request_id, story.cast.manager)


def test_the_database_itself_takes_one_decision_for_each_stage_and_person(story: Story) -> None:
    request_id = story.planned(OWNER_STAGE)
    stage = story.stages(request_id)[0]

    def said(verdict: Verdict, revision: int) -> Decision:
        return Decision(
            request_id=request_id,
            revision=revision,
            stage_id=stage.id,
            person_id=story.cast.owner,
            verdict=verdict,
            seal="sha256:0",
            decided_at=datetime.now(UTC),
            auth_time=datetime.now(UTC),
        )

    with story.db.transaction() as session:
        session.add(said(Verdict.APPROVE, 1))
    for verdict in Verdict:
        with pytest.raises(IntegrityError), story.db.transaction() as session:
            session.add(said(verdict, 2))
