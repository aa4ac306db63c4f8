"""A child that renders parts, one after another: it stays warm, so that fonts and libraries are loaded once.

Run as `python -m reports.pdf.hand FOLDER SCRATCH BYTES` by reports.pdf.crew. Reads jobs (a line of JSON, then the
HTML), answers each with a line of JSON, and ends with a status of reports.pdf.child when one cannot be done.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from reports.pdf.child import BROKEN, MISSING, REFUSED, TOO_BIG, end

#: Seconds of processor time for one part.
CPU_SECONDS = 60


def main() -> None:
    """Do the jobs on standard input until there are no more."""
    folder, scratch, memory = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w")
    # Nothing that a library prints may end up among the answers.
    os.dup2(2, 1)
    try:
        from weasyprint.urls import FatalURLFetchingError  # noqa: PLC0415

        from reports.pdf import layout, trunk  # noqa: PLC0415  (after the limits, and its absence is an answer)
    except MemoryError:
        end(TOO_BIG, "out of memory")
    except (OSError, ImportError) as error:
        end(MISSING, str(error).splitlines()[0])
    studio = layout.Studio(folder, scratch)
    # A part makes millions of objects that all live until it is done: looking for cycles among them in the meantime
    # takes a third of the time and finds nothing.
    gc.disable()
    gc.freeze()
    while line := sys.stdin.buffer.readline():
        job = json.loads(line)
        html = sys.stdin.buffer.read(job["html"]).decode()
        used = int(time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_SECONDS, resource.RLIM_INFINITY))
        try:
            answer = _do(studio, trunk, job, html)
        except FatalURLFetchingError as error:
            end(REFUSED, str(error))
        except MemoryError:
            end(TOO_BIG, "out of memory")
        except Exception as error:  # noqa: BLE001  (whatever it is, the parent turns it into a sentence)
            end(BROKEN, f"{type(error).__name__}: {error}")
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        _tidy()


def _do(studio: Any, trunk: Any, job: dict[str, Any], html: str) -> dict[str, Any]:
    if job["do"] == "part":
        answer: dict[str, Any] = studio.part(html, Path(job["target"]))
    elif job["do"] == "letters":
        answer = trunk.letters(studio, html, job["wanted"])
    else:
        answer = trunk.trunk(studio, job, Path(job["target"]))
    return answer


def _tidy() -> None:
    """Give back what the part took, so that a child never grows beyond its largest part."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # only the GNU C library has it
        ctypes.CDLL(None).malloc_trim(0)


if __name__ == "__main__":
    main()
