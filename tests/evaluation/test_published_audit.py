"""The audit of published sets: planted shortcuts, copies and broken files are found, and named."""

from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipInfo

import pandas as pd
import pytest
from html_reader import Reader
from hypothesis import given
from hypothesis import strategies as st
from making import archive, file, picture

from realart.core.errors import RealartError
from realart.data import defaults
from realart.data.labels import read_paths
from realart.data.tabulation import Entry, PictureSet
from realart.evaluation import audit_page, published_audit, published_findings, remedies
from realart.evaluation.published_audit import PublishedAudit

pytestmark = pytest.mark.slow

COUNT = 48
"""Pictures of each class."""
Content = list[tuple[str, bytes]]


def plain_set(count: int = COUNT) -> Content:
    """Return pictures of both classes that are published alike."""
    return [
        (f"{label}/{i}.png", file(picture(2 * i + j)))
        for i in range(count)
        for j, label in enumerate(("ai", "real"))
    ]


def audited(folder: Path, content: Sequence[tuple[str, bytes]], most: int = 1000) -> PublishedAudit:
    sets = published_audit.open_sets(
        [archive(folder / "set.zip", content)], defaults.LABELS, defaults.FIELDS
    )
    return published_audit.audit(sets, most)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> PublishedAudit:
    return audited(tmp_path_factory.mktemp("plain"), plain_set())


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> PublishedAudit:
    """Audit a set of parts with a shortcut, copies of three kinds, and three broken files."""
    again, both, leaked = (picture(seed) for seed in (1000, 1001, 1002))
    content = [
        (f"{part}/{label}/{i}.jpg", file(picture(2 * i + j), "JPEG", quality=90 - 20 * j))
        for i in range(COUNT)
        for j, label in enumerate(("ai", "real"))
        for part in ("train" if i % 4 else "test",)
    ]
    content += [
        ("train/ai/again.jpg", file(again, "JPEG", quality=90)),
        ("train/ai/once more.jpg", file(again[:, ::-1], "JPEG", quality=90)),
        ("train/ai/both.jpg", file(both, "JPEG", quality=90)),
        ("train/real/both.jpg", file(both, "JPEG", quality=70)),
        ("train/real/leaked.jpg", file(leaked, "JPEG", quality=70)),
        ("test/real/leaked.jpg", file(leaked, "JPEG", quality=71)),
        ("train/ai/truncated.jpg", file(picture(1003), "JPEG")[:-300]),
        ("train/ai/page.jpg", b"<html>"),
        ("train/real/empty.jpg", b""),
        ("readme.txt", b"Pictures."),
    ]
    return audited(tmp_path_factory.mktemp("planted"), content)


def test_a_planted_shortcut_is_named(planted: PublishedAudit) -> None:
    row = published_findings.best(planted, published_findings.JUDGED)
    assert row is not None
    assert (row["name"], row["auc"]) == ("quantisation table", 1.0)
    first = published_findings.sentences(planted)[0]
    assert first.startswith("Files as published: the label is almost fully predictable")
    assert remedies.REMEDIES["files"] in published_findings.sentences(planted)
    assert [str(found) for found in planted.one_sided] == [
        f"JPEG quality 90: {COUNT + 1} of {COUNT + 1} ai pictures, none of {COUNT + 1} human",
        f"JPEG quality 70: {COUNT} of {COUNT + 1} human pictures, none of {COUNT + 1} ai",
    ]


def test_without_a_shortcut_none_is_named_and_nothing_is_called_clean(
    plain: PublishedAudit,
) -> None:
    assert plain.one_sided == []
    assert published_findings.failures(plain, 0.6, published_findings.PROBLEMS) == []
    text = " ".join(published_findings.sentences(plain)).lower()
    assert "fully predictable from" not in text
    assert "about files" not in text
    assert "clean" not in text


def test_copies_are_sorted_by_what_they_do(planted: PublishedAudit) -> None:
    def paths(kind: str) -> list[set[str]]:
        return [
            {pair.a.path, pair.b.path} for pair in published_findings.pairs_by_kind(planted)[kind]
        ]

    both = {"train/ai/both.jpg", "train/real/both.jpg"}
    leaked = {"train/real/leaked.jpg", "test/real/leaked.jpg"}
    assert paths("contradictions") == [both, both]
    assert paths("leaks") == [leaked]
    assert paths("duplicates") == [{"train/ai/again.jpg", "train/ai/once more.jpg"}, leaked]


def test_broken_files_have_their_reasons_and_others_are_only_counted(
    planted: PublishedAudit,
) -> None:
    assert dict(zip(planted.broken["path"], planted.broken["reason"], strict=True)) == {
        "train/ai/truncated.jpg": "corrupt",
        "train/ai/page.jpg": "not a picture",
        "train/real/empty.jpg": "empty",
    }
    assert published_findings.figures(planted)["unlabelled"] == 1


def test_a_check_fails_on_what_it_names(planted: PublishedAudit) -> None:
    counts = {"duplicates": 2, "contradictions": 2, "leaks": 1, "broken": 3, "one-sided": 2}
    assert published_findings.problems(planted) == counts
    for kind, count in counts.items():
        assert published_findings.failures(planted, None, [kind]) == [f"{count} {kind}"]
    (reason,) = published_findings.failures(planted, 0.9, [])
    assert reason.startswith("quantisation table (file as published) predicts the label with AUC 1")
    assert published_findings.failures(planted, 1, []) == []


def test_a_limit_within_the_interval_is_no_failure_but_a_doubt(plain: PublishedAudit) -> None:
    row = published_findings.best(plain, published_findings.JUDGED)
    assert row is not None
    limit = (row["auc_low"] + row["auc_high"]) / 2
    assert published_findings.failures(plain, limit, []) == []
    assert published_findings.doubt(plain, limit).startswith("too few pictures to tell")
    assert published_findings.doubt(plain, 1) == ""


