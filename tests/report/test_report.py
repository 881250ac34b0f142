"""The report: no unmasked pixel on any page, hostile names harmless, and what is wrong said plainly."""

import base64
import json
import re
import shutil
import stat
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import clips
import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from clips import MARKER, Finder, Library
from conftest import SETTINGS, Mask

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.batch.batch import Batch
from dashredact.errors import LedgerError
from dashredact.kinds import SHIPPED_KINDS, Kind
from dashredact.report import build as report_builder
from dashredact.report.charts import SHAPES
from dashredact.settings import TrackSettings
from dashredact.values import Picture
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder

HOSTILE = (
    '"><img src=x onerror=alert(1)>.mp4',
    "<script>alert(1)<!--.mp4",
    "javascript:alert(1).mp4",
    "{{ 7*7 }}{% raw %}.mp4",
    "a\nb\tc.mp4",
    "-rf.mp4",
    "ドラレコ 1.mp4",
    "it's & that's.mp4",
    "gnp\u202e4pm.mp4",
    "index.mp4",
    "%2e%2e%2f#?.mp4",
)
_CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_VOID = {"meta", "link", "img", "br", "hr", "input"}
_DRAWN_VOID = {"line", "rect", "path", "circle", "polygon", "polyline"}


class Page(HTMLParser):
    """Reads a page and keeps what a test asks for; AssertionError where its tags do not fit together."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID | _DRAWN_VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _DRAWN_VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def pictures(self) -> list[Picture]:
        found = []
        for image in self.all("img"):
            kind, _, data = str(image["src"]).partition(",")
            assert kind == "data:image/jpeg;base64"
            content = np.frombuffer(base64.b64decode(data), np.uint8)
            found.append(cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1])
        return found


def pages(out: Path) -> dict[str, Page]:
    return {path.name: Page(path.read_text("utf-8")) for path in (out / "report").glob("*.html")}


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["report", *map(str, words)])


def told(out: Path, *, result: bool) -> dict[str, Any]:
    """What the log says of the video with or without a result, without what ties it to its line."""
    found = next(record for record in audit_log.records(out / audit_log.NAME) if bool(record["output"]) is result)
    return {key: value for key, value in found.items() if key not in ("schema", "seq", "prev", "sha256")}


@pytest.fixture
def out(clip: Library, mask: Mask, tmp_path: Path) -> Path:
    """A folder with one masked video and one that was refused."""
    mask(clip("everything.mp4"))
    mask(clip("empty.mp4"))
    return tmp_path / "out"


def test_pages_are_private_and_the_first_is_told(out: Path) -> None:
    done = call(out)
    assert (done.exit_code, done.stdout) == (0, f"{out}/report/index.html\n")
    assert sorted(pages(out)) == ["empty.html", "everything.html", "index.html"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (out / "report").iterdir())
    assert stat.S_IMODE((out / "report").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["30.mp4", "turned 90.mp4", "h264 10 bit.mp4", "odd.webm", "transport.ts"])
def test_no_unmasked_pixel_is_on_any_page(name: str, clip: Library, mask: Mask, tmp_path: Path) -> None:
    assert any(clips.secret_pixels(picture).any() for picture in clips.pictures_of(clip(name)))
    mask(clip(name))
    report_builder.write_report(OutputFolder(tmp_path / "out"))
    found = [picture for page in pages(tmp_path / "out").values() for picture in page.pictures]
    assert 6 <= len(found) <= 9, "those of the video's page, and one on the batch page"
    assert not any(clips.secret_pixels(picture).any() for picture in found)


def test_nothing_of_the_source_metadata_is_on_a_page(out: Path) -> None:
    report_builder.write_report(OutputFolder(out))
    assert not any(MARKER in path.read_bytes() for path in (out / "report").iterdir())


def _swap(out: Path, clip: Library) -> None:
    shutil.copy(clip("everything.mp4"), out / "everything.masked.mp4")


def _link(out: Path, clip: Library) -> None:
    (out / "everything.masked.mp4").unlink()
    (out / "everything.masked.mp4").symlink_to(clip("everything.mp4"))


@pytest.mark.parametrize("spoil", [_swap, _link])
def test_a_file_that_is_not_the_one_of_the_log_gives_no_picture_and_code_5(
    spoil: object, out: Path, clip: Library
) -> None:
    call(out)
    assert pages(out)["everything.html"].pictures
    spoil(out, clip)  # type: ignore[operator]
    done = call(out)
    assert done.exit_code == 5 and "everything.masked.mp4 is gone, or not the file" in done.stderr
    page = pages(out)["everything.html"]
    assert page.pictures == []
    assert "does not have the sha256" in page.words or "leads out of the folder" in page.words
    assert "everything.mp4" in pages(out)["index.html"].words.split("What a person should look at")[1]


def test_a_missing_output_and_a_missing_or_changed_tracks_file_are_said(out: Path) -> None:
    (out / "everything.masked.mp4").unlink()
    tracks = out / "everything.tracks.json"
    tracks.write_bytes(tracks.read_bytes() + b" ")
    assert call(out).exit_code == 5
    words = pages(out)["everything.html"].words
    assert "The masked video is not there." in words
    assert "The tracks file does not have the sha256 that the audit log names." in words
    tracks.unlink()
    done = call(out)
    assert done.exit_code == 5 and len(done.stderr.splitlines()) == 2
    assert "The tracks file is not there." in pages(out)["everything.html"].words


def test_a_name_of_the_log_never_leads_out_of_the_folder(out: Path, tmp_path: Path, clip: Library) -> None:
    secret = shutil.copy(clip("30.mp4"), tmp_path / "secret.mp4")
    record = told(out, result=True)
    forged = {**record, "source": {**record["source"], "name": "forged.mp4"}}
    for name in ("../secret.mp4", str(secret), "a/../../secret.mp4"):
        forged["output"] = {"name": name, "sha256": report_builder.files.sha256(Path(secret)), "bytes": 1}
        audit_log.append(out / audit_log.NAME, forged)
        assert call(out).exit_code == 5
        page = pages(out)["forged.html"]
        assert page.pictures == [] and "leads out of the folder" in page.words


def test_refused_failed_and_unfinished_videos_are_shown_with_reasons(out: Path) -> None:
    refused = told(out, result=False)
    audit_log.append(
        out / audit_log.NAME, {**refused, "outcome": "bug", "reason": "It broke.", "source": {"name": "bug.mp4"}}
    )
    (out / ".dashredact" / "0123456789abcdef-0").mkdir(parents=True)
    report_builder.write_report(OutputFolder(out))
    words = pages(out)["index.html"].words
    assert refused["reason"] in words and "It broke." in words
    assert "1 video started but not finished" in words
    assert refused["reason"] in pages(out)["empty.html"].words
    assert "There is no masked video of it." in pages(out)["empty.html"].words


def test_what_the_policy_refused_is_shown(out: Path) -> None:
    refused = {**told(out, result=False), "outcome": "refused by policy", "act": "refused by policy"}
    more = {"reason": "cabin.mp4: its camera faces the cabin.", "source": {"name": "cabin.mp4"}, "gates": ["cabin"]}
    audit_log.append(out / audit_log.NAME, {**refused, **more})
    report_builder.write_report(OutputFolder(out))
    assert "its camera faces the cabin" in pages(out)["index.html"].words
    assert "方針による処理の拒否" in pages(out)["cabin.html"].words


def test_a_failure_after_a_result_is_what_counts(out: Path) -> None:
    failed = {**told(out, result=False), "outcome": "failed", "reason": "It broke."}
    audit_log.append(out / audit_log.NAME, {**failed, "source": told(out, result=True)["source"]})
    report_builder.write_report(OutputFolder(out))
    page = pages(out)["everything.html"]
    assert "ended as: failed" in page.words and "an earlier try" in page.words and page.pictures


def test_a_broken_log_is_said_pages_of_videos_go_and_the_code_is_7(out: Path) -> None:
    call(out)
    (out / "report" / "notes.html").write_text("<p>mine</p>")
    log = out / audit_log.NAME
    log.write_text(log.read_text().replace('"outcome":"masked"', '"outcome":"Masked"'))
    done = call(out)
    assert done.exit_code == 7 and "line 1" in done.stderr
    assert sorted(path.name for path in (out / "report").iterdir()) == ["index.html", "notes.html"]
    words = Page((out / "report" / "index.html").read_text()).words
    assert "Broken." in words and "line 1" in words and "everything.mp4" not in words
    with pytest.raises(LedgerError):
        report_builder.write_report(OutputFolder(out))


def test_a_folder_without_a_log_is_code_2_and_nothing_is_made(tmp_path: Path) -> None:
    done = call(tmp_path)
    assert done.exit_code == 2 and audit_log.NAME in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_hostile_names_are_only_text(clip: Library, mask: Mask, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, name in enumerate(HOSTILE):
        source = tmp_path / "in" / name
        shutil.copy(clip("30.mp4" if number < 2 else "empty.mp4"), source)
        mask(source)
    out = tmp_path / "out"
    assert call(out).exit_code == 0
    found = pages(out)
    assert len(found) == len(HOSTILE) + 1
    for page in found.values():
        assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object", "form", "base"}
        handlers = [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
        assert handlers == [] and "\u202e" not in page.words
        assert all(str(image["src"]).startswith("data:image/jpeg;base64,") for image in page.all("img"))
    links = [str(link["href"]) for link in found["index.html"].all("a") if not str(link["href"]).startswith("#")]
    assert len(set(links)) == len(HOSTILE)
    for link in links:
        assert re.fullmatch(r"\./[^/:?#\"<>]+", link)
        assert (out / "report" / unquote(link)).is_file()
    assert "{{ 7*7 }}" in found["index.html"].words


def test_pages_ask_for_nothing_and_allow_nothing(out: Path) -> None:
    report_builder.write_report(OutputFolder(out))
    for path in (out / "report").glob("*.html"):
        text = re.sub(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+", "", path.read_text())
        assert not re.search(r"(?i)https?:|//[a-z]|@import|url\(", text)
        policy = next(meta["content"] for meta in Page(text).all("meta") if "http-equiv" in meta)
        assert str(policy).startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_pages_can_be_read_without_seeing_them(out: Path) -> None:
    report_builder.write_report(OutputFolder(out))
    for page in pages(out).values():
        assert page.all("html") == [{"lang": "en"}]
        assert {"en", "ja"} <= {str(part.get("lang")) for part in page.all("div")}
        assert len(page.all("main")) == len(page.all("header")) == len(page.all("footer")) == 1
        ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
        assert len(ids) == len(set(ids))
        labels = [attributes["aria-labelledby"] for _, attributes in page.tags if "aria-labelledby" in attributes]
        assert set(labels) <= set(ids)
        assert all(image.get("alt") for image in page.all("img"))
        named = ("aria-labelledby", "aria-hidden")
        assert all(any(name in drawing for name in named) for drawing in page.all("svg"))
        assert len(page.all("table")) == len(page.all("caption"))
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_a_page_tells_all_that_the_log_has(out: Path) -> None:
    report_builder.write_report(OutputFolder(out))
    words = pages(out)["everything.html"].words
    record = told(out, result=True)
    parts = [*record["streams"]["kept"], *record["streams"]["dropped"], record["fingerprint"], record["model"]["name"]]
    parts += [record["source"]["sha256"], record["output"]["sha256"], record["tracks_file"]["sha256"]]
    parts += [str(record["verified"]["masks_looked_at"]), "link.thresholds.face", "has the sha256 that the audit log"]
    assert [part for part in parts if part not in words] == []


def test_kinds_that_somebody_chose_have_words_columns_and_marks(clip: Library, tmp_path: Path) -> None:
    """One video masks faces and plates, the other plates and what another model finds."""
    folder = OutputFolder(tmp_path / "out")
    for name, kinds, finder in (
        ("30.mp4", SHIPPED_KINDS, Finder()),
        ("25.mov", (Kind.PLATE, Kind.PERSON), Finder(kind=Kind.PERSON, thresholds={Kind.PERSON: 0.5, Kind.PLATE: 0.5})),
    ):
        settings = replace(SETTINGS, link=TrackSettings(dict.fromkeys(kinds, 0.5)))
        with folder.masking():
            list(Batch(folder, finder, settings, lambda _: None).run(inbox.plan([clip(name)], folder.path)))
    report_builder.write_report(folder)
    shown = pages(folder.path)
    index, other, own = (shown[name] for name in ("index.html", "30.html", "25.html"))
    assert re.search(r"Faces\s*Plates\s*People", index.words)
    rows = (folder.path / "report" / "index.html").read_text().split("<tr>")
    (first,), (second,) = ([row for row in rows if f">{name}</a>" in row] for name in ("30.mp4", "25.mov"))
    assert "<td>1</td><td>0</td><td>not masked</td>" in first
    assert "<td>not masked</td><td>0</td><td>1</td>" in second
    assert "0 plate tracks and 1 person track are masked" in own.words
    assert "ナンバープレート 0 件、人物 1 件の軌跡を隠しました" in own.words
    assert "Person tracks over time: 1" in own.words and "triangles are people" in own.words
    assert any(path.get("class") == "dot person" and path["d"] == SHAPES["triangle"] for path in own.all("path"))
    assert "people" not in other.words and "1 face track and 0 plate tracks are masked" in other.words
    assert "0 plate and 1 person masks" in {image["alt"].partition(": ")[2] for image in own.all("img")}


def test_never_calls_an_output_anything_but_masked(out: Path) -> None:
    report_builder.write_report(OutputFolder(out))
    for path in (out / "report").glob("*.html"):
        assert not re.search(r"(?i)anonymi[sz]|匿名", path.read_text())
        assert "処理済" in path.read_text() or path.name == "index.html"


def test_a_later_line_of_another_kind_is_history(out: Path) -> None:
    source = {"name": "everything.mp4"}
    audit_log.append(out / audit_log.NAME, {"time": "2026-01-02T03:04:05+00:00", "act": "reviewed", "source": source})
    report_builder.write_report(OutputFolder(out))
    page = pages(out)["everything.html"]
    assert "reviewed" in page.words and page.pictures


def test_a_duplicate_shows_the_output_of_the_other_and_is_not_counted_again(out: Path) -> None:
    record = told(out, result=True)
    own = ("source", "output", "tracks_file", "policy", "settings", "model", "time")
    twin = {**{key: record[key] for key in own}, "source": {**record["source"], "name": "twin.mp4"}}
    audit_log.append(out / audit_log.NAME, {**twin, "outcome": "duplicate", "reason": "One output stands for both."})
    report_builder.write_report(OutputFolder(out))
    page, words = pages(out)["twin.html"], pages(out)["index.html"].words
    assert page.pictures and "1 face track and 0 plate tracks" in page.words
    assert re.search(rf"Frames\s*{record['frames']['out']}\s", words)


def test_policies_are_counted(out: Path) -> None:
    record = told(out, result=True)
    audit_log.append(out / audit_log.NAME, {**record, "policy": {"name": "fleet", "version": 3}})
    report_builder.write_report(OutputFolder(out))
    words = pages(out)["index.html"].words
    assert re.search(r"name fleet, version 3\s*1\s", words) and re.search(r"no policy\s*1\s", words)
    assert "policy.version" in pages(out)["everything.html"].words


def test_a_purged_output_is_not_missed(out: Path) -> None:
    (out / "everything.masked.mp4").unlink()
    source = {"name": "everything.mp4"}
    audit_log.append(out / audit_log.NAME, {"time": "2026-01-02T03:04:05+00:00", "act": "purged", "source": source})
    assert call(out).exit_code == 5, "the source was purged, and nobody said that the masked video may go"
    gone = [{"name": "everything.masked.mp4"}, {"name": "everything.tracks.json"}]
    audit_log.append(out / audit_log.NAME, {"act": "purged", "files": gone})
    assert call(out).exit_code == 0
    page = pages(out)["everything.html"]
    assert "The masked video was purged." in page.words and page.pictures == []


def test_a_tracks_file_of_the_log_that_is_not_a_tracks_file_is_said(out: Path) -> None:
    record = told(out, result=True)
    (out / "everything.tracks.json").write_text("{}")
    sha256 = report_builder.files.sha256(out / "everything.tracks.json")
    audit_log.append(out / audit_log.NAME, {**record, "tracks_file": {**record["tracks_file"], "sha256": sha256}})
    report_builder.write_report(OutputFolder(out))
    assert "is not a tracks file" in pages(out)["everything.html"].words


def test_the_folder_of_the_report_may_not_lead_elsewhere(out: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (out / "report").symlink_to(tmp_path / "elsewhere")
    assert call(out).exit_code == 4
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(_CHROMIUM is None, reason="needs chromium")
def test_a_browser_opens_the_pages_without_a_word_of_complaint(out: Path, tmp_path: Path) -> None:
    """A request, a script or a style that the page's own policy forbids would be a word on the console."""
    report_builder.write_report(OutputFolder(out))
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={tmp_path}")
    for path in (out / "report").glob("*.html"):
        argv = [str(_CHROMIUM), *options, "--dump-dom", path.as_uri()]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)
        assert "</html>" in done.stdout and "CONSOLE" not in done.stderr


