"""Score changed test pictures by the final model -> metrics/robustness: a table and curves."""

from realart.core import errors, paths, tables
from realart.core.outputs import fresh_directory
from realart.data import raw
from realart.evaluation import robustness, robustness_plot
from realart.models.trained_model import TrainedModel


def main() -> None:
    rows = tables.read(paths.ROWS, tables.ROWS).set_index("row")
    pictures = tables.by_id(tables.read(paths.PICTURES, tables.PICTURES))
    test = pictures.loc[rows.index[rows["part"] == "test"]]
    archives = raw.archives(paths.RAW)
    table = robustness.evaluate(archives, test, rows["group"], TrainedModel(paths.FINAL))
    with fresh_directory(paths.ROBUSTNESS) as folder:
        tables.write(table, folder / paths.ROBUSTNESS_TABLE.name, robustness.COLUMNS)
    with fresh_directory(paths.ROBUSTNESS_IMAGES) as images:
        robustness_plot.draw(table, images / "curves.png")
    print(robustness.summary(table))


if __name__ == "__main__":
    errors.run(main)
