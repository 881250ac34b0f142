"""The second look: what was left out on purpose is found on the finished file, and what is masked is not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import clips
import numpy as np
import pytest
from click.testing import CliRunner
from clips import Finder, Library
from conftest import SETTINGS, every_other, work_left
from output_checks import check_schema, tracks_of

from dashredact import cli
from dashredact.audit import log as audit_log
from dashredact.batch.batch import Batch
from dashredact.cli import masking, redact
from dashredact.cli.options import DetectOptions
from dashredact.errors import ExitCode
from dashredact.kinds import KINDS, SHIPPED_KINDS, Kind
from dashredact.pipeline.outcome import Outcome, VideoStatus
from dashredact.pipeline.video import RunOptions
from dashredact.settings import RecheckSettings, Settings, Zone, Zones
from dashredact.values import Detections, Detector, ModelIdentity, Picture, ProgressEvent
from dashredact.workspace import inbox
from dashredact.workspace.output_folder import OutputFolder

BLIND = 10**6
AGAIN = replace(SETTINGS, second_look=RecheckSettings(every=5))
LEFT_OUT = ["30.mp4", "irregular.mkv", "late.mp4", "open gop.mp4", "hevc 10 bit.mkv", "odd.webm", "turned 90.mp4"]
LEFT_OUT += ["10.mp4", "4-2-2.mp4", "flat pixels.mp4", "mpeg4.avi", "transport.ts"]


@dataclass
class Stubborn(Finder):
    """Says that the secret is where it always was, whatever is on the picture."""

    identity: ModelIdentity = ModelIdentity("stubborn", "e" * 64)  # noqa: RUF009 - frozen

    def _find(self, picture: Picture) -> Detections:
        self.pictures += 1
        height, width = picture.shape[:2]
        box = clips.secret_box(clips.number_on(picture), (width, height))
        if box is None:
            return Detections.empty()
        kind, score = np.array([KINDS.index(self.kind)], np.int8), np.array([0.95], np.float32)
        return Detections(np.zeros(1, np.int32), kind, np.array([box], np.float32), score)


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def mask(source: Path, first: Detector, *seconds: Detector, settings: Settings = AGAIN) -> Outcome:
        out = tmp_path / "out"
        batch = Batch(OutputFolder(out), first, settings, _silent, run_options=RunOptions(seconds))
        (outcome,) = batch.run(inbox.plan([source], out))
        return outcome

    return mask


def _silent(_fact: ProgressEvent) -> None:
    pass


def look_of(outcome: Outcome) -> dict[str, Any]:
    assert outcome.record is not None
    told: dict[str, Any] = outcome.record["second_look"]
    return told


@pytest.mark.parametrize("kind", SHIPPED_KINDS)
@pytest.mark.parametrize("name", every_other(LEFT_OUT))
def test_what_was_left_out_on_purpose_is_found(clip: Library, run: Run, name: str, kind: Kind) -> None:
    outcome = run(clip(name), Finder(miss_first=BLIND), Finder(kind=kind))
    assert outcome.status is VideoStatus.NEEDS_REVIEW
    assert outcome.output is not None
    told = look_of(outcome)
    assert (told["ran"], told["every"], told["models"]) == (True, 5, ["finder"])
    (find,) = told["finds"]
    assert (find["kind"], find["score"]) == (kind, pytest.approx(0.9))
    assert f"a {kind} at {find['time']:.2f} s (frame {find['frame']}, score 0.90)" in outcome.reason
    on_it = clips.secret_pixels(clips.pictures_of(outcome.output)[find["frame"]])
    x0, y0, x1, y1 = (round(side) for side in find["box"])
    assert on_it[y0 - 2 : y1 + 2, x0 - 2 : x1 + 2].sum() == on_it.sum() > 200
    assert find["time"] == pytest.approx(_seconds(outcome.output)[find["frame"]], abs=0.002)


def _seconds(output: Path) -> list[float]:
    times = clips.contents(output).times()
    return [time - times[0] for time in times]


def test_a_few_frames_before_the_first_mask_are_found(clip: Library, run: Run) -> None:
    """The first 20 sights are missed, and a mask reaches 15 frames back: 5 frames are bare, of which one is seen."""
    outcome = run(clip("30.mp4"), Finder(miss_first=20), Finder())
    (find,) = look_of(outcome)["finds"]
    assert (find["frame"], find["first"], find["last"], find["sights"]) == (5, 5, 5, 1)
    assert outcome.status is VideoStatus.NEEDS_REVIEW


def _good(number: int, name: str) -> Any:
    return pytest.param(name, id=name, marks=[pytest.mark.slow] if number % 3 else [])


@pytest.mark.parametrize("name", [_good(number, name) for number, name in enumerate(clips.GOOD)])
def test_it_is_silent_where_all_is_covered(clip: Library, run: Run, name: str) -> None:
    """Even where a mask itself looks like a face."""
    outcome = run(clip(name), Finder(), Finder(), Stubborn())
    assert outcome.status is VideoStatus.MASKED, outcome.reason
    told = look_of(outcome)
    assert (told["finds"], told["models"]) == ([], ["finder", "stubborn"])
    assert told["frames"] >= len(tracks_of(outcome.output)["pts"]) / 5 if outcome.output else False


def test_books_tell_what_was_found_or_that_nobody_looked(clip: Library, run: Run, tmp_path: Path) -> None:
    found = run(clip("30.mp4"), Finder(miss_first=BLIND), Finder())
    assert found.output is not None
    unlooked = run(clip("25.mov"), Finder(), settings=SETTINGS)
    assert unlooked.output is not None
    lines = list(audit_log.records(tmp_path / "out" / audit_log.NAME))
    for line, output, ran in zip(lines, (found.output, unlooked.output), (True, False), strict=True):
        check_schema(line, "audit")
        told = tracks_of(output)
        check_schema(told, "tracks")
        assert told["second_look"] == line["second_look"]
        assert line["second_look"]["ran"] is ran
    assert "recheck" in lines[0]["seconds"]
    assert lines[1]["second_look"] == {"ran": False}


def test_what_was_not_looked_at_again_is_not_done(clip: Library, run: Run) -> None:
    first = Finder()
    assert run(clip("30.mp4"), first, settings=SETTINGS).status is VideoStatus.MASKED
    assert run(clip("30.mp4"), first, Finder()).status is VideoStatus.MASKED
    assert run(clip("30.mp4"), first, Finder()).status is VideoStatus.SKIPPED


def test_a_wish_that_nobody_can_fulfil_is_no_pass(clip: Library, run: Run) -> None:
    assert run(clip("30.mp4"), Finder()).status is VideoStatus.BUG


def test_what_lies_in_an_ignored_zone_is_not_told(clip: Library, run: Run) -> None:
    everywhere = Zones(ignore=(Zone("all", (0, 0, 1, 1)),))
    outcome = run(clip("30.mp4"), Finder(), Finder(), settings=replace(AGAIN, zones=everywhere))
    assert outcome.status is VideoStatus.MASKED
    assert look_of(outcome)["finds"] == []


@pytest.mark.parametrize(("score", "status"), [(0.63, VideoStatus.MASKED), (0.68, VideoStatus.NEEDS_REVIEW)])
def test_several_sights_have_to_agree(clip: Library, run: Run, score: float, status: VideoStatus) -> None:
    """Thresholds are 0.5; two sights count from 0.65."""

    class Doubtful(Finder):
        def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
            return [replace(found, scores=np.minimum(found.scores, score)) for found in super().__call__(pictures)]

    assert run(clip("30.mp4"), Finder(miss_first=BLIND), Doubtful()).status is status


def test_stopped_in_the_second_look_it_goes_on_there(clip: Library, run: Run, tmp_path: Path) -> None:
    class Stopped(Finder):
        def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
            if self.calls:
                raise KeyboardInterrupt
            return super().__call__(pictures)

    first, second = Finder(miss_first=BLIND), Finder()
    with pytest.raises(KeyboardInterrupt):
        run(clip("30.mp4"), first, Stopped())
    calls = first.calls
    assert len(work_left(tmp_path / "out")) == 1
    outcome = run(clip("30.mp4"), first, second)
    assert (first.calls, outcome.status) == (calls, VideoStatus.NEEDS_REVIEW)
    assert second.pictures < look_of(outcome)["frames"], "a segment that was looked at is not looked at again"
    assert not work_left(tmp_path / "out")


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command with a blind detector, and `seer.onnx` as the name of one that sees."""

    def chosen(detect: DetectOptions, **_: Any) -> Finder:
        seer = Finder(identity=ModelIdentity("seer", "5" * 64))
        return seer if detect.models == ("seer.onnx",) else Finder(miss_first=BLIND)

    monkeypatch.setattr(redact, "detector_of", chosen)
    monkeypatch.setattr(masking, "detector_of", chosen)
    monkeypatch.setattr(cli.app.signal, "signal", lambda *_: None)
    return lambda *words: CliRunner().invoke(cli.main, ["redact", "-q", *map(str, words)])


