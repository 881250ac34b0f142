"""What a page says in sentences, in English and in Japanese."""

from collections.abc import Sequence
from typing import NamedTuple

from dashredact.audit.events import NotMasked, ReviewVerdict
from dashredact.kinds import Kind
from dashredact.report.values import DiskState, Folder, Video
from dashredact.text import plural


class Sentence(NamedTuple):
    en: str
    ja: str


_STATES = {
    DiskState.AS_LOGGED: "監査記録にある sha256 と一致しています",
    DiskState.CHANGED: "監査記録にある sha256 と一致しません。書き換えられた可能性があります",
    DiskState.MISSING: "見つかりません",
    DiskState.OUTSIDE: "名前がフォルダーの外を指しているため、開いていません",
    DiskState.PURGED: "削除の記録があります",
    DiskState.NONE: "作られていません",
}
_LIMIT = Sentence(
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


def of_video(video: Video) -> Sequence[Sentence]:
    """The summary of a video's page."""
    sentences = [_outcome(video)]
    if video.has_result:
        checked = [] if video.is_duplicate else [_checked(video)]
        looked = [] if video.is_duplicate else [_looked(video)]
        sentences += [_review(video), _found(video), *checked, *looked, _on_disk(video), *_flagged(video), _LIMIT]
    return sentences


def _outcome(video: Video) -> Sentence:
    if isinstance(video.clip.tried, NotMasked):
        earlier = Sentence(
            " What follows is of an earlier try that ended well.",
            "以下は、それより前に正常に終わった処理についての記載です。",
        )
        more = (
            earlier if video.is_earlier else Sentence(" There is no masked video of it.", "処理済の動画はありません。")
        )
        return Sentence(
            f"The last try to mask {video.name} ended as: {video.outcome}.{more.en}",
            f"{video.name} の直近の処理は「{_OUTCOMES[video.outcome]}」で終わりました。{more.ja}",
        )
    if video.outcome == "needs review":
        return Sentence(
            f"{video.name} is masked, but a person should look at it before it is used.",
            f"{video.name} は処理済ですが、利用の前に人の確認が必要です。",
        )
    if video.is_duplicate:
        return Sentence(
            f"{video.name} has the content of another video, whose masked output stands for both.",
            f"{video.name} は別の動画と同じ内容です。処理済の動画は両方に共通です。",
        )
    return Sentence(f"{video.name}: {video.outcome}.", f"{video.name}: {_OUTCOMES.get(video.outcome, video.outcome)}。")


_OUTCOMES = {
    "masked": "処理済",
    "needs review": "要確認",
    "corrected": "修正済",
    "refused": "処理の拒否",
    "refused by policy": "方針による処理の拒否",
    "failed": "失敗",
    "bug": "ツールの不具合",
    "duplicate": "重複",
}


def _found(video: Video) -> Sentence:
    frames, counts = video.frames, video.counts.items()
    english = _all_of([plural(count, f"{kind.row.singular} track") for kind, count in counts])
    japanese = "、".join(f"{kind.row.japanese} {count:,} 件" for kind, count in counts)
    length = f" ({video.length:.1f} s)" if video.length is not None else ""
    duration = f"（{video.length:.1f} 秒）" if video.length is not None else ""
    return Sentence(
        f"On its {frames:,} frames{length} {english} are masked. One person or car may give several tracks.",
        f"{frames:,} フレーム{duration}で、{japanese}の軌跡を隠しました。同じ人や車が複数の軌跡になることがあります。",
    )


def _checked(video: Video) -> Sentence:
    verified = video.result.verified
    if not verified:
        return Sentence(
            "The audit log does not say that the finished file was checked.",
            "完成したファイルを検査した記録がありません。",
        )
    frames, looked_at, masks = (int(verified.get(key, 0)) for key in ("frames", "frames_looked_at", "masks_looked_at"))
    return Sentence(
        f"The finished file was opened again: {looked_at:,} of {frames:,} frames were decoded, and {masks:,} masks were"
        " compared with what had been painted.",
        f"完成したファイルを開き直し、{frames:,} フレーム中 {looked_at:,} フレームで"
        f" {masks:,} 個のマスクを照合しました。",
    )


def _looked(video: Video) -> Sentence:
    if video.looked is None:
        return Sentence(
            "No second look was taken for what the first one missed.", "見落としを探す再確認は行われていません。"
        )
    seen = len(video.looked.finds or ())
    if not seen:
        return Sentence(
            "A second look over the masked video saw nothing that was missed.",
            "処理済の動画の再確認では、見落としは見つかりませんでした。",
        )
    english, japanese = (
        f"A second look saw {plural(seen, 'thing')} that may have been missed",
        "再確認で見落としの可能性が",
    )
    if video.left is None:
        return Sentence(f"{english}.", f"{japanese} {seen:,} 件見つかりました。")
    left = len(video.left)
    return Sentence(
        f"{english}; {left:,} of them lie under no mask now.",
        f"{japanese} {seen:,} 件見つかり、そのうち {left:,} 件は今も隠されていません。",
    )


def _on_disk(video: Video) -> Sentence:
    return Sentence(f"The masked video {video.output}.", f"処理済の動画は、{_STATES[video.output]}。")


def _flagged(video: Video) -> Sequence[Sentence]:
    if video.masks is None:
        return [
            Sentence(
                f"The tracks file {video.tracks_file}; nothing is said of single tracks here.",
                f"軌跡のファイルは、{_STATES[video.tracks_file]}。個々の軌跡は示していません。",
            )
        ]
    flagged, every = len(video.queued.flagged), len(video.masks.tracks)
    return [
        Sentence(
            f"{flagged:,} of {plural(every, 'track')} are worth a look.",
            f"{every:,} 件の軌跡のうち {flagged:,} 件は、確認をすすめます。",
        )
    ]


_VERDICTS = {ReviewVerdict.APPROVED: "承認", ReviewVerdict.REJECTED: "却下"}


def _review(video: Video) -> Sentence:
    """Who has said what of this very file, and what waits."""
    clip, review, waiting = video.clip, video.clip.review, video.clip.corrections.waiting
    more = Sentence("", "")
    if waiting:
        more = Sentence(
            f" {plural(waiting, 'correction')} not yet in the file.", f"未反映の修正が {waiting:,} 件あります。"
        )
    if review is None or not clip.verdict:
        return Sentence(
            f"Nobody has reviewed this version of the masked video.{more.en}",
            f"処理済の動画のこの版を確認した人はいません。{more.ja}",
        )
    return Sentence(
        f"{review.actor} {clip.verdict} this version of the masked video on {review.time[:10]}.{more.en}",
        f"{review.time[:10]} に {review.actor} がこの版を{_VERDICTS[clip.verdict]}しました。{more.ja}",
    )


def of_folder(folder: Folder) -> Sequence[Sentence]:
    """The summary of the batch page."""
    if folder.broken:
        return [
            Sentence(
                "The audit log is broken. Nothing it says of single videos is repeated here, because it may be false.",
                "監査記録が壊れています。内容が正しいと言えないため、個々の動画については記載していません。",
            )
        ]
    head = _HEAD if folder.has_head else _NO_HEAD
    videos, results, waiting = len(folder.rows), folder.with_result, folder.waiting
    return [
        Sentence(
            f"{plural(videos, 'video')} tried: {results:,} with a result, {waiting:,} for a person to look at.",
            f"対象の動画 {videos:,} 本のうち {results:,} 本に結果があり、{waiting:,} 本は人の確認が必要です。",
        ),
        Sentence(
            f"The audit log is unbroken over {plural(folder.lines, 'line')}: no line was changed, removed or moved."
            f" {head.en}",
            f"監査記録の {folder.lines:,} 行はつながっており、変更・削除・並べ替えはありません。{head.ja}",
        ),
        *_missed(folder),
        _LIMIT,
    ]


_HEAD = Sentence(
    "The head file beside it names its last line, so a cut off end would be noticed, except by whoever can change both:"
    " keep copies of audit.head.json elsewhere.",
    "横にある audit.head.json が最後の行を示すため、末尾の切り取りは分かります。両方を書き換えられる人に備え、"
    "写しを別の場所に保管してください。",
)
_NO_HEAD = Sentence(
    "There is no head file beside it, so nothing shows whether its end was cut off.",
    "audit.head.json がないため、末尾が切り取られたかどうかは分かりません。",
)


def _missed(folder: Folder) -> Sequence[Sentence]:
    """What the newest verdicts on drawn frames prove."""
    judged = [draw for draw in folder.draws if draw.judged]
    if not judged:
        return []
    draw = next((draw for draw in reversed(judged) if not draw.draw.names), judged[-1])
    names = ", ".join(draw.draw.names)
    where = Sentence(f" of the videos {names}", f"（対象: {names}）") if names else Sentence("", "")
    english = _all_of([f"{bound.most:,.1f} {kind}-seconds" for kind, bound in draw.bounds.items()])
    japanese = "、".join(f"{_japanese(kind)}が {bound.most:,.1f} 秒" for kind, bound in draw.bounds.items())
    since = (
        Sentence(" The videos have changed since.", "その後、動画は変わっています。")
        if not draw.same
        else Sentence("", "")
    )
    frames = draw.draw.frames
    return [
        Sentence(
            f"A person judged {plural(frames, 'frame')}{where.en} drawn by chance: with 95 % confidence at most"
            f" {english} an hour are left unmasked, if no moment holds more missed objects than the judged frames."
            f"{since.en}",
            f"無作為に選んだ {frames:,} フレーム{where.ja}を人が確認しました。隠されずに残るのは、信頼度 95 % で"
            f" 1 時間あたり最大で {japanese}です（確認したフレームより多くの見落としが重なる瞬間がない場合）。"
            f"{since.ja}",
        )
    ]


def _japanese(kind: str) -> str:
    return Kind(kind).row.japanese if kind in list(Kind) else kind


def _all_of(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`"""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
