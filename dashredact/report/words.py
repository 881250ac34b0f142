"""What a page says in sentences, in English and in Japanese."""

from collections.abc import Sequence
from typing import NamedTuple

from dashredact.kinds import Kind
from dashredact.report.values import BAD, DUPLICATE, FileState, Folder, Video
from dashredact.text import plural


class Said(NamedTuple):
    en: str
    ja: str


_STATES = {
    FileState.AS_LOGGED: "監査記録にある sha256 と一致しています",
    FileState.CHANGED: "監査記録にある sha256 と一致しません。書き換えられた可能性があります",
    FileState.MISSING: "見つかりません",
    FileState.OUTSIDE: "名前がフォルダーの外を指しているため、開いていません",
    FileState.PURGED: "削除の記録があります",
    FileState.NONE: "作られていません",
}
_LIMIT = Said(
    "No detector finds everything: this page tells what was found and masked, not what was missed.",
    "検出は完全ではありません。このページが示すのは見つけて隠したものであり、見落としの有無ではありません。",
)


def clock(seconds: float) -> str:
    """`0:03.4`, or `1:02:03.4` from an hour on."""
    tenths = round(seconds * 10)
    hours, rest = divmod(tenths, 36000)
    minutes, rest = divmod(rest, 600)
    tail = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minutes:02}:{tail}" if hours else f"{minutes}:{tail}"


def of_video(video: Video) -> Sequence[Said]:
    """The summary of a video's page."""
    said = [_outcome(video)]
    if video.record.get("output"):
        checked = [] if video.act == DUPLICATE else [_checked(video)]
        looked = [] if video.act == DUPLICATE else [_looked(video)]
        said += [_found(video), *checked, *looked, _on_disk(video), *_risky(video), _LIMIT]
    return said


def _outcome(video: Video) -> Said:
    if video.act in BAD:
        earlier = Said(
            " What follows is of an earlier try that ended well.",
            "以下は、それより前に正常に終わった処理についての記載です。",
        )
        more = earlier if video.earlier else Said(" There is no masked video of it.", "処理済の動画はありません。")
        return Said(
            f"The last try to mask {video.name} ended as: {video.act}.{more.en}",
            f"{video.name} の直近の処理は「{_ACTS[video.act]}」で終わりました。{more.ja}",
        )
    if video.act == "needs review":
        return Said(
            f"{video.name} is masked, but a person should look at it before it is used.",
            f"{video.name} は処理済ですが、利用の前に人の確認が必要です。",
        )
    if video.act == DUPLICATE:
        return Said(
            f"{video.name} has the content of another video, whose masked output stands for both.",
            f"{video.name} は別の動画と同じ内容です。処理済の動画は両方に共通です。",
        )
    return Said(f"{video.name}: {video.act}.", f"{video.name}: {_ACTS.get(video.act, video.act)}。")


_ACTS = {
    "masked": "処理済",
    "needs review": "要確認",
    "corrected": "修正済",
    "refused": "処理の拒否",
    "refused by policy": "方針による処理の拒否",
    "failed": "失敗",
    "bug": "ツールの不具合",
    "duplicate": "重複",
}


def _found(video: Video) -> Said:
    frames, counts = video.frames, video.counts.items()
    english = _all_of([plural(count, f"{kind.row.singular} track") for kind, count in counts])
    japanese = "、".join(f"{kind.row.japanese} {count:,} 件" for kind, count in counts)
    length = f" ({video.length:.1f} s)" if video.length is not None else ""
    duration = f"（{video.length:.1f} 秒）" if video.length is not None else ""
    return Said(
        f"On its {frames:,} frames{length} {english} are masked. One person or car may give several tracks.",
        f"{frames:,} フレーム{duration}で、{japanese}の軌跡を隠しました。同じ人や車が複数の軌跡になることがあります。",
    )


def _checked(video: Video) -> Said:
    if not video.told("verified"):
        return Said(
            "The audit log does not say that the finished file was checked.",
            "完成したファイルを検査した記録がありません。",
        )
    frames, looked_at, masks = (
        int(video.told("verified", key) or 0) for key in ("frames", "frames_looked_at", "masks_looked_at")
    )
    return Said(
        f"The finished file was opened again: {looked_at:,} of {frames:,} frames were decoded, and {masks:,} masks were"
        " compared with what had been painted.",
        f"完成したファイルを開き直し、{frames:,} フレーム中 {looked_at:,} フレームで"
        f" {masks:,} 個のマスクを照合しました。",
    )


