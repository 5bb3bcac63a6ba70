"""Seeded schedules: what changes in the cluster and what goes wrong, in turn."""

from __future__ import annotations

import time
from random import Random

from tests.faults.world import KINDS, STORAGE, World
from tui.demo.store import Object
from tui.demo.synthetic import objects
from tui.state.rows import Kind

FAULTS = (
    "gone:verb=watch,shape=status",
    "gone:verb=watch,shape=event",
    "gone:verb=list",
    "gone",
    "throttle:after=0",
    "throttle:after=2",
    "error",
    "error:status=503",
    "error:status=504",
    "truncate",
    "truncate:verb=list",
    "slow:delay=0.02",
    "stall:verb=watch,for=0.6",
    "stall:for=0.3",
    "expired-token",
    "forbid",
    "forbid:verb=watch",
    "forbid:verb=list",
    "drop-watches",
)
_LONG = "a message of a future version with \x1b[31mcolour\x1b[0m and [markup]"


def play(world: World, seed: int) -> list[str]:
    """Play a schedule; returns what was done, for the message of a failure."""
    random = Random(f"schedule {seed}")  # another stream than the cluster's, or uids come twice
    told = []
    for _ in range(random.randint(4, 7)):
        step = random.random()
        if step < 0.12:
            compact = random.random() < 0.7
            text = f"restart:down={random.uniform(0, 0.1):.3f},compact={str(compact).lower()}"
            world.fault(text)
            time.sleep(0.25)
        elif step < 0.24:
            world.mangler.chance = random.choice((0.0, 0.3, 0.8))
            text = f"mangle {world.mangler.chance}"
        elif step < 0.3:
            world.do(world.cluster.store.compact)
            text = "compact"
        elif step < 0.36:
            skew = random.choice((-600, 600))
            text = f"skew:skew={skew},for=0.3"
            world.fault(text)
        elif step < 0.42:
            # While it slept, the server dropped the connections and told nobody.
            world.fault("stall:verb=watch,for=0.6")
            world.suspend(3600)
            text = "suspend"
        elif step < 0.46:
            text = world.do(lambda: empty(world))
        else:
            text = _fault(random)
            world.fault(text)
        told.append(text)
        changes = random.randint(1, 6)
        told += [world.do(lambda: change(world, random)) for _ in range(changes)]
        time.sleep(random.choice((0.0, 0.01, 0.05, 0.1)))
    return told


def empty(world: World) -> str:
    """Nothing is left of a kind, and its history is gone, in the server's thread."""
    for entry in world.entries(Kind.HPAS):
        world.cluster.store.remove(STORAGE[Kind.HPAS], *entry.key)
    world.cluster.store.compact()
    return "no HPAs"


def _fault(random: Random) -> str:
    text = random.choice(FAULTS)
    if text == "drop-watches":
        return text
    scope = random.choice(("", "", *[kind.value for kind in KINDS]))
    more = [f"seed={random.randrange(1000)}"]
    if scope:
        more.append(f"resource={scope}")
    if "for=" not in text:
        more.append(f"times={random.choice((1, 2, 5, 12))}")
    if random.random() < 0.3:
        more.append("p=0.5")
    return text + (":" if ":" not in text else ",") + ",".join(more)


def change(world: World, random: Random) -> str:
    """Change one object, in the server's thread."""
    store = world.cluster.store
    kind = random.choice((Kind.PODS, Kind.PODS, Kind.PODS, Kind.HPAS, Kind.DEPLOYMENTS, Kind.NODES))
    entries = world.entries(kind)
    storage = STORAGE[kind]
    entry = random.choice(sorted(entries, key=lambda e: e.key)) if entries else None
    what = random.random()
    if kind is Kind.PODS and (entry is None or what < 0.2):
        pod = world.cluster.population.new_pod(random.choice(world.cluster.population.apps))
        pod.stage = random.choice(("pending", "starting", "ready"))
        store.put(storage, pod.object())
        return f"create {pod.name}"
    if entry is None:
        return "nothing"
    if kind is Kind.PODS and what < 0.35:
        store.remove(storage, *entry.key)
        return f"delete {entry.name}"
    data = entry.copy()
    if what < 0.5:
        # Within a millisecond: another object of that name.
        store.remove(storage, *entry.key)
        data["metadata"]["uid"] = objects.uid(random)
        data["metadata"].pop("resourceVersion")
        store.put(storage, data)
        return f"re-create {kind.value}/{entry.name}"
    if kind is Kind.PODS and what < 0.6:
        store.put(storage, _odd(data, random))
        return f"oddity in {entry.name}"
    _touch(kind, data, random)
    store.put(storage, data)
    return f"change {kind.value}/{entry.name}"


def _touch(kind: Kind, data: Object, random: Random) -> None:
    if kind is Kind.PODS:
        data.setdefault("status", {})["podIP"] = f"10.0.0.{random.randrange(250)}"
    elif kind is Kind.HPAS:
        data["spec"]["maxReplicas"] = random.randrange(2, 50)
    elif kind is Kind.DEPLOYMENTS:
        data["status"] = {"readyReplicas": random.randrange(50)}
    else:
        data["spec"] = {"unschedulable": random.random() < 0.5}


def _odd(data: Object, random: Random) -> Object:
    """What may be in an object of another version, or of a server that is not quite right."""
    match random.randrange(5):
        case 0:
            data["status"] = {"phase": "Haunted", "conditions": None, "containerStatuses": None}
        case 1:
            data.pop("status", None)
            data.pop("spec", None)
        case 2:
            data["spec"] = {"containers": None, "volumes": None}
            data["metadata"].update(labels=None, ownerReferences=None)
        case 3:
            data["status"] = {"phase": None, "reason": None, "message": _LONG, "future": [[], {}]}
        case _:
            odd = {"name": None, "state": {"dreaming": {}}}
            data.setdefault("status", {})["containerStatuses"] = [odd]
    return data
