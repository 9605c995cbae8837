"""The project under a plain WSGI server: no sockets, the bell polls."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
