"""Where the rooms meet: one table of reactions, one of background work, one of pages. Read it to see what follows what.

A lower room never imports a higher one. It publishes an event, and the handlers here run in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from flask import Blueprint

from approvals.bulk import views as chosen_views
from approvals.conversation import views as conversation_views
from approvals.conversation import waiting as questions
from approvals.conversation.present import Conversations
from approvals.decisions import views as decision_views
from approvals.delegation import views as delegation_views
from approvals.emergency import jobs as emergency_jobs
from approvals.emergency import reactions as emergency
from approvals.emergency import views as emergency_views
from approvals.links import views as link_views
from approvals.reassigning import views as reassigning_views
from approvals.routing import holding, reactions, watching
from approvals.routing.book import RouteBook
from approvals.routing.router import Router
from approvals.standing import using as standing
from approvals.standing import views as standing_views
from approvals.timing import views as timing_views
from approvals.timing import watch
from catalog.attachments import attach, sweep
from catalog.attachments import views as attachment_views
from catalog.attachments.s3 import store_for
from catalog.attachments.store import Store
from catalog.entitlements import jobs as entitlement_jobs
from catalog.entitlements import views as entitlement_views
from catalog.entitlements import waiting as entitlements_waiting
from catalog.entitlements.connector import EntitlementsConnector
from catalog.fulfilment import jobs as fulfilment_jobs
from catalog.fulfilment import orders, set_aside
from catalog.fulfilment import views as fulfilment_views
from catalog.fulfilment.connectors.ca import views as pki_views
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.connector import CaConnector
from catalog.fulfilment.connectors.contract import Connector
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.ldap import LdapConnector, Place
from catalog.fulfilment.connectors.manual import opening as manual_opening
from catalog.fulfilment.connectors.manual import views as manual_views
from catalog.fulfilment.connectors.manual.connector import ManualConnector
from catalog.fulfilment.connectors.postgresql import PostgresqlConnector
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.connectors.scim.connector import ScimConnector
from catalog.fulfilment.connectors.ssh import SshAuthority, SshConnector
from catalog.fulfilment.connectors.ssh import views as ssh_views
from catalog.fulfilment.secrets import views as secret_views
from catalog.fulfilment.secrets.one_time import one_time_secret
from catalog.offerings import views as catalogue_views
from catalog.ordering import pace
from catalog.ordering import views as ordering_views
from catalog.ordering.bulk import views as bulk_views
from catalog.ordering.units import views as unit_views
from catalog.requests import events, promise
from catalog.requests import jobs as request_jobs
from catalog.requests import views as request_views
from catalog.versions import replaying
from catalog.versions import views as version_views
from portal import tables
from portal.audit import identity as identity_entries
from portal.audit import views as ledger_views
from portal.audit.checkpoint import Signer, checkpoint_if_due
from portal.core.clock import Clock, system_clock
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity import events as identity_events
from portal.identity.absences import views as absence_views
from portal.identity.account import views as account_views
from portal.identity.passkeys import views as passkey_views
from portal.identity.sign_in import views as sign_in_views
from portal.jobs import Handlers, Job, Periodic, Workshop
from portal.jobs.doorbell import hang
from portal.notifications import digest
from portal.notifications import jobs as mail_jobs
from portal.notifications import passkeys as passkey_mails
from portal.notifications import views as mail_views
from portal.web import languages as language_views
from portal.web import views as web_views
from reports.evidence import views as evidence_views

METADATA = tables.METADATA


@dataclass(frozen=True, slots=True)
class Portal:
    """Everything that was made from the settings, once per process."""

    settings: Settings
    db: Database
    connectors: Connectors
    router: Router
    authority: CertificateAuthority
    signer: Signer
    store: Store

    def parts(self) -> tuple[object, ...]:
        """What views find by type."""
        return (
            self.settings,
            self.db,
            self.connectors,
            self.router,
            Conversations(),
            self.authority,
            self.signer,
            self.store,
        )


def build(settings: Settings, *, clock: Clock = system_clock) -> Portal:
    """Make the parts. Connects to nothing yet but the data folder. Raises SettingsError."""
    db = Database(settings.database_url, clock=clock, handlers=reactions_table(settings))
    hang(db, settings.redis_url)
    authority = CertificateAuthority(settings.ca_folder, settings.public_url)
    authority.create_if_missing()
    connectors = Connectors(
        (
            ScimConnector(settings.scim_url, settings.scim_token),
            CaConnector(authority),
            FirewallConnector(settings.firewall_repository),
            ManualConnector(db),
            EntitlementsConnector(db, lambda: connectors),
            *_optional(settings),
        )
    )
    return Portal(
        settings=settings,
        db=db,
        connectors=connectors,
        router=Router(),
        authority=authority,
        signer=Signer.from_settings(settings),
        store=store_for(settings),
    )


def _optional(settings: Settings) -> Iterator[Connector]:
    """Connectors to targets that this portal has been told of."""
    if settings.postgresql_target:
        yield PostgresqlConnector(settings.postgresql_target, name=settings.postgresql_target_name)
    if settings.ldap_url:
        place = Place(
            url=settings.ldap_url,
            bind_dn=settings.ldap_bind_dn,
            password=settings.ldap_password,
            people=settings.ldap_people,
            groups=settings.ldap_groups,
            ca_file=settings.ldap_ca_file,
        )
        yield LdapConnector(place, partial(one_time_secret, settings.secret_key))
    if settings.ssh_principals:
        authority = SshAuthority(settings.ssh_folder)
        authority.create_if_missing()
        yield SshConnector(authority, settings.ssh_principals)


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
        events.RequestSubmitted: (attach.on_submitted,),
        events.RequestPlanned: (attach.on_planned, partial(reactions.on_planned, settings=settings)),
        events.RequestReplanned: (
            reactions.on_replanned,
            questions.on_request_moved,
            manual_opening.on_replanned,
            emergency.on_replanned,
        ),
        events.RequestWithdrawn: (reactions.on_withdrawn, questions.on_request_moved, emergency.on_withdrawn),
        events.RequestRefused: (reactions.on_refused, questions.on_request_moved),
        events.RequestRejected: (questions.on_request_moved, emergency.on_rejected),
        events.RequestFailed: (manual_opening.on_failed, emergency.on_failed),
        events.RequestApproved: (questions.on_request_moved, orders.on_approved, emergency.on_approved),
        events.EntitlementEnded: (entitlements_waiting.on_ended, emergency.on_ended),
        events.FulfilmentStarting: (
            holding.on_fulfilment_starting,
            emergency.on_fulfilment_starting,
            standing.on_fulfilment_starting,
        ),
    }


def job_handlers(portal: Portal) -> Handlers:
    """What each kind of task runs."""
    connectors = portal.connectors
    return {
        "mark_missed_promises": promise.mark_missed_promises,
        watch.KEEP_TIME: watch.keep_stage_times,
        "refresh_paces": pace.refresh_paces,
        "prepare": partial(request_jobs.prepare, connectors=connectors),
        "fulfil": partial(fulfilment_jobs.fulfil, connectors=connectors),
        "end_entitlement": partial(entitlement_jobs.end_entitlement, connectors=connectors),
        "warn_of_ending": entitlement_jobs.warn_of_ending,
        **emergency_jobs.handlers(connectors),
        **watching.tasks(portal.settings),
        "send_mail": mail_jobs.send_mail,
        digest.SEND_DIGESTS: digest.send_digests,
        replaying.REPLAY: partial(replaying.carry_out, make_routes=RouteBook),
        sweep.SWEEP: partial(sweep.sweep_attachments, store=portal.store),
        "checkpoint": partial(_checkpoint, signer=portal.signer),
    }


def periodic_table() -> tuple[Periodic, ...]:
    """What comes round."""
    return (
        Periodic("checkpoint", timedelta(seconds=10), "checkpoint"),
        Periodic("attachments", timedelta(days=1), sweep.SWEEP),
        *watching.ROUNDS,
        Periodic("promises", timedelta(minutes=1), "mark_missed_promises"),
        Periodic("stage-times", timedelta(minutes=1), watch.KEEP_TIME),
        Periodic("digests", timedelta(minutes=5), digest.SEND_DIGESTS),
        Periodic("paces", timedelta(hours=1), "refresh_paces"),
    )


def workshop(portal: Portal) -> Workshop:
    """What a worker needs to run tasks."""
    return Workshop(
        db=portal.db,
        settings=portal.settings,
        handlers=job_handlers(portal),
        on_set_aside=set_aside.on_set_aside,
    )


def blueprints(portal: Portal) -> tuple[Blueprint, ...]:
    """Every page."""
    return (
        web_views.blueprint,
        language_views.blueprint,
        sign_in_views.blueprint,
        account_views.blueprint,
        passkey_views.blueprint,
        catalogue_views.blueprint,
        version_views.blueprint,
        request_views.blueprint,
        ordering_views.blueprint,
        bulk_views.blueprint,
        unit_views.blueprint,
        emergency_views.blueprint,
        standing_views.blueprint,
        decision_views.blueprint,
        conversation_views.blueprint,
        reassigning_views.blueprint,
        chosen_views.blueprint,
        link_views.blueprint,
        delegation_views.blueprint,
        timing_views.blueprint,
        absence_views.blueprint,
        mail_views.blueprint,
        fulfilment_views.blueprint,
        manual_views.blueprint,
        secret_views.blueprint,
        attachment_views.blueprint,
        entitlement_views.blueprint,
        evidence_views.blueprint,
        ledger_views.blueprint,
        pki_views.blueprint(portal.authority),
        ssh_views.blueprint(SshAuthority(portal.settings.ssh_folder)),
    )


def _checkpoint(job: Job, *, signer: Signer) -> None:
    checkpoint_if_due(job.db, signer)
