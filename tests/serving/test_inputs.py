"""What is predicted is listed as it is named, and read whole or refused with a reason."""

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from making import PARAMS, archive, file, picture
from PIL import Image

from realart.core.errors import RealartError
from realart.data import decoding
from realart.data.decoding import UnusableFileError
from realart.serving import inputs

CLEAN = PARAMS.clean
NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Work without the rights of root, to whom every file is readable."""
    user = os.geteuid()
    os.seteuid(user or NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def reason(picture: inputs.File) -> str:
    """Return why a file can't be read; "" if it can."""
    try:
        inputs.read(picture, CLEAN)
    except UnusableFileError as error:
        return str(error)
    return ""


def names(paths: list[Path]) -> list[str]:
    return [str(file) for file in inputs.list_files(paths)]


def test_files_are_those_named_and_those_in_folders(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "b/a/x y.png", "c.png", "ä/é.png", "b/-1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    given = [tmp_path / name for name in ("c.png", "b", "missing", "ä", "c.png")]
    assert [str(Path(name).relative_to(tmp_path)) for name in names(given)] == [
        "c.png", "b/-1.png", "b/10.png", "b/2.png", "b/a/x y.png", "missing", "ä/é.png", "c.png",
    ]  # fmt: skip


def test_standard_input_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "-").mkdir()
    monkeypatch.chdir(tmp_path)
    assert inputs.list_files([Path("-")]) == [Path("-")]


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    with pytest.raises(RealartError, match=str(tmp_path)):
        inputs.list_files([tmp_path])


def test_a_zip_is_listed_as_a_folder_and_its_files_are_read(tmp_path: Path) -> None:
    contents = [("ai/é.png", file(picture(1))), ("notes.txt", b"text")]
    path = archive(tmp_path / "set.ZIP", contents)
    files = inputs.list_files([path])
    assert [str(member) for member in files] == [f"{path}/{name}" for name, _ in contents]
    assert [inputs.read(member, CLEAN) for member in files] == [data for _, data in contents]
    (tmp_path / "broken.zip").write_bytes(path.read_bytes()[:-30])
    with pytest.raises(RealartError, match=r"no whole zip file .*broken.zip"):
        inputs.list_files([tmp_path / "broken.zip"])


def test_a_damaged_file_of_a_zip_is_corrupt_and_a_bomb_too_large(tmp_path: Path) -> None:
    data = file(picture(1))
    path = archive(tmp_path / "set.zip", [("1.png", data)])
    path.write_bytes(path.read_bytes().replace(data[100:120], bytes(20)))
    (member,) = inputs.list_files([path])
    assert isinstance(member, inputs.ZippedFile)
    with pytest.raises(UnusableFileError, match="corrupt: Bad CRC-32"):
        inputs.read(member, CLEAN)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("1.png", bytes(50_000))
    (member,) = inputs.list_files([tmp_path / "bomb.zip"])
    with pytest.raises(UnusableFileError, match="too large: 50000 bytes, at most 40000"):
        inputs.read(member, CLEAN.model_copy(update={"max_pixels": 10_000}))


def test_what_can_not_be_read_in_a_folder_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But no pipe, which would be waited for."""
    folder = tmp_path / "folder"
    for name in ("locked", "open"):
        (folder / name).mkdir(parents=True)
        (folder / name / "1.png").write_bytes(file(picture(1)))
    (folder / "gone.png").symlink_to("nothing")
    os.mkfifo(folder / "pipe")
    (folder / "locked").chmod(0)
    (folder / "secret.png").touch(0)
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with unprivileged():
        listed = inputs.list_files([Path("folder")])
        reasons = {str(path): reason(path) for path in listed}
    assert reasons == {
        "folder/gone.png": "No such file or directory",
        "folder/locked": "Permission denied",
        "folder/open/1.png": "",
        "folder/secret.png": "Permission denied",
    }
    assert list(reasons) == sorted(reasons)


@pytest.mark.parametrize("address", ["https://example.org/a.jpg", Path("http://x.org/a b.jpg")])
def test_a_web_address_gets_a_hint(address: str | Path) -> None:
    with pytest.raises(UnusableFileError, match=r"web address.*curl .*realart predict -"):
        inputs.read(address, CLEAN)


def test_a_picture_in_memory_is_as_that_of_a_file() -> None:
    pixels = picture(1)
    alpha = np.dstack([pixels, np.full(pixels.shape[:2], 90, np.uint8)])
    images = [Image.fromarray(array) for array in (pixels, pixels[:, :, 0], alpha)]
    deep = Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 256 + 7)
    for image in (*images, deep, images[0].quantize()):
        expected, _ = decoding.decode(file(image), CLEAN.max_pixels, CLEAN.min_side)
        assert np.array_equal(inputs.from_memory(image, CLEAN), expected)
        if image in images:
            assert np.array_equal(inputs.from_memory(np.asarray(image), CLEAN), expected)


def test_a_rotated_picture_is_turned_and_left_as_it_is() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = file(picture(1), "JPEG", exif=exif)
    expected, _ = decoding.decode(data, CLEAN.max_pixels)
    with Image.open(io.BytesIO(data)) as opened:
        assert np.array_equal(inputs.from_memory(opened, CLEAN), expected)
        assert opened.size == (96, 80)


@pytest.mark.parametrize(
    "array", [picture(1).astype(float), picture(1)[None], picture(1)[..., :2], np.uint8(3)]
)
def test_an_array_of_no_picture_is_an_error(array: object) -> None:
    with pytest.raises(RealartError, match="is no picture: give uint8"):
        inputs.from_memory(array, CLEAN)  # type: ignore[arg-type]


def test_pictures_in_memory_have_the_limits_of_files() -> None:
    with pytest.raises(UnusableFileError, match="too small: 96x8, at least"):
        inputs.from_memory(picture(1, 96, 8), CLEAN)
    with pytest.raises(UnusableFileError, match="too large: 96x80, at most 100 pixels"):
        inputs.from_memory(picture(1), CLEAN.model_copy(update={"max_pixels": 100}))
    with pytest.raises(UnusableFileError, match="unsupported"):
        inputs.from_memory(Image.new("F", (96, 80)), CLEAN)
