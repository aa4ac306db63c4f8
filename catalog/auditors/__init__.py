"""Auditors' accounts over requests: what is in their scope, and the administrators' page of them."""
