"""Ordering made easy: finding, promising, ordering again, for several people, in bulk; what a unit asked for."""
