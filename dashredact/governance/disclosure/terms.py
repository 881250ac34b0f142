"""TERMS.txt: what whoever gets masked videos may do with them, in Japanese and English. Text out, no file."""

from dataclasses import dataclass
from datetime import date

from dashredact.governance.notice.phrases import Language, day
from dashredact.governance.policy.model import Policy, Recipient

_JA = """\
処理済映像の利用条件

提供元: {operator}
提供先: {recipient}
契約: {contract}
提供日: {today}
利用目的: {purpose}

1. 上記の目的以外に利用しないでください。契約が認めない限り、第三者に渡さず、公開しないでください。
2. 写っている人や車の持ち主を特定しないでください。覆いを取り除く、他の情報と照合するなどの試みもしないでください。
3. 権限のある人だけが扱える場所に保管してください。
4. 覆われていない顔やナンバープレートを見つけたら、その映像の利用を止め、下記へ連絡してください。
5. 訂正または削除の連絡を受けたら、古い映像を直ちに削除し、削除したことを知らせてください。
6. {delete_by}までにすべての複製を削除し、削除したことを知らせてください。

顔とナンバープレートはソフトウェアで覆っています(処理済)。検出漏れが残ることがあります。
法律上の区分は、この処理だけでは決まりません。

連絡先: {contact} {email}{phone}
"""
_EN = """\
Terms of use of masked videos

From: {operator}
To: {recipient}
Contract: {contract}
Handed over on: {today}
Purpose: {purpose}

1. Use the videos for this purpose only. Unless the contract allows it, do not pass them on or publish them.
2. Do not find out who was filmed or who owns a vehicle. Do not try to undo masks or to match them with other data.
3. Keep them where only people who need them can get at them.
4. If you find a face or a licence plate that is not masked, stop using that video and tell the contact below.
5. When you are told of a correction or a deletion, delete the old video at once and confirm that you did.
6. Delete every copy by {delete_by} and confirm that you did.

Software has masked faces and licence plates; it can miss some. Masking alone does not settle their legal category.

Contact: {contact} {email}{phone}
"""
_FORMS: dict[Language, str] = {"ja": _JA, "en": _EN}


@dataclass(frozen=True)
class Delivery:
    """One handing-over of videos."""

    recipient: Recipient
    purpose: str
    """id of a published purpose"""
    today: date
    delete_by: date


def terms(policy: Policy, delivery: Delivery) -> str:
    purpose = next(one for one in policy.purposes if one.id == delivery.purpose)
    phone = f", {policy.contact.phone}" if policy.contact.phone else ""
    common = {"contract": delivery.recipient.contract, "email": policy.contact.email, "phone": phone}
    parts = [
        form.format(
            **common,
            operator=getattr(policy.operator.name, language),
            recipient=getattr(delivery.recipient.name, language),
            purpose=getattr(purpose.name, language),
            contact=getattr(policy.contact.name, language),
            today=day(delivery.today, language),
            delete_by=day(delivery.delete_by, language),
        )
        for language, form in _FORMS.items()
    ]
    return "\n".join(parts)
