"""All that the other stages found -> metrics/report.html, and the run in MLflow."""

from pathlib import Path

from realart import errors, params, report, unsent
from realart.outputs import fresh_file

METRICS = Path("metrics")


def main() -> None:
    knobs = params.load()
    with fresh_file(METRICS / "report.html") as beside:
        beside.write_text(report.page(knobs, Path("data"), METRICS), "utf-8")
    said = unsent.log(knobs)
    print(f"report: metrics/report.html; {said}")


if __name__ == "__main__":
    errors.run(main)
