"""Leaving a decision to another person who may make it."""
