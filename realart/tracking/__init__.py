"""MLflow: the store, runs of trainings, what could not be logged yet, the model registry."""
