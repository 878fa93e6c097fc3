"""Programs that are known by the texts that they write, and fields that name a program."""

import re
from collections.abc import Iterator

from realart.serving.provenance.wording import printable, quoted

WEB_UIS = "Stable Diffusion web UIs"

# Keys of the JSON, and forms of the text, that a program is known to write under some keyword:
# https://github.com/mcmonkeyprojects/SwarmUI (docs/Image Metadata Format.md),
# https://github.com/lllyasviel/Fooocus (modules/meta_parser.py), its forks Fooocus-MRE and
# RuinedFooocus (`software`), https://github.com/NovelAI/novelai-image-metadata, and
# https://github.com/AUTOMATIC1111/stable-diffusion-webui (modules/images.py,
# modules/postprocessing.py). The first match counts.
_ANY = r""
_INFO = r"parameters|comment|user ?comment"
_FREE = r"parameters|prompt|comment|user ?comment|description|imagedescription|xpcomment|model|make"
_WRITERS = tuple(
    (re.compile(rf"(?:{keyword})\Z", re.IGNORECASE), re.compile(pattern), program)
    for keyword, pattern, program in (
        (_FREE, r"(?:sui_image_params|swarm_version)\W{0,3}:", "SwarmUI"),
        (_FREE, r'"software"\s*:\s*"RuinedFooocus', "RuinedFooocus"),
        (_FREE, r'"(?:software|version|metadata_scheme)"\s*:\s*"[Ff]ooocus', "Fooocus"),
        (_INFO, r"Version: Fooocus|\bFooocus v\d", "Fooocus"),
        ("fooocus_scheme", _ANY, "Fooocus"),
        (_FREE, r'"mflux_version"\s*:', "mflux"),
        (_FREE, r'"use_stable_diffusion_model"\s*:', "Easy Diffusion"),
        ("use_stable_diffusion_model|stable diffusion model", _ANY, "Easy Diffusion"),
        ("invokeai_metadata|invokeai_graph|sd-metadata", _ANY, "InvokeAI"),
        ("dream", r" -[SsWHC] ?[0-9]", "InvokeAI"),
        (_FREE, r'"(?:uc|uncond_scale|signed_hash|v4_prompt)"\s*:', "NovelAI"),
        (_INFO, r'(?s)\A\s*\{(?=.*"prompt"\s*:)(?=.*"base_model"\s*:)', "Fooocus"),
        (_FREE, r'\\?"class_type\\?"\s*:', "ComfyUI"),
        ("workflow", r'"nodes"', "ComfyUI"),
        (_FREE, r'"workflow"\s*:\s*"?\{[^\n]{0,999}\\?"nodes\\?"', "ComfyUI"),
        ("generation_data", r'"(?:prompt|baseModel|models)"', "TensorArt"),
        ("smproj|parameters-json", r'"[A-Za-z]', "Stability Matrix"),
        (_FREE, r'(?s)\A\s*\{(?=.*"c"\s*:)(?=.*"sampler"\s*:)(?=.*"model"\s*:)', "Draw Things"),
        (_FREE, r"\bSteps: \d+,[^\n]{0,300}\bGuidance Scale: ", "Draw Things"),
        ("parameters|user ?comment", r"\bSteps: \d", WEB_UIS),
        (_FREE, r"(?m)^Steps: \d+, (?:Sampler|Size|Seed|CFG scale|Model)", WEB_UIS),
        (
            "postprocessing|extras",
            r"\A(?:Postprocess|GFPGAN|CodeFormer|Upscale|ESRGAN|Resize|Focal)[\w ]*: ",
            f"{WEB_UIS}, which upscaled or retouched it",
        ),
        ("description", r"Job ID: [0-9a-f]{8}-[0-9a-f-]{27}", "Midjourney"),
        ("imagedescription", r"\A\s*Signature: [\w+/-]{40,}={0,2}\s*\Z", "Grok"),
    )
)

_GENERATOR = re.compile(
    r"\b(?:midjourney|stab(?:le|ility)[ ._-]?(?:diffusion|ai)|dall[·-]?e|open ?ai|chatgpt|gpt-image"
    r"|novel ?ai|invoke ?ai|comfyui|fooocus|swarmui|automatic1111|adobe[ _]firefly|google ai"
    r"|generated with google|bing image creator|leonardo\.ai|ideogram[ .]ai|nightcafe|craiyon"
    r"|artbreeder|draw things|ai[ -]generated|generated (?:by|with|using) ai|generative ai)\b",
    re.IGNORECASE,
)
_ALWAYS = (
    "Software",
    "Artist",
    "Author",
    "CreatorTool",
    "AISystemUsed",
    "AISystemVersionUsed",
    "AIPromptInformation",
    "By-line",
    "Originating Program",
)
"""Fields that are reported whatever they hold; others are only if they name a generator."""


def writer(keyword: str, text: str) -> str | None:
    """Return the program that writes texts of this form under this keyword, None if none is known.

    Examples
    --------
    >>> writer("prompt", '{"3": {"class_type": "KSampler"}}')
    'ComfyUI'
    """
    for keywords, pattern, program in _WRITERS:
        if keywords.match(keyword) and pattern.search(text):
            return program
    return None


def field_sentences(title: str, field: str, text: str) -> Iterator[str]:
    """Yield a sentence that quotes a field, if the field names a program, an author or a generator.

    Parameters
    ----------
    title
        Start of the sentence.
    field
        Name of the field; that of a text is its keyword.
    text
        Content of the field.
    """
    if printable(text) and (field in _ALWAYS or _GENERATOR.search(text)):
        yield f"{title} {quoted(text)}"
