"""Background work: what each kind of task runs, and what comes round."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from approvals.emergency import jobs as emergency_jobs
from approvals.routing import watching
from approvals.routing.book import RouteBook
from approvals.timing import watch
from catalog.access_reviews import jobs as access_reviews
from catalog.attachments import sweep
from catalog.changes import moving
from catalog.changes import telling as change_mails
from catalog.entitlements import jobs as entitlement_jobs
from catalog.entitlements.recertifying import jobs as recertifying
from catalog.fulfilment import jobs as fulfilment_jobs
from catalog.fulfilment import set_aside
from catalog.fulfilment.connectors.http.calls import FOLLOW_CALL
from catalog.fulfilment.connectors.http.following import follow_http_call
from catalog.fulfilment.connectors.http.handing import TAKE_CALLBACK, take_http_callback
from catalog.ordering import pace
from catalog.reconciliation import run as reconciliation
from catalog.reconciliation.telling import tell_of_findings
from catalog.requests import jobs as request_jobs
from catalog.requests import promise
from catalog.versions import replaying
from portal.audit.checkpoint import Signer
from portal.audit.holders.configured import Holders
from portal.audit.holders.hand_over import due_holders, hand_to
from portal.audit.rounds import work as rounds
from portal.audit.signing import keep_signed
from portal.jobs import Handlers, Job, Periodic, Task, Workshop
from portal.jobs.periodic import enqueue_periodic
from portal.notifications import digest
from portal.notifications import jobs as mail_jobs
from portal.wiring.parts import Portal
from reports.audits import jobs as audits
from reports.erasing import retire
from reports.records.cli import records_of

#: Its payload names the holder.
HAND_TO_HOLDER = "hand_to_holder"


def job_handlers(portal: Portal) -> Handlers:
    """What each kind of task runs."""
    connectors = portal.connectors
    return {
        "mark_missed_promises": promise.mark_missed_promises,
        watch.KEEP_TIME: watch.keep_stage_times,
        "refresh_paces": pace.refresh_paces,
        "prepare": partial(request_jobs.prepare, connectors=connectors),
        **fulfilment_jobs.handlers(connectors),
        "end_entitlement": partial(entitlement_jobs.end_entitlement, connectors=connectors),
        FOLLOW_CALL: partial(follow_http_call, connectors=connectors),
        TAKE_CALLBACK: partial(take_http_callback, connectors=connectors),
        "warn_of_ending": entitlement_jobs.warn_of_ending,
        recertifying.RECERTIFY: partial(recertifying.recertify, connectors=connectors),
        **access_reviews.handlers(connectors),
        **emergency_jobs.handlers(connectors),
        **watching.tasks(portal.settings),
        moving.MOVE: moving.move_changes,
        change_mails.WARN: change_mails.warn_of_change,
        "send_mail": mail_jobs.send_mail,
        digest.SEND_DIGESTS: digest.send_digests,
        replaying.REPLAY: partial(replaying.carry_out, make_routes=RouteBook),
        reconciliation.RECONCILE: partial(reconciliation.reconcile, connectors=connectors),
        reconciliation.READ_TARGET: partial(reconciliation.read_one, connectors=connectors),
        reconciliation.TELL_OF_FINDINGS: tell_of_findings,
        sweep.SWEEP: partial(sweep.sweep_attachments, store=portal.store),
        **audits.handlers(portal.signer),
        retire.RETIRE: partial(retire.retire_nightly, store=portal.store),
        rounds.VERIFY: partial(_verify_ledger, portal=portal),
        "checkpoint": partial(_checkpoint, signer=portal.signer, holders=portal.holders),
        HAND_TO_HOLDER: partial(_hand_to_holder, holders=portal.holders),
    }


def periodic_table() -> tuple[Periodic, ...]:
    """What comes round."""
    return (
        Periodic("checkpoint", timedelta(seconds=10), "checkpoint"),
        Periodic("attachments", timedelta(days=1), sweep.SWEEP),
        *watching.ROUNDS,
        Periodic("promises", timedelta(minutes=1), "mark_missed_promises"),
        Periodic("changes", timedelta(minutes=1), moving.MOVE),
        Periodic("stage-times", timedelta(minutes=1), watch.KEEP_TIME),
        Periodic("recertifications", timedelta(minutes=5), recertifying.RECERTIFY),
        Periodic("access-reviews", timedelta(minutes=5), access_reviews.RUN),
        Periodic("digests", timedelta(minutes=5), digest.SEND_DIGESTS),
        Periodic("paces", timedelta(hours=1), "refresh_paces"),
        Periodic("ledger", rounds.EVERY, rounds.VERIFY),
        Periodic("retention", timedelta(days=1), retire.RETIRE),
        Periodic("reconciliation", timedelta(days=1), reconciliation.RECONCILE),
    )


def workshop(portal: Portal) -> Workshop:
    """What a worker needs to run tasks."""
    return Workshop(
        db=portal.db,
        settings=portal.settings,
        handlers=job_handlers(portal),
        on_set_aside=_on_set_aside,
    )


def _on_set_aside(session: Session, task: Task) -> None:
    set_aside.on_set_aside(session, task)
    audits.on_set_aside(session, task)


def _verify_ledger(job: Job, *, portal: Portal) -> None:
    rounds.verify_round(
        job.db,
        job.transaction,
        signer=portal.signer,
        known=rounds.known_in(portal.settings.home),
        records=partial(records_of, portal, lambda done, total: None),
    )


def _checkpoint(job: Job, *, signer: Signer, holders: Holders) -> None:
    try:
        keep_signed(job.db, signer)
    finally:
        # Each holder has a task of its own: one that does not answer holds up neither the next nor the signer.
        with job.reading() as session:
            due = due_holders(session, holders)
        enqueue_periodic(
            job.db,
            [
                Periodic(f"holder-{key}", timedelta(seconds=1), HAND_TO_HOLDER, payload={"holder": key})
                for key in due
            ],
        )


def _hand_to_holder(job: Job, *, holders: Holders) -> None:
    holder = holders.find(job.payload["holder"])
    if holder is not None:
        hand_to(job.db, holder)
