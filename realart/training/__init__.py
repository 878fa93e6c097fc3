"""Cross-validation: folds, the training loop, checkpoints, batches, folds in parallel."""