def test_second_model_on_the_command_line(clip: Library, tmp_path: Path, call: Callable[..., Any]) -> None:
    out = tmp_path / "out"
    done = call(clip("30.mp4"), "-o", out)
    assert (done.exit_code, done.stderr) == (ExitCode.OK, ""), "the blind one sees nothing the second time either"
    done = call(clip("30.mp4"), "-o", out, "--second-model", "seer.onnx")
    assert done.exit_code == ExitCode.NEEDS_REVIEW
    assert done.stderr.startswith("dashredact: 30.mp4: the masked video still shows what may be a face at 0.")
    done = call(clip("30.mp4"), "-o", out, "--no-second-look")
    assert done.exit_code == ExitCode.OK
    looks = [record["second_look"] for record in audit_log.records(out / audit_log.NAME)]
    assert [look["ran"] for look in looks] == [True, True, False]
    assert looks[1]["models"] == ["finder", "seer"]


def test_second_model_and_no_second_look_contradict(clip: Library, tmp_path: Path, call: Callable[..., Any]) -> None:
    done = call(clip("30.mp4"), "-o", tmp_path / "out", "--no-second-look", "--second-model", "seer.onnx")
    assert done.exit_code == ExitCode.USAGE
    assert "--second-model has nothing to do" in done.stderr


