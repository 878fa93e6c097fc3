"""What all tests share: examples without a time limit, since two cores are at times busy."""

from hypothesis import settings

settings.register_profile("realart", deadline=None, database=None, max_examples=60)
settings.load_profile("realart")
