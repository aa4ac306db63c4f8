"""Sign-in with the organisation's SSO: OpenID Connect code flow with PKCE."""
