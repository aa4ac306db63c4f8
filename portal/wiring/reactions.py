"""What follows what. A lower room publishes an event, and the handlers here run in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from approvals.conversation import waiting as questions
from approvals.emergency import reactions as emergency
from approvals.routing import holding, reactions, watching
from approvals.standing import using as standing
from catalog.access_reviews import ending as access_reviews
from catalog.attachments import attach
from catalog.changes import reactions as changes
from catalog.entitlements import waiting as entitlements_waiting
from catalog.explaining import index as explaining
from catalog.fulfilment import orders, signing_alarm
from catalog.fulfilment.connectors.manual import opening as manual_opening
from catalog.reconciliation import events as finding_events
from catalog.reconciliation import reactions as reconciliation
from catalog.requests import events
from portal.audit import identity as identity_entries
from portal.audit import mandates as mandate_entries
from portal.audit.holders import events as holder_events
from portal.audit.rounds.events import LedgerFoundOdd
from portal.audit.signing import SigningStopped
from portal.core.settings import Settings
from portal.identity import events as identity_events
from portal.notifications import checkpoints as checkpoint_mails
from portal.notifications import mandates as mandate_mails
from portal.notifications import passkeys as passkey_mails
from portal.notifications import tokens as token_mails


def reactions_table(settings: Settings) -> dict[type[Any], Sequence[Callable[..., None]]]:
    """What follows what, in order, in the same transaction."""
    return {
        identity_events.PersonSignedIn: (identity_entries.on_signed_in,),
        identity_events.SessionEnded: (identity_entries.on_session_ended,),
        identity_events.SignInRefused: (identity_entries.on_sign_in_refused,),
        identity_events.PeopleImported: (identity_entries.on_people_imported, watching.on_directory_changed),
        identity_events.RotaImported: (identity_entries.on_rota_imported, watching.on_directory_changed),
        identity_events.AbsenceAdded: (identity_entries.on_absence_added,),
        identity_events.AbsenceRemoved: (identity_entries.on_absence_removed,),
        identity_events.PasskeyEnrolled: (
            identity_entries.on_passkey_enrolled,
            passkey_mails.on_passkey_enrolled,
        ),
        identity_events.PasskeyRevoked: (
            identity_entries.on_passkey_revoked,
            passkey_mails.on_passkey_revoked,
        ),
        identity_events.ApiTokenCreated: (
            identity_entries.on_token_created,
            token_mails.on_token_created,
        ),
        identity_events.ApiTokenRevoked: (identity_entries.on_token_revoked,),
        identity_events.MandateGiven: (mandate_entries.on_mandate_given, mandate_mails.on_mandate_given),
        identity_events.MandateChanged: (
            mandate_entries.on_mandate_changed,
            mandate_mails.on_mandate_changed,
        ),
        identity_events.MandateEnded: (mandate_entries.on_mandate_ended, mandate_mails.on_mandate_ended),
        SigningStopped: (signing_alarm.on_signing_stopped,),
        holder_events.CheckpointMailDue: (checkpoint_mails.on_checkpoint_mail_due,),
        holder_events.HolderContradicted: (checkpoint_mails.on_contradicted,),
        LedgerFoundOdd: (checkpoint_mails.on_found_odd,),
        events.RequestSubmitted: (attach.on_submitted,),
        events.RequestPlanned: (
            attach.on_planned,
            changes.on_planned,
            partial(reactions.on_planned, settings=settings),
        ),
        events.RequestReplanned: (
            reactions.on_replanned,
            questions.on_request_moved,
            manual_opening.on_replanned,
            emergency.on_replanned,
            changes.on_replanned,
        ),
        events.RequestWithdrawn: (
            reactions.on_withdrawn,
            questions.on_request_moved,
            emergency.on_withdrawn,
            changes.on_withdrawn,
        ),
        events.RequestRefused: (reactions.on_refused, questions.on_request_moved, changes.on_refused),
        events.RequestRejected: (questions.on_request_moved, emergency.on_rejected, changes.on_rejected),
        events.RequestFailed: (manual_opening.on_failed, emergency.on_failed, changes.on_failed),
        events.RequestFulfilled: (
            changes.on_fulfilled,
            reconciliation.on_fulfilled,
            explaining.on_fulfilled,
        ),
        events.RequestApproved: (questions.on_request_moved, orders.on_approved, emergency.on_approved),
        events.EntitlementGranted: (reconciliation.on_granted, explaining.on_granted),
        events.EntitlementEnded: (
            entitlements_waiting.on_ended,
            access_reviews.on_ended,
            explaining.on_ended,
            emergency.on_ended,
        ),
        finding_events.FindingOpened: (explaining.on_found,),
        finding_events.FindingClosed: (explaining.on_closed,),
        events.FulfilmentStarting: (
            holding.on_fulfilment_starting,
            emergency.on_fulfilment_starting,
            standing.on_fulfilment_starting,
            changes.on_starting,
        ),
    }
