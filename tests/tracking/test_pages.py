"""The view that MLflow's pages open with."""

import json

from realart.tracking import pages

MAX_TAG = 5000
"""Characters of the longest tag of an experiment that every store of MLflow takes."""


def test_a_view_is_a_tag_of_its_experiment() -> None:
    tags = pages.missing_tags({})
    assert all(len(value) <= MAX_TAG for value in tags.values())
    assert pages.missing_tags(tags) == {}
    assert pages.missing_tags({**tags, pages.VIEW_TAG: "{}"}) == {
        pages.VIEW_TAG: tags[pages.VIEW_TAG]
    }
    view = json.loads(tags[pages.VIEW_TAG])
    sections = {section["uuid"] for section in view["compareRunSections"]}
    assert {chart["metricSectionId"] for chart in view["compareRunCharts"]} == sections
    assert len({chart["uuid"] for chart in view["compareRunCharts"]}) == 4


def test_an_address_names_the_workflow_and_the_view() -> None:
    assert pages.page("http://127.0.0.1:5000", "1") == (
        "http://127.0.0.1:5000/#/experiments/1/runs"
        "?workflowType=machine_learning&viewStateShareKey=realart"
    )
    assert pages.page("http://127.0.0.1:5000", None).endswith("?workflowType=machine_learning")