def test_of_few_pictures_nothing_is_predicted(tmp_path: Path) -> None:
    audit = audited(tmp_path, plain_set(published_audit.LEAST - 1))
    assert not len(audit.baselines)
    assert "too few to tell" in published_findings.sentences(audit)[0]
    assert published_findings.failures(audit, 0.5, []) == []
    assert "too few to tell" in published_findings.doubt(audit, 0.5)
    assert "too few pictures to tell" in Reader(audit_page.page(audit)).text


def test_a_set_without_any_usable_picture_has_a_page_of_its_broken_files(tmp_path: Path) -> None:
    audit = audited(tmp_path, [("ai/1.png", b""), ("ai/2.png", b"<html>"), ("real/1.png", b"x")])
    assert published_findings.problems(audit)["broken"] == 3
    page = Reader(audit_page.page(audit))
    assert page.loads == []
    assert "ai/2.png" in page.text


def test_the_page_embeds_what_it_shows(planted: PublishedAudit) -> None:
    page = Reader(audit_page.page(planted))
    assert page.is_self_contained()
    assert "`" not in page.text
    assert len(page.loads) == 2 * audit_page.SAMPLE + 2 * (1 + 1 + 2)
    for name in ("quantisation table", "train/ai/truncated.jpg", "train/real/both.jpg"):
        assert name in page.text


def test_a_folder_is_audited_as_its_zip_is_and_copies_change_no_baseline(
    tmp_path: Path, plain: PublishedAudit
) -> None:
    copies = [
        (f"ai/copy {i}.png", file(picture(2 * i), compress_level=1)) for i in range(0, COUNT, 5)
    ]
    for name, data in [*plain_set(), *copies]:
        (tmp_path / "set.zip" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set.zip" / name).write_bytes(data)
    sets = published_audit.open_sets([tmp_path / "set.zip"], defaults.LABELS, defaults.FIELDS)
    audit = published_audit.audit(sets, 1000)
    assert [pair.a.path for pair in audit.duplicates] == sorted(name for name, _ in copies)
    pd.testing.assert_frame_equal(audit.kept, plain.kept)
    pd.testing.assert_frame_equal(audit.baselines, plain.baselines)
    assert {path.name for path in tmp_path.iterdir()} == {"set.zip"}


def test_labels_may_be_in_a_table_of_the_set(tmp_path: Path) -> None:
    pictures = [(f"images/{i}.png", file(picture(i))) for i in range(4)]
    table = "file,label\n" + "".join(f"{i}.png,{('real', 'ai')[i % 2]}\n" for i in range(4))
    audit = audited(tmp_path, [*pictures, ("labels.csv", table.encode())])
    assert dict(zip(audit.kept["path"], audit.kept["label"], strict=True)) == {
        f"images/{i}.png": ("human", "ai")[i % 2] for i in range(4)
    }


def test_of_several_sets_the_set_is_a_shortcut(tmp_path: Path) -> None:
    first = [("ai/x.png", file(picture(0)))] + [
        (f"real/{i}.png", file(picture(i))) for i in range(1, 30)
    ]
    second = [("real/x.png", file(picture(30)))] + [
        (f"ai/{i}.png", file(picture(i))) for i in range(31, 60)
    ]
    paths = [archive(tmp_path / "a.zip", first), archive(tmp_path / "b.zip", second)]
    sets = published_audit.open_sets(paths, defaults.LABELS, None)
    baselines = published_audit.audit(sets, 1000).baselines
    assert baselines["name"].iloc[0] == "set"
    assert baselines["auc_low"].iloc[0] > 0.8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is nothing at .*: name a folder or a zip archive"),
        (b"no zip", "no whole zip file .* name a folder or a zip archive"),
        ([("a/1.png", b""), ("b/2.png", b"")], "matches no folder .* by --ai and --human"),
    ],
)
def test_what_is_no_labelled_set_is_an_error(
    tmp_path: Path, content: Content | bytes | None, message: str
) -> None:
    path = tmp_path / "set.zip"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        archive(path, content)
    with pytest.raises(RealartError, match=message):
        published_audit.open_sets([path], defaults.LABELS, None)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(2, 40))
def test_a_draw_is_even_and_as_large_as_allowed(ai: int, human: int, most: int) -> None:
    paths = [f"ai/{i}" for i in range(ai)] + [f"human/{i}" for i in range(human)]
    entries = listed([*paths, "readme"])
    drawn = published_audit.draw(entries, most)
    counts = {
        name: sum(entry.metadata.label == name for entry in drawn) for name in ("ai", "human")
    }
    assert [entry for entry in entries if entry in drawn] == drawn
    assert drawn[-1].member.filename == "readme"
    assert sum(counts.values()) in (min(most, ai + human), most - 1)
    assert counts["ai"] >= min(ai, most // 2)
    assert counts["human"] >= min(human, most // 2)


def test_a_draw_depends_on_paths_and_not_on_their_order() -> None:
    entries = listed([f"{label}/{i}" for label in ("ai", "human") for i in range(50)])
    drawn = {entry.member.filename for entry in published_audit.draw(entries, 40)}
    again = published_audit.draw(entries[::-1], 40)
    assert {entry.member.filename for entry in again} == drawn


def listed(paths: list[str]) -> list[Entry]:
    """Return entries of a set with files at these paths."""
    dataset = PictureSet("set", Path("set.zip"), defaults.LABELS, None)
    metadata = read_paths(paths, defaults.LABELS, None)
    return [Entry(dataset, ZipInfo(path), own) for path, own in zip(paths, metadata, strict=True)]
