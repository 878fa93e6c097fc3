"""Paths that stages read and write, relative to the project's folder."""

from pathlib import Path

PARAMS = Path("params.yaml")
DATA = Path("data")
CODE = DATA / "code"
ORIGINS = DATA / "sets/origins.json"
LABELS = DATA / "sets/labels.json"
RAW = DATA / "raw"
CLEAN = DATA / "clean"
PICTURES = CLEAN / "pictures.csv"
REJECTED = CLEAN / "rejected.csv"
RELATED = CLEAN / "related.csv"
SPLIT = DATA / "split.csv"
BALANCED = DATA / "balanced"
ROWS = BALANCED / "rows.csv"
ELA = DATA / "ela"
FEATURES = DATA / "features"

FOLDS = Path("models/folds")
FINAL = Path("models/final")

METRICS = Path("metrics")
HEADLINE = METRICS / "metrics.json"
EVALUATION = METRICS / "evaluation.json"
SCORES = METRICS / "scores.csv"
AUDIT = METRICS / "audit"
AUDIT_FIGURES = METRICS / "audit.json"
FINDINGS = AUDIT / "findings.md"
BASELINE_SCORES = AUDIT / "floor.csv"
PLOTS = METRICS / "plots"
TABLES = METRICS / "tables"
SUBGROUPS = TABLES / "subgroups.csv"
PROMISES = TABLES / "promises.csv"
LABEL_ISSUES = TABLES / "doubts.csv"
ROBUSTNESS = METRICS / "robustness"
ROBUSTNESS_TABLE = ROBUSTNESS / "table.csv"
REPORT = METRICS / "report.html"

IMAGES = METRICS / "images"
"""Pictures and plots for `dvc plots`, a folder for each stage."""
CONTACT_SHEETS = IMAGES / "contact_sheets"
AUDIT_IMAGES = IMAGES / "audit"
EVALUATION_IMAGES = IMAGES / "evaluation"
ROBUSTNESS_IMAGES = IMAGES / "robustness"
