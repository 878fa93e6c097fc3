"""Reading a label, a generator, a style and a published part from a path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import KNOBS, LABELS

from realart.errors import RealartError
from realart.labels import Origin, read_path, read_paths
from realart.params import Labels

FOLDERS = st.sampled_from(["ai", "human", "AI", "Human", "other", "x"])


def label_of(path: str, labels: Labels = LABELS) -> str | None:
    return read_path(path, labels, None).label


@given(st.lists(FOLDERS, max_size=5))
def test_the_deepest_folder_that_matches_decides_in_any_case(folders: list[str]) -> None:
    known = [folder.lower() for folder in folders if folder.lower() in ("ai", "human")]
    assert label_of("/".join([*folders, "ai.jpg"])) == (known[-1] if known else None)


def test_a_folder_that_both_classes_match_decides_nothing() -> None:
    labels = Labels(ai=["*art*"], human=["real*"])
    assert label_of("real/RealArt/x.jpg", labels) is None
    assert label_of("RealArt/real/x.jpg", labels) == "human"


def test_no_folder_for_a_class_lists_the_folders_there_are() -> None:
    with pytest.raises(RealartError, match=r"labels\.ai \['ai'\] .* has: \., b, human;") as caught:
        read_paths(["human/x.jpg", "b/y.jpg", "z.jpg"], LABELS, None)
    assert "\n" not in str(caught.value)


def test_a_long_list_of_folders_is_cut() -> None:
    with pytest.raises(RealartError, match=r"has: 0, .* 15, \.\.\.;"):
        read_paths([f"{number}/x.jpg" for number in range(20)], LABELS, None)


@pytest.mark.parametrize(
    ("dataset", "path", "origin"),
    [
        (
            "cashbowman",
            "AiArtData/AiArtData/x.jpg",
            Origin("ai", "AiArtData/AiArtData", "", "", ""),
        ),
        ("cashbowman", "RealArt/RealArt/x.jpg", Origin("human", "RealArt/RealArt", "", "", "")),
        (
            "ai-artbench",
            "Real_AI_SD_LD_Dataset/train/AI_LD_art_nouveau/x.jpg",
            Origin(
                "ai", "Real_AI_SD_LD_Dataset/train/AI_LD_art_nouveau", "LD", "art_nouveau", "train"
            ),
        ),
        (
            "ai-artbench",
            "Real_AI_SD_LD_Dataset/test/AI_SD_realism/x.jpg",
            Origin("ai", "Real_AI_SD_LD_Dataset/test/AI_SD_realism", "SD", "realism", "test"),
        ),
        (
            "ai-artbench",
            "Real_AI_SD_LD_Dataset/test/ukiyo_e/x.jpg",
            Origin("human", "Real_AI_SD_LD_Dataset/test/ukiyo_e", "", "ukiyo_e", "test"),
        ),
        ("artimages", "real/x.jpg", Origin("human", "real", "", "", "")),
        ("artimages", "Art/fake/x.jpg", Origin("ai", "Art/fake", "", "", "")),
        ("artimages", "train/AI/x.jpg", Origin("ai", "train/AI", "", "", "")),
        (
            "local",
            "my pictures/AI generated/x.png",
            Origin("ai", "my pictures/AI generated", *3 * ("",)),
        ),
        ("local", "art/Painted by hand/x.png", Origin("human", "art/Painted by hand", *3 * ("",))),
        ("local", "art/non_ai/x.png", Origin("human", "art/non_ai", "", "", "")),
        ("local", "art/misc/x.png", Origin(None, "art/misc", "", "", "")),
        ("sample", "generated/x.png", Origin("ai", "generated", "", "", "")),
        ("sample", "painted/x.png", Origin("human", "painted", "", "", "")),
    ],
)
def test_ready_made_datasets_on_their_publishers_layout(
    dataset: str, path: str, origin: Origin
) -> None:
    entry = KNOBS.datasets[dataset]
    assert read_path(path, entry.labels, entry.fields) == origin


def test_every_style_of_ai_artbench_has_a_label_whoever_made_it() -> None:
    entry = KNOBS.datasets["ai-artbench"]
    assert len(entry.labels.human) == 10
    for style in entry.labels.human:
        assert label_of(f"a/train/{style}/x.jpg", entry.labels) == "human"
        for generator in ("LD", "SD"):
            assert label_of(f"a/train/AI_{generator}_{style}/x.jpg", entry.labels) == "ai"
