"""Keep passwords and tokens out of what people read: error sentences, `iotsphere config`, log lines."""

import re
from typing import Final

MASK: Final = "***"

# A password may hold anything but blanks, an unescaped @ or / among it: better to hide too much than too little.
_URL_PASSWORD = re.compile(r"(?P<before>\w://[^\s:/@]*:)\S{0,512}(?P<after>@)")
_PASSWORD_PARAMETER = re.compile(r"(?P<before>[?&](?:ssl)?password=)[^\s&]*", re.IGNORECASE)
_BEARER_TOKEN = re.compile(r"(?P<before>\bbearer\s+)[^\s,;'\"}\]]+", re.IGNORECASE)


def masked_url(url: str) -> str:
    """Return a database URL without its password; what does not look like a URL is hidden whole."""
    if not url:
        return ""
    if not re.match(r"[a-z0-9+]+://", url, re.IGNORECASE):
        return MASK
    return masked_text(url)


def masked_text(text: str) -> str:
    """Return a text without the passwords of URLs and the bearer tokens in it."""
    text = _URL_PASSWORD.sub(rf"\g<before>{MASK}\g<after>", text)
    text = _PASSWORD_PARAMETER.sub(rf"\g<before>{MASK}", text)
    return _BEARER_TOKEN.sub(rf"\g<before>{MASK}", text)
