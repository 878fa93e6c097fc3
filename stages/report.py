"""Render the results of all stages -> metrics/report.html, and log the run to MLflow."""

from realart.core import errors, paths
from realart.core.outputs import fresh_file
from realart.evaluation import report
from realart.params import load_params
from realart.tracking import outbox


def main() -> None:
    params = load_params()
    with fresh_file(paths.REPORT) as beside:
        beside.write_text(report.page(params), "utf-8")
    print(f"report: {paths.REPORT}; {outbox.log_or_keep(params)}")


if __name__ == "__main__":
    errors.run(main)
