"""Detections of an earlier run, kept beside its results: with them, a video is masked again without detecting."""

from itertools import count, takewhile
from pathlib import Path

from dashredact import files
from dashredact.errors import RefusedError
from dashredact.settings import Settings
from dashredact.values import Detector
from dashredact.workspace import kept
from dashredact.workspace.inbox import Item
from dashredact.workspace.index import Index
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.work_folder import WorkFolder


class DetectionsCache:
    """Of one output folder, under one detector and settings."""

    def __init__(self, folder: OutputFolder, index: Index, detector: Detector, settings: Settings) -> None:
        self._folder, self._index, self._detector, self._settings = folder, index, detector, settings

    def path(self, item: Item) -> Path:
        return self._folder.path / self._name(item)

    def restore(self, item: Item, sha256: str, work: WorkFolder, *, must: bool) -> None:
        """Put kept detections into the work folder if the log vouches for the file: changed ones would uncover faces.

        sha256: of the source. must: RefusedError where none are kept, and the work folder has none of its own.
        """
        if work.detections(0) is not None:
            return
        digest, path = self._index.kept(self._name(item)), self.path(item)
        segments = kept.read(path, self._key(sha256)) if digest and files.has_digest(path, digest) else []
        if must and not segments:
            raise RefusedError(
                f"{item.name}: no detections of this file and model are kept; mask it with --keep-detections first."
            )
        for number, segment in enumerate(segments):
            work.save_detections(number, segment)

    def pack(self, sha256: str, work: WorkFolder, target: Path) -> None:
        """Write what pass one detected into one file. sha256: of the source."""
        segments = takewhile(lambda segment: segment is not None, (work.detections(number) for number in count()))
        kept.write(target, self._key(sha256), [segment for segment in segments if segment is not None])

    def _name(self, item: Item) -> str:
        return item.stem.with_name(files.bounded_name(item.stem.name, kept.DETECTIONS)).as_posix()

    def _key(self, sha256: str) -> str:
        return kept.key(sha256, self._detector, self._settings)
