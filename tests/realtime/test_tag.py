"""What `{% notification_bell %}` writes, to the letter."""

import json
import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import set_script_prefix
from django.utils import translation
from pytest_django import DjangoAssertNumQueries, Settings

import realtime
from realtime.texts import bell_texts

GOLDEN = """\
<script type="module" src="/static/realtime/inbox-client.js"></script>
<script type="module" src="/static/realtime/notification-bell.js"></script>
<notification-bell inbox="/messages/inbox/" mark-all="/messages/mark_all_read/" socket="/ws/inbox/">
  <a href="/messages/"></a>
</notification-bell>
"""


DRAWING = re.compile(r'<svg role="img" aria-label="[^"]+" display="block" .*</svg>')


def render(tag: str = "{% notification_bell %}", **context: str) -> str:
    """What the tag writes, without the drawing in its link."""
    rendered = Template("{% load realtime %}" + tag).render(Context(context))
    return DRAWING.sub("", rendered)


def test_as_it_comes() -> None:
    assert render() == GOLDEN


def test_the_link_shows_the_bell_that_the_script_draws() -> None:
    drawn = Template("{% load realtime %}{% notification_bell %}").render(Context())
    [path] = re.findall(r'<path d="([^"]+)"/>', drawn)
    assert 'aria-label="Notifications"' in drawn
    script = Path(realtime.__file__).parent / "static/realtime/notification-bell.js"
    assert path in script.read_text().replace('" +\n    "', "")


def test_a_link_of_ones_own() -> None:
    expected = GOLDEN.replace('href="/messages/"', 'href="/inbox/?a=1&amp;b=2"')
    assert render("{% notification_bell href=link %}", link="/inbox/?a=1&b=2") == expected


def test_without_an_asgi_application_there_is_no_socket(settings: Settings) -> None:
    settings.ASGI_APPLICATION = None
    assert render() == GOLDEN.replace(' socket="/ws/inbox/"', "")


def test_a_bell_that_polls() -> None:
    expected = GOLDEN.replace(' socket="/ws/inbox/"', "")
    assert render("{% notification_bell live=False %}") == expected


def test_what_it_does_besides_takes_a_further_script() -> None:
    bell = '<script type="module" src="/static/realtime/notification-bell.js"></script>'
    extras = bell.replace("-bell", "-extras")
    expected = GOLDEN.replace(bell, f"{extras}\n{bell}")
    for arguments, attributes in (
        ("toasts=True", " toasts"),
        ("title=True", " count-in-title"),
        ("toasts=True title=True", " toasts count-in-title"),
    ):
        rendered = render("{% notification_bell " + arguments + " %}")
        assert rendered == expected.replace('/ws/inbox/">', f'/ws/inbox/"{attributes}>')


def test_what_tells_on_the_desktop_comes_after_what_it_needs() -> None:
    bell = '<script type="module" src="/static/realtime/notification-bell.js"></script>'
    scripts = [bell.replace("-bell", name) for name in ("-extras", "-desktop")]
    expected = GOLDEN.replace(bell, "\n".join([*scripts, bell]))
    rendered = render("{% notification_bell desktop=True %}")
    assert rendered == expected.replace('/ws/inbox/">', '/ws/inbox/" desktop>')


@pytest.mark.parametrize(
    ("argument", "attribute"),
    [("True", "sound"), ("'/ding.wav'", 'sound="/ding.wav"'), ("file", 'sound="/a?b&amp;c"')],
)
def test_a_sound_or_a_file_with_one(argument: str, attribute: str) -> None:
    bell = '<script type="module" src="/static/realtime/notification-bell.js"></script>'
    scripts = [bell.replace("-bell", name) for name in ("-extras", "-sound")]
    expected = GOLDEN.replace(bell, "\n".join([*scripts, bell]))
    rendered = render("{% notification_bell sound=" + argument + " %}", file="/a?b&c")
    assert rendered == expected.replace('/ws/inbox/">', f'/ws/inbox/" {attribute}>')


def test_keys_take_a_script_of_their_own() -> None:
    bell = '<script type="module" src="/static/realtime/notification-bell.js"></script>'
    expected = GOLDEN.replace(bell, f"{bell.replace('-bell', '-keys')}\n{bell}")
    rendered = render("{% notification_bell keys=True %}")
    assert rendered == expected.replace('/ws/inbox/">', '/ws/inbox/" keys>')


def test_tabs_that_share_a_socket_take_one_between_the_two() -> None:
    bell = '<script type="module" src="/static/realtime/notification-bell.js"></script>'
    tabs = bell.replace("notification-bell", "inbox-tabs")
    assert render("{% notification_bell tabs=True %}") == GOLDEN.replace(bell, f"{tabs}\n{bell}")


def test_the_sockets_path_is_a_setting(settings: Settings) -> None:
    settings.REALTIME = {"SOCKET_PATH": "/live/"}
    assert render() == GOLDEN.replace("/ws/inbox/", "/live/")


def test_another_csrf_header(settings: Settings) -> None:
    settings.CSRF_HEADER_NAME = "HTTP_X_XSRF_TOKEN"
    assert render() == GOLDEN.replace(
        'socket="/ws/inbox/"', 'socket="/ws/inbox/" csrf-header="X-Xsrf-Token"'
    )


def test_below_a_sub_path() -> None:
    set_script_prefix("/app/")
    try:
        rendered = render()
    finally:
        set_script_prefix("/")
    assert rendered == GOLDEN.replace('"/messages/', '"/app/messages/').replace(
        '"/ws/', '"/app/ws/'
    )


def test_in_another_language() -> None:
    with translation.override("de"):
        rendered = render()
    assert '<notification-bell inbox="/messages/inbox/"' in rendered
    assert ' lang="de">' in rendered
    [block] = re.findall(r'<script type="application/json">(.*)</script>', rendered)
    assert json.loads(block)["arrived_many"].keys() == {"one", "other"}


@pytest.mark.parametrize("language", ["en", "en-gb"])
def test_english_is_built_in(language: str) -> None:
    with translation.override(language):
        assert render() == GOLDEN


def test_without_translations() -> None:
    with translation.override(None):
        assert render() == GOLDEN


def test_the_bell_knows_every_text() -> None:
    script = Path(realtime.__file__).parent / "static/realtime/notification-bell.js"
    [english] = re.findall(r"const ENGLISH = \{\n(.*?)\n\};", script.read_text(), re.DOTALL)
    written = re.findall(r'^  (\w+): (?:"(.*)"|\{.*\}),$', english, re.MULTILINE)
    with translation.override("de"):
        texts = bell_texts()
    assert texts is not None
    assert [name for name, _ in written] == list(texts)
    with translation.override("xx"):
        untranslated = bell_texts()
    assert untranslated is not None
    assert {name: text for name, text in written if text} == {
        name: text for name, text in untranslated.items() if isinstance(text, str)
    }


@pytest.mark.django_db
def test_neither_user_nor_session_is_touched(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    class Untouchable:
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(name)

    request = RequestFactory().get("/")
    request.user = Untouchable()  # type: ignore[assignment]
    request.session = Untouchable()  # type: ignore[assignment]
    template = Template("{% load realtime %}{% notification_bell %}")
    with django_assert_num_queries(0):
        rendered = template.render(Context({"request": request}))
    assert DRAWING.sub("", rendered) == GOLDEN
