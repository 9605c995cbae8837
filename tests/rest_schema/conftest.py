"""The project with a schema, its database, and the schema itself."""

import json
import shutil
from dataclasses import replace

import pytest

from tests.services.server import ROOT, Project

SETTINGS = "tests.rest_schema.project.settings"


@pytest.fixture(scope="session")
def schema_project(tmp_path_factory):
    """The project with an empty database, which tests copy."""
    database = tmp_path_factory.mktemp("schema") / "template.sqlite3"
    project = Project(ROOT, SETTINGS, env={"PROJECT_DATABASE": str(database)})
    project.manage("migrate", "--verbosity=0")
    return project


@pytest.fixture
def project(schema_project, tmp_path):
    database = tmp_path / "project.sqlite3"
    shutil.copy(schema_project.env["PROJECT_DATABASE"], database)
    return replace(schema_project, env={"PROJECT_DATABASE": str(database)})


@pytest.fixture(scope="session")
def openapi(schema_project, tmp_path_factory):
    """The schema as `manage.py` writes it: valid, and without a warning."""
    path = tmp_path_factory.mktemp("schema") / "openapi.json"
    schema_project.manage(
        *("spectacular", "--validate", "--fail-on-warn"),
        *("--format", "openapi-json", "--file", str(path)),
    )
    return json.loads(path.read_text())
