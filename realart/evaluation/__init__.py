"""Studies of a data set and of a trained model: shortcuts, robustness, other sets, the report."""
