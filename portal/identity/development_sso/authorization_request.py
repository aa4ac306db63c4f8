"""What a client asks for beyond OAuth: how fresh, how strong, with which questions (OpenID Connect Core §3.1.2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from authlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError, OAuth2Error
from authlib.oidc.core.errors import (
    ConsentRequiredError,
    InteractionRequiredError,
    LoginRequiredError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

from portal.identity.development_sso.config import ACR_MFA, ACR_PASSWORD
from portal.identity.development_sso.people import Person
from portal.identity.development_sso.store import Session

PROMPTS = {"none", "login", "consent", "select_account"}
MAXIMUM_AGE_DIGITS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """`max_age` is in seconds; `acr` is the first class asked for that this provider knows."""

    prompts: frozenset[str]
    max_age: int | None
    acr: str | None
    login_hint: str
    id_token_hint: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What the person must still do before the client gets its code."""

    login: bool
    second_factor: bool
    consent: bool

    @property
    def nothing(self) -> bool:
        """Whether the code can go out at once."""
        return not (self.login or self.second_factor or self.consent)


def read_request(parameters: Mapping[str, str]) -> AuthorizationRequest:
    """The request. Raises an OAuth2Error that the client is told of."""
    if "request" in parameters:
        raise RequestNotSupportedError
    if "request_uri" in parameters:
        raise RequestURINotSupportedError
    if "openid" not in parameters.get("scope", "").split():
        raise InvalidScopeError(description="The scope must hold openid")
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequestError("The response_mode must be query")
    prompts = frozenset(parameters.get("prompt", "").split())
    if not prompts <= PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise InvalidRequestError("Invalid prompt parameter")
    max_age = parameters.get("max_age") or None
    if max_age is not None and not (
        max_age.isascii() and max_age.isdecimal() and len(max_age) <= MAXIMUM_AGE_DIGITS
    ):
        raise InvalidRequestError("The max_age must be a whole number of seconds")
    known = [acr for acr in parameters.get("acr_values", "").split() if acr in {ACR_MFA, ACR_PASSWORD}]
    return AuthorizationRequest(
        prompts=prompts,
        max_age=None if max_age is None else int(max_age),
        acr=known[0] if known else None,
        login_hint=parameters.get("login_hint", ""),
        id_token_hint=parameters.get("id_token_hint", ""),
    )


def needs_of(asked: AuthorizationRequest, session: Session | None, now: float) -> Needs:
    """What this request still needs from the person of this session.

    With prompt=none, raises the OAuth2Error that says what is needed instead (Core §3.1.2.6).
    """
    login = (
        session is None
        or bool(asked.prompts & {"login", "select_account"})
        or (asked.max_age is not None and now - session.auth_time > asked.max_age)
        # max_age=0 is prompt=login by another name: even a sign-in in this very second is too old.
        or asked.max_age == 0
    )
    has_second_factor = session is not None and session.acr == ACR_MFA and not login
    needs = Needs(
        login=login,
        second_factor=asked.acr == ACR_MFA and not has_second_factor,
        consent="consent" in asked.prompts,
    )
    if "none" in asked.prompts and not needs.nothing:
        raise _cannot_stay_silent(needs)
    return needs


def suggested_person(
    asked: AuthorizationRequest, people: Iterable[Person], subject: str | None
) -> Person | None:
    """Who is probably signing in, by the client's hint or else by `subject`; None lets them choose."""
    if "select_account" in asked.prompts:
        return None
    for person in people:
        fits = (
            asked.login_hint in {person.user_name, person.email}
            if asked.login_hint
            else person.subject == subject
        )
        if fits and person.active:
            return person
    return None


def _cannot_stay_silent(needs: Needs) -> OAuth2Error:
    if needs.login:
        return LoginRequiredError(description="The person must sign in")
    if needs.second_factor:
        return InteractionRequiredError(description="The person must give a second factor")
    return ConsentRequiredError(description="The person must consent")
