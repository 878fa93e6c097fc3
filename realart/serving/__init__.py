"""Answers for new pictures: predictions, explanations, provenance, the demo."""
