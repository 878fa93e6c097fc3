"""What is trained and kept: classifiers on feature vectors, and the trained model as files."""
