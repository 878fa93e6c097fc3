"""Standard input as a note on GitLab's merge request: one, which later pipelines write anew.

GITLAB_TOKEN is an access token of the project with the scope `api`; the rest GitLab sets itself.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

import requests

from realart.core import errors
from realart.core.errors import RealartError

MARK = "<!-- realart compare -->"
"""How the note is found again; GitLab does not show it."""


def main() -> None:
    session = requests.Session()
    session.headers["PRIVATE-TOKEN"] = os.environ["GITLAB_TOKEN"]
    project, number = os.environ["CI_MERGE_REQUEST_PROJECT_ID"], os.environ["CI_MERGE_REQUEST_IID"]
    url = f"{os.environ['CI_API_V4_URL']}/projects/{project}/merge_requests/{number}/notes"
    note = {"body": f"{MARK}\n{sys.stdin.read()}"}
    for present in _notes(session, url):
        if present["body"].startswith(MARK):
            _ask(session, "PUT", f"{url}/{present['id']}", json=note)
            return
    _ask(session, "POST", url, json=note)


def _notes(session: requests.Session, url: str) -> Iterator[dict[str, Any]]:
    page: str | None = f"{url}?per_page=100"
    while page:
        answer = _ask(session, "GET", page)
        yield from answer.json()
        page = answer.links.get("next", {}).get("url")


def _ask(session: requests.Session, method: str, url: str, **sent: Any) -> requests.Response:
    answer = session.request(method, url, timeout=60, **sent)
    if not answer.ok:
        raise RealartError(
            f"GitLab answered {answer.status_code} {answer.reason} to {method} {url}: give "
            "GITLAB_TOKEN an access token of this project with the scope api"
        )
    return answer


if __name__ == "__main__":
    errors.run(main)
