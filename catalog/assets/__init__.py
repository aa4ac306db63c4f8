"""Assets: what the organisation runs, imported from its own list of it (a CMDB), with owner, criticality and zone."""
