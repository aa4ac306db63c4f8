"""Checkpoint holders: whoever keeps a copy of the ledger's signed heads outside its database.

What they hold cannot be taken back, so a ledger that is written anew is found by whoever asks one of them.
"""
