"""The development sign-in: a small OpenID provider, its own process, for the demonstration people only.

It keeps to the standards that the portal relies on (OpenID Connect Core, PKCE, RFC 9207, RP-initiated and
back-channel logout), so that the portal signs in here as it would at the organisation's own provider.
"""
