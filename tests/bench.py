"""Speed of one video, from the command line on, against a plain ffmpeg transcode of the same clip on the same machine.

Not a test: it asserts nothing. Both are run in turn several times, and the medians and their ratio are printed, because
machines are shared and single times mislead. The clip is the sample, scaled to 1080p30 with sensor noise and looped.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "samples" / "street.mp4"
_ENCODE = ["-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20"]
_QUIET = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-y"]
_STAGES = ("decode", "scale", "detect", "track", "paint", "encode", "join", "verify")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", nargs="?", type=Path, help="a clip of your own instead")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20, help="length of the made clip")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dashredact-bench-") as scratch:
        folder = Path(scratch)
        clip = options.clip or _made_clip(folder, options.seconds)
        plain, ours = [], []
        for run in range(options.runs):
            plain.append(_timed([*_QUIET, "-i", str(clip), *_ENCODE, str(folder / "plain.mp4")]))
            ours.append(_masked(clip, folder / f"out-{run}", options.device))
    _print(plain, ours)


def _made_clip(folder: Path, seconds: int) -> Path:
    clip = folder / "clip.mp4"
    scale = "scale=1920:1080:flags=bicubic,fps=30,noise=alls=3:allf=t"
    source = ["-stream_loop", "-1", "-i", str(SAMPLE), "-t", str(seconds), "-vf", scale]
    subprocess.run([*_QUIET, *source, "-an", "-c:v", "libx264", "-crf", "18", str(clip)], check=True)
    return clip


def _timed(argv: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _masked(clip: Path, out: Path, device: str) -> dict[str, float]:
    """Wall seconds of the whole command and of its stages, frames, and its peak memory in MiB."""
    redact = [
        sys.executable,
        "-m",
        "dashredact",
        "redact",
        str(clip),
        "-o",
        str(out),
        "--device",
        device,
        "--json",
        "-q",
    ]
    began = time.perf_counter()
    process = subprocess.Popen(redact, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"dashredact ended with code {process.returncode}")
    record = json.loads(told)
    return {"wall": wall, "memory": usage.ru_maxrss / 1024, "frames": record["frames"]["out"], **record["seconds"]}


def _print(plain: list[float], ours: list[dict[str, float]]) -> None:
    frames = ours[0]["frames"]
    wall = statistics.median(run["wall"] for run in ours)
    transcode = statistics.median(plain)
    ratio = statistics.median(one / other["wall"] for one, other in zip(plain, ours, strict=True))
    print(f"{frames:.0f} frames, medians of {len(ours)} runs in turn")
    print(f"plain transcode   {transcode:7.2f} s  {frames / transcode:6.1f} frames/s")
    print(
        f"dashredact        {wall:7.2f} s  {frames / wall:6.1f} frames/s   {ratio:.2f} of the plain transcode's speed"
    )
    print(f"peak memory       {max(run['memory'] for run in ours):7.0f} MiB")
    print("of which, per frame (decoding and scaling of pass one run beside detecting):")
    for stage in _STAGES:
        spent = statistics.median(run.get(stage, 0.0) for run in ours)
        print(f"  {stage:8} {1000 * spent / frames:7.2f} ms")


if __name__ == "__main__":
    main()
