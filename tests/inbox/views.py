"""Views as applications write them, around the messages of a request. Each is a page named after it."""

from django.contrib import auth, messages
from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.contrib.messages.storage.base import Message
from django.db import IntegrityError, transaction
from django.http import HttpResponse, JsonResponse
from django.template import RequestContext, Template
from django.urls import path

import stored_messages
from stored_messages import STORED_ERROR, STORED_INFO, add_message_for

BACKEND = "django.contrib.auth.backends.ModelBackend"


def shown(request):
    """What a page shows: text and tags of each message."""
    return [[str(message), message.tags] for message in messages.get_messages(request)]


def show(request):
    return JsonResponse(shown(request), safe=False)


def ignore(request):
    return JsonResponse([], safe=False)


def add(request):
    """Add what the query says: `stored` and `plain` texts."""
    for text in request.GET.getlist("stored"):
        messages.add_message(request, STORED_INFO, text, extra_tags=request.GET.get("tags", ""))
    for text in request.GET.getlist("plain"):
        messages.info(request, text)
    return JsonResponse([], safe=False)


def add_and_show(request):
    add(request)
    return show(request)


def show_and_add(request):
    response = show(request)
    add(request)
    return response


async def add_async(request):
    return add(request)


def look_without_iterating(request):
    """What templates ask for: how many, any, and whether this one is among them."""
    add(request)
    storage = messages.get_messages(request)
    first = Message(STORED_INFO, request.GET["first"])
    return JsonResponse([len(storage), bool(storage), first in storage], safe=False)


def show_first(request):
    """A page that shows the first message only."""
    for message in messages.get_messages(request):
        return JsonResponse([[str(message), message.tags]], safe=False)
    return JsonResponse([], safe=False)


def show_but_keep(request):
    response = show(request)
    messages.get_messages(request).used = False
    return response


def show_while_another_arrives(request):
    response = show(request)
    add_message_for([request.user], STORED_INFO, "arrived meanwhile")
    return response


def show_and_fail(request):
    show(request)
    raise RuntimeError("the page failed")


def add_and_fail(request):
    User.objects.create(username="rolled back")
    add(request)
    raise RuntimeError("the page failed")


def add_in_broken_transaction(request):
    """Catches an error of the database: the transaction is lost, the message is not."""
    User.objects.create(username="rolled back")
    try:
        with transaction.atomic(savepoint=False):
            User.objects.create(username="rolled back")
    except IntegrityError:
        add(request)
    return JsonResponse([], safe=False)


def show_in_broken_transaction(request):
    add_in_broken_transaction(request)
    return show(request)


def add_in_rolled_back_block(request):
    try:
        with transaction.atomic():
            add(request)
            raise RuntimeError
    except RuntimeError:
        return JsonResponse([], safe=False)


def add_then_sign_in(request):
    add(request)
    login(request, User.objects.get(username=request.GET["as"]), backend=BACKEND)
    return JsonResponse([], safe=False)


def add_then_sign_in_and_show(request):
    add_then_sign_in(request)
    return show(request)


async def ask_then_add_then_sign_in_and_show_async(request):
    await ask_then_add_then_sign_in_async(request)
    return JsonResponse(
        [[str(one), one.tags] for one in await stored_messages.aget_messages(request)], safe=False
    )


async def ask_then_add_then_sign_in_async(request):
    await request.auser()
    add(request)
    await auth.alogin(request, await User.objects.aget(username=request.GET["as"]), backend=BACKEND)
    return JsonResponse([], safe=False)


async def add_then_sign_out_async(request):
    add(request)
    await auth.alogout(request)
    return JsonResponse([], safe=False)


def sign_in_then_add(request):
    login(request, User.objects.get(username=request.GET["as"]), backend=BACKEND)
    return add(request)


def add_then_sign_out(request):
    add(request)
    logout(request)
    return JsonResponse([], safe=False)


def sign_out_then_add(request):
    logout(request)
    return add(request)


def add_for_both(request):
    """The user changes within the view: each gets what was added while they were signed in."""
    str(request.user.username)
    messages.add_message(request, STORED_INFO, "for the first")
    login(request, User.objects.get(username=request.GET["as"]), backend=BACKEND)
    messages.add_message(request, STORED_INFO, "for the second")
    return JsonResponse([], safe=False)


def set_level(request):
    messages.set_level(request, STORED_ERROR)
    messages.add_message(request, STORED_INFO, "too low")
    messages.add_message(request, STORED_ERROR, "high enough")
    return JsonResponse([], safe=False)


def through_our_names(request):
    stored_messages.add_message(request, STORED_INFO, "stored")
    stored_messages.info(request, "plain")
    return JsonResponse(
        [[str(one), one.tags] for one in stored_messages.get_messages(request)], safe=False
    )


def add_nothing(request):
    messages.add_message(request, STORED_INFO, "")
    return JsonResponse([], safe=False)


async def show_async(request):
    return show(request)


async def aget_messages(request):
    add(request)
    storage = await stored_messages.aget_messages(request)
    return JsonResponse([[str(message), message.tags] for message in storage], safe=False)


def home(request):
    """A page on a base template that renders the messages as most do."""
    return HttpResponse(Template(BASE).render(RequestContext(request)))


BASE = """{% if messages %}<ul>
{% for message in messages %}<li class="{{ message.tags }}">{{ message }}</li>{% endfor %}
</ul>{% endif %}"""

PAGES = (
    add,
    add_and_fail,
    add_and_show,
    add_async,
    add_for_both,
    add_in_broken_transaction,
    add_in_rolled_back_block,
    add_nothing,
    add_then_sign_in,
    add_then_sign_in_and_show,
    add_then_sign_out,
    add_then_sign_out_async,
    aget_messages,
    ask_then_add_then_sign_in_and_show_async,
    ask_then_add_then_sign_in_async,
    home,
    ignore,
    look_without_iterating,
    set_level,
    show,
    show_and_add,
    show_and_fail,
    show_async,
    show_but_keep,
    show_first,
    show_in_broken_transaction,
    show_while_another_arrives,
    sign_in_then_add,
    sign_out_then_add,
    through_our_names,
)

urlpatterns = [path(f"{page.__name__}/", page) for page in PAGES]