def test_the_report_says_what_was_seen_and_what_is_masked_by_now(clip: Library, run: Run, tmp_path: Path) -> None:
    source, out = clip("30.mp4"), tmp_path / "out"
    outcome = run(source, Finder(miss_first=BLIND), Finder())
    look, last = look_of(outcome), (outcome.record or {})["frames"]["out"] - 1
    find = look["finds"][0]

    def page() -> str:
        assert CliRunner().invoke(cli.main, ["report", str(out)]).exit_code == 0
        (path,) = (out / "report").glob("30*.html")
        return path.read_text()

    before = page()
    assert f"by {look['models'][0]}" in before and ", ".join(map(str, find["box"])) in before
    assert "0 of 1 are under a mask by now" in before and "再確認" in before
    box = ",".join(map(str, find["box"]))
    words = ["mark", out, "30.mp4", "--kind", find["kind"], "--box", box, "--frames", f"0..{last}"]
    for command in (words, ["apply", out, "30.mp4", "--source", source, "-q"]):
        done = CliRunner().invoke(cli.main, ["review", *map(str, command)])
        assert done.exit_code == 0, done.output
    assert "1 of 1 are under a mask by now" in page()


def test_a_look_that_did_not_run_is_said(clip: Library, run: Run, tmp_path: Path) -> None:
    run(clip("30.mp4"), Finder(), settings=SETTINGS)
    assert CliRunner().invoke(cli.main, ["report", str(tmp_path / "out")]).exit_code == 0
    (path,) = (tmp_path / "out" / "report").glob("30*.html")
    assert "None ran: nobody and nothing looked" in path.read_text()
