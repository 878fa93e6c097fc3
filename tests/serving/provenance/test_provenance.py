"""Texts of programs are found in real files, and no content of a file can do harm."""

import io
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import file, picture
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from realart.serving.provenance import MAX_SENTENCES, evidence
from realart.serving.provenance.source_types import SOURCE_TYPES
from realart.serving.provenance.wording import MAX_LENGTH, MAX_QUOTED

IMAGE = Image.fromarray(picture(0))
SETTINGS = "a castle\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
TERM = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATED = "IPTC digital source type trainedAlgorithmicMedia (XMP): created using generative AI"
MANIFEST = "C2PA manifest (content credentials), broken: "
WITH_EXIF = ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"]


def png(*texts: tuple[str, str], chunk_type: str = "tEXt") -> bytes:
    """Encode a PNG with texts in one of the three types of chunks."""
    info = PngInfo()
    for keyword, text in texts:
        if chunk_type == "iTXt":
            info.add_itxt(keyword, text, zip=True)
        else:
            info.add_text(keyword, text, zip=chunk_type == "zTXt")
    return file(IMAGE, pnginfo=info)


def with_exif(kind: str = "JPEG", comment: bytes = b"", **fields: str) -> bytes:
    """Encode a picture with EXIF: fields by name, and a user comment."""
    exif = Image.Exif()
    # Pillow writes no EXIF whose first directory is empty.
    exif[ExifTags.Base.DateTime] = "2026:11:22 00:00:00"
    for name, value in fields.items():
        exif[ExifTags.Base[name]] = value
    if comment:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
    return file(IMAGE, kind, exif=exif)


def packet(inside: str = "", attributes: str = "") -> bytes:
    """Encode an XMP packet."""
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        f'rdf:about=""{attributes}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def with_xmp(kind: str, xmp: bytes) -> bytes:
    if kind == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        return file(IMAGE, pnginfo=info)
    return file(IMAGE, kind, xmp=xmp) if kind != "TIFF" else file(IMAGE, kind, tiffinfo={700: xmp})


def box(kind: bytes, content: bytes) -> bytes:
    """Encode a box of ISO/IEC 14496-12: length, type and content."""
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def text(value: str) -> bytes:
    """Encode a text in CBOR."""
    data = value.encode()
    return (bytes([0x60 + len(data)]) if len(data) < 24 else bytes([0x78, len(data)])) + data


def manifest(generator: str, term: str, version: int = 2, padding: int = 0) -> bytes:
    """Encode a manifest store of C2PA: nested boxes with a claim in CBOR."""
    uuid = bytes.fromhex("00110010800000AA00389B71")
    name = text(generator)
    if version == 2:
        claim = text("claim_generator_info") + b"\xa2" + text("name") + name + text("version")
        claim += text("1.0")
    else:
        claim = text("claim_generator") + name
    action = text("digitalSourceType") + text(TERM + term) + text("kind")
    cbor = box(b"cbor", bytes(padding) + b"\xa2" + claim + action)
    inner = box(b"jumb", box(b"jumd", b"c2ma" + uuid + b"\x03urn:c2pa:1\0") + cbor)
    return box(b"jumb", box(b"jumd", b"c2pa" + uuid + b"\x03c2pa\0") + inner)


