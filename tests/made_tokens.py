"""Signed tokens that tests make."""

import time

import jwt

SECRET = "a secret of more than thirty-two bytes"
NOW = time.time()
GOOD = {"sub": "shop", "aud": "shelfmate", "iss": "issuer", "exp": NOW + 3_600}


def signed(changes=None, *, key=SECRET, algorithm="HS256") -> str:
    """Return a token that is good but for `changes`; an empty value takes a claim away."""
    claims = {name: value for name, value in {**GOOD, **(changes or {})}.items() if value != ""}
    return jwt.encode(claims, key, algorithm=algorithm)
