"""What the tests of the inbox send, and how they look at what arrived."""

from stored_messages import STORED_INFO, StoredMessage


def draft(text="Hello", level=STORED_INFO, **fields):
    return StoredMessage.draft(level, text, **fields)


def send(backend, users, *texts, **fields):
    """Send messages one by one and return them; of a single one, itself."""
    sent = [backend.send(users, [draft(text, **fields)])[0] for text in texts or ("Hello",)]
    return sent if len(sent) > 1 else sent[0]


def texts(messages):
    return [str(message.message) for message in messages]


def unread(backend, user):
    """The texts in a user's inbox, oldest first."""
    return texts(backend.inbox_list(user))


def archive(backend, user):
    """The texts of all a user has, oldest first."""
    return texts(backend.archive_list(user))


def walk(backend, user, *, limit, archive=False):
    """Every page of an inbox or archive, as a client would ask for them."""
    pages = [backend.page(user, limit=limit, archive=archive)]
    while (cursor := pages[-1].cursor) is not None:
        pages.append(backend.page(user, before=cursor, limit=limit, archive=archive))
    return pages


def check_agreement(backend, user, *, limit=3):
    """Assert that list, pages, `inbox_get` and all summaries of a user tell the same."""
    inbox = backend.inbox_list(user)
    told = (len(inbox), sum(message.stamp for message in inbox))
    assert backend.summary(user) == told
    assert backend.summaries([user]) == {user.pk: told}
    pages = walk(backend, user, limit=limit)
    assert [page.summary for page in pages] == [told] * len(pages)
    assert [row.ref for page in pages for row in page.messages] == [
        message.ref for message in reversed(inbox)
    ]
    assert [backend.inbox_get(user, message.id).ref for message in inbox] == [
        message.ref for message in inbox
    ]
