"""Labels of names: by whole words and whole patterns, never inside a word."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import PARAMS

from realart.data.label_names import LabelMatcher, split_words
from realart.params import CLASSES, LabelNames, WeakNames

USUAL = LabelMatcher(PARAMS.datasets["local"].labels)
PUBLISHED = {
    "ai": [
        "AiArtData", "AI_LD_baroque", "AI_SD_ukiyo_e", "AI-SD_x", "ai_art", "ai-art", "aiart",
        "AI generated", "AI-Generated-Images", "AI_2", "Ai_generated_dataset", "AIGC", "GenAI",
        "fake", "FAKE", "FakeImages", "1_fake", "training_fake", "Fake_V", "deepfake",
        "DeepFakes", "generated", "Generated Images", "synthetic", "synthetic-images",
        "Synthetic_Art", "not_real", "imagenet_ai_0419_biggan", "imagenet_ai_0424_sdv5",
        "ai_nature", "fake-painted", "stability.ai", "dalle", "DALL-E", "DALL·E 3", "dalle2",
        "midjourney-v5", "MidJourney", "sd", "sd15", "SDXL", "SD2", "sdv5",
        "stable_diffusion_v_1_4", "StableDiffusion", "stable-diffusion-xl", "biggan", "StyleGAN2",
        "GANs", "latent-diffusion", "RealVisXL", "Real_ESRGAN", "firefly", "VQDM",
        "imagenet_glide", "imagenet_midjourney",
    ],
    "human": [
        "RealArt", "realart", "real", "REAL", "Real_dataset", "real_images", "0_real",
        "training_real", "human", "Human_Photos", "human_art", "humans", "HumanArt", "authentic",
        "non_ai", "nonAI", "Non-AI", "non ai", "no-ai", "NotAI", "not_fake", "painted",
        "Painted by hand", "hand-drawn", "nature", "real_nature",
    ],
    None: [
        "realism", "Realism", "new-realism", "surrealism", "RealisticVision", "realistic",
        "unreal", "Aivazovsky", "aikido", "Thai", "Hawaii", "sailing", "fairy", "humanoid",
        "humanism", "SDK", "natureza", "signature", "regenerated2d", "ai-vs-human", "ai_and_real",
        "real_and_fake", "real-vs-fake", "real-ai-art", "Real_AI_SD_LD_Dataset",
        "Art_Images_Ai_And_Real_", "ai-generated-images-vs-real-images", "nature_vs_ai",
        "painted-and-generated",
        "real_or_sd", "train", "test", "art_nouveau", "baroque", "archive (1)",
        "2", "", "🎨",
    ],
}  # fmt: skip
"""Names that publishers and people give to folders, and similar ones that are no labels."""


@pytest.mark.parametrize(
    ("label", "name"), [(k, n) for k, names in PUBLISHED.items() for n in names]
)
def test_published_folder_names_have_their_labels(label: str | None, name: str) -> None:
    assert USUAL.match(name).label == label


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("AiArtData", ("ai", "art", "data")),
        ("AIArt_data", ("ai", "art", "data")),
        ("ai-art.DATA", ("ai", "art", "data")),
        ("0_real", ("0", "real")),
        ("sd15xl", ("sd", "15", "xl")),
        ("GénéréesParIA", ("générées", "par", "ia")),
        ("STRASSE", ("strasse",)),
        ("Straße", ("strasse",)),
        ("मानव_कला", ("मानव", "कला")),
        ("人間", ("人間",)),
        ("- _", ()),
    ],
)
def test_words_end_at_separators_digits_and_capitals(name: str, parts: tuple[str, ...]) -> None:
    assert split_words(name) == parts


@given(st.text(max_size=12))
def test_composed_and_decomposed_names_are_the_same(name: str) -> None:
    apart, together = (unicodedata.normalize(form, name) for form in ("NFD", "NFC"))
    assert split_words(apart) == split_words(together) == split_words(name)
    for entry in {together, f"{together}*"}:
        if any(map(str.isalnum, entry)):
            matcher = LabelMatcher(LabelNames(ai=[entry.replace("/", "")], human=["-1"]))
            assert matcher.match(apart.replace("/", "")).label in ("ai", None)
            assert matcher.match(apart) == matcher.match(together)


@given(st.sampled_from(["ai", "human"]), st.text("abcdefghijklmnopqrstuvwxyz", min_size=1))
def test_a_word_is_never_found_inside_a_longer_one(word: str, more: str) -> None:
    matcher = LabelMatcher(LabelNames(ai=["ai"], human=["human"]))
    for name in (word + more, more + word):
        if name != "human":
            assert matcher.match(name).label is None
    for name in (f"{word}_{more}", f"{more} {word.upper()}", f"{more}{word.title()}", f"{word}7"):
        assert matcher.match(name).label == word or more in CLASSES


def test_whole_names_precede_words_and_long_runs_short_ones() -> None:
    matcher = LabelMatcher(LabelNames(ai=["AI_SD_*", "ai"], human=["realism", "non ai", "AI_SD_1"]))
    assert matcher.match("ai_sd_realism").label == "ai"
    assert matcher.match("old_realism").label == "human"
    assert matcher.match("some-non-ai-art").label == "human"
    assert matcher.match("realism, ai").label is None
    assert matcher.match("AI_SD_1").label is None


def test_a_weak_name_yields_to_a_strong_one() -> None:
    matcher = LabelMatcher(
        LabelNames(ai=["ai"], human=["nature"], weak=WeakNames(human=["Nature"]))
    )
    assert matcher.match("ai nature").label == "ai"
    assert [matcher.match(name).strength for name in ("nature", "ai", "x")] == [1, 2, 0]
