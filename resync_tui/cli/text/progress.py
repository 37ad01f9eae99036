"""The live lines of `run` and `attach`, and the paragraph at their end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from resync_tui import formatting
from resync_tui.analysis.progress import Throughput, work
from resync_tui.cli.options import hint
from resync_tui.cli.text.cells import cut, shortened
from resync_tui.formatting import plural
from resync_tui.outcome import Counts, Purpose, Status
from resync_tui.previous_run import change_since
from resync_tui.results import Batch, LastResync, Present
from resync_tui.screens.widgets.glyphs import Glyphs

SHOWN = 8
"""Districts of a campaign that have a line while they run."""
ALL_KINDS = ("inserted", "updated", "unchanged", "removed", "excluded", "rejected", "blocked", "extra")
WORDS = {
    Purpose.RESYNC: dict(zip(ALL_KINDS, ALL_KINDS, strict=True)),
    Purpose.REMOVE_EXTRA: dict(zip(ALL_KINDS, ALL_KINDS, strict=True)),
    Purpose.VERIFY: {
        "unchanged": "matched", "updated": "different", "inserted": "missing", "excluded": "excluded",
        "rejected": "rejected", "blocked": "blocked", "extra": "extra",
    },
}  # fmt: skip
"""Words for the kinds of counts, by the purpose of the batch."""


def place(batch: Batch, names: Mapping[str, str]) -> str:
    """Return the name and id of a batch's district."""
    name = names.get(batch.district)
    return f"{name} ({batch.district})" if name else f"district {batch.district}"


@dataclass(slots=True)
class Progress:
    """The progress of some batches, sampled whenever they are read."""

    names: Mapping[str, str]
    """Names of the districts, by id."""
    glyphs: Glyphs
    districts_at_once: int
    """Batches that run at a time, over all agents."""
    pace: Throughput = field(default_factory=Throughput)

    def lines(self, batches: Sequence[Batch], present: Present, at: datetime, width: int) -> list[str]:
        """Return the live lines: bar, rate, remaining time and errors in total, then a line a running district."""
        self.pace.add(at, sum(_records(each)[0] for each in batches))
        head, details = self._title(batches), self._details(batches)
        if len(batches) == 1:
            details.append(activity(batches[0], present, at, self.districts_at_once))
            return [self._bar(head, batches, width), _fitted(details, width)]
        running = [each for each in batches if each.status is Status.RUNNING]
        queued = [each for each in batches if each.status is Status.QUEUED]
        if queued:
            first = activity(queued[0], present, at, self.districts_at_once)
            details.append(f"{len(queued):,} queued, the next one {first}")
        lines = [self._bar(head, batches, width), _fitted(details, width)]
        lines += [self._district(each, present, at, width) for each in running[:SHOWN]]
        return lines + ([f"  and {len(running) - SHOWN} more"] if len(running) > SHOWN else [])

    def ended(self, batch: Batch) -> str:
        """Return the line of a district whose batch has ended."""
        counts = batch.counts
        result = f"{plural(counts.processed, 'record')}, {plural(counts.errors, 'error')}"
        return f"{place(batch, self.names)}: batch #{batch.batch} {batch.status}, {result}"

    def _title(self, batches: Sequence[Batch]) -> str:
        if len(batches) == 1:
            return f"Batch #{batches[0].batch}  {place(batches[0], self.names)}"
        ended = sum(each.status.ended for each in batches)
        return f"Request {batches[0].request}: {ended}/{len(batches)} districts"

    def _bar(self, title: str, batches: Sequence[Batch], width: int) -> str:
        part = sum(_share(each) for each in batches) / len(batches)
        end = f" {formatting.percent(part):>4}  ETA {self._remaining(batches)}"
        room = max(0, width - len(end) - 2)
        bar = max(8, room - len(title))
        return f"{shortened(title, room - bar)}  {self.glyphs.bar(part, bar)}{end}"

    def _remaining(self, batches: Sequence[Batch]) -> str:
        """Return the remaining time; none while a total or the throughput is not known."""
        open_ones = [each for each in batches if not each.status.ended]
        if any(not each.objects or None in {one.total for one in each.objects} for each in open_ones):
            return "-"
        done, whole = (sum(part) for part in zip(*(_records(each) for each in batches), strict=True))
        seconds = self.pace.seconds_for(whole - done)
        return formatting.span(seconds) if seconds is not None else "-"

    def _details(self, batches: Sequence[Batch]) -> list[str]:
        speed = self.pace.per_second
        return [
            f"{_done(batches)} records",
            *([f"{speed:,.0f}/s"] if speed else []),
            plural(sum(each.counts.errors for each in batches), "error"),
        ]

    def _district(self, batch: Batch, present: Present, at: datetime, width: int) -> str:
        part = _share(batch)
        what = activity(batch, present, at, self.districts_at_once)
        facts = [f"{formatting.percent(part):>4}", _done([batch]), plural(batch.counts.errors, "error"), what]
        name = cut(f"{place(batch, self.names)} #{batch.batch}", 24)
        return _fitted([f"  {name} {self.glyphs.bar(part, 10)}", *facts], width)


def _done(batches: Sequence[Batch]) -> str:
    """Return the records done, of a single batch with their total."""
    done = sum(each.counts.processed for each in batches)
    known = sum(one.total or 0 for one in batches[0].objects) if len(batches) == 1 else 0
    return f"{done:,}/{known:,}" if known else f"{done:,}"


