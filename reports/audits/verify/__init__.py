"""Verifying audit reports and their bundles, for `countersign verify`."""

from __future__ import annotations

from reports.audits.verify.run import is_bundle, is_report, verify_bundle, verify_report

__all__ = ["is_bundle", "is_report", "verify_bundle", "verify_report"]
