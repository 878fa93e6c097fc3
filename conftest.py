"""What is collected, and in which order: see `slow` in pyproject.toml."""

from pathlib import Path

import pytest

SUPPORT = Path(__file__).parent / "tests/support"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import neither modules without an example nor, for `-m "not slow"`, those that are slow."""
    if collection_path.suffix != ".py":
        return None
    if collection_path.parent == SUPPORT:
        return True
    text = collection_path.read_text("utf-8")
    if not collection_path.name.startswith("test_"):
        return ">>> " not in text
    slow = "\npytestmark = pytest.mark.slow\n" in text
    return True if slow and config.option.markexpr == "not slow" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest modules, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: ("tests/system/" not in item.nodeid, "slow" not in item.keywords))
