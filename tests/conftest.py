"""What all tests share: examples without a time limit, since two cores are at times busy."""

import os

from hypothesis import settings

# Tests run side by side: threads that wait for each other's cores take many times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("realart", deadline=None, database=None, max_examples=60)
settings.load_profile("realart")
