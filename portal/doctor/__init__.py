"""`countersign doctor`: whether everything is there that the portal needs, and how what is missing is mended."""

from portal.doctor.check import Check, State
from portal.doctor.run import healthy, report, run, table_of, to_json

__all__ = ["Check", "State", "healthy", "report", "run", "table_of", "to_json"]
