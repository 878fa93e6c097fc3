"""Messages of decoders are collected in the thread that decodes, and nowhere else."""

import logging
import threading
import warnings
from collections.abc import Iterator

import pytest
from making import file, picture

from realart.data import decoder_messages, decoding, formats
from realart.data.decoding import UnusableFileError

PACKED = file(picture(1), "TIFF", compression="tiff_adobe_deflate")
DAMAGED = PACKED[:8] + b"\xff" * 200 + PACKED[208:]
"""libtiff prints "incorrect header check", and Pillow raises "decoder error -2"."""


@pytest.fixture(autouse=True)
def filters_as_they_were() -> Iterator[None]:
    before = list(warnings.filters)
    yield
    warnings.filters[:] = before  # type: ignore[index]


def warn() -> None:
    warnings.warn("raw", UserWarning, stacklevel=1)


def test_warnings_are_suppressed_inside_only() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with decoder_messages.collect(), decoder_messages.collect():
            warn()
        with decoder_messages.collect():
            with decoder_messages.collect():
                pass
            warn()
        assert not caught
        warn()
    assert [str(warning.message) for warning in caught] == ["raw"]


def test_warnings_that_are_errors_elsewhere_are_none_inside() -> None:
    with decoder_messages.collect():
        pass
    warnings.simplefilter("error")
    with decoder_messages.collect():
        warn()
    with pytest.raises(UserWarning, match="raw"):
        warn()


def test_other_threads_keep_their_warnings() -> None:
    inside, warned = threading.Event(), threading.Event()

    def decode() -> None:
        with decoder_messages.collect():
            inside.set()
            warned.wait(10)
            warn()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = threading.Thread(target=decode)
        thread.start()
        inside.wait(10)
        warn()
        warned.set()
        thread.join()
    assert len(caught) == 1


def test_filters_do_not_pile_up() -> None:
    for _ in range(3):
        warnings.simplefilter("error", ResourceWarning)
        with decoder_messages.collect():
            pass
    assert [entry for entry in warnings.filters if entry is decoder_messages._FILTER] == [
        decoder_messages._FILTER
    ]


def test_log_records_of_pillow_are_collected_inside_only(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("PIL.TiffImagePlugin")
    with decoder_messages.collect() as messages:
        logger.error("too %s", "many")
        logger.info("kept")
    logger.error("outside")
    assert messages == ["too many"]
    assert "outside" in caplog.text
    assert "too many" not in caplog.text


def test_libtiff_prints_outside_only(capfd: pytest.CaptureFixture[str]) -> None:
    with decoder_messages.collect() as messages, pytest.raises(OSError, match="decoder error"):
        formats.open_picture(DAMAGED).load()
    assert messages
    assert "incorrect header check" in messages[0]
    assert capfd.readouterr().err == ""
    with pytest.raises(OSError, match="decoder error"):
        formats.open_picture(DAMAGED).load()
    assert messages[0] in capfd.readouterr().err


def test_a_decoding_error_has_the_message_of_libtiff(
    capfd: pytest.CaptureFixture[str],
) -> None:
    tag = file(picture(1), "TIFF", tiffinfo={34675: bytes(200)})
    place = tag.index(b"\x73\x87\x07\x00")
    warns = tag[: place + 4] + b"\xff\xff\xff\x00" + tag[place + 8 :]
    warnings.simplefilter("error")
    assert decoding.read(warns).size == (96, 80)
    with pytest.raises(UnusableFileError) as caught:
        decoding.read(DAMAGED)
    assert caught.value.reason == "corrupt"
    assert "incorrect header check" in caught.value.detail
    assert capfd.readouterr() == ("", "")
