"""The ways to reach a server, and servers that cannot be reached, do not answer or come back."""

import signal
import threading

import pytest
import redis.exceptions
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.urls import path

from stored_messages import STORED_INFO, add_message_for, broadcast_message, mark_read, summary
from stored_messages.backends.redis_connection import client_for
from tests.inbox.inboxes import send, unread
from tests.services.certificates import make_certificates
from tests.services.processes import HOST, free_port
from tests.services.redis import RedisServer
from tests.services.waiting import wait_for


def add(request):
    messages.add_message(request, STORED_INFO, "Hello")
    return HttpResponse("added")


def show(request):
    return HttpResponse(",".join(map(str, messages.get_messages(request))))


urlpatterns = [path("add/", add), path("show/", show)]


@pytest.fixture
def server(tmp_path):
    """Start a server with options of its own."""
    started = []

    def start(*options):
        server = RedisServer(tmp_path, *options)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def stuck(redis_server, redis_url, at, ada):
    """A server that was reached, and does not answer any more."""
    backend = at(f"{redis_url}?socket_timeout=0.3")
    wait_for(lambda: answers(backend, ada), "the server is reached")
    redis_server.send_signal(signal.SIGSTOP)
    yield backend
    redis_server.send_signal(signal.SIGCONT)


def answers(backend, user):
    """On a busy machine a server that is well may be late, too."""
    try:
        return backend.summary(user)
    except redis.exceptions.TimeoutError:
        return None


def test_through_tls(server, tmp_path, at, ada):
    certificates = make_certificates(tmp_path)
    port = free_port()
    server(
        *("--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificates.certificate)),
        *("--tls-key-file", str(certificates.key)),
    )
    url = f"rediss://{HOST}:{port}/0"
    backend = at(f"{url}?ssl_ca_certs={certificates.authority}")
    send(backend, [ada])
    assert unread(backend, ada) == ["Hello"]

    # Nobody vouches for it here.
    with pytest.raises(redis.exceptions.ConnectionError, match="certificate"):
        at(url).inbox_list(ada)


def test_through_a_socket_in_the_file_system(server, tmp_path, at, ada):
    socket = tmp_path / "redis.sock"
    server("--unixsocket", str(socket))
    backend = at(f"unix://{socket}?db=3")
    send(backend, [ada])

    assert unread(backend, ada) == ["Hello"]


def test_with_a_password_and_a_database(server, at, ada):
    port = server("--requirepass", "se cret").port
    backend = at(f"redis://:se%20cret@{HOST}:{port}/5")
    send(backend, [ada])

    assert unread(backend, ada) == ["Hello"]
    # redis-py 5 asks for the connection's health while it makes one, and so makes one while it makes one.
    refused = redis.exceptions.AuthenticationError if redis.VERSION >= (6,) else RecursionError
    with pytest.raises(refused):
        at(f"redis://{HOST}:{port}/5").inbox_list(ada)


def test_a_process_has_one_client_for_all_its_threads(redis_url):
    start = threading.Barrier(8)
    clients = []

    def ask():
        start.wait(30)
        clients.append(client_for(f"{redis_url}?client_name=shared"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(clients) == 8
    assert len(set(map(id, clients))) == 1


def test_requests_in_a_row_use_one_connection(backend, ada):
    before = backend.client.info("stats")["total_connections_received"]
    for _ in range(20):
        send(backend, [ada])
        backend.page(ada)

    assert backend.client.info("stats")["total_connections_received"] == before


def test_a_server_that_came_back_is_used_again(redis_server, backend, ada):
    send(backend, [ada], "before")
    redis_server.restart()
    send(backend, [ada], "after")

    assert unread(backend, ada) == ["after"]


def test_a_server_that_is_gone_is_an_error_that_can_be_silent(at, ada, caplog):
    at(f"redis://{HOST}:{free_port()}/0")
    with pytest.raises(redis.exceptions.ConnectionError):
        add_message_for([ada], STORED_INFO, "Hello")

    assert add_message_for([ada], STORED_INFO, "Hello", fail_silently=True) is None
    assert "could not be stored" in caplog.text


@pytest.mark.parametrize(
    "command",
    [
        lambda backend, user: add_message_for([user], STORED_INFO, "Hello"),
        lambda backend, user: broadcast_message(STORED_INFO, "Hello"),
        lambda backend, user: summary(user),
        lambda backend, user: mark_read(user, "0" * 24),
        lambda backend, user: backend.page(user),
        lambda backend, user: backend.archive_count(user),
        lambda backend, user: backend.forget_user(user.pk),
        lambda backend, user: backend.cleanup(),
        lambda backend, user: backend._flush(),
    ],
    ids=[
        "send",
        "broadcast",
        "summary",
        "mark_read",
        "page",
        "count",
        "forget",
        "cleanup",
        "flush",
    ],
)
def test_a_server_that_does_not_answer_is_an_error_and_is_asked_once(
    stuck, ada, command, redis_server, sent_to
):
    with sent_to() as writes, pytest.raises(redis.exceptions.TimeoutError):
        command(stuck, ada)

    assert writes.count(redis_server.port) == 1


def test_it_can_be_silent(stuck, ada, caplog):
    assert add_message_for([ada], STORED_INFO, "Hello", fail_silently=True) is None
    assert "could not be stored" in caplog.text


def test_what_it_does_not_take_goes_to_the_next_storage(
    stuck, ada, settings, client, caplog, redis_server
):
    settings.ROOT_URLCONF = __name__
    client.force_login(ada)

    assert client.get("/add/").content == b"added"
    assert "they go to the next storage" in caplog.text
    assert client.get("/show/").content == b"Hello"

    redis_server.send_signal(signal.SIGCONT)
    assert wait_for(lambda: answers(stuck, ada), "the server is back").unread == 0


def test_a_page_is_shown_without_an_inbox_that_does_not_answer(
    stuck, ada, settings, client, caplog
):
    settings.ROOT_URLCONF = __name__
    settings.STORED_MESSAGES = {**settings.STORED_MESSAGES, "ITERATE": "read"}
    client.force_login(ada)

    assert client.get("/show/").status_code == 200
    assert "could not be read" in caplog.text


def test_what_is_sent_stands_when_the_transaction_is_rolled_back(backend, ada):
    with transaction.atomic():
        send(backend, [ada])
        transaction.set_rollback(True)

    assert unread(backend, ada) == ["Hello"]