def activity(batch: Batch, present: Present, at: datetime, districts_at_once: int) -> str:
    """Return what a batch does, or what it waits for."""
    if batch.status is Status.RUNNING:
        return _phases(batch)
    if batch.status.ended:
        return str(batch.status)
    if batch.not_before is not None and batch.not_before > at:
        why = "could not be reached, next try" if batch.put_off else "waits until"
        return f"{why} {formatting.when(batch.not_before)}"
    if not any(each.alive for each in present.agents):
        return "waits for an agent: none is alive"
    running = [each for each in present.active if each.status is Status.RUNNING]
    of_district = [each.batch for each in running if each.district == batch.district]
    if of_district:
        return f"waits for batch #{of_district[0]} of its district"
    if len(running) >= districts_at_once:
        return f"waits for one of {plural(len(running), 'running batch', 'running batches')}"
    return "waits for its window" if batch.scheduled else "waits for an agent to take it"


def _phases(batch: Batch) -> str:
    """Return the objects at work by their phase, and how many wait for them."""
    if batch.cancel_requested:
        return "stops at its next chunk"
    at_work = [each for each in batch.objects if each.status is Status.RUNNING and each.phase != "waiting"]
    waiting = sum(not each.status.ended for each in batch.objects) - len(at_work)
    if not at_work:
        return f"{plural(waiting, 'object')} wait" if any(each.started for each in batch.objects) else "starting"
    more = f" and {len(at_work) - 1} more" if len(at_work) > 1 else ""
    wait = f", {waiting} wait" if waiting else ""
    return f"{at_work[0].phase or 'running'} {at_work[0].object}{more}{wait}"


def _share(batch: Batch) -> float:
    """Return the share of a batch that is done; none of one that did not complete."""
    if batch.status.ended:
        return float(batch.status is Status.COMPLETED)
    return formatting.batch_share(batch)


def _records(batch: Batch) -> tuple[int, int]:
    """Return the records of a batch that are done and in all; reading one is half of it, merging it the other."""
    if batch.status.ended or not batch.objects:
        return batch.counts.processed, batch.counts.processed
    done, whole = zip(*(work(each) for each in batch.objects), strict=True)
    return sum(done) // 2, sum(whole) // 2


def _fitted(facts: Sequence[str], width: int) -> str:
    return shortened("  ".join(facts), width).rstrip()


def summary(
    batches: Sequence[Batch], names: Mapping[str, str], before: Mapping[int, Mapping[str, LastResync]], width: int
) -> list[str]:
    """Return one paragraph on ended batches, wrapped; `before` has the previous runs of each of them."""
    counts = sum((each.counts for each in batches), Counts())
    words = WORDS[batches[0].purpose]
    kinds = ", ".join(f"{getattr(counts, kind):,} {word}" for kind, word in words.items() if getattr(counts, kind))
    told = f"{plural(counts.processed, 'record')}{f': {kinds}' if kinds else ''}."
    if batches[0].purpose is Purpose.RESYNC and (rules := formatting.by_rule(counts)):
        told += f" {rules}"
    if len(batches) > 1:
        text = f"{_how_they_ended(batches)}: {told} District by district: {hint('resync-tui history')}"
    else:
        (batch,) = batches
        how, change = _how_it_ended(batch, place(batch, names)), _comparison(batch, before.get(batch.batch))
        text = f"{how}: {told}{change} {_what_to_see(batch)}"
    return formatting.folded(text, width)


def _how_it_ended(batch: Batch, where: str) -> str:
    kind = formatting.kind_of(batch)
    ran = formatting.ran_for(batch.started, batch.finished, batch.finished or batch.requested)
    done = sum(each.status is Status.COMPLETED for each in batch.objects)
    objects = f"{done} of {plural(len(batch.objects), 'object')}" if batch.objects else "no object"
    if batch.status is Status.COMPLETED:
        how = f"completed in {formatting.span(ran)}, {plural(len(batch.objects), 'object')}"
    else:
        how = f"{batch.status} after {formatting.span(ran)}, {objects} done"
    return f"Batch #{batch.batch}, {kind} of {where}, {formatting.school_year(batch.year)}, {how}"


def _how_they_ended(batches: Sequence[Batch]) -> str:
    ways = []
    for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED):
        those = [each.district for each in batches if each.status is status]
        if those:
            named = f" ({', '.join(those[:SHOWN])}{' …' if len(those) > SHOWN else ''})"
            ways.append(f"{len(those)} {status}{named if status is not Status.COMPLETED else ''}")
    year = formatting.school_year(batches[0].year)
    named = formatting.named_request(batches[0].request, [each.batch for each in batches])
    return f"{named.capitalize()}, {year}: {', '.join(ways)}"


def _comparison(batch: Batch, before: Mapping[str, LastResync] | None) -> str:
    change = change_since(batch, before or {}) if batch.purpose is Purpose.RESYNC else None
    return "" if change is None else f" Against the run before: failures {change[0]:+}, excluded {change[1]:+}."


def _what_to_see(batch: Batch) -> str:
    whole = f"Object by object: resync-tui history --batch {batch.batch}"
    if batch.counts.errors and batch.purpose is not Purpose.VERIFY:
        return hint(f"Which and why: resync-tui errors {batch.batch}. {whole}")
    return hint(whole)
