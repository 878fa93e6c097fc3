"""The embedded sample, rendered on this machine."""

from realart.data.sources import FetchedArchive, Folders, register
from realart.params import Dataset


@register("sample", check=lambda name, dataset: None)
def fetch(name: str, dataset: Dataset, folders: Folders) -> FetchedArchive:
    """Render the sample; `dataset.path` is not read."""
    from realart.data.sample import write_archive

    write_archive(folders.archive)
    return FetchedArchive(folders.archive, advice="run again")
