"""Addresses in the web: http or https, with a host, nothing else in them."""

from urllib.parse import urlsplit


def address(text: str) -> str | None:
    """The address with its scheme (https where none was given); None when it is none."""
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    plain = parts.scheme in {"http", "https"} and bool(host) and "." in str(host) and not parts.username
    return url if plain and not any(one.isspace() for one in url) else None
