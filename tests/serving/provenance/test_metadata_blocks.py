"""Metadata is found wherever a format stores it, also in files that can't be classified."""

import io

import pytest
from making import animation, file, picture
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from test_provenance import GENERATED, SETTINGS, TERM, chunk, packet

from realart.serving.provenance import evidence

IMAGE = Image.fromarray(picture(0))
XMP = packet(attributes=f' Iptc4xmpExt:DigitalSourceType="{TERM}trainedAlgorithmicMedia"')
WEB_UIS = "written by Stable Diffusion web UIs"


def exif_block() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Software] = "Midjourney"
    return b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")


def profile(name: str, content: bytes, upper: bool = False) -> bytes:
    """Store a profile in a text of PNG, as ImageMagick does."""
    digits = content.hex().upper() if upper else content.hex()
    lines = [digits[at : at + 72] for at in range(0, len(digits), 72)]
    info = PngInfo()
    text = "\n".join(["", name, f"{len(content):8}", *lines, ""])
    info.add_text(f"Raw profile type {name}", text, zip=not upper)
    return file(IMAGE, pnginfo=info)


@pytest.mark.parametrize("upper", [True, False])
def test_raw_profiles(upper: bool) -> None:
    head = b"http://ns.adobe.com/xap/1.0/\0"
    for name, content in (("xmp", XMP), ("APP1", head + XMP), ("xmp", head + XMP)):
        assert evidence(profile(name, content, upper)) == [GENERATED]
    for name in ("exif", "APP1"):
        assert evidence(profile(name, exif_block(), upper)) == ["EXIF Software 'Midjourney'"]
    assert evidence(profile("exif", exif_block()[6:], upper)) == ["EXIF Software 'Midjourney'"]
    assert evidence(profile("icc", exif_block(), upper))[:0] == []


def test_texts_that_look_like_raw_profiles() -> None:
    info = PngInfo()
    info.add_text("Raw profile type xmp", "no digits")
    info.add_text("Raw profile type exif", "\nexif\n   4\nzz")
    info.add_text("parameters", SETTINGS)
    assert evidence(file(IMAGE, pnginfo=info)) == [f"PNG text 'parameters': {WEB_UIS}"]


def test_xmp_of_gif() -> None:
    """XMP specification part 3, 1.1.2: no blocks of 255 bytes, and a trailer of 258."""
    plain = file(IMAGE, "GIF")
    at = 13 + 3 * 2 ** ((plain[10] & 7) + 1)
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    data = plain[:at] + b"\x21\xff\x0bXMP DataXMP" + XMP + trailer + plain[at:]
    Image.open(io.BytesIO(data)).load()
    assert evidence(data) == [GENERATED]


def test_formats_that_pillow_cannot_open() -> None:
    """A HEIC stores EXIF and XMP as they are, in its media data."""
    head = (24).to_bytes(4, "big") + b"ftypheic" + bytes(4) + b"mif1heic"
    content = bytes(4) + exif_block() + XMP
    data = head + (8 + len(content)).to_bytes(4, "big") + b"mdat" + content
    assert evidence(data) == [GENERATED, "EXIF Software 'Midjourney'"]


def test_xmp_in_sixteen_bits() -> None:
    text = XMP.decode().encode("utf-16-be")
    assert evidence(file(IMAGE, "JPEG", xmp=text)) == [GENERATED]


def test_tiff_with_fields_of_exif() -> None:
    info = ImageFileDirectory_v2()
    info[ExifTags.Base.Software] = "Midjourney"
    info[ExifTags.IFD.Exif] = {ExifTags.Base.UserComment: b"ASCII\0\0\0" + SETTINGS.encode()}
    assert evidence(file(IMAGE, "TIFF", tiffinfo=info)) == [
        f"EXIF UserComment: {WEB_UIS}",
        "EXIF Software 'Midjourney'",
    ]


def test_files_that_cannot_be_classified() -> None:
    """Tiny, animated, too large, cut off."""
    found = [f"PNG text 'parameters': {WEB_UIS}"]
    text = chunk(b"tEXt", b"parameters\0" + SETTINGS.encode())
    tiny, whole = file(Image.fromarray(picture(0, 3, 2))), file(IMAGE)
    header = b"IHDR" + (2**20).to_bytes(4, "big") * 2 + whole[24:29]
    large = whole[:8] + chunk(b"IHDR", header[4:]) + text + whole[33:]
    animated = animation("PNG")
    for data in (
        tiny[:33] + text + tiny[33:],
        animated[:33] + text + animated[33:],
        large,
        whole[:33] + text,
    ):
        assert evidence(data) == found
    moving = file(IMAGE, "GIF", save_all=True, append_images=[IMAGE.rotate(9)], comment=b"DALL-E")
    assert evidence(moving) == ["text 'comment' 'DALL-E'"]


@pytest.mark.parametrize("blank", ["\x01\x02", " \t", "\u200b", "\u202e\x7f"])
def test_fields_without_a_printable_character(blank: str) -> None:
    exif = Image.Exif()
    ascii_blank = blank if blank.isascii() else "\x7f"
    for name in ("Artist", "Make", "Model"):
        exif[ExifTags.Base[name]] = ascii_blank
    info = PngInfo()
    info.add_itxt("Software", blank)
    tool = f"<xmp:CreatorTool>{blank}</xmp:CreatorTool>"
    for data in (
        file(IMAGE, "JPEG", exif=exif),
        file(IMAGE, pnginfo=info),
        file(IMAGE, "JPEG", xmp=packet(tool)),
    ):
        assert evidence(data) == []


@pytest.mark.parametrize(
    "form", ['dcterms:provenance="{}"', "<dcterms:provenance>{}</dcterms:provenance>"]
)
def test_a_remote_manifest(form: str) -> None:
    address = "https://cai-manifests.adobe.com/manifests/adobe-urn-uuid-" + "0" * 36
    inside = form.format(address)
    xmp = packet(inside) if inside.startswith("<") else packet(attributes=f" {inside}")
    for kind in ("JPEG", "WEBP"):
        found = evidence(file(IMAGE, kind, xmp=xmp))
        assert found == [f"C2PA manifest stored remotely, not verified: '{address}'"]
    assert evidence(file(IMAGE, "JPEG", xmp=packet(attributes=' a:provenance="my attic"'))) == []


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        (
            '<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">{"c":"a cat","model":"a.ckpt",'
            '"sampler":"DPM++","seed":1}</rdf:li></rdf:Alt></exif:UserComment>',
            "XMP UserComment: written by Draw Things",
        ),
        (
            "<exif:UserComment>{&quot;c&quot;:&quot;a&quot;,&quot;model&quot;:&quot;b&quot;,"
            "&quot;sampler&quot;:&quot;c&quot;}</exif:UserComment>",
            "XMP UserComment: written by Draw Things",
        ),
        (
            "<dc:description><rdf:Alt><rdf:li>a cat\nSteps: 20, Sampler: DPM++, Guidance Scale: 7"
            "</rdf:li></rdf:Alt></dc:description>",
            "XMP description: written by Draw Things",
        ),
        (
            "<dc:creator><rdf:Seq><rdf:li>OpenAI</rdf:li></rdf:Seq></dc:creator>",
            "XMP creator 'OpenAI'",
        ),
    ],
)
def test_generators_in_xmp(inside: str, found: str) -> None:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet(inside).decode())
    assert evidence(file(IMAGE, pnginfo=info)) == [found]
