"""Authlib's OpenID server, told where our people, codes and keys are, and held to the strict reading of each rule."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import OpenIDCode, UserInfo, UserInfoEndpoint
from authlib.oidc.rpinitiated import EndSessionEndpoint
from joserfc.jwk import KeySet, RSAKey

from portal.identity.development_sso.config import TOKEN_SECONDS, SsoConfig
from portal.identity.development_sso.people import Person
from portal.identity.development_sso.store import AccessToken, Code, Session, Store

ALGORITHM = "RS256"
SCOPES = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person together with the session that says how they signed in."""

    person: Person
    session: Session


class Client:
    """The one client, in the shape that Authlib asks for."""

    def __init__(self, config: SsoConfig) -> None:
        self._config = config
        self.client_id = config.client_id
        self.client_metadata = {"post_logout_redirect_uris": list(config.post_logout_redirect_uris)}

    def get_client_id(self) -> str:
        """The client's identifier."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """None: a client must always say where to, since OpenID Connect asks it to."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """Those of the scopes asked for that exist here."""
        return " ".join(name for name in SCOPES if name in (scope or "").split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether codes may go there: compared whole, character by character (RFC 9700 §2.1)."""
        return redirect_uri in self._config.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is the client's secret."""
        return secrets.compare_digest(self._config.client_secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether the client may prove itself in this way."""
        return method in {"client_secret_basic", "client_secret_post"}

    def check_response_type(self, response_type: str) -> bool:
        """Whether the client may ask for this."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may trade this in."""
        return grant_type == "authorization_code"


@dataclass(frozen=True, slots=True)
class Provider:
    """The wired server and what the views need of it."""

    config: SsoConfig
    store: Store
    key: RSAKey
    server: AuthorizationServer
    issuer: _Issuer
    end_session: _EndSession
    people: Mapping[str, Person]

    def person(self, subject: str) -> Person | None:
        """The person, unless their account is closed."""
        person = self.people.get(subject)
        return person if person is not None and person.active else None


def make_provider(
    config: SsoConfig, store: Store, key: RSAKey, framework_settings: Mapping[str, Any]
) -> Provider:
    """The provider for this configuration, with one client, one grant and one key."""
    people = {person.subject: person for person in config.people}
    client = Client(config)

    def query_client(client_id: str) -> Client | None:
        return client if client_id == config.client_id else None

    def save_token(token: Mapping[str, Any], request: Any) -> None:
        store.keep_token(token["access_token"], request.authorization_code)

    server = AuthorizationServer(query_client=query_client, save_token=save_token)
    server.load_config(
        {**framework_settings, "OAUTH2_TOKEN_EXPIRES_IN": {"authorization_code": TOKEN_SECONDS}}
    )
    server.register_grant(_grant(store, people), [_OpenIDCode(config, store, key), _S256Only(required=True)])
    issuer, end_session = _Issuer(config.issuer), _EndSession(key)
    server.register_extension(issuer)
    protector = ResourceProtector()
    protector.register_token_validator(_tokens(store, client, people))
    server.register_endpoint(_UserInfo(resource_protector=protector))
    server.register_endpoint(end_session)
    return Provider(config, store, key, server, issuer, end_session, people)


def user_info(person: Person, scope: str) -> UserInfo:
    """The claims about a person that these scopes give."""
    return UserInfo(
        sub=person.subject,
        name=person.name,
        given_name=person.given_name,
        family_name=person.family_name,
        preferred_username=person.user_name,
        email=person.email,
        email_verified=True,
        zoneinfo=person.zoneinfo,
        locale=person.locale,
    ).filter(scope)


def _grant(store: Store, people: Mapping[str, Person]) -> type[Any]:
    class Grant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib carries no types
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

        def save_authorization_code(self, code: str, request: Any) -> None:
            signed_in: SignedIn = request.user
            session, asked = signed_in.session, request.payload.data
            store.keep_code(
                Code(
                    code=code,
                    client_id=request.client.client_id,
                    redirect_uri=request.payload.redirect_uri,
                    scope=request.scope,
                    session=session,
                    # Copied: a later step-up in another tab must not change what this code says.
                    auth_time=session.auth_time,
                    acr=session.acr,
                    amr=session.amr,
                    nonce=asked.get("nonce"),
                    code_challenge=asked["code_challenge"],
                    code_challenge_method=asked["code_challenge_method"],
                    expires=0,
                )
            )

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return store.take_code(code, client.client_id)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            """Nothing to do: the code was used up when it was looked up."""

        def authenticate_user(self, authorization_code: Code) -> Person | None:
            person = people.get(authorization_code.session.subject)
            return person if person is not None and person.active else None

    return Grant


class _OpenIDCode(OpenIDCode):  # type: ignore[misc]
    def __init__(self, config: SsoConfig, store: Store, key: RSAKey) -> None:
        super().__init__(require_nonce=False)
        self._config, self._store, self._key = config, store, key

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return self._store.nonce_seen(nonce)

    def resolve_client_private_key(self, client: Client) -> RSAKey:
        return self._key

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": ALGORITHM, "kid": str(self._key.kid)}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        now = int(self._config.clock())
        return {"iss": self._config.issuer, "aud": client.client_id, "iat": now, "exp": now + TOKEN_SECONDS}

    def get_authorization_code_claims(self, authorization_code: Code) -> dict[str, Any]:
        claims: dict[str, Any] = super().get_authorization_code_claims(authorization_code)
        return {**claims, "sid": authorization_code.session.sid}

    def generate_user_info(self, user: Person, scope: str) -> UserInfo:
        return user_info(user, scope)


class _S256Only(CodeChallenge):  # type: ignore[misc]
    """PKCE for every client, by S256 only (RFC 9700 §2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        asked = grant.request.payload.data
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is required: send code_challenge with code_challenge_method S256")
        super().validate_code_challenge(grant, redirect_uri)


class _Issuer(IssuerParameter):  # type: ignore[misc]
    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def __call__(self, authorization_server: AuthorizationServer) -> _Issuer:
        super().__call__(authorization_server)
        return self

    def get_issuer(self) -> str:
        return self._issuer


class _UserInfo(UserInfoEndpoint):  # type: ignore[misc]
    def generate_user_info(self, user: Person, scope: str) -> UserInfo:
        return user_info(user, scope)


class _EndSession(EndSessionEndpoint):  # type: ignore[misc]
    """Checks logout requests and hints. The views end the session: only they see whose browser asks."""

    def __init__(self, key: RSAKey) -> None:
        super().__init__()
        self._keys = KeySet([key])

    def get_server_jwks(self) -> KeySet:
        return self._keys

    def get_algorithms(self) -> list[str]:
        return [ALGORITHM]

    def subject_of(self, id_token_hint: str) -> str:
        """Whom the ID token names. Raises InvalidRequestError when it is none of ours."""
        try:
            claims: dict[str, Any] = self._validate_id_token_hint(id_token_hint)
        except ValueError as error:
            raise InvalidRequestError("The id_token_hint cannot be read") from error
        return str(claims.get("sub"))


def _tokens(store: Store, client: Client, people: Mapping[str, Person]) -> BearerTokenValidator:
    class BearerToken:
        def __init__(self, token: AccessToken, user: Person) -> None:
            self.scope, self._user = token.scope, user

        def is_expired(self) -> bool:
            return False

        def is_revoked(self) -> bool:
            return False

        def get_scope(self) -> str:
            return self.scope

        def get_client(self) -> Client:
            return client

        def get_user(self) -> Person:
            return self._user

    class Tokens(BearerTokenValidator):  # type: ignore[misc]
        def authenticate_token(self, token_string: str) -> BearerToken | None:
            token = store.find_token(token_string)
            user = people.get(token.subject) if token else None
            return BearerToken(token, user) if token and user and user.active else None

    return Tokens()
