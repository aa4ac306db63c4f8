"""Erasing people, retiring what is over its time, and legal holds, which keep both away.

`places` is the one list of where personal data lies. `erase` and `retire` go through it, each in transactions whose
last entry tells of them, so that the rows are sealed anew by that entry and every proof still holds.
"""
