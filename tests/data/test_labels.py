"""Labels from folders: published layouts, contradictions, and the summary."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import LABELS, PARAMS

from realart.core.errors import RealartError
from realart.data.labels import describe_missing_class, label_summary, read_paths
from realart.params import LabelNames, LabelTable

USUAL = PARAMS.datasets["local"].labels
STYLES = st.sampled_from(
    ["nature", "realism", "painted", "Aivazovsky", "RealisticVision", "x", "1"]
)
TOP = st.sampled_from(["ai", "AiArtData", "1_fake", "human", "REAL", "non_ai"])


def labels_of(folders: list[str], labels: LabelNames = USUAL) -> list[str | None]:
    """Return the label of a file in each folder of one archive."""
    paths = [f"{folder}/x.jpg" for folder in folders]
    return [metadata.label for metadata in read_paths(paths, labels, None)]


LAYOUTS: dict[str, dict[str, str | None]] = {
    "cashbowman": {"AiArtData/AiArtData": "ai", "RealArt/RealArt": "human"},
    "CIFAKE, and vangogh": {
        "train/FAKE": "ai", "train/REAL": "human", "test/FAKE": "ai", "test/REAL": "human",
    },
    "GenImage": {
        "Midjourney/imagenet_midjourney/train/ai": "ai",
        "Midjourney/imagenet_midjourney/train/nature": "human",
        "BigGAN/imagenet_ai_0419_biggan/train/ai": "ai",
        "BigGAN/imagenet_ai_0419_biggan/train/nature": "human",
        "sdv5/imagenet_ai_0424_sdv5/val/nature": "human",
        "sdv5/imagenet_ai_0424_sdv5/val/ai": "ai",
        "stable_diffusion_v_1_4/train/nature/n01440764": "human",
        "stable_diffusion_v_1_4/train/ai/n01440764": "ai",
    },
    "CNNDetection": {
        "progan/airplane/0_real": "human", "progan/airplane/1_fake": "ai",
        "deepfake/0_real": "human", "deepfake/1_fake": "ai", "biggan/0_real": "human",
        "biggan/1_fake": "ai", "whichfaceisreal/0_real": "human", "whichfaceisreal/1_fake": "ai",
    },
    "140k faces": {
        "real_vs_fake/real-vs-fake/train/fake": "ai",
        "real_vs_fake/real-vs-fake/train/real": "human",
    },
    "real and fake face detection": {
        "real_and_fake_face/training_fake": "ai", "real_and_fake_face/training_real": "human",
    },
    "deepfake_database": {
        "deepfake_database/train/df": "ai", "deepfake_database/train/real": "human",
        "deepfake_database/train/fake": "ai",
    },
    "artimages": {
        "Art_Images_Ai_And_Real_/train/fake": "ai", "Art_Images_Ai_And_Real_/train/real": "human",
    },
    "DiffusionDB beside WikiArt": {
        "diffusiondb/part-000001": None, "stable-diffusion/part-000001": "ai",
        "real/wikiart/Realism": "human", "real/wikiart/New_Realism": "human",
    },
    "Synthbuster beside RAISE": {
        "synthbuster/dalle3": "ai", "synthbuster/midjourney-v5": "ai", "synthbuster/glide": "ai",
        "real_RAISE_1k": "human",
    },
    "a generator for each folder": {
        "human": "human", "midjourney/nature": "ai", "midjourney/portraits": "ai", "DALL-E 3": "ai",
    },
    "one class of each generator": {
        "biggan/0_real": "human", "progan/1_fake": "ai", "nature/x/ai": "ai",
    },
    "nature beside ai": {"nature": "human", "ai": "ai"},
    "a style for each folder": {
        "nature/ai": "ai", "nature/human": "human", "realism/ai": "ai", "realism/human": "human",
    },
    "a style below each class": {
        "ai/nature": "ai", "ai/realism": "ai", "fake/RealisticVision": "ai", "fake/RealVisXL": "ai",
        "real/Aivazovsky": "human", "human/nature": "human", "human/sd": "human",
        "ai/nature/midjourney": "ai",
    },
    "both in one name": {
        "ai-vs-human/test": None, "ai-vs-human/train/ai": "ai", "ai-vs-human/train/human": "human",
    },
}  # fmt: skip
"""Archives as publishers lay them out, and the right label of each folder."""


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_published_layouts_have_their_labels(layout: str) -> None:
    assert labels_of([*LAYOUTS[layout]]) == [*LAYOUTS[layout].values()]


@pytest.mark.parametrize(
    ("dataset", "path", "expected"),
    [
        ("cashbowman", "AiArtData/AiArtData/x.jpg", ("ai", "AiArtData/AiArtData", "", "", "")),
        ("cashbowman", "RealArt/RealArt/x.jpg", ("human", "RealArt/RealArt", "", "", "")),
        (
            "ai-artbench",
            "Real_AI_SD_LD_Dataset/train/AI_LD_art_nouveau/x.jpg",
            ("ai", "Real_AI_SD_LD_Dataset/train/AI_LD_art_nouveau", "LD", "art_nouveau", "train"),
        ),
        (
            "ai-artbench",
            "Real_AI_SD_LD_Dataset/test/AI_SD_realism/x.jpg",
            ("ai", "Real_AI_SD_LD_Dataset/test/AI_SD_realism", "SD", "realism", "test"),
        ),
        (
            "ai-artbench",
            "Real_AI_SD_LD_Dataset/test/ukiyo_e/x.jpg",
            ("human", "Real_AI_SD_LD_Dataset/test/ukiyo_e", "", "ukiyo_e", "test"),
        ),
        ("artimages", "real/x.jpg", ("human", "real", "", "", "")),
        ("artimages", "Art/fake/x.jpg", ("ai", "Art/fake", "", "", "")),
        ("artimages", "train/AI/x.jpg", ("ai", "train/AI", "", "", "")),
        ("sample", "generated/x.png", ("ai", "generated", "", "", "")),
        ("sample", "painted/x.png", ("human", "painted", "", "", "")),
    ],
)
def test_ready_made_datasets_on_their_publishers_layout(
    dataset: str, path: str, expected: tuple[str, ...]
) -> None:
    entry = PARAMS.datasets[dataset]
    read = read_paths([path], entry.labels, entry.fields)[0]
    assert (read.label, read.source, read.generator, read.style, read.part) == expected


def test_every_style_of_ai_artbench_has_a_label() -> None:
    labels = PARAMS.datasets["ai-artbench"].labels
    assert len(labels.human) == 10
    folders = [
        f"a/train/{before}{style}" for style in labels.human for before in ("", "AI_LD_", "AI_SD_")
    ]
    assert labels_of(folders, labels) == ["human", "ai", "ai"] * 10


@given(TOP, st.lists(STYLES, max_size=4))
def test_a_style_below_never_overrules_the_class_above(top: str, below: list[str]) -> None:
    assert labels_of([top, "/".join([top, *below])]) == 2 * labels_of([top])


@given(st.lists(st.tuples(TOP, STYLES), min_size=1), st.sampled_from(["NFC", "NFD"]))
def test_wrapping_folders_and_accents_change_nothing(
    folders: list[tuple[str, str]], form: str
) -> None:
    plain = ["/".join(folder) for folder in folders]
    wrapped = [unicodedata.normalize(form, f"déjà vu/ai-vs-real/{folder}") for folder in plain]
    assert labels_of(wrapped) == labels_of(plain)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["ai/human"], "folder 'ai/human' names human art, and 'ai' above it ai"),
        (["real/x/fake_y"], "folder 'real/x/fake_y' names ai art, and 'real' above it human"),
        (["ai/human_portraits", "ai/x", "human"], "('human_portraits' to labels.weak.human, or"),
    ],
)
def test_folders_that_contradict_each_other_are_both_named(
    folders: list[str], message: str
) -> None:
    with pytest.raises(RealartError) as caught:
        labels_of(folders)
    assert message in str(caught.value)


def test_a_subject_named_weak_contradicts_nothing() -> None:
    weak = USUAL.weak.model_copy(update={"human": ["human", "human_portraits"]})
    labels = USUAL.model_copy(update={"weak": weak})
    assert labels_of(["ai/human_portraits", "ai/human", "human"], labels) == ["ai", "ai", "human"]


def test_composed_and_decomposed_folders_are_one_source() -> None:
    paths = [unicodedata.normalize(form, "ai/é/x.jpg") for form in ("NFC", "NFD")]
    assert len({metadata.source for metadata in read_paths(paths, LABELS, "(?P<style>é)/")}) == 1
    assert [metadata.style for metadata in read_paths(paths, LABELS, "(?P<style>é)/")] == ["é", "é"]


@pytest.mark.parametrize(
    ("paths", "labels", "message"),
    [
        (
            ["human/x", "human/y", "b/y", "z"], LABELS,
            "labels.ai ['ai'] matches no folder of the archive, which has (with their numbers of "
            "files): human (2), b (1), . (1)",
        ),
        ([f"{n}/x" for n in range(20)], LABELS, "0 (1), 1 (1), 2 (1), 3 (1), 4 (1), and 15 more"),
        (["x.jpg", "y.jpg"], LABELS, "all 2 files lie in no folder that could name a class (put"),
        (
            ["AiArt/x", "AixArt/x", "AixArt/y"], LabelNames(ai=["ai*"], human=["*art"]),
            "no folder is labelled human: 'AixArt', with 2 of 3 files, matches 'ai*' of labels.ai "
            "and '*art' of labels.human, and a name of both classes labels nothing (let only one",
        ),
        (["ai-vs-human/x", "b/y"], LABELS, "matches 'ai' of labels.ai and 'human' of labels.human"),
        (["ai/x", "human/x"], LABELS, ""),
    ],
)  # fmt: skip
def test_a_missing_class_is_described_with_its_reason(
    paths: list[str], labels: LabelNames, message: str
) -> None:
    reason = describe_missing_class(read_paths(paths, labels, None), labels)
    assert message in reason
    assert bool(message) == bool(reason)


def test_a_table_replaces_labels_of_folders() -> None:
    labels = LABELS.model_copy(update={"table": LabelTable(file="t.csv", path="p", label="l")})
    metadata = read_paths(["ai/x", "ai/y", "human/z"], labels, None, {"ai/x": "human"})
    assert [path.label for path in metadata] == ["human", None, None]
    assert describe_missing_class(metadata, labels) == "labels.table gives no file the label ai"


def test_a_summary_counts_every_file_by_what_names_it() -> None:
    paths = [f"{folder}/{n}" for folder in ["ai/nature", "ai/x", "human", "misc"] for n in range(2)]
    assert label_summary(read_paths(paths, LABELS, None)) == [
        "labels of 8 files, and what names them",
        "       4 ai     ai",
        "       2 human  human",
        "       2 none   misc",
    ]


@given(st.lists(st.sampled_from([f"{top}{n}" for top in ("ai ", "human ", "x") for n in range(9)])))
def test_a_summary_is_short_and_whole(folders: list[str]) -> None:
    first, *lines = label_summary(read_paths([f"{folder}/x" for folder in folders], LABELS, None))
    assert len(lines) < 12
    assert first.startswith(f"labels of {len(folders)} files")
    assert sum(int(line.split()[0]) for line in lines) == len(folders)