def in_jpeg(store: bytes) -> bytes:
    """Encode a JPEG with a manifest in APP11 segments, each with the head of its box.

    ISO/IEC 19566-5, D.2.
    """
    plain = file(IMAGE, "JPEG")
    segments, rest = b"", store[8:]
    for number in range(1, len(rest) // 60_000 + 2):
        part = rest[(number - 1) * 60_000 : number * 60_000]
        content = b"JP\x00\x01" + number.to_bytes(4, "big") + store[:8] + part
        segments += b"\xff\xeb" + (2 + len(content)).to_bytes(2, "big") + content
    return plain[:2] + segments + plain[2:]


def in_png(store: bytes) -> bytes:
    plain = file(IMAGE)
    end = plain.index(b"IDAT") - 4
    return plain[:end] + chunk(b"caBX", store) + plain[end:]


def chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + crc


def in_webp(store: bytes) -> bytes:
    plain = file(IMAGE, "WEBP", exif=b"Exif\0\0")
    content = plain[8:] + b"C2PA" + len(store).to_bytes(4, "little") + store + bytes(len(store) % 2)
    return b"RIFF" + len(content).to_bytes(4, "little") + content


def in_avif(store: bytes) -> bytes:
    user = bytes.fromhex("D8FEC3D61B0E483C92975828877EC481")
    return file(IMAGE, "AVIF") + box(b"uuid", user + bytes(4) + b"manifest\0" + bytes(8) + store)


def in_gif(store: bytes) -> bytes:
    plain = file(IMAGE, "GIF")
    at = 13 + 3 * 2 ** ((plain[10] & 7) + 1)
    blocks = [store[i : i + 255] for i in range(0, len(store), 255)]
    extension = b"\x21\xff\x0bC2PA_GIF\x01\x00\x00"
    return (
        plain[:at] + extension + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0" + plain[at:]
    )


def in_tiff(store: bytes) -> bytes:
    return file(IMAGE, "TIFF", tiffinfo={52545: store})


@pytest.mark.parametrize("chunk_type", ["tEXt", "zTXt", "iTXt"])
@pytest.mark.parametrize(
    ("keyword", "value", "program"),
    [
        ("parameters", SETTINGS, "Stable Diffusion web UIs"),
        ("parameters", SETTINGS + ", Version: Fooocus v2.5.0", "Fooocus"),
        ("parameters", '{"sui_image_params": {"steps": 20}}', "SwarmUI"),
        ("fooocus_scheme", "fooocus", "Fooocus"),
        ("prompt", '{"3": {"class_type": "KSampler"}}', "ComfyUI"),
        ("workflow", '{"last_node_id": 9, "nodes": []}', "ComfyUI"),
        ("invokeai_metadata", "{}", "InvokeAI"),
        ("sd-metadata", '{"image": {}}', "InvokeAI"),
        ("Dream", '"a castle" -s 50 -S 1 -W 512', "InvokeAI"),
        ("use_stable_diffusion_model", "sd-v1-4", "Easy Diffusion"),
        ("Comment", '{"steps": 28, "sampler": "k_euler", "uc": "fog"}', "NovelAI"),
        (
            "Description",
            "a castle --v 6 Job ID: 8a52b0f2-5e35-4a3c-8d5e-7d8f6d0c1a2b",
            "Midjourney",
        ),
    ],
)
def test_texts_of_generators_in_png(
    chunk_type: str, keyword: str, value: str, program: str
) -> None:
    assert evidence(png((keyword, value), chunk_type=chunk_type)) == [
        f"PNG text '{keyword}': written by {program}"
    ]


def test_texts_of_people_under_keywords_of_generators() -> None:
    texts = [
        ("parameters", "exposure 3 s"), ("prompt", "draw a castle"), ("workflow", "scan, crop"),
        ("Comment", "Created with GIMP"), ("Description", "Job ID: 12"), ("Dream", "of a castle"),
    ]  # fmt: skip
    assert evidence(png(*texts)) == []


@pytest.mark.parametrize("cut", [0, 1, 30])
def test_texts_behind_the_pixels_of_png(cut: int) -> None:
    """As ImageMagick writes them; also in a file that is truncated behind them."""
    plain, content = file(IMAGE), b"parameters\0" + SETTINGS.encode()
    data = (
        plain[:-12]
        + chunk(b"tEXt", content)
        + chunk(b"tEXt", b"Software\0A long name")
        + plain[-12:]
    )
    found = ["PNG text 'parameters': written by Stable Diffusion web UIs"]
    found += [] if cut == 30 else ["PNG text 'Software' 'A long name'"]
    assert evidence(data[: len(data) - cut]) == found


def test_names_in_png() -> None:
    found = evidence(png(("Software", "NovelAI"), ("Author", "Ada"), ("Title", "By Midjourney")))
    assert found == [
        "PNG text 'Software' 'NovelAI'", "PNG text 'Author' 'Ada'",
        "PNG text 'Title' 'By Midjourney'",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", WITH_EXIF)
def test_fields_of_exif(kind: str) -> None:
    fields = {"Software": "Midjourney", "Make": "Canon", "Model": "Canon EOS 5D", "Artist": "Ada"}
    found = evidence(with_exif(kind, ImageDescription="a castle, AI-generated", **fields))
    assert found == [
        "EXIF Software 'Midjourney'",
        "EXIF Artist 'Ada'",
        "EXIF ImageDescription 'a castle, AI-generated'",
        "camera or scanner 'Canon EOS 5D'",
    ]


def test_descriptions_of_the_content_are_not_reported() -> None:
    assert evidence(with_exif(ImageDescription="a castle", Copyright="Ada", Make="Canon")) == []


@pytest.mark.parametrize(
    ("make", "model", "sentence"),
    [
        ("NIKON CORPORATION", "NIKON D300", "camera or scanner 'NIKON D300'"),
        ("SONY", "ILCE-7M2", "camera or scanner 'SONY ILCE-7M2'"),
        ("", "stability-diffusion", "EXIF Model 'stability-diffusion'"),
    ],
)
def test_makers_and_models(make: str, model: str, sentence: str) -> None:
    assert evidence(with_exif(Make=make, Model=model)) == [sentence]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    "comment",
    [
        b"UNICODE\0" + SETTINGS.encode("utf-16-be"),
        b"UNICODE\0" + SETTINGS.encode("utf-16-le"),
        b"ASCII\0\0\0" + SETTINGS.encode(),
        b"UNICODE\0" + "Steps: 20, Sampler: Euler".encode("utf-16-be"),
    ],
    ids=["big endian", "little endian", "ascii", "no prompt"],
)
def test_settings_in_the_user_comment(kind: str, comment: bytes) -> None:
    sentence = "EXIF UserComment: written by Stable Diffusion web UIs"
    assert evidence(with_exif(kind, comment)) == [sentence]


def test_graphs_of_comfyui_in_webp() -> None:
    graph = {"Make": 'workflow:{"nodes": []}', "Model": 'prompt:{"3": {"class_type": "KSampler"}}'}
    assert evidence(with_exif("WEBP", **graph)) == [
        "EXIF Make: written by ComfyUI", "EXIF Model: written by ComfyUI",
    ]  # fmt: skip


def test_comments_of_jpeg() -> None:
    assert evidence(file(IMAGE, "JPEG", comment=b"gd-jpeg v1.0, quality = 90")) == []
    assert evidence(file(IMAGE, "JPEG", comment=b"by DALL-E")) == ["text 'comment' 'by DALL-E'"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize(
    "xmp",
    [
        packet(attributes=f' Iptc4xmpExt:DigitalSourceType="{TERM}trainedAlgorithmicMedia"'),
        packet(attributes=f"\n Iptc4xmpExt:DigitalSourceType = '{TERM}trainedAlgorithmicMedia'"),
        packet(
            f"<e:DigitalSourceType>\n{TERM}trainedAlgorithmicMedia\n</e:DigitalSourceType>"
        ),
        packet(f'<e:DigitalSourceType rdf:resource="{TERM}trainedAlgorithmicMedia"/>'),
        packet(
            f"<e:DigitalSourcefileType><rdf:Bag>\n <rdf:li>{TERM}trainedAlgorithmicMedia</rdf:li>"
            "</rdf:Bag></e:DigitalSourcefileType>"
        ),
        packet("<e:DigitalSourceType>digsrctype:trainedAlgorithmicMedia</e:DigitalSourceType>"),
    ],
    ids=["attribute", "quotes", "element", "resource", "list", "code"],
)  # fmt: skip
def test_forms_of_a_source_type(kind: str, xmp: bytes) -> None:
    assert evidence(with_xmp(kind, xmp)) == [GENERATED]


@pytest.mark.parametrize("term", SOURCE_TYPES)
def test_each_source_type_is_explained(term: str) -> None:
    sentence = f"IPTC digital source type {term} ({{}}): {SOURCE_TYPES[term]}"
    xmp = packet(attributes=f' Iptc4xmpExt:DigitalSourceType="{TERM}{term}"')
    assert evidence(with_xmp("JPEG", xmp)) == [sentence.format("XMP")]
    assert sentence.format("C2PA") in evidence(in_png(manifest("Ada", term)))


def test_an_unknown_source_type_is_quoted() -> None:
    xmp = packet(attributes=f' Iptc4xmpExt:DigitalSourceType="{TERM}dreamt"')
    assert evidence(with_xmp("JPEG", xmp)) == ["IPTC digital source type 'dreamt' (XMP)"]


def test_other_properties_of_xmp() -> None:
    inside = (
        "<photoshop:Credit>Made with Google AI</photoshop:Credit>\n"
        "<xmp:CreatorTool>Tom &amp; Jerry's</xmp:CreatorTool>\n"
        "<e:AISystemUsed><rdf:Alt><rdf:li xml:lang='en'>X</rdf:li></rdf:Alt></e:AISystemUsed>"
        f"<dc:description>a mention of {TERM}trainedAlgorithmicMedia</dc:description>"
    )
    assert evidence(with_xmp("JPEG", packet(inside))) == [
        "XMP Credit 'Made with Google AI'",
        "XMP CreatorTool 'Tom & Jerry's'",
        "XMP AISystemUsed 'X'",
    ]
    assert evidence(with_xmp("JPEG", packet("<photoshop:Credit>Ada</photoshop:Credit>"))) == []


@pytest.mark.parametrize("put", [in_jpeg, in_png, in_webp, in_avif, in_gif, in_tiff])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("generator", ["ChatGPT", "Adobe_Firefly adobe_c2pa/0.7.6 c2pa-rs/0.25.2"])
def test_manifests_of_c2pa(put: Any, version: int, generator: str) -> None:
    data = put(manifest(generator, "compositeWithTrainedAlgorithmicMedia", version))
    Image.open(io.BytesIO(data)).load()
    found = evidence(data)
    assert found[0].startswith(MANIFEST)
    if put is not in_gif:  # its blocks of 255 bytes may cut a text
        assert found[1:3] == [
            f"C2PA manifest by '{generator}'",
            "IPTC digital source type compositeWithTrainedAlgorithmicMedia (C2PA): "
            "edited using generative AI",
        ]
    assert evidence(data.replace(b"jumdc2pa", b"jumdc2pb")) == []


def test_a_manifest_over_several_segments() -> None:
    found = evidence(in_jpeg(manifest("Ada", "digitalCapture", padding=150_000)))
    assert found[1] == "C2PA manifest by 'Ada'"


def test_a_plain_picture_says_nothing() -> None:
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        assert evidence(file(IMAGE, kind)) == []


def test_sentences_are_not_repeated() -> None:
    tool = "<xmp:CreatorTool>A</xmp:CreatorTool>"
    assert evidence(with_xmp("JPEG", packet(tool + tool))) == ["XMP CreatorTool 'A'"]


def test_the_number_of_sentences_is_limited() -> None:
    tools = "".join(f"<xmp:CreatorTool>{number}</xmp:CreatorTool>" for number in range(999))
    assert len(evidence(with_xmp("JPEG", packet(tools)))) == MAX_SENTENCES


@given(st.text(), st.sampled_from(["PNG text 'Software' ", "EXIF Software "]))
def test_quoted_fields_are_short_and_printable(value: str, title: str) -> None:
    try:
        data = (
            png(("Software", value), chunk_type="iTXt")
            if "PNG" in title
            else with_exif(Software=value)
        )
    except UnicodeEncodeError:  # half of a surrogate pair
        return
    for sentence in evidence(data):
        assert sentence.startswith(title)
        assert sentence.isprintable()
        assert len(sentence) <= len(title) + MAX_QUOTED + 2


def test_control_characters_of_terminals_are_removed() -> None:
    sentences = evidence(png(("Software", "a\x1b[2J\rb\u202ec\n" + "d" * 999), chunk_type="iTXt"))
    assert sentences == [f"PNG text 'Software' 'a[2J bc {'d' * 71}…'"]


@pytest.mark.filterwarnings("error")
def test_other_evidence_is_found_beside_damaged_blocks() -> None:
    xmp = packet("<xmp:CreatorTool>A</xmp:CreatorTool>")
    for exif in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*" + bytes(9)):
        found = evidence(file(IMAGE, "JPEG", exif=exif, xmp=xmp))
        assert found == ["XMP CreatorTool 'A'"]
    for data in (in_png(manifest("Ada", "print"))[:-400], b"no picture" + manifest("Ada", "print")):
        assert evidence(data)[1] == "C2PA manifest by 'Ada'"


COMMENT = b"ASCII\0\0\0" + SETTINGS.encode()
FILES = [
    with_xmp("JPEG", packet(f"<e:DigitalSourceType>{TERM}print</e:DigitalSourceType>")),
    png(("parameters", SETTINGS), ("Software", "NovelAI"), chunk_type="zTXt"),
    png(("parameters", SETTINGS), chunk_type="iTXt"),
    *(with_exif(kind, COMMENT, Make="A", Model="B") for kind in WITH_EXIF),
    with_xmp("TIFF", packet("<x:Credit>by Midjourney</x:Credit>")),
    file(IMAGE, "GIF", comment=SETTINGS.encode()),
]  # fmt: skip


@pytest.mark.filterwarnings("error")
@given(st.sampled_from(FILES), st.data())
def test_damaged_files_raise_nothing(good: bytes, draw: st.DataObject) -> None:
    data = bytearray(good[: draw.draw(st.integers(0, len(good)))])
    for _ in range(draw.draw(st.integers(0, 8))):
        if data:
            at = draw.draw(st.integers(0, min(len(data) - 1, 700)))
            data[at] = draw.draw(st.integers(0, 255))
    assert all(isinstance(sentence, str) for sentence in evidence(bytes(data)))


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing(data: bytes) -> None:
    assert evidence(data) == []


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_a_decompression_bomb_is_not_unpacked(kind: bytes) -> None:
    compressed = zlib.compress(bytes(100_000_000), 9)
    head = b"parameters\0\0" if kind == b"zTXt" else b"parameters\0\x01\0\0\0"
    data = file(IMAGE)[:-12] + chunk(kind, head + compressed)
    tracemalloc.start()
    assert evidence(data) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(
    "again",
    [
        b" x:Credit", b" x:Credit=\"", b" x:Credit='", b" x:Credit ", b"<x:Credit><rdf:a>",
        b"<x:Credit><rdf:a", b"<x:Credit>\n", b" xxxxxxxxxx", b"<x", b"x:", b"<rdf:li>\n ",
    ],
)  # fmt: skip
@pytest.mark.timeout(60)  # steps that grow with the square of the length take minutes
def test_hostile_xmp_does_not_hang(again: bytes) -> None:
    evidence(with_xmp("WEBP", b"<x:Credit>" + again * (MAX_LENGTH // len(again))))
