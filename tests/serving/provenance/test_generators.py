"""Programs are recognised by the texts that they write, and texts by people are not."""

import json

import pytest
from making import file, picture
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from realart.serving.provenance import evidence
from realart.serving.provenance.generators import writer
from realart.serving.provenance.wording import MAX_LENGTH

IMAGE = Image.fromarray(picture(0))
WEB_UIS = "Stable Diffusion web UIs"
SETTINGS = "a castle\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
SWARM = json.dumps({"sui_image_params": {"prompt": "a cat", "swarm_version": "0.9"}}, indent=2)
MRE = {"prompt": "a cat", "seed": 1, "base_model": "sd_xl", "sampler": "dpmpp", "software": "?"}
FOOOCUS = {
    "base_model": "juggernaut", "prompt": "a cat", "metadata_scheme": "fooocus",
    "version": "Fooocus v2.5.5",
}  # fmt: skip
RUINED = {"Prompt": "a cat", "base_model_name": "sd_xl", "software": "RuinedFooocus"}
DRAW_THINGS = {"c": "a cat", "model": "sd_v1.5_f16.ckpt", "sampler": "DPM++ 2M", "seed": 1}
NOVELAI = {"steps": 28, "sampler": "k_euler", "uc": "fog", "signed_hash": "a="}
GRAPH = {"3": {"class_type": "KSampler", "inputs": {}}}
TEXTS = {
    SETTINGS: WEB_UIS,
    SWARM: "SwarmUI",
    json.dumps(MRE): "Fooocus",
    json.dumps(FOOOCUS): "Fooocus",
    json.dumps(FOOOCUS, separators=(",", ":")): "Fooocus",
    SETTINGS + ", Version: Fooocus v2.5.5": "Fooocus",
    json.dumps(RUINED): "RuinedFooocus",
    json.dumps(NOVELAI): "NovelAI",
    json.dumps({"prompt": GRAPH, "workflow": {"nodes": []}}): "ComfyUI",
    json.dumps({"prompt": json.dumps(GRAPH)}): "ComfyUI",
    json.dumps({"prompt": "a cat", "use_stable_diffusion_model": "sd-v1"}): "Easy Diffusion",
    json.dumps({"mflux_version": "0.4", "prompt": "a cat"}): "mflux",
}
COMMENTS = [b"ASCII\0\0\0", b"UNICODE\0", b""]


@pytest.mark.parametrize(("text", "program"), TEXTS.items())
def test_texts_in_comments(text: str, program: str) -> None:
    """Comments of PNG, JPEG and GIF, and the user comment of EXIF in its encodings."""
    info = PngInfo()
    info.add_text("Comment", text)
    assert evidence(file(IMAGE, pnginfo=info)) == [f"PNG text 'Comment': written by {program}"]
    for kind in ("JPEG", "GIF"):
        data = file(IMAGE, kind, comment=text.encode())
        assert evidence(data) == [f"text 'comment': written by {program}"]
    for code in COMMENTS:
        exif = Image.Exif()
        encoded = text.encode("utf-16-be" if code == b"UNICODE\0" else "utf-8")
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = code + encoded
        exif[ExifTags.Base.DateTime] = "2026:11:22 00:00:00"
        for kind in ("JPEG", "WEBP"):
            found = evidence(file(IMAGE, kind, exif=exif))
            assert found == [f"EXIF UserComment: written by {program}"]


@pytest.mark.parametrize(
    ("field", "text", "program"),
    [
        ("Model", SWARM, "SwarmUI"),
        ("ImageDescription", SETTINGS, WEB_UIS),
        ("ImageDescription", "Workflow:" + json.dumps({"nodes": []}), "ComfyUI"),
        ("Make", "Prompt:" + json.dumps(GRAPH), "ComfyUI"),
        ("ImageDescription", "Signature: " + "Ab0+/" * 30 + "==", "Grok"),
    ],
)
def test_fields_of_exif(field: str, text: str, program: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base[field]] = text
    assert evidence(file(IMAGE, "JPEG", exif=exif)) == [f"EXIF {field}: written by {program}"]


@pytest.mark.parametrize(
    ("keyword", "text", "program"),
    [
        ("postprocessing", "Postprocess upscale by: 2, Postprocess upscaler: ESRGAN", WEB_UIS),
        ("postprocessing", "GFPGAN: 0.5", WEB_UIS),
        ("extras", "Upscale: 4, visibility: 1.0, model: ESRGAN_4x", WEB_UIS),
        ("generation_data", json.dumps({"prompt": "a cat", "baseModel": {}}), "TensorArt"),
        ("smproj", json.dumps({"ProjectType": 1}), "Stability Matrix"),
        ("prompt", SWARM, "SwarmUI"),
    ],
)
def test_keywords_of_png(keyword: str, text: str, program: str) -> None:
    info = PngInfo()
    info.add_text(keyword, text)
    (found,) = evidence(file(IMAGE, pnginfo=info))
    assert found.startswith(f"PNG text '{keyword}': written by {program}")


def test_an_upscaled_picture_is_reported_as_such() -> None:
    info = PngInfo()
    info.add_text("postprocessing", "Postprocess upscale by: 2")
    found = evidence(file(IMAGE, pnginfo=info))
    assert found == [
        f"PNG text 'postprocessing': written by {WEB_UIS}, which upscaled or retouched it"
    ]


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("Comment", '{"prompt": "what the customer wants"}'),
        ("Comment", '{"sampler": "Akai S900"}'),
        ("Comment", "Steps: 12 of them lead up to the castle"),
        ("Comment", "Created with GIMP"),
        ("Description", "Signature: Ada"),
        ("postprocessing", "levels, curves"),
        ("extras", "none"),
        ("workflow", "scan, crop"),
        ("generation_data", "1st generation"),
        ("UserComment", '{"c": "red", "model": "Ada"}'),
    ],
)
def test_texts_of_people(keyword: str, text: str) -> None:
    assert writer(keyword, text) is None
    assert writer(keyword.lower(), text) is None


@pytest.mark.parametrize(
    "again",
    [
        '"version":', '"workflow": {', '"workflow":"{"nodes"', "Steps: 1,", "Steps: 1, Guidance",
        '"software" :  ', '\n"prompt"', '{"prompt"  ', "Signature: ", "Fooocus v", "A" * 40 + " ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("keyword", ["parameters", "Comment", "ImageDescription", "extras"])
@pytest.mark.timeout(60)  # steps that grow with the square of the length take minutes
def test_hostile_texts_do_not_hang(keyword: str, again: str) -> None:
    for prefix in ("", "{", "Signature: "):
        writer(keyword, prefix + again * (MAX_LENGTH // 4 // len(again)))
