"""Names of entries: each is registered once, and a misspelt one is refused with the nearest."""

import sys
from pathlib import Path

import pytest

from realart.core.errors import RealartError
from realart.core.registry import Registry, choose, import_modules


def test_a_name_is_registered_once() -> None:
    registry = Registry[int]("number")
    registry.add("one", 1)
    with pytest.raises(ValueError, match="two of the number 'one'"):
        registry.add("one", 2)
    assert registry == {"one": 1}


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    registry = Registry[int]("number")
    registry.add("three", 3)
    registry.add("four", 4)
    expected = "unknown number 'threee' (did you mean 'three'?); choose one of: three, four"
    with pytest.raises(RealartError) as caught:
        registry["threee"]
    assert str(caught.value) == expected
    with pytest.raises(RealartError) as caught:
        registry.choose("threee", "a.b")
    assert str(caught.value) == f"a.b: {expected}"
    assert "threee" not in registry
    assert choose(registry, "four", "number") == 4


def test_modules_of_a_package_are_imported_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "some_package"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from realart.core.registry import Registry, import_modules\n"
        "ENTRIES = Registry[int]('entry')\n"
        "import_modules(__name__, __path__)\n"
    )
    for number, name in enumerate(("b", "a", "c")):
        (package / f"{name}.py").write_text(
            f"from some_package import ENTRIES\nENTRIES.add({name!r}, {number})\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    import some_package  # type: ignore[import-not-found]

    assert list(some_package.ENTRIES.items()) == [("a", 1), ("b", 0), ("c", 2)]
    import_modules("some_package", some_package.__path__)  # nothing is imported twice
    for name in [name for name in sys.modules if name.partition(".")[0] == "some_package"]:
        monkeypatch.delitem(sys.modules, name)
