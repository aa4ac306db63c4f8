"""The figures: how long things take, where they rest, and how decisions are made, for compliance and for owners."""
