"""How a contender whose layer ends at its process is told what to send."""

import json

from django.http import JsonResponse
from django.urls import path

from benchmarks.live.sending import COMMANDS


def send(request):
    arguments = json.loads(request.GET["arguments"])
    return JsonResponse(COMMANDS[request.GET["command"]](**arguments))


urlpatterns = [path("send/", send)]
