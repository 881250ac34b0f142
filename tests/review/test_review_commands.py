"""`dashredact review` as a person types it."""

import json
import stat
from pathlib import Path

import clips
import cv2
import pytest
from click.testing import CliRunner, Result
from clips import Finder, Library
from review_made import BORDER, MISSED, Blind, around, leaks, redact

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.errors import ExitCode
from dashredact.review.decisions import FIRST_MARK
from dashredact.workspace import locks
from dashredact.workspace.output_folder import OutputFolder

_HOSTILE = "-街 'a'\n<b>.mp4"


def _call(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["review", *map(str, words)])


def _box(frame: int) -> str:
    return ",".join(map(str, around(frame)))


@pytest.fixture
def out(clip: Library, tmp_path: Path) -> Path:
    redact(clip("30.mp4"), tmp_path / "out")
    return tmp_path / "out"


def test_mark_apply_approve(out: Path, clip: Library) -> None:
    listed = _call("list", out)
    assert listed.exit_code == ExitCode.NEEDS_REVIEW
    assert "30.mp4  masked, not reviewed" in listed.stdout
    words = ("mark", out, "30.mp4", "--kind", "face", "--frames", f"{MISSED.start}..{MISSED.stop - 1}")
    done = _call(*words, "--box", _box(MISSED.start), "--to-box", _box(MISSED.stop - 1), "--note", "two of them")
    assert (done.exit_code, done.output) == (0, f"{FIRST_MARK}\n")
    assert f"{FIRST_MARK}  face" in _call("show", out, "30.mp4").stdout
    refused = _call("approve", out, "30.mp4")
    assert refused.exit_code == ExitCode.USAGE and "apply or undo" in refused.stderr

    applied = _call("apply", out, "30.mp4", "--source", clip("30.mp4"), "-q", "--reviewer", "A. Clerk")
    assert (applied.exit_code, applied.stdout) == (0, f"{out / '30.masked.mp4'}\n")
    assert leaks(out / "30.masked.mp4") == []
    assert "30.mp4  corrected" in _call("list", out).stdout

    assert _call("approve", out, "30.mp4", "--reviewer", "A. Chief").exit_code == 0
    empty = _call("list", out)
    assert (empty.exit_code, empty.output) == (0, "")
    assert "approved" in _call("list", out, "--all").stdout
    told = _call("history", out, "30.mp4").stdout.splitlines()
    assert [line.split("  ")[2] for line in told] == ["masked", "marked", "corrected", "reviewed"]
    assert "frames 10..21, moving: two of them" in told[1] and "A. Clerk@" in told[2] and "A. Chief@" in told[3]


def test_tracked_mark_says_where_it_lost_its_object(out: Path, clip: Library) -> None:
    """The secret is not there before the fifth frame: what stands in its place then is nothing to hold on to."""
    words = ("mark", out, "30.mp4", "--kind", "face", "--follow", "--source", clip("30.mp4"))
    done = _call(*words, "--box", "10,30,34,50", "--frames", "2..12")
    assert done.exit_code == ExitCode.NEEDS_REVIEW
    assert "lost at frame 4; mark 1000001 ends at 3." in done.stderr
    row = json.loads(_call("history", out, "30.mp4", "--json").stdout.splitlines()[-1])["mark"]
    assert (row["first"], row["end"], row["how"]) == (2, 4, "tracked")


