"""The evidence of each request of a sample, so many at once as there are processors."""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import pypdf

from portal.audit.notes import read_head
from reports.audits import place
from reports.audits.share import Making
from reports.evidence.make import Made, make_evidence


def make_all_evidence(making: Making) -> bool:
    """Each sampled request's file, so many at once as there are processors; False when there is more to make."""
    waiting = [reference for reference in making.draw.drawn if not making.lies_ready(_name(reference))]
    done, begun = len(making.draw.drawn) - len(waiting), False
    processors = os.cpu_count() or 1
    with ThreadPoolExecutor(max_workers=processors, thread_name_prefix="evidence") as pool:
        running: dict[Future[Made], str] = {}
        try:
            while waiting or running:
                # Every task makes some, however late it begins, or none would ever end.
                while waiting and len(running) < processors and not (making.spent and begun):
                    begun = True
                    reference = waiting.pop(0)
                    # Rendering is a child process's work: these threads only wait for it.
                    running[
                        pool.submit(make_evidence, making.bench, reference, making.draw.audit.language)
                    ] = reference
                if not running:
                    return False
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    done += 1
                    _take(making, running.pop(future), future.result(), done)
        finally:
            for future in running:
                future.cancel()
    return True


def sizes_proven(making: Making) -> set[int]:
    """The sizes of the ledger's heads under which the files that were made are proven, as these say themselves."""
    paths = [making.folder / _name(reference) for reference in making.draw.drawn]
    notes = (pypdf.PdfReader(path).attachments["checkpoint.note"][0] for path in paths)
    return {read_head(note.decode()).size for note in notes}


def _take(making: Making, reference: str, made: Made, done: int) -> None:
    name = _name(reference)
    with place.written(making.folder / name) as path:
        path.write_bytes(made.path.read_bytes())
    making.remember(name)
    making.tell(done)


def _name(reference: str) -> str:
    return f"evidence/{reference}.pdf"
