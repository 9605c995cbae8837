import json

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from realtime.hubs import running_hubs
from tests.faults.operations import perform


@csrf_exempt
@require_POST
def perform_here(request: HttpRequest) -> HttpResponse:
    """Sends, reads and so on inside the server's process."""
    return JsonResponse({"done": perform(json.loads(request.body))})


@csrf_exempt
async def perform_async(request: HttpRequest) -> HttpResponse:
    """The same from an asynchronous view."""
    return JsonResponse({"done": await sync_to_async(perform)(json.loads(request.body))})


@csrf_exempt
async def forget(request: HttpRequest) -> HttpResponse:
    """The channel layer loses every channel and group, under whoever waits on it."""
    for layer in {id(one): one for one in (get_channel_layer(), *_own_layers()) if one}.values():
        await layer.flush()
    return HttpResponse("forgotten")


def _own_layers() -> list[object]:
    return [hub.layer for hub in running_hubs()]