def test_totals_add_up(out: Path) -> None:
    report_builder.write_report(OutputFolder(out))
    words = pages(out)["index.html"].words
    frames = len(json.loads((out / "everything.tracks.json").read_text())["pts"])
    assert re.search(rf"Frames\s*{frames}\s", words) and re.search(r"masked\s*1\s", words)


# --- review -----------------------------------------------------------------------------------------------------------


def decide(out: Path, *words: str) -> None:
    done = CliRunner().invoke(cli.main, ["review", words[0], str(out), *words[1:]])
    assert done.exit_code == 0, done.stderr


def badges(page: Page) -> list[str]:
    return [str(span["class"]) for span in page.all("span")]


def test_a_rejected_video_is_not_green_and_says_who_rejected_it(out: Path) -> None:
    decide(out, "approve", "everything.mp4", "--reviewer", "A. Clerk")
    report_builder.write_report(OutputFolder(out))
    assert badges(pages(out)["everything.html"]) == ["badge good"]
    assert "A. Clerk approved this version" in pages(out)["everything.html"].words
    decide(out, "reject", "everything.mp4", "--reviewer", "B. Chief", "--note", "a face in the mirror")
    report_builder.write_report(OutputFolder(out))
    page, index = pages(out)["everything.html"], pages(out)["index.html"]
    assert badges(page) == ["badge bad"] and "badge good" not in badges(index)
    assert "B. Chief rejected it: a face in the mirror; correct it." in index.words
    assert "B. Chief rejected this version" in page.words


