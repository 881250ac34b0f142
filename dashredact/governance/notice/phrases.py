"""The notice's own words in both languages. The word for our videos is masked, 処理済."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from dashredact.governance.policy.words import Facing

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")

TITLE = {"ja": "車載カメラの映像利用のお知らせ", "en": "Notice: cameras on our vehicles"}
HEADINGS: Mapping[str, Mapping[Language, str]] = {
    "operator": {"ja": "撮影し責任を負う事業者", "en": "Who films and answers for it"},
    "purposes": {"ja": "撮影するものと利用目的", "en": "What is filmed, and why"},
    "benefit": {"ja": "皆さまにとっての利点", "en": "What you gain from it"},
    "cameras": {"ja": "カメラの位置と撮影範囲", "en": "Cameras and what they see"},
    "made": {"ja": "映像から作るもの", "en": "What is made of the footage"},
    "masking": {"ja": "顔とナンバープレートの処理", "en": "How faces and licence plates are hidden"},
    "identifiable": {"ja": "個人の識別", "en": "Whether a person can be identified"},
    "recipients": {"ja": "提供先", "en": "Who receives masked footage"},
    "processors": {"ja": "委託先", "en": "Who works on footage for us"},
    "retention": {"ja": "保存期間", "en": "How long anything is kept"},
    "contact": {"ja": "お問い合わせ先", "en": "Contact"},
    "start": {"ja": "開始日", "en": "Start"},
}
FILMED = {
    "ja": "走行中の車両から街路の映像を撮影します。通行中の人や車が写ることがあります。",
    "en": "Moving vehicles film the streets. People and vehicles that pass by may be in the picture.",
}
MASKING = {
    "ja": "利用の前に、顔とナンバープレートをソフトウェアで検出し、元に戻せない方法で覆います(処理済)。"
    "検出漏れが残ることがあります。お気づきの際は下記までご連絡ください。",
    "en": "Before use, software finds faces and licence plates and covers them in a way that cannot be undone (masked)."
    " It can miss some. Please tell us if you find one.",
}
IDENTIFIABLE = {
    True: {"ja": "個人を識別できる場合があります。", "en": "a person can be identified from it."},
    False: {"ja": "個人を識別しません。", "en": "no person is identified from it."},
}
CONTEXT = {
    "ja": "顔を覆っていても、服装や場所から知人に分かることがあります。",
    "en": "Even with a face covered, somebody who knows you may recognise you by clothes or place.",
}
NOBODY = {"ja": "ありません。", "en": "Nobody."}
FOR = {"ja": "{name}(目的: {purposes})", "en": "{name}, for: {purposes}"}
CAPTURED_FOR = {"ja": "{facing}: {view}(撮影目的: {purpose})", "en": "{facing}: {view}. Films for: {purpose}"}
UNUSED = {
    "ja": "。このカメラの映像は上記の目的に利用しません。",
    "en": ". Footage of this camera is not used for the above.",
}
VEHICLES = {"ja": "車両数: {count}台、地域: {area}", "en": "{count} vehicles, area: {area}"}
SENSITIVE = {
    "security": {"ja": "防犯", "en": "security"},
    "evidence": {"ja": "事故などの証拠", "en": "evidence of accidents and trouble"},
}
FACING: Mapping[Facing, Mapping[Language, str]] = {
    Facing.OUTWARD: {"ja": "車外向き", "en": "Facing outward"},
    Facing.REAR: {"ja": "後方向き", "en": "Facing the rear"},
    Facing.CABIN: {"ja": "車内向き", "en": "Facing the cabin"},
    Facing.UNKNOWN: {"ja": "向き未確認", "en": "Direction not known"},
}
STAGES: Mapping[str, Mapping[Language, str]] = {
    "captured": {"ja": "撮影した映像(処理前): {days}日", "en": "Footage before masking: {days} days"},
    "masked": {"ja": "処理済の映像: {days}日", "en": "Masked footage: {days} days"},
    "audit": {"ja": "処理の記録: {days}日", "en": "Records of the masking: {days} days"},
}
STARTED = {"ja": "{start}以降の映像を利用します。", "en": "Footage from {start} on is used."}
PUBLISHED = {"ja": "このお知らせの公表日: {published}", "en": "This notice was published on {published}."}
STICKER = {
    "ja": {"title": "カメラ撮影中", "more": "詳しくはこちら"},
    "en": {"title": "CAMERA RECORDING", "more": "Read more"},
}


def day(when: date, language: Language) -> str:
    return f"{when.year}年{when.month}月{when.day}日" if language == "ja" else f"{when.day} {when:%B %Y}"
