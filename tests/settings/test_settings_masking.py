"""Passwords and tokens in texts that people read."""

import pytest

from settings.masking import masked_text, masked_url


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgresql+asyncpg://user:hush@host:5432/name", "postgresql+asyncpg://user:***@host:5432/name"),
        ("postgresql+asyncpg://user:hu@s/h@host/name", "postgresql+asyncpg://user:***@host/name"),
        ("postgresql+asyncpg://:hush@host/name", "postgresql+asyncpg://:***@host/name"),
        (
            "postgresql+asyncpg:///name?user=u&password=hush&host=h",
            "postgresql+asyncpg:///name?user=u&password=***&host=h",
        ),
        ("postgresql+asyncpg://user@host/name", "postgresql+asyncpg://user@host/name"),
        ("sqlite+aiosqlite:////srv/a.db", "sqlite+aiosqlite:////srv/a.db"),
        ("hush", "***"),
        ("", ""),
    ],
)
def test_a_url_loses_its_password_only(url, masked):
    """User, host and database stay readable; what is no URL is hidden whole."""
    assert masked_url(url) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ('{"authorization": "bearer abc"}', '{"authorization": "bearer ***"}'),
        ("cannot reach postgresql://u:hush@h/d now", "cannot reach postgresql://u:***@h/d now"),
        ("http://127.0.0.1:8000/graphql", "http://127.0.0.1:8000/graphql"),
        ("the bearer", "the bearer"),
    ],
)
def test_a_text_loses_passwords_and_tokens(text, masked):
    """Whatever stands around them stays."""
    assert masked_text(text) == masked
