"""Background work: what each kind of task runs, and what comes round."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from approvals.emergency import jobs as emergency_jobs
from approvals.routing import watching
from approvals.routing.book import RouteBook
from approvals.timing import watch
from catalog.attachments import sweep
from catalog.entitlements import jobs as entitlement_jobs
from catalog.fulfilment import jobs as fulfilment_jobs
from catalog.fulfilment import set_aside
from catalog.ordering import pace
from catalog.requests import jobs as request_jobs
from catalog.requests import promise
from catalog.versions import replaying
from portal.audit.checkpoint import Signer, checkpoint_if_due
from portal.jobs import Handlers, Job, Periodic, Workshop
from portal.notifications import digest
from portal.notifications import jobs as mail_jobs
from portal.wiring.parts import Portal


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


def _checkpoint(job: Job, *, signer: Signer) -> None:
    checkpoint_if_due(job.db, signer)
