"""Expressions in CEL: the only module that knows the CEL library.

An expression is compiled against the names of its document, so an unknown name or a wrong type is refused when the
offering is read. The library gives errors back as values and raises when its budget of 10,000 iterations is spent;
both become `RuleFailed`, never an answer: a rule that cannot be worked out stops the request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, cast

from cel_expr_python import cel
from cel_expr_python.ext import ext_strings

from catalog.offerings.derived import EMPTY, Type
from catalog.offerings.facts import NEVER, Facts, day_text
from catalog.offerings.names import Names
from portal.core.errors import PortalError
from portal.core.language import N_, SOURCE, _, language, speaking

_CEL: Mapping[Type, Any] = {
    "string": cel.Type.STRING,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "bool": cel.Type.BOOL,
    "timestamp": cel.Type.TIMESTAMP,
    "list": cel.Type.List(cel.Type.STRING),
}
_WORDS: Mapping[Type, str] = {
    "string": "a text",
    "int": "a whole number",
    "double": "a number",
    "bool": "yes or no",
    "timestamp": "a date",
    "list": "a list",
}
_MOST_DAYS = 36_500
_PLACE = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")
_UNKNOWN = re.compile(r"undeclared reference to '([^']+)'")


class NotAnExpression(ValueError):
    """An expression does not compile. `line` and `column` count from 1 inside it; `unknown` is a name that is none."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1, unknown: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.unknown = unknown


class RuleFailed(PortalError):
    """An expression compiled and yet gave no value for these facts. `why` is for the offering's owner."""

    status = 500
    title = N_("A rule of this offering does not work")

    def __init__(self, expression: str, why: str) -> None:
        super().__init__(
            _("A rule of this offering cannot be worked out for these answers. Tell the offering's owner.")
        )
        self.expression = expression
        self.why = why


def check_expression(expression: str, names: Names, wanted: Type | None) -> None:
    """Raises NotAnExpression unless the expression compiles and gives a value of this type, or of any for None."""
    found = _compiled(names, expression).return_type()
    if wanted is None:
        if found not in _CEL.values():
            message = f"this gives {_word_of(found)}, which no connector takes"
            raise NotAnExpression(message)
    elif found != _CEL[wanted]:
        message = f"this gives {_word_of(found)}, and {_WORDS[wanted]} is needed"
        raise NotAnExpression(message)


def try_expression(expression: str, names: Names) -> None:
    """Raises NotAnExpression for a pattern inside the expression that RE2 does not take: no type shows that."""
    values = {name: NEVER if kind == "timestamp" else EMPTY[kind] for name, kind in names}
    try:
        result = _compiled(names, expression).eval(data=values)
    except RuntimeError:  # the budget of iterations; with real answers it may suffice
        return
    why = str(result.value()) if result.type() == cel.Type.ERROR else ""
    if "invalid regular expression" in why:
        raise NotAnExpression(why.partition(": ")[2])


def holds(expression: str, facts: Mapping[str, Any]) -> bool:
    """Whether the condition holds. `facts` come from facts_for. Raises RuleFailed."""
    return cast("bool", evaluate(expression, facts, bool))


def text_of(expression: str, facts: Mapping[str, Any]) -> str:
    """The text that the expression gives. Raises RuleFailed."""
    return cast("str", evaluate(expression, facts, str))


def number_of(expression: str, facts: Mapping[str, Any]) -> int:
    """The whole number that the expression gives. Raises RuleFailed."""
    return cast("int", evaluate(expression, facts, int))


def evaluate(expression: str, facts: Mapping[str, Any], wanted: type) -> Any:
    """The expression's value, an instance of `wanted`. `facts` come from facts_for. Raises RuleFailed."""
    if not isinstance(facts, Facts):
        message = "Facts for expressions come from catalog.offerings.rules.facts_for"
        raise TypeError(message)
    with speaking(SOURCE):  # an answer does not hang on who asks
        return _evaluated(expression, facts.names, facts.values, wanted)


def spoken_by(expression: str, facts: Facts) -> Any:
    """What the expression gives in the language that is spoken: a text, or a list of texts. Raises RuleFailed."""
    expression = facts.document.translation(expression, language())
    return _evaluated(expression, facts.names, facts.spoken().values, object)


def holds_for(expression: str, names: Names, values: Mapping[str, Any]) -> bool:
    """Whether the condition holds where these are all the names there are. Raises RuleFailed."""
    return cast("bool", _evaluated(expression, names, values, bool))


def _evaluated(expression: str, names: Names, values: Mapping[str, Any], wanted: type) -> Any:
    try:
        result = _compiled(names, expression).eval(data=values)
    except NotAnExpression as error:
        raise RuleFailed(expression, error.message) from error
    except RuntimeError as error:  # the budget of iterations is spent
        raise RuleFailed(expression, str(error)) from error
    if result.type() == cel.Type.ERROR:
        raise RuleFailed(expression, str(result.value()))
    value = result.plain_value()
    # A bool is an int to Python and never to CEL.
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise RuleFailed(expression, f"it gave {type(value).__name__}, not {wanted.__name__}")
    return value


def _days(count: int) -> timedelta:
    if abs(count) > _MOST_DAYS:
        message = f"days({count}) is more than a hundred years"
        raise ValueError(message)
    return timedelta(days=count)


def _function(name: str, result: Any, parameters: list[Any], body: Any) -> Any:
    overload = cel.Overload(f"{name}_of_countersign", return_type=result, parameters=parameters, impl=body)
    return cel.FunctionDecl(name, [overload])


#: What expressions may call beside CEL's own and the strings extension.
FUNCTIONS = frozenset({"days", "days_between", "day_text"})
_TIME = cel.Type.TIMESTAMP
_FUNCTIONS = (
    _function("days", cel.Type.DURATION, [cel.Type.INT], _days),
    _function("days_between", cel.Type.INT, [_TIME, _TIME], lambda first, last: (last - first).days),
    _function("day_text", cel.Type.STRING, [_TIME], lambda moment: day_text(moment.date())),
)


@lru_cache(maxsize=128)
def _environment(names: Names) -> Any:
    return cel.NewEnv(
        variables={name: _CEL[kind] for name, kind in names},
        functions=list(_FUNCTIONS),
        extensions=[ext_strings.ExtStrings()],
    )


@lru_cache(maxsize=4096)
def _compiled(names: Names, expression: str) -> Any:
    try:
        return _environment(names).compile(expression)
    except RuntimeError as error:
        raise _explained(str(error)) from error


def _explained(error: str) -> NotAnExpression:
    place = _PLACE.search(error)
    if place is None:
        deep = "recursion" in error
        return NotAnExpression("this expression is nested too deeply" if deep else error.partition("[")[0])
    line, column, message = int(place[1]), int(place[2]), place[3]
    unknown = _UNKNOWN.search(message)
    message = f"there is no name {unknown[1]!r} here" if unknown else message.partition(" (in container")[0]
    return NotAnExpression(
        message, line=max(line, 1), column=max(column, 1), unknown=unknown[1] if unknown else ""
    )


def _word_of(kind: Any) -> str:
    return next((_WORDS[name] for name, known in _CEL.items() if known == kind), kind.name().lower())
