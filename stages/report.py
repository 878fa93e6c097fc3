"""Render the results of all stages -> metrics/report.html, and log the run to MLflow."""

from realart.core import errors, paths
from realart.core.outputs import fresh_file
from realart.core.project import BY_HAND, in_pipeline
from realart.evaluation import report
from realart.params import load_params
from realart.tracking import outbox


def main() -> None:
    params = load_params()
    with fresh_file(paths.REPORT) as beside:
        beside.write_text(report.page(params), "utf-8")
    logged = outbox.log_or_keep(params) if in_pipeline() else f"not logged to MLflow, {BY_HAND}"
    print(f"report: {paths.REPORT}; {logged}")


if __name__ == "__main__":
    errors.run(main)