def test_tracked_mark_is_applied(out: Path, clip: Library) -> None:
    assert set(leaks(out / "30.masked.mp4")) >= BORDER
    words = ("mark", out, "30.mp4", "--kind", "face", "--follow", "--inbox", clip("30.mp4").parent)
    done = _call(*words, "--box", ",".join(map(str, around(10, 2))), "--frames", "10..21")
    assert done.exit_code == 0, done.stderr
    assert _call("apply", out, "30.mp4", "--inbox", clip("30.mp4").parent, "-q").exit_code == 0
    assert leaks(out / "30.masked.mp4") == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--box", "1,2,3", "--frames", "1..2"], "1,2,3 is not a box"),
        (["--box", "9,9,3,20", "--frames", "1..2"], "is empty"),
        (["--box", "500,9,600,20", "--frames", "1..2"], "outside the picture of 192x112"),
        (["--box", "nan,1,2,3", "--frames", "1..2"], "is not a box"),
        (["--box", "1,1,9,9", "--frames", "5..2"], "5..2 is no range of frames"),
        (["--box", "1,1,9,9", "--frames", "30..36"], "has the frames 0..35"),
        (["--box", "1,1,9,9", "--frames", "1..2", "--follow"], "--source"),
        (["--box", "1,1,9,9", "--frames", "1..2", "--follow", "--to-box", "1,1,2,2"], "either --follow or"),
        (["--box", "1,1,9,9", "--frames", "1..2", "--to-box", "500,9,600,20"], "outside the picture"),
        (["--box", "1,1,9,9", "--frames", "1..1", "--to-box", "2,1,9,9"], "needs two frames"),
    ],
)
def test_mark_that_cannot_be_is_refused(out: Path, words: list[str], says: str) -> None:
    done = _call("mark", out, "30.mp4", "--kind", "face", *words)
    assert (done.exit_code, done.stdout) == (ExitCode.USAGE, "")
    assert says in done.stderr
    assert len(_call("history", out, "30.mp4").stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["show", "3O.mp4"], "did you mean 30.mp4?"),
        (["unmask", "30.mp4", "--track", "9"], "has no track 9"),
        (["undo", "30.mp4", "--track", "1"], "neither a mark nor unmasked"),
        (["apply", "30.mp4"], "--source"),
        (["history", "x.mp4"], "says nothing of"),
        (["reject", "30.mp4"], "--note"),
    ],
)
def test_wrong_words_are_answered(out: Path, words: list[str], says: str) -> None:
    done = _call(words[0], out, *words[1:])
    assert done.exit_code == ExitCode.USAGE and says in done.stderr


def test_sheet_is_private(out: Path, clip: Library, tmp_path: Path) -> None:
    assert [path for path in out.rglob("*") if path.suffix == ".png"] == []
    target = tmp_path / "sheet.png"
    words = ("sheet", out, "30.mp4", "--source", clip("30.mp4"))
    inside = _call(*words, "-o", out / "report" / "sheet.png")
    assert inside.exit_code == ExitCode.USAGE and "masked pictures only" in inside.stderr
    done = _call(*words, "-o", target)
    assert done.exit_code == 0, done.stderr
    assert "unmasked" in done.stderr and "Delete it" in done.stderr
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    picture = cv2.imread(str(target))
    assert picture is not None and clips.secret_pixels(picture[..., ::-1]).sum() > 500
    assert _call(*words, "-o", target).exit_code == ExitCode.USAGE
    assert not any(clips.secret_pixels(one).any() for one in clips.pictures_of(out / "30.masked.mp4")[24:])