def test_corrections_that_wait_are_on_both_pages_beside_the_rejection(out: Path) -> None:
    decide(out, "reject", "everything.mp4", "--note", "a face")
    decide(out, "mark", "everything.mp4", "--kind", "face", "--box", "10,10,30,30", "--frames", "0..3")
    report_builder.write_report(OutputFolder(out))
    for name in ("everything.html", "index.html"):
        words = pages(out)[name].words
        assert "rejected, to be applied" in words and "1 correction not yet in the file" in words


def test_the_batch_page_counts_what_review_list_prints(out: Path) -> None:
    def both() -> tuple[list[str], str]:
        listed = CliRunner().invoke(cli.main, ["review", "list", str(out), "--json"])
        report_builder.write_report(OutputFolder(out))
        return [json.loads(line)["name"] for line in listed.stdout.splitlines()], pages(out)["index.html"].words

    names, words = both()
    assert sorted(names) == ["empty.mp4", "everything.mp4"] and "2 for a person to look at" in words
    decide(out, "approve", "everything.mp4")
    names, words = both()
    assert names == ["empty.mp4"] and "1 for a person to look at" in words
    decide(out, "reject", "empty.mp4", "--note", "a broken card")
    names, words = both()
    assert names == [] and "0 for a person to look at" in words


