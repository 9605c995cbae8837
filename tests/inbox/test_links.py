"""Where a message may lead: http(s), or a path of this site. Whatever a browser could take otherwise is refused."""

import pytest
from django.urls import reverse_lazy

from stored_messages import STORED_INFO, add_message_for, broadcast_message
from stored_messages.links import safe_url

ACCEPTED = {
    "/": "/",
    "/issues/3/#comment-7": "/issues/3/#comment-7",
    "/search/?q=a&b=%20//c": "/search/?q=a&b=%20//c",
    "/a//b": "/a//b",
    "/javascript:alert(1)": "/javascript:alert(1)",
    "/\u00fcber/": "/\u00fcber/",
    "  /padded/ \n": "/padded/",
    "http://example.com": "http://example.com",
    "https://example.com:8443/a?b#c": "https://example.com:8443/a?b#c",
    "HTTPS://EXAMPLE.COM/": "HTTPS://EXAMPLE.COM/",
    "https://[2001:db8::1]/": "https://[2001:db8::1]/",
    "https://user@example.com/": "https://user@example.com/",
    "/" + "x" * 1_999: "/" + "x" * 1_999,
    "/with space/?q=two words": "/with%20space/?q=two%20words",
    " https://example.com/two words ": "https://example.com/two%20words",
}

REFUSED = [
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "java\x00script:alert(1)",
    "\x01javascript:alert(1)",
    "javascript://example.com/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "blob:https://example.com/1",
    "file:///etc/passwd",
    "ftp://example.com/",
    "mailto:a@example.com",
    "//example.com",
    "///example.com",
    "/\\example.com",
    "\\\\example.com",
    "\\/example.com",
    "/\t/example.com",
    "/\n/example.com",
    "/\r/example.com",
    "/\t\\example.com",
    "/a\\b",
    "/a\u2028b",
    "/a\x85b",
    "/a\x7fb",
    "/a\ud800b",
    "http:example.com",
    "http:/example.com",
    "http:///example.com",
    "https:\\\\example.com",
    "https:/\\example.com",
    "http://",
    "http://?",
    "http://:80/",
    "https://[::1",
    "https://exa mple.com/",
    "ht\ttp://example.com/",
    "relative/path",
    "?query",
    "#fragment",
    "example.com",
    "/" + "x" * 2_000,
    "/" + " " * 1_000 + "x",
    "https://example.com/" + "x" * 100_000,
]


def short(value):
    return ascii(value)[:40]


@pytest.mark.parametrize(("url", "expected"), ACCEPTED.items(), ids=short)
def test_accepted(backend, ada, url, expected):
    add_message_for([ada], STORED_INFO, "Hello", url=url)

    [message] = backend.inbox_list(ada)
    assert message.url == expected
    assert safe_url(url) == expected


@pytest.mark.parametrize("url", REFUSED, ids=short)
def test_refused_on_the_way_in(backend, ada, url):
    with pytest.raises(ValueError, match="url"):
        add_message_for([ada], STORED_INFO, "Hello", url=url)
    with pytest.raises(ValueError, match="url"):
        broadcast_message(STORED_INFO, "Hello", url=url)
    with pytest.raises(ValueError, match="url"):
        backend.create_message(STORED_INFO, "Hello", url=url)

    assert backend.inbox_list(ada) == []


@pytest.mark.parametrize("url", [*REFUSED, "", None, 5], ids=short)
def test_left_out_on_the_way_out(url):
    assert safe_url(url) is None


@pytest.mark.parametrize("url", [None, "", "  "])
def test_no_url(backend, ada, url):
    add_message_for([ada], STORED_INFO, "Hello", url=url)

    assert backend.inbox_list(ada)[0].url is None


def test_urls_that_are_reversed_late(backend, ada):
    add_message_for([ada], STORED_INFO, "Hello", url=reverse_lazy("home"))

    [message] = backend.inbox_list(ada)
    assert message.url == "/"
    assert type(message.url) is str


def test_the_refusal_names_the_url_but_not_all_of_a_long_one():
    with pytest.raises(ValueError, match="'javascript:x"):
        add_message_for([], STORED_INFO, "Hello", url="javascript:x")
    with pytest.raises(ValueError, match="at most 2000 characters") as refusal:
        add_message_for([], STORED_INFO, "Hello", url="/" + "x" * 5_000)
    assert len(str(refusal.value)) < 300
