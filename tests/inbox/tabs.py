"""A browser tab, as far as the REST API sees one."""

import json

from django.test import Client


class Tab(Client):
    """A session in a browser that enforces CSRF, and scripts that send the token they were given."""

    token_header = "X-CSRFToken"

    def list(self, path="/messages/inbox/", **query):
        response = self.get(path, query)
        assert response.status_code == 200, response.content
        return response

    def act(self, path, body=None, *, method="POST", content_type="application/json", **headers):
        token = self.list(limit=1).headers["X-CSRFToken"]
        return self.generic(
            method,
            f"/messages/{path}",
            body if isinstance(body, (str, bytes)) else json.dumps(body) if body else "",
            content_type=content_type,
            headers={self.token_header: token, **headers},
        )
