"""Audit headers, pictures and copies for shortcuts -> metrics/audit.json, metrics/audit."""

from realart.core import errors, paths, tables
from realart.core.outputs import fresh_directory, write_json
from realart.data import raw
from realart.evaluation import shortcuts
from realart.evaluation.audit import audit
from realart.params import load_params


def main() -> None:
    params = load_params()
    rows = tables.read(paths.ROWS, tables.ROWS)
    published = tables.read(paths.PICTURES, tables.PICTURES)
    related = tables.read(paths.RELATED, tables.RELATED)
    result = audit(params, rows, published, related)
    with fresh_directory(paths.AUDIT) as folder, fresh_directory(paths.AUDIT_IMAGES) as images:
        result.write(raw.archives(paths.RAW), folder, images)
    write_json(result.figures, paths.AUDIT_FIGURES)
    print("audit:", *result.findings, sep="\n")
    if params.audit.stop_above is not None:
        shortcuts.require_at_most(result.baseline, params.audit.stop_above)


if __name__ == "__main__":
    errors.run(main)
