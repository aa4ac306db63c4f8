"""What people write in a remark: checked once, in one way."""

from __future__ import annotations

from portal.core.errors import FieldError
from portal.core.language import _
from portal.core.text import clean_text

LONGEST = 2000


def checked(text: str, field: str, *, missing: str = "") -> str:
    """The text in its normal form.

    Raises FieldError for one that is too long or holds what cannot be seen, and, where `missing` says what to do,
    for none.
    """
    try:
        text = clean_text(text)
    except ValueError as error:
        raise FieldError(field, f"{error}.") from error
    if len(text) > LONGEST:
        raise FieldError(field, _("Shorten this to %(number)s characters.", number=LONGEST))
    if missing and not text:
        raise FieldError(field, missing)
    return text
