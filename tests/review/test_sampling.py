"""`review sample` as a person types it: the pictures are those frames, and the bound is that of the verdicts."""

import csv
import json
import shutil
import stat
from pathlib import Path

import clips
import cv2
import pytest
from click.testing import CliRunner, Result
from clips import Library
from output_checks import check_schema
from review_made import lines, redact

from dashredact import cli
from dashredact.errors import ExitCode
from dashredact.review.miss_bound import miss_bound
from dashredact.workspace import locks
from dashredact.workspace.output_folder import OutputFolder


def _call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["review", "sample", *map(str, words)])


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def _fill(table: Path, missed: dict[str, str], rest: str = "0") -> list[dict[str, str]]:
    """By picture what is written under plates; everything else gets `rest`."""
    rows = _rows(table)
    for row in rows:
        row.update(faces=rest, plates=missed.get(row["picture"], rest))
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


@pytest.fixture(scope="module")
def made(clip: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of masked videos and a draw from it."""
    folder = tmp_path_factory.mktemp("sampling")
    for name in ("30.mp4", "late.mp4", "irregular.mkv"):
        redact(clip(name), folder / "out")
    done = _call("draw", folder / "out", "-o", folder / "draw", "--frames", "40", "--seed", "7")
    assert done.exit_code == 0, done.stderr
    assert "Draw 1:" in done.stderr and "how many faces and plates" in done.stderr
    return folder


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy" / "out"


@pytest.fixture
def drawn(out: Path) -> Path:
    return out.parent / "draw"


def test_each_picture_is_the_drawn_frame_of_the_masked_file(out: Path, drawn: Path) -> None:
    told = lines(out)[-1]
    check_schema(told, "audit")
    rows = _rows(drawn / "verdicts.csv")
    assert len(rows) == len(told["draw"]["drawn"]) == len(list(drawn.glob("*.jpg")))
    assert {one["name"] for one in told["draw"]["drawn"]} == {"30.mp4", "late.mp4", "irregular.mkv"}
    assert sum(one["times"] for one in told["draw"]["drawn"]) == 40
    for row, one in zip(rows, told["draw"]["drawn"], strict=True):
        picture = cv2.imread(str(drawn / row["picture"]))[..., ::-1]
        assert clips.number_on(picture) == one["frame"]
        assert (row["video"], row["faces"], row["plates"]) == (one["name"], "", "")


def test_everything_is_private(drawn: Path) -> None:
    assert stat.S_IMODE(drawn.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in drawn.iterdir()} == {0o600}


def test_verdicts_become_a_bound_in_log_list_and_report(out: Path, drawn: Path) -> None:
    table = drawn / "verdicts.csv"
    rows = _fill(table, {"0003.jpg": "2"})
    done = _call("count", out, table, "--reviewer", "A. Clerk", "--note", "on a large screen")
    assert done.exit_code == ExitCode.NEEDS_REVIEW
    line = lines(out)[-1]
    check_schema(line, "audit")
    frames = [0] * 40
    third = lines(out)[-2]["draw"]["drawn"][2]
    frames[: third["times"]] = [2] * third["times"]
    expected = {"face": miss_bound([0] * 40), "plate": miss_bound(frames)}
    assert done.stdout == "".join(f"{kind}s: {one.sentence(kind)}\n" for kind, one in expected.items())
    assert f"{third['name']}: 2 plates missed on frame {third['frame']}" in done.stderr
    assert line["by"]["name"] == "A. Clerk" and line["reason"] == "on a large screen"
    assert line["judged"]["bounds"]["plate"]["most"] == pytest.approx(expected["plate"].most)
    assert "changed since" not in _call("list", out).stdout
    assert expected["plate"].sentence("plate") in _call("list", out).stdout
    assert json.loads(_call("list", out, "--json").stdout)["judged"]["misses"][0]["missed"] == 2

    assert CliRunner().invoke(cli.main, ["report", str(out)]).exit_code == 0
    page = (out / "report" / "index.html").read_text()
    assert expected["plate"].sentence("plate") in page and "A. Clerk" in page
    assert f"{expected['face'].most:,.1f} face-seconds" in page and "無作為" in page
    assert len(rows) < 40 or third["times"] == 1


def test_nothing_missed_is_code_0_and_a_later_change_is_said(out: Path, drawn: Path, clip: Library) -> None:
    _fill(drawn / "verdicts.csv", {})
    assert _call("count", out, drawn / "verdicts.csv").exit_code == 0
    redact(clip("hole.mp4"), out)
    assert "videos have changed since" in _call("list", out).stdout


def test_a_spreadsheet_with_semicolons_is_read(out: Path, drawn: Path) -> None:
    table = drawn / "verdicts.csv"
    _fill(table, {})
    table.write_text("\ufeff" + table.read_text().replace(",", ";"), "utf-8")
    assert _call("count", out, table).exit_code == 0


@pytest.mark.parametrize("verdict", ["", "x", "-1", "1.5", "²", "1000"])
def test_every_picture_needs_a_verdict(verdict: str, out: Path, drawn: Path) -> None:
    before = len(lines(out))
    _fill(drawn / "verdicts.csv", {"0004.jpg": verdict})
    done = _call("count", out, drawn / "verdicts.csv")
    assert done.exit_code == ExitCode.USAGE and "0004.jpg" in done.stderr and "plates" in done.stderr
    assert len(lines(out)) == before


def test_a_row_that_is_gone_is_missed(out: Path, drawn: Path) -> None:
    table = drawn / "verdicts.csv"
    _fill(table, {})
    table.write_text("\n".join(table.read_text().splitlines()[:-1]))
    done = _call("count", out, table)
    assert done.exit_code == ExitCode.USAGE and "says nothing" in done.stderr


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"draw,picture,faces,plates\n9,0001.jpg,0,0\n", b"\xff\xfe\x00", b'"']
)
def test_another_table_is_refused(content: bytes, out: Path, drawn: Path) -> None:
    table = drawn / "other.csv"
    table.write_bytes(content)
    done = _call("count", out, table)
    assert done.exit_code == ExitCode.USAGE and "other.csv" in done.stderr


def test_names_choose_and_prove_counts(out: Path, tmp_path: Path) -> None:
    done = _call("draw", out, "-o", tmp_path / "some", "--name", "late*", "--prove", "600")
    assert done.exit_code == 0, done.stderr
    told = lines(out)[-1]["draw"]
    assert (told["videos"], {one["name"] for one in told["drawn"]}) == (1, {"late.mp4"})
    assert miss_bound([0] * told["frames"]).most <= 600 < miss_bound([0] * (told["frames"] - 1)).most


def test_what_cannot_be_drawn_leaves_nothing(out: Path, tmp_path: Path) -> None:
    before = len(lines(out))
    (tmp_path / "there").mkdir()
    calls = {
        "under": ("-o", out / "draw"),
        "there already": ("-o", tmp_path / "there"),
        "under that name": ("-o", tmp_path / "new", "--name", "nobody"),
        "Use either": ("-o", tmp_path / "new", "--frames", "3", "--prove", "3"),
    }
    for said, words in calls.items():
        done = _call("draw", out, *words)
        assert (done.exit_code, said in done.stderr) == (ExitCode.USAGE, True), done.stderr
    (out / "late.masked.mp4").write_bytes(b"another")
    done = _call("draw", out, "-o", tmp_path / "new", "--frames", "40")
    assert done.exit_code == ExitCode.SOME_FAILED and "late.masked.mp4" in done.stderr
    assert len(lines(out)) == before
    assert not (tmp_path / "new").exists() and not list(tmp_path.glob(".draw-*"))


def test_a_draw_waits_for_no_run_but_for_other_people(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OutputFolder(out).masking():
        assert _call("draw", out, "-o", tmp_path / "new", "--frames", "2").exit_code == 0
    monkeypatch.setattr(locks, "WAIT", 0.2)
    with OutputFolder(out).deciding():
        assert _call("draw", out, "-o", tmp_path / "newer").exit_code == ExitCode.LOCKED


def test_a_table_of_another_folder_or_with_a_picture_twice_is_refused(out: Path, drawn: Path, tmp_path: Path) -> None:
    assert _call("draw", out, "-o", tmp_path / "other", "--frames", "40").exit_code == 0
    table, other = drawn / "verdicts.csv", tmp_path / "other" / "verdicts.csv"
    _fill(table, {})
    _fill(other, {})
    assert table.read_text().splitlines()[1].split(",")[0] != other.read_text().splitlines()[1].split(",")[0]
    forged = other.read_text().replace("2-", "1-")
    (tmp_path / "forged.csv").write_text(forged)
    assert "belongs to no draw" in _call("count", out, tmp_path / "forged.csv").stderr
    lines_ = table.read_text().splitlines()
    table.write_text("\n".join([*lines_, lines_[1], ",,,,,"]))
    assert "more than once" in _call("count", out, table).stderr
    table.write_text("\n".join([*lines_, ",,,,,"]))
    assert _call("count", out, table).exit_code == 0


def test_stray_bytes_and_no_numbers_are_one_sentence(out: Path, tmp_path: Path) -> None:
    words = ("draw", out, "-o", tmp_path / "new")
    assert _call(*words, "--prove", "nan").exit_code == ExitCode.USAGE
    assert "more than the 9,999" in _call(*words, "--prove", "0.001").stderr
    assert _call(*words, "--frames", "3", "--name", "*", "--name", "\udcff*", "--seed", "\udcff").exit_code == 0
    told = lines(out)[-1]["draw"]
    assert (told["seed"], told["seed_given"], told["names"]) == ("\\udcff", True, ["*", "\\udcff*"])
    assert "the seed was given" in _call("list", out).stdout


def test_a_masked_file_that_is_gone_is_named(out: Path, tmp_path: Path) -> None:
    (out / "late.masked.mp4").unlink()
    done = _call("draw", out, "-o", tmp_path / "new", "--frames", "40")
    assert done.exit_code == ExitCode.SOME_FAILED and "late.masked.mp4: is missing" in done.stderr