def test_the_batch_page_has_a_picture_and_the_masked_share_of_each_video(out: Path) -> None:
    report_builder.write_report(OutputFolder(out))
    index = pages(out)["index.html"]
    (picture,) = index.pictures
    assert max(picture.shape) <= 160
    assert "Masked share" in index.words and re.search(r"\d\.\d\d %", index.words)


def test_a_page_links_to_its_masked_file_and_to_nothing_that_is_not_as_logged(out: Path) -> None:
    def links() -> list[str]:
        found = [unquote(str(link["href"])) for link in pages(out)["everything.html"].all("a")]
        return [link for link in found if link.startswith("../")]

    report_builder.write_report(OutputFolder(out))
    assert links() == ["../everything.masked.mp4"] and (out / "report" / links()[0]).is_file()
    (out / "everything.masked.mp4").write_bytes(b"another")
    call(out)
    assert links() == []


def test_what_is_said_of_the_end_of_the_log_is_so(out: Path) -> None:
    report_builder.write_report(OutputFolder(out))
    assert "The head file beside it names its last line" in pages(out)["index.html"].words
    (out / audit_log.HEAD).unlink()
    with pytest.raises(LedgerError):
        report_builder.write_report(OutputFolder(out))


def test_a_draw_without_verdicts_or_a_reviewer_is_shown(out: Path, tmp_path: Path) -> None:
    drawn = ("review", "sample", "draw", str(out), "-o", str(tmp_path / "draw"), "--frames", "3")
    assert CliRunner().invoke(cli.main, drawn).exit_code == 0
    assert call(out).exit_code == 0
    assert "nobody yet" in pages(out)["index.html"].words
    table = tmp_path / "draw" / "verdicts.csv"
    table.write_text(table.read_text().replace('""', '"0"'))
    assert CliRunner().invoke(cli.main, ["review", "sample", "count", str(out), str(table)]).exit_code == 0
    assert call(out).exit_code == 0
    assert "nobody yet" not in pages(out)["index.html"].words
