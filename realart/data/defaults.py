"""Defaults for commands that need no project: label names, published parts, canonical form.

`LABELS` are `datasets.local.labels` of params.yaml, and `CLEAN` is its `clean`; a test compares
them.
"""

from realart.params import Clean, LabelNames, WeakNames

LABELS = LabelNames(
    ai=[
        "ai", "aiart", "aigc", "aigen", "aigenerated", "aiimages", "artificial", "fake", "fakes",
        "deepfake", "deepfakes", "generated", "synthetic", "synthesized", "non human", "non real",
        "not human", "not real",
    ],
    human=[
        "human", "humans", "real", "reals", "realart", "realimages", "authentic", "genuine",
        "handmade", "hand drawn", "hand painted", "no ai", "non ai", "non fake", "non generated",
        "not ai", "not fake", "not generated",
    ],
    weak=WeakNames(
        ai=[
            "adm", "biggan", "cyclegan", "dalle", "diffusion", "firefly", "flux", "gan", "gans",
            "gaugan", "glide", "imagen", "latent diffusion", "ldm", "midjourney", "progan",
            "realesrgan", "realvis", "sd", "sdxl", "sdv", "stable diffusion", "stargan", "stylegan",
            "vqdm", "wukong",
        ],
        human=["natural", "nature", "painted"],
    ),
)  # fmt: skip
"""Names of folders of each class."""

FIELDS = r"(?i)(?:^|[/ ._-])(?P<part>train|test|val)(?:ing|id|idation)?(?:[ ._-][^/]*)?/"
"""Pattern of paths in which a folder names the published part: `train`, `Testing`, `val_set`."""

CLEAN = Clean(
    encoding="jpeg",
    long_side=512,
    shrink=0.7,
    quality=90,
    min_side=64,
    max_pixels=89_000_000,
    duplicate=0.98,
    similar=0.85,
)
"""The canonical form, and the thresholds of near-duplicates."""
