from __future__ import annotations

from random import Random

import pytest

from tui.demo.store import CompactedError, Event, Store


def _object(name: str, value: int, namespace: str = "default") -> dict[str, object]:
    metadata = {"name": name, "namespace": namespace, "uid": f"{namespace}/{name}"}
    return {"metadata": metadata, "value": value}


def _shown(store: Store, revision: int | None) -> list[tuple[str, str, int]]:
    return [(e.namespace, e.name, e.data["value"]) for e in store.list_at("things", None, revision)]


def test_every_revision_of_the_history_can_be_listed() -> None:
    rng = Random(3)
    store = Store(history=1000)
    moments = {}
    for step in range(400):
        name, namespace = f"n{rng.randrange(12)}", rng.choice(["a", "b"])
        if rng.random() < 0.3 and store.get("things", namespace, name):
            store.remove("things", namespace, name)
        else:
            store.put("things", _object(name, step, namespace))
        moments[store.revision] = _shown(store, None)
    for revision, expected in moments.items():
        assert _shown(store, revision) == expected


def test_the_events_since_a_revision_lead_to_the_present() -> None:
    rng = Random(4)
    store = Store(history=1000)
    for step in range(300):
        name = f"n{rng.randrange(9)}"
        if rng.random() < 0.3 and store.get("things", "default", name):
            store.remove("things", "default", name)
        else:
            store.put("things", _object(name, step))
    for start in (0, 57, 170, 299):
        state = {e.key: e.revision for e in store.list_at("things", None, start)}
        for event in store.since("things", start):
            if event.type == "DELETED":
                del state[event.entry.key]
            else:
                assert (event.type == "ADDED") == (event.entry.key not in state)
                state[event.entry.key] = event.entry.revision
        assert state == {e.key: e.revision for e in store.entries("things")}


def test_the_history_is_bounded() -> None:
    store = Store(history=10)
    for step in range(30):
        store.put("things", _object("one", step))
    assert [event.entry.revision for event in store.since("things", 20)] == list(range(21, 31))
    with pytest.raises(CompactedError, match=r"too old resource version: 19 \(20\)"):
        store.since("things", 19)
    with pytest.raises(CompactedError):
        store.list_at("things", None, 5)


def test_compaction_forgets_all_but_the_present() -> None:
    store = Store()
    store.put("things", _object("one", 1))
    store.put("things", _object("one", 2))
    store.compact()
    assert _shown(store, None) == [("default", "one", 2)]
    with pytest.raises(CompactedError):
        store.since("things", 1)
    assert store.since("things", 2) == []


def test_revisions_are_one_count_for_all_kinds() -> None:
    store = Store()
    seen: list[Event] = []
    store.subscribe("things", seen.append)
    stop = store.subscribe("others", seen.append)
    store.put("things", _object("one", 1))
    store.put("others", _object("one", 1))
    stop()
    store.put("others", _object("one", 2))
    store.remove("things", "default", "one")
    assert [(e.type, e.entry.revision) for e in seen] == [
        ("ADDED", 1),
        ("ADDED", 2),
        ("DELETED", 4),
    ]
    last = seen[-1].entry
    assert last.data["metadata"]["resourceVersion"] == "4"
    assert last.data["value"] == 1


def test_compaction_may_leave_the_newest_history() -> None:
    store = Store()
    for step in range(6):
        store.put("things", _object("one", step))
    store.compact(4)
    assert [event.entry.revision for event in store.since("things", 4)] == [5, 6]
    with pytest.raises(CompactedError):
        store.since("things", 3)
    store.compact(2)  # never backwards
    with pytest.raises(CompactedError):
        store.since("things", 3)
