"""The client of the Hugging Face Hub: its output turned off, its errors as one line each."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from realart.core.errors import RealartError

SIGN_IN = (
    "get a token at https://huggingface.co/settings/tokens and set HF_TOKEN (or: hf auth login)"
)


def quieten() -> None:
    """Turn off the client's telemetry and log, and its progress bars outside a terminal.

    Call this before the first import of `huggingface_hub`.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when the package is imported
    from huggingface_hub.utils.tqdm import disable_progress_bars

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    if not sys.stderr.isatty():
        disable_progress_bars()


@contextmanager
def translate_errors(
    kind: Literal["dataset", "model"], address: str, setting: str
) -> Iterator[None]:
    """Raise the client's errors inside the block as a `RealartError` with advice.

    Parameters
    ----------
    kind, address
        A repository's kind, and its `owner/name` or `owner/name@revision`.
    setting
        The param that names the repository.
    """
    import httpx2
    from huggingface_hub import errors

    repository = address.partition("@")[0]
    page = f"https://huggingface.co/{'datasets/' * (kind == 'dataset')}{repository}"
    name = f"{kind} '{repository}'"
    try:
        yield
    except errors.GatedRepoError as error:
        raise RealartError(
            f"Hugging Face {name} is gated: accept its terms at {page}, then {SIGN_IN}"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise RealartError(
            f"Hugging Face {kind} '{address}' has no such revision: look at {page}/commits/main "
            f"and set {setting} to {repository}@<revision>"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise RealartError(
            f"Hugging Face has no {name}, or it is private: look at {page} and set {setting} to "
            f"another; if it is private, {SIGN_IN}"
        ) from error
    except errors.RemoteEntryNotFoundError as error:
        raise RealartError(
            f"Hugging Face {name} has no such file: look at {page}/tree/main and set {setting} to "
            "one that it has"
        ) from error
    except errors.HfHubHTTPError as error:
        raise _refused(error.response.status_code, name) from error
    except (
        errors.LocalEntryNotFoundError,
        errors.OfflineModeIsEnabled,
        errors.FileMetadataError,
        errors.XetDownloadError,
        httpx2.HTTPError,
    ) as error:
        raise RealartError(
            f"Hugging Face cannot be reached ({type(error).__name__}): check the network (and "
            "HF_ENDPOINT, HF_HUB_OFFLINE, HTTPS_PROXY if you set them), then run again; files that "
            "have come are kept"
        ) from error
    except OSError as error:
        if error.errno:  # of this machine, such as a full disk
            raise
        raise RealartError(
            f"Hugging Face sent another file than it had announced: run again ({error})"
        ) from error


def _refused(status: int, name: str) -> RealartError:
    if status in (401, 403):
        return RealartError(
            f"Hugging Face refuses access to {name} ({status}): the token that it was given is "
            f"wrong or does not cover it; {SIGN_IN}"
        )
    return RealartError(f"Hugging Face answers {status} for {name}: try again later")
