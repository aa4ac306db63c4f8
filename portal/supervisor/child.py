"""Become a child that dies with its parent: `python -I -S child.py PARENT_PID COMMAND…`.

Run by its path and without site-packages, so that it costs some milliseconds. It replaces itself by the command;
the kernel keeps the wish to be killed over the exec (prctl(2), PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel to be killed with the parent, and exec."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    # The parent may have died before the kernel was asked.
    if os.getppid() != parent:
        sys.exit("The supervisor is gone.")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
