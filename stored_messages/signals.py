"""What happened to inboxes.

All signals are sent at once, inside the transaction of whoever changed the inbox, and with ``send_robust``: a
receiver that raises is logged by Django and breaks nothing. Wait for the commit yourself where it matters::

    transaction.on_commit(do_it, using=using)

``sender`` is the class of the backend. ``using`` is the alias of the database that was written, or ``None`` when
the inbox is not in a database of Django's. The first four are those of 1.4.0; they concern one user each and are
only prepared when somebody listens. A broadcast sends none of them.
"""

from django.dispatch import Signal

#: ``user``, ``message``: arrived in the inbox of this user.
inbox_stored = Signal()
#: ``user``, ``message_id``: marked read (it stays in the archive) or dismissed.
inbox_deleted = Signal()
#: ``user``: everything was marked read; sent on every purge, also of an empty inbox.
inbox_purged = Signal()
#: ``user``, ``message``: arrived in the archive of this user.
archive_stored = Signal()

#: ``user_ids`` (list), ``messages`` (list of StoredMessage): each of these users got each of these messages, unread.
#: Once per send; a send to more than a thousand users sends it once per thousand.
messages_stored = Signal()
#: ``message``: a message to everybody.
broadcast_stored = Signal()
#: ``user_id``, ``messages`` (list of Ref): marked read.
messages_read = Signal()
#: ``user_id``, ``messages`` (list of Ref): marked unread again.
messages_unread = Signal()
#: ``user_id``, ``messages`` (list of Ref): gone from inbox and archive.
messages_dismissed = Signal()
#: ``user_id``, ``up_to`` (a position): everything at and below it was marked read.
inbox_read_up_to = Signal()
