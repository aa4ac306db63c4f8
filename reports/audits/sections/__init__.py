"""The report's sections. Whoever makes a report needs `gather`, whoever writes it down `plain_tables` and reports.audits.html."""

from reports.audits.sections.registry import gather_sections as gather
from reports.audits.sections.registry import plain_tables

__all__ = ["gather", "plain_tables"]
