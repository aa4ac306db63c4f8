"""The renderer's own process: reads one job from its input, writes the PDF to its output.

WeasyPrint runs only here, under limits on memory and time that the kernel keeps, without the portal's settings in
its environment. Run as `python -m reports.pdf.child FOLDER BYTES`; ends with one of the statuses below.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import NoReturn

from reports.pdf.job import PdfJob

CPU_SECONDS = 30
#: Exit statuses beside 0 and the kernel's own.
MISSING, REFUSED, BROKEN, TOO_BIG = 10, 11, 12, 13


def main() -> None:
    """Render the job on standard input."""
    memory = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    output = os.fdopen(os.dup(1), "wb")
    # Nothing that a library prints may end up inside the PDF.
    os.dup2(2, 1)
    try:
        job = PdfJob.read(sys.stdin.buffer)
        from reports.pdf import engine  # noqa: PLC0415  (after the limits, and its absence is an answer)
    except MemoryError:
        end(TOO_BIG, "out of memory")
    except (OSError, ImportError) as error:
        # cffi raises OSError with the library's name when Pango and its like are not installed.
        why = str(error).splitlines()[0]
        end(TOO_BIG if "allocate memory" in why or "failed to map" in why else MISSING, why)
    try:
        pdf = engine.make(job, Path(sys.argv[1]))
    except engine.FatalURLFetchingError as error:
        end(REFUSED, str(error))
    except MemoryError:
        end(TOO_BIG, "out of memory")
    except Exception as error:  # noqa: BLE001  (whatever it is, the parent turns it into a sentence)
        end(BROKEN, f"{type(error).__name__}: {error}")
    with output:
        output.write(pdf)


def end(status: int, why: str) -> NoReturn:
    """End the process at once with this status; the parent reads the last line."""
    sys.stderr.write(f"\n{why}")
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
