"""`python -m portal.audit.signer`: the signer's process."""

from __future__ import annotations

import logging
import sys

from portal.audit.signer.process import own_settings, run
from portal.core.errors import SettingsError


def main() -> None:
    """Run. Exits with a sentence when the settings cannot be used."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        run(*own_settings())
    except SettingsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
