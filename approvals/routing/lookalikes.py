"""Look-alikes: another person whose name reads like this one, flagged to the approver beside the stable id.

Names are compared by what the eye sees: without accents and case, with letters of other scripts and digits that
look like Latin ones taken for them (a small part of Unicode UTS #39's confusables: what people's names can hold).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.identity.model import Person

#: Letters by what they are seen as, as code points: the letters themselves would deceive readers here too.
_SEEN_AS = str.maketrans(
    {
        # Cyrillic and Armenian
        "\u0430": "a", "\u0432": "b", "\u0435": "e", "\u043a": "k", "\u043c": "m", "\u043d": "h",
        "\u043e": "o", "\u0440": "p", "\u0441": "c", "\u0442": "t", "\u0443": "y", "\u0445": "x",
        "\u0456": "l", "\u0457": "l", "\u0458": "j", "\u0455": "s", "\u0501": "d", "\u051b": "q",
        "\u051d": "w", "\u04bb": "h", "\u04cf": "l", "\u0433": "r", "\u0475": "v", "\u0578": "n",
        # Greek
        "\u03b1": "a", "\u03b2": "b", "\u03b5": "e", "\u03b7": "n", "\u03b9": "l", "\u03ba": "k",
        "\u03bd": "v", "\u03bf": "o", "\u03c1": "p", "\u03c4": "t", "\u03c5": "u", "\u03c7": "x",
        "\u03b3": "y", "\u03c9": "w", "\u03c2": "s", "\u03c3": "o",
        # Latin letters that stand alone
        "\u0131": "l", "\u0142": "l", "\u00f8": "o", "\u0111": "d", "\u0127": "h", "\u0167": "t",
        "\u0251": "a", "\u0261": "g",
        # ASCII
        "0": "o", "1": "l", "|": "l", "i": "l", "5": "s",
    }
)  # fmt: skip
_DROPPED = {"Mn", "Cf", "Pd", "Po", "Zs", "Pc"}


def appearance(name: str) -> str:
    """What the eye takes the name for; equal for names that are easily confused."""
    folded = unicodedata.normalize("NFKD", name.casefold()).translate(_SEEN_AS)
    # Again, because a letter such as \u0457 is only taken apart by NFKD and then translated.
    seen = "".join(character for character in folded if unicodedata.category(character) not in _DROPPED)
    return seen.replace("ß", "ss").replace("rn", "m").replace("vv", "w")


def look_alikes(session: Session, people: Sequence[Person]) -> list[str]:
    """Sentences that name everybody whose name can be taken for one of these people's. One statement.

    It reads every name, so it runs when a request is sealed and its findings are kept, not on every page.
    """
    wanted = {appearance(person.name): person for person in people}
    sentences: list[str] = []
    rows = session.execute(
        select(Person.id, Person.name, Person.user_name, Person.active).order_by(Person.id)
    )
    for person_id, name, user_name, active in rows:
        person = wanted.get(appearance(name))
        if person is not None and person_id not in {other.id for other in people}:
            state = "" if active else ", whose account is closed"
            sentences.append(
                f"{person.name} ({person.user_name}) is easily taken for {name} ({user_name}{state}). "
                "Compare the account name."
            )
    return sentences