def _looked(video: Video) -> Said:
    if video.looked is None:
        return Said(
            "No second look was taken for what the first one missed.", "見落としを探す再確認は行われていません。"
        )
    seen = len(video.looked["finds"])
    if not seen:
        return Said(
            "A second look over the masked video saw nothing that was missed.",
            "処理済の動画の再確認では、見落としは見つかりませんでした。",
        )
    english, japanese = (
        f"A second look saw {plural(seen, 'thing')} that may have been missed",
        "再確認で見落としの可能性が",
    )
    if video.left is None:
        return Said(f"{english}.", f"{japanese} {seen:,} 件見つかりました。")
    left = len(video.left)
    return Said(
        f"{english}; {left:,} of them lie under no mask now.",
        f"{japanese} {seen:,} 件見つかり、そのうち {left:,} 件は今も隠されていません。",
    )


def _on_disk(video: Video) -> Said:
    return Said(f"The masked video {video.output}.", f"処理済の動画は、{_STATES[video.output]}。")


def _risky(video: Video) -> Sequence[Said]:
    if video.masks is None:
        return [
            Said(
                f"The tracks file {video.tracks_file}; nothing is said of single tracks here.",
                f"軌跡のファイルは、{_STATES[video.tracks_file]}。個々の軌跡は示していません。",
            )
        ]
    risky, every = len(video.masks.risky), len(video.masks.tracks)
    return [
        Said(
            f"{risky:,} of {plural(every, 'track')} have a reason to be looked at.",
            f"{every:,} 件の軌跡のうち {risky:,} 件に、確認をすすめる理由があります。",
        )
    ]


def of_folder(folder: Folder) -> Sequence[Said]:
    """The summary of the batch page."""
    if folder.broken:
        return [
            Said(
                "The audit log is broken. Nothing it says of single videos is repeated here, because it may be false.",
                "監査記録が壊れています。内容が正しいと言えないため、個々の動画については記載していません。",
            )
        ]
    done = sum(row.act not in BAD for row in folder.rows)
    todo = sum(bool(row.todo) for row in folder.rows)
    return [
        Said(
            f"{plural(len(folder.rows), 'video')} tried: {done:,} with a result, {todo:,} for a person to look at.",
            f"対象の動画 {len(folder.rows):,} 本のうち {done:,} 本に結果があり、{todo:,} 本は人の確認が必要です。",
        ),
        Said(
            f"The audit log is unbroken over {plural(folder.lines, 'line')}: no line was changed, removed or moved."
            " The log alone cannot tell whether its end was cut off.",
            f"監査記録の {folder.lines:,} 行はつながっており、変更・削除・並べ替えはありません。"
            "末尾が切り取られたかどうかは、記録だけでは分かりません。",
        ),
        *_missed(folder),
        _LIMIT,
    ]


def _missed(folder: Folder) -> Sequence[Said]:
    """What the newest verdicts on drawn frames prove."""
    judged = [draw for draw in folder.draws if draw.judged]
    if not judged:
        return []
    draw = next((draw for draw in reversed(judged) if not draw.told["names"]), judged[-1])
    names = ", ".join(draw.told["names"])
    where = Said(f" of the videos {names}", f"（対象: {names}）") if names else Said("", "")
    english = _all_of([f"{bound.most:,.1f} {kind}-seconds" for kind, bound in draw.bounds.items()])
    japanese = "、".join(f"{Kind(kind).row.japanese}が {bound.most:,.1f} 秒" for kind, bound in draw.bounds.items())
    since = Said(" The videos have changed since.", "その後、動画は変わっています。") if not draw.same else Said("", "")
    frames = draw.told["frames"]
    return [
        Said(
            f"A person judged {plural(frames, 'frame')}{where.en} drawn by chance: with 95 % confidence at most"
            f" {english} an hour are left unmasked, if no moment holds more missed objects than the judged frames."
            f"{since.en}",
            f"無作為に選んだ {frames:,} フレーム{where.ja}を人が確認しました。隠されずに残るのは、信頼度 95 % で"
            f" 1 時間あたり最大で {japanese}です（確認したフレームより多くの見落としが重なる瞬間がない場合）。"
            f"{since.ja}",
        )
    ]


def _all_of(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`"""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
