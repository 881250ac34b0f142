"""Detections of an earlier run, kept beside its results: brought back, they leave only linking and painting to do."""

from itertools import count
from pathlib import Path

from dashredact import files
from dashredact.errors import RefusedError
from dashredact.settings import Settings
from dashredact.values import Detector, SegmentDetections
from dashredact.workspace import kept
from dashredact.workspace.inbox import Item
from dashredact.workspace.index import Index
from dashredact.workspace.work_folder import WorkFolder


class DetectionsCache:
    """Of one output folder, under one detector and settings."""

    def __init__(self, out: Path, index: Index, detector: Detector, settings: Settings) -> None:
        self._out, self._index, self._detector, self._settings = out, index, detector, settings

    def path(self, item: Item) -> Path:
        return self._out / self._name(item)

    def bring(self, item: Item, sha256: str, job: WorkFolder, *, must: bool) -> None:
        """Kept detections become those of the job, if the log vouches for the file: a changed one would uncover faces.

        sha256: of the source. must: RefusedError where none are kept, and the job has none of its own.
        """
        if job.look(0) is not None:
            return
        digest = self._index.kept(self._name(item))
        looks = (
            kept.read(self.path(item), self._key(sha256))
            if digest and files.has_digest(self.path(item), digest)
            else []
        )
        if must and not looks:
            raise RefusedError(
                f"{item.name}: no detections of this file and model are kept; mask it with --keep-detections first."
            )
        for number, look in enumerate(looks):
            job.save_look(number, look)

    def keep(self, item: Item, sha256: str, job: WorkFolder) -> Path:
        """Give what pass one saw its final name."""
        unfinished, looks = job.folder / "kept.tmp", list[SegmentDetections]()
        for number in count():
            look = job.look(number)
            if look is None:
                break
            looks.append(look)
        kept.write(unfinished, self._key(sha256), looks)
        files.publish(unfinished, self.path(item))
        return self.path(item)

    def _name(self, item: Item) -> str:
        return item.stem.with_name(files.bounded_name(item.stem.name, kept.DETECTIONS)).as_posix()

    def _key(self, sha256: str) -> str:
        return kept.key(sha256, self._detector, self._settings)
