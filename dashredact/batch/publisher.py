"""Gives the results of a masked video their final names, together with their line in the audit log."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from dashredact import files
from dashredact.audit.events import FileEntry, Masked, NeedsReview, Produced
from dashredact.errors import RefusedError
from dashredact.formats import tracks_json
from dashredact.pipeline import audit_record
from dashredact.pipeline.video import RenderedVideo
from dashredact.values import Detector
from dashredact.workspace.detections_cache import DetectionsCache
from dashredact.workspace.inbox import MASKED, TRACKS, Item
from dashredact.workspace.index import Index
from dashredact.workspace.journal import Move, Publication
from dashredact.workspace.output_folder import OutputFolder
from dashredact.workspace.sources import Source
from dashredact.workspace.work_folder import WorkFolder

_TRACKS, _DETECTIONS = "tracks.json", "detections.npz"
"""in the work folder, before they get their final names"""


class Publisher:
    """Into one output folder, whose lock is held."""

    def __init__(
        self,
        folder: OutputFolder,
        index: Index,
        cache: DetectionsCache,
        detector: Detector,
        *,
        keep_detections: bool,
        masked_limit: float,
    ) -> None:
        """masked_limit: mean share of the picture under masks above which a person should look."""
        self._folder, self._index, self._cache, self._detector = folder, index, cache, detector
        self._keep_detections, self._masked_limit = keep_detections, masked_limit

    def publish(
        self, item: Item, source: Source, work: WorkFolder, rendered: RenderedVideo, context: Mapping[str, Any]
    ) -> Produced:
        """All or nothing; after a crash the next command finishes or undoes it. Returns the event that was logged.

        RefusedError where a name is taken by a file that does not belong to this source.
        """
        reasons = audit_record.review_reasons(rendered, self._masked_limit)
        about = audit_record.of_rendered(rendered)
        second_look = to_builtins(about["second_look"])
        content = tracks_json.encode(
            rendered, source_sha256=source.sha256, model=self._detector.identity, second_look=second_look
        )
        files.write(work.folder / _TRACKS, content)
        stem = self._folder.path / item.stem
        output = stem.with_name(files.bounded_name(stem.name, f"{MASKED}.{rendered.selection.container}"))
        finals = {_TRACKS: stem.with_name(files.bounded_name(stem.name, TRACKS))}
        if self._keep_detections:
            self._cache.save(source.sha256, work, work.folder / _DETECTIONS)
            finals[_DETECTIONS] = self._cache.path(item)
        finals[rendered.path.name] = output
        for path in finals.values():
            self._check_free(item, path, source)
        digests = {rendered.path.name: rendered.sha256}
        entries = {
            name: self._folder.entry(work.folder / name, sha256=digests.get(name, ""), final=path)
            for name, path in finals.items()
        }
        event_class = NeedsReview if reasons else Masked
        event = event_class(
            **context,
            **about,
            reason=f"{item.name}: {'; '.join(reasons)}." if reasons else "",
            output=entries[rendered.path.name],
            tracks_file=entries[_TRACKS],
            files=[entries[_DETECTIONS]] if self._keep_detections else [],
        )
        moves = tuple(_move(name, entry) for name, entry in entries.items())
        record = event.to_record()
        self._folder.carry_out(Publication(self._folder.name_of(work.folder), moves, record), append=self._index.append)
        return event

    def _check_free(self, item: Item, path: Path, source: Source) -> None:
        """RefusedError unless the name is free, or the log gave it to this source."""
        if not path.exists() and not path.is_symlink():
            return
        name = self._folder.name_of(path)
        owner = self._index.owner(name)
        same = owner and (owner.place == source.place or owner.source_sha256 == source.sha256)
        if owner is None or owner.name != item.name or not same:
            reason = f"belongs to another {owner.name}" if owner else "is not in the audit log"
            raise RefusedError(f"{item.name}: {name} exists already and {reason}; move it, or choose another folder.")


def _move(name: str, entry: FileEntry) -> Move:
    return Move(name, entry.name, entry.sha256)
