import io
import json
import wave
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model, update_session_auth_hash
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.safestring import mark_safe
from django.views.decorators.cache import cache_page
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

import stored_messages

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

EXTRAS = ("toasts", "title", "desktop", "sound", "keys")

ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="9"/></svg>'


def icon(request: HttpRequest) -> HttpResponse:
    """What browsers ask for by themselves, and a picture for a message."""
    return HttpResponse(ICON, content_type="image/svg+xml")


def sound(request: HttpRequest) -> HttpResponse:
    """A buzz: a tenth of a second of it, or so many of these as `?tenths=` says."""
    tenths = int(request.GET.get("tenths", 1))
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 1, 8000, 800 * tenths, "NONE", ""))
        file.writeframes(bytes([96, 160] * 400 * tenths))
    return HttpResponse(content.getvalue(), content_type="audio/wav")


@csrf_exempt
@require_POST
def tell(request: HttpRequest) -> HttpResponse:
    """Sends texts to the users named in `to`, from inside the server's process."""
    asked = json.loads(request.body)
    users = get_user_model().objects
    people = [users.get_or_create(username=name)[0] for name in asked["to"]]
    for text in asked["texts"]:
        stored_messages.add_message_for(
            people,
            asked["level"],
            mark_safe(text) if asked["safe"] else text,
            url=asked["url"],
            data=asked["data"],
        )
    return HttpResponse("told")


def unread(request: HttpRequest, username: str) -> HttpResponse:
    """What the inbox of this user holds, newest first."""
    user = get_object_or_404(get_user_model(), username=username)
    texts = [message.message for message in stored_messages.inbox(user, limit=100).messages]
    return JsonResponse(texts, safe=False)


def new_password(request: HttpRequest) -> HttpResponse:
    """Changes the password as Django's own view does: this session stays, under another key."""
    request.user.set_password("another")
    request.user.save()
    update_session_auth_hash(request, request.user)
    return HttpResponse("changed")


def bare(request: HttpRequest) -> HttpResponse:
    """A bell and nothing else: no form, no token, no user. `?tabs`, `?sound` and so on give it what it can do besides,
    `?extras` all of that but the first."""
    extras = dict.fromkeys(EXTRAS, "extras" in request.GET)
    asked = extras | {name: value or True for name, value in request.GET.items()}
    return render(request, "e2e/bare.html", asked)


def strict(request: HttpRequest) -> HttpResponse:
    """The same under the strictest policy; `?language=de` for one whose texts come with the page."""
    with translation.override(request.GET.get("language", "en")):
        response = bare(request)
    response["Content-Security-Policy"] = POLICY
    return response


@cache_page(600)
def cached(request: HttpRequest) -> HttpResponse:
    """The same for everybody, made once."""
    return bare(request)


def several(request: HttpRequest) -> HttpResponse:
    """A page with three bells."""
    return render(request, "e2e/several.html")


def extras(request: HttpRequest) -> HttpResponse:
    """A page whose bell does everything that it can."""
    direction = request.GET.get("direction", "ltr")
    # Without a file it is the sound that is built in.
    sound = request.GET.get("sound", True)
    return render(request, "e2e/extras.html", {"direction": direction, "sound": sound})


def swapping(request: HttpRequest, number: int) -> HttpResponse:
    """A page that Turbo or htmx takes apart and puts together; `?with=` names the script.

    With `&polling` its bell has no socket.
    """
    is_live = "polling" not in request.GET
    context = {"number": number, "script": request.GET.get("with", ""), "is_live": is_live}
    return render(request, "e2e/swapping.html", context)


def package(request: HttpRequest, path: str) -> HttpResponse:
    """A script out of an npm package that `make test` installs."""
    script = (Path(settings.BASE_DIR).parents[1] / "node_modules" / path).read_bytes()
    return HttpResponse(script, content_type="text/javascript")


def showcase(request: HttpRequest) -> HttpResponse:
    """A page as sites have them, to look at.

    `?direction=rtl` is one that runs right to left; `?place=text` has its bell in a line of text.
    """
    context = {"direction": request.GET.get("direction", "ltr"), "place": request.GET.get("place")}
    return render(request, "e2e/showcase.html", context)


def embedding(request: HttpRequest) -> HttpResponse:
    """A page whose bell asks for the socket that the query names."""
    return render(request, "e2e/embedding.html", {"socket": request.GET["socket"]})
