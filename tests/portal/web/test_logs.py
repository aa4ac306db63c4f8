"""What is logged of a mailed link."""

from __future__ import annotations

import io
import logging

from portal.web import logs


def test_the_identifier_of_a_link_is_masked_in_every_handler() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = logging.getLogger("tests.links")
    logger.addHandler(handler)
    try:
        logs.install()
        logs.install()
        logger.warning("GET %s answered", "/a/S3cretIdentifier_0123456789-abc")
        logger.warning("GET /a/S3cretIdentifier_0123456789-abc?x=1")
    finally:
        logger.removeHandler(handler)
    assert "S3cret" not in written.getvalue()
    assert written.getvalue().count("GET") == 2
    assert len(handler.filters) == 1
