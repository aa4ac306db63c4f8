from __future__ import annotations

import pytest

from catalog.fulfilment.last_words import last_line

TRACEBACK = """Traceback (most recent call last):
  File "work.py", line 1, in <module>
sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: shelf
[SQL: SELECT shelf.id
FROM shelf]
(Background on this error at: https://sqlalche.me/e/21/e3q8)
"""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (None, ""),
        ("  \n", ""),
        ("The directory did not answer.", "The directory did not answer."),
        ("Traceback (most recent call last):\n  File\nValueError: no\n", "ValueError: no"),
        (TRACEBACK, "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) no such table: shelf"),
    ],
)
def test_the_last_line_says_what_happened_and_nothing_of_the_statement(error, line):
    assert last_line(error) == line