def test_queue_puts_the_risky_video_first(clip: Library, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    redact(clip("30.mp4"), folder, Finder())
    redact(clip("10.mp4"), folder, Blind(missed=range(8, 12)))
    rows = [json.loads(line) for line in _call("list", folder, "--json").stdout.splitlines()]
    assert [row["name"] for row in rows] == ["10.mp4", "30.mp4"]
    assert rows[0]["risk"] > rows[1]["risk"] and rows[0]["to look at"] > 0
    assert len(_call("list", folder, "--json", "--min-risk", rows[0]["risk"]).stdout.splitlines()) == 1


def test_hostile_name(clip: Library, tmp_path: Path) -> None:
    source = tmp_path / _HOSTILE
    source.write_bytes(clip("30.mp4").read_bytes())
    out = tmp_path / "out"
    redact(source, out)
    words = (out, "--kind", "face", "--frames", "10..21", "--box", _box(10), "--to-box", _box(21), "--", _HOSTILE)
    assert _call("mark", *words).exit_code == 0
    assert _call("apply", out, "--source", source, "-q", "--", _HOSTILE).exit_code == 0
    (masked,) = out.glob("*.masked.mp4")
    assert leaks(masked) == []
    assert len(_call("list", out).stdout.splitlines()) == 2, "a newline in a name starts no line"


def test_purged_video_waits_no_longer(out: Path) -> None:
    gone = [{"name": name} for name in ("30.masked.mp4", "30.tracks.json")]
    audit_log.append(out / audit_log.NAME, {"act": "purged", "files": gone})
    assert (_call("list", out).exit_code, _call("list", out).stdout) == (0, "")
    assert "was purged" in _call("show", out, "30.mp4").stderr


@pytest.mark.parametrize("happens", ["gone", "longer"])
def test_a_masked_file_that_is_not_as_it_was_made_waits_again(out: Path, happens: str) -> None:
    assert _call("approve", out, "30.mp4").exit_code == 0
    masked = out / "30.masked.mp4"
    if happens == "gone":
        masked.unlink()
    else:
        masked.write_bytes(masked.read_bytes() + b"x")
    done = _call("list", out, "--json")
    row = json.loads(done.stdout)
    assert (done.exit_code, row["state"]) == (ExitCode.NEEDS_REVIEW, "not the file of the log")
    assert row["risk"] >= 20 and next(iter(row["reasons"])) == "masked file missing or changed"


def test_folder_without_a_log(tmp_path: Path) -> None:
    done = _call("list", tmp_path)
    assert done.exit_code == ExitCode.USAGE and "holds no audit.jsonl" in done.stderr


def test_finds_of_a_second_look_are_listed_until_a_mask_covers_them(out: Path, clip: Library) -> None:
    finds = [
        {"kind": "face", "frame": frame, "box": box, "first": frame, "last": frame + 1, "score": 0.3, "time": 0.5}
        for frame, box in ((15, clips.secret_box(15)), (3, (150, 20, 170, 40)))
    ]
    (masked,) = audit_log.records(out / audit_log.NAME)
    again = {**masked, "act": "needs review", "outcome": "needs review", "second_look": {"ran": True, "finds": finds}}
    audit_log.append(out / audit_log.NAME, again)
    (row,) = [json.loads(line) for line in _call("list", out, "--json").stdout.splitlines()]
    assert row["reasons"]["second look"] == 2 and row["reasons"]["needs review"] == 1
    shown = _call("show", out, "30.mp4").stdout
    assert "face  15..16" in shown and "face  3..4" in shown and "second look" in shown
    words = ("mark", out, "30.mp4", "--kind", "face", "--frames", "10..21")
    assert _call(*words, "--box", _box(10), "--to-box", _box(21)).exit_code == 0
    assert _call("apply", out, "30.mp4", "--source", clip("30.mp4"), "-q").exit_code == 0
    (row,) = [json.loads(line) for line in _call("list", out, "--json").stdout.splitlines()]
    assert (row["state"], row["reasons"]["second look"]) == ("corrected", 1), "the other one is still open"


def test_note_and_reviewer_are_kept_as_they_are(out: Path) -> None:
    note, who = "=cmd|' /C calc'!A0\n<b>窓\udcff", "審査 'x'\n"
    assert _call("reject", out, "30.mp4", "--note", note, "--reviewer", who).exit_code == 0
    told = json.loads(_call("history", out, "30.mp4", "--json").stdout.splitlines()[-1])
    assert (told["reason"], told["by"]["name"]) == (note.replace("\udcff", "\\udcff"), who)
    assert len(_call("history", out, "30.mp4").stdout.splitlines()) == 2
    assert _call("list", out).exit_code == ExitCode.NEEDS_REVIEW, "until it is corrected"
    assert "rejected" in _call("list", out).stdout
    shown = _call("show", out, "30.mp4").stdout
    assert "rejected by 審査 'x'\\n, 20" in shown


def test_people_decide_while_a_run_goes_on_but_change_no_file(
    out: Path, clip: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "WAIT", 0.2)
    words = ("30.mp4", "--kind", "face", "--box", "10,10,40,40", "--frames", "0..9")
    with OutputFolder(out).masking():  # a service that watches all day
        assert _call("mark", out, *words).exit_code == 0
        done = _call("apply", out, "30.mp4", "--source", clip("30.mp4"), "-q")
        assert done.exit_code == ExitCode.LOCKED and "Another run" in done.stderr
        assert _call("undo", out, "30.mp4", "--track", "1000001").exit_code == 0
        assert _call("approve", out, "30.mp4").exit_code == 0
    assert _call("list", out).exit_code == 0


def test_two_people_decide_one_after_the_other(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "WAIT", 0.2)
    with OutputFolder(out).deciding():
        done = _call("approve", out, "30.mp4")
        assert done.exit_code == ExitCode.LOCKED and "Another person" in done.stderr
        assert _call("list", out).exit_code == ExitCode.NEEDS_REVIEW


def test_a_duplicate_is_reviewed_under_either_name(out: Path) -> None:
    made = next(audit_log.records(out / audit_log.NAME))
    same = {key: made[key] for key in ("output", "tracks_file")}
    audit_log.append(
        out / audit_log.NAME, {"act": "duplicate", "source": {**made["source"], "name": "again.mp4"}, **same}
    )
    assert _call("approve", out, "again.mp4").exit_code == 0
    assert _call("list", out).exit_code == 0
    assert list(audit_log.records(out / audit_log.NAME))[-1]["source"]["name"] == "30.mp4"


def _mark(out: Path, *words: str, frames: str = "10..21") -> Result:
    return _call("mark", out, "30.mp4", "--kind", "face", "--frames", frames, *words)


def test_mark_takes_times_of_a_player(out: Path) -> None:
    assert _mark(out, "--box", "10,10,40,40", frames="0:00.5..0:00.7").exit_code == 0
    row = json.loads(_call("history", out, "30.mp4", "--json").stdout.splitlines()[-1])["mark"]
    assert (row["first"], row["end"]) == (15, 22)
    late = _mark(out, "--box", "10,10,40,40", frames="0:01..9:00")
    assert late.exit_code == ExitCode.USAGE and "after the end of the video" in late.stderr


def test_a_mark_over_the_whole_picture_is_refused(out: Path) -> None:
    done = _mark(out, "--box", "0,0,192,112")
    assert done.exit_code == ExitCode.USAGE and "covers the whole picture of 192x112" in done.stderr


def test_a_mark_that_lost_its_object_keeps_the_video_open(out: Path, clip: Library) -> None:
    lost = _mark(out, "--follow", "--source", str(clip("30.mp4")), "--box", "10,30,34,50", frames="2..12")
    assert lost.exit_code == ExitCode.NEEDS_REVIEW and "nobody can approve" in lost.stderr
    assert _call("apply", out, "30.mp4", "--source", clip("30.mp4"), "-q").exit_code == 0
    assert "a mark lost its object" in _call("list", out).stdout
    assert "frames 4..12 are bare" in _call("show", out, "30.mp4").stdout
    refused = _call("approve", out, "30.mp4")
    assert refused.exit_code == ExitCode.USAGE and "mark it from frame 4 on, or undo" in refused.stderr
    assert _mark(out, "--box", "10,30,34,50", frames="4..12").exit_code == 0
    assert _call("apply", out, "30.mp4", "--source", clip("30.mp4"), "-q").exit_code == 0
    assert _call("approve", out, "30.mp4").exit_code == 0


def test_unmask_takes_several_tracks_or_none_and_says_what_it_uncovers(out: Path, clip: Library) -> None:
    _mark(out, "--box", "100,60,130,90")
    _mark(out, "--box", "140,60,170,90")
    assert _call("apply", out, "30.mp4", "--source", clip("30.mp4"), "-q").exit_code == 0
    before = len(_call("history", out, "30.mp4").stdout.splitlines())
    done = _call("unmask", out, "30.mp4", "--track", "1", "--track", "77")
    assert done.exit_code == ExitCode.USAGE and "has no track 77" in done.stderr
    assert len(_call("history", out, "30.mp4").stdout.splitlines()) == before
    done = _call("unmask", out, "30.mp4", "--track", "1", "--note", "a wheel")
    assert done.exit_code == 0 and "`review apply` will uncover face 1 on frames" in done.stderr
    undone = _call("undo", out, "30.mp4", "--track", "1000001", "--track", "1000002")
    assert undone.exit_code == 0
    shown = _call("show", out, "30.mp4").stdout
    assert shown.count("undone, in the file until") == 2 and "unmasked, waits for `review apply`" in shown
    applied = _call("apply", out, "30.mp4", "--source", clip("30.mp4"), "-q")
    assert applied.exit_code == 0 and applied.stderr.count("uncovered face") == 3


def test_show_says_who_decided(out: Path) -> None:
    _call("mark", out, "30.mp4", "--kind", "face", "--frames", "1..2", "--box", "9,9,20,20", "--reviewer", "A. Clerk")
    (row,) = [json.loads(line) for line in _call("show", out, "30.mp4", "--json").stdout.splitlines()][-1:]
    assert (row["by"], row["reasons"]) == ("A. Clerk", "mark, waits for `review apply`")


def test_a_failed_video_is_listed_until_a_person_gives_it_up(out: Path) -> None:
    failed = {"act": "failed", "source": {"name": "broken.mp4"}, "output": None, "reason": "broken.mp4: is cut off."}
    audit_log.append(out / audit_log.NAME, failed)
    rows = [json.loads(line) for line in _call("list", out, "--json").stdout.splitlines()]
    assert next((row["name"], row["state"]) for row in rows) == ("broken.mp4", "failed")
    assert "no masked video" in _call("approve", out, "broken.mp4").stderr
    assert _call("reject", out, "broken.mp4", "--note", "the card is broken").exit_code == 0
    assert "broken.mp4" not in _call("list", out).stdout and "broken.mp4" in _call("list", out, "--all").stdout
