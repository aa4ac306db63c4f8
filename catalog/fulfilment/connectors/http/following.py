"""Following calls that take long: asking again after a pause, and when a callback points to one."""

from __future__ import annotations

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.http.calls import locked
from catalog.fulfilment.connectors.http.connector import HttpConnector
from catalog.fulfilment.connectors.http.model import CallState
from catalog.fulfilment.connectors.http.plans import KIND
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.waking import wake
from portal.core.language import say
from portal.jobs import Job, TaskError


def follow_http_call(job: Job, *, connectors: Connectors) -> None:
    """See how far a call is; once it is over, or the target says what nobody understands, its step goes on.

    A target that does not answer is asked again after the pause, until the call's time is over. Safe to run again.
    """
    connector = connectors.get(KIND) if KIND in connectors else None
    if not isinstance(connector, HttpConnector):
        raise TaskError(say("This portal has no automation targets any more."), permanent=True)
    call_id = int(job.payload["call_id"])
    with job.transaction() as session:
        call = locked(session, call_id)
        if job.payload["asks"] in {None, call.asks}:
            call.asks += 1
    odd = False
    try:
        call = connector.follow(call_id)
    except ConnectorError as error:
        odd = error.permanent
        call = connector.give_up_if_late(call_id)
    with job.transaction() as session:
        if call.state is not CallState.RUNNING or odd:
            # What is odd is said by the step itself, which asks again and fails by the answer.
            wake(session, call.key, because=f"http-call:{call.id}:{call.asks if odd else call.state}")
        job.finish(session)
