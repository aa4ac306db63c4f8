"""What every template knows: the languages, and days, times and numbers as the reader's language writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from portal.core import times
from portal.core.language import N_, gettext, ngettext_plain, pgettext, spoken


def teach(environment: Environment) -> None:
    """Give templates `_`, `ngettext`, `pgettext`, `{% trans %}`, the filter `spoken` and those of portal.core.times.

    What was said in every language is printed in the reader's, unless the environment prints in a way of its own.
    """
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    # The extension brings this method.
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        gettext, ngettext_plain, newstyle=True, pgettext=pgettext
    )
    environment.globals["ngettext"] = _writing_numbers(
        cast("Callable[..., str]", environment.globals["ngettext"])
    )
    environment.globals["N_"] = N_
    environment.finalize = environment.finalize or spoken
    environment.filters.update(
        spoken=spoken,
        day=times.day,
        weekday=times.weekday,
        clock=times.clock,
        moment=times.moment,
        moment_short=times.moment_short,
        stamp=times.stamp,
        deadline=times.deadline,
        relative=times.relative,
        number=times.number,
        size=times.size,
        duration=times.duration,
    )


def _writing_numbers(ngettext: Callable[..., str]) -> Callable[..., str]:
    """The same, where `%(num)s` is written as the reader's language writes numbers."""

    @pass_context
    def write(context: Context, one: str, many: str, num: int, **values: Any) -> str:
        return ngettext(context, one, many, num, **{"num": times.number(num), **values})

    return write
