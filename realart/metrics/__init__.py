"""Metrics of labels and scores, without a model: intervals, calibration, thresholds, plots."""
