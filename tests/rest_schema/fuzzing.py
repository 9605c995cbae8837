"""Requests that schemathesis makes up from the schema, and what it finds wrong with the responses."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import schemathesis
from schemathesis.engine import events, from_schema

EXAMPLES = 10
SEED = 20
MARK_ALL = "stored_messages_mark_all_read"
FORM = ("ids", "before", "csrfmiddlewaretoken")


@dataclass
class Findings:
    """What one client was answered, and what is wrong with that."""

    failures: list[str] = field(default_factory=list)
    answers: set[tuple[str, int]] = field(default_factory=set)
    contents: list[bytes] = field(default_factory=list)


def fuzz(
    url: str, headers: dict[str, str], ids: list[str], parameters: dict[str, str] | None = None
) -> Findings:
    """Ask everything of the server at `url`, as the client whose headers these are.

    Half of the messages asked for are of these ids; `parameters` have one value always.
    """
    config = schemathesis.Config.from_dict(
        {
            "seed": SEED,
            "cache": {"enabled": False},
            "headers": headers,
            "continue-on-failure": True,
            # A machine may be slow, or busy.
            "request-timeout": 60,
            "suppress-health-check": ["too_slow"],
            "generation": {
                "max-examples": EXAMPLES,
                "deterministic": True,
                "with-security-parameters": False,
            },
            "dictionaries": {"ids": {"values": ids}},
            "parameters": {
                "path.id": {"dictionary": "ids", "probability": 0.5},
                **(parameters or {}),
            },
        }
    )
    schema = schemathesis.openapi.from_url(f"{url}/schema/", config=config)
    findings = Findings()
    # What marks everything read comes last: until then there is something in the inbox.
    for part in (schema.exclude(operation_id=MARK_ALL), schema.include(operation_id=MARK_ALL)):
        for event in from_schema(part).execute():
            if isinstance(event, (events.NonFatalError, events.FatalError)):
                findings.failures.append(str(event))
            elif isinstance(event, events.ScenarioFinished):
                _take(findings, event.recorder)
    return findings


def _take(findings: Findings, recorder: Any) -> None:
    for interaction in recorder.interactions.values():
        response = interaction.response
        if response is None:
            findings.failures.append(f"{recorder.label}: no response")
            continue
        findings.answers.add((recorder.label, response.status_code))
        findings.contents.append(response.content)
    findings.failures.extend(_failures(recorder))


def _failures(recorder: Any) -> Iterator[str]:
    for case_id, checks in recorder.checks.items():
        case = recorder.cases[case_id].value
        for check in checks:
            if check.failure_info is None:
                continue
            if check.name == "negative_data_rejection" and (
                _is_the_same_when_sent(case)
                or _limit_is_right_as_sent(case, recorder.interactions[case_id].request.uri)
            ):
                continue
            failure = check.failure_info.failure
            yield f"{recorder.label}: {failure.title}\n{failure.message}\n{case.as_curl_command()}"


def _is_the_same_when_sent(case: Any) -> bool:
    """In a form a text and a list of that text alone are the same, so only one of them can be refused.

    And of a name without a value, where no form may have that name, nothing is sent.
    """
    if case.media_type == "application/json" or not isinstance(case.body, dict):
        return False
    unknown = [value for name, value in case.body.items() if name not in FORM]
    return not isinstance(case.body.get("ids", []), list) or (
        bool(unknown) and all(value in (None, [], {}) for value in unknown)
    )


def _limit_is_right_as_sent(case: Any, url: str) -> bool:
    """An empty `limit` is none, as a form sends it, and the last of several counts: no schema of a number says so."""
    [*_, sent] = parse_qs(urlsplit(url).query, keep_blank_values=True).get("limit", ["absent"])
    return case.meta.phase.data.parameter == "limit" and (
        sent == "" or sent in map(str, range(1, 101))
    )
