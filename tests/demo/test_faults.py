"""Faults as data: how they are written, whom they meet, when they are over."""

from __future__ import annotations

import pytest

from tui.demo.faults import About, FaultError, Faults, about, convert, parse

PODS = About("watch", "pods")


class Ticks:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_fault_is_written_in_one_word_or_with_its_scope() -> None:
    assert parse("throttle").after == 1.0
    fault = parse("throttle:resource=pods,verb=watch,p=0.25,seed=7,for=60,times=3,after=5")
    assert (fault.resource, fault.verb, fault.p, fault.seed) == ("pods", "watch", 0.25, 7)
    assert (fault.seconds, fault.times, fault.after) == (60.0, 3, 5.0)
    assert convert({"kind": "restart", "compact": False}).compact is False
    assert parse("restart:compact=false").compact is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("explode", "there is no fault 'explode': drop-watches"),
        ("slow:delay", "'delay' should be key=value"),
        ("slow:delay=1,delay=2", "each key once"),
        ("slow:after=1", "slow takes no after="),
        ("slow:delay=soon", "delay"),
        ("slow:delay=-1", "delay"),
        ("error:status=200", "status"),
        ("error:p=0", "p"),
        ("error:p=nan", "p"),
        ("error:colour=red", "colour"),
        ("error:verb=look", "verb"),
        ("skew:resource=pods", "skew meets the whole cluster"),
        ("restart:for=3", "down="),
        ("drop-watches:verb=list", "watches only"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(FaultError) as refused:
        parse(text)
    assert said in str(refused.value)
    assert "$" not in str(refused.value)


@pytest.mark.parametrize("given", [None, [], "throttle", 3, {"kind": ["throttle"]}])
def test_what_is_no_mapping_is_refused(given: object) -> None:
    with pytest.raises(FaultError):
        convert(given)


@pytest.mark.parametrize(
    ("method", "path", "watches", "found"),
    [
        ("GET", "/api/v1/pods", False, About("list", "pods")),
        ("GET", "/api/v1/watch/pods", False, About("watch", "pods")),
        ("GET", "/api/v1/namespaces/x/pods", True, About("watch", "pods", "", "x")),
        ("GET", "/api/v1/namespaces/x/pods/p", False, About("get", "pods", "", "x")),
        ("GET", "/api/v1/namespaces/x", False, About("get", "namespaces")),
        ("PUT", "/api/v1/namespaces/x/status", False, About("update", "namespaces")),
        ("PATCH", "/apis/apps/v1/namespaces/x/deployments/d", False,
         About("patch", "deployments", "apps", "x")),
        ("DELETE", "/api/v1/nodes/n", False, About("delete", "nodes")),
        ("GET", "/version", False, About("get", "")),
        ("GET", "/apis", False, About("get", "")),
    ],
)  # fmt: skip
def test_requests_are_named_as_rules_of_rbac_name_them(
    method: str, path: str, watches: bool, found: About
) -> None:
    assert about(method, path, watches) == found


def test_a_fault_meets_its_scope_only_and_is_over_in_time() -> None:
    clock = Ticks()
    faults = Faults(clock)
    faults.add(parse("error:resource=pods,verb=watch,for=10"))
    assert faults.meet(PODS, "error") is not None
    assert faults.meet(About("list", "pods"), "error") is None
    assert faults.meet(About("watch", "nodes"), "error") is None
    assert faults.meet(PODS, "throttle") is None
    clock.now += 9.9
    assert faults.meet(PODS, "error") is not None
    clock.now += 0.1
    assert faults.meet(PODS, "error") is None
    assert faults.active() == []


def test_a_fault_is_spent_after_its_times() -> None:
    faults = Faults(Ticks())
    faults.add(parse("error:times=2"))
    met = [faults.meet(PODS, "error") is not None for _ in range(4)]
    assert met == [True, True, False, False]
    assert faults.active() == []


def test_a_stall_holds_what_it_met_though_it_meets_no_more() -> None:
    clock = Ticks()
    faults = Faults(clock)
    faults.add(parse("stall:times=1,for=5"))
    held = faults.meet(PODS, "stall")
    assert held is not None
    assert faults.meet(PODS, "stall") is None
    assert faults.lasts(held)
    clock.now += 5
    assert not faults.lasts(held)


def test_the_same_seed_draws_the_same_requests() -> None:
    def drawn(seed: int) -> list[bool]:
        faults = Faults(Ticks())
        faults.add(parse(f"error:p=0.3,seed={seed}"))
        return [faults.meet(PODS, "error") is not None for _ in range(200)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 30 < sum(drawn(1)) < 90


def test_faults_are_listed_and_cleared() -> None:
    clock = Ticks()
    faults = Faults(clock)
    first = faults.add(parse("slow:for=60,delay=0.5"))
    second = faults.add(parse("forbid:resource=nodes"))
    clock.now += 10
    assert first.describe(clock.now) == {
        "id": 1, "kind": "slow", "for": 60.0, "delay": 0.5, "met": 0, "left": 50.0,
    }  # fmt: skip
    assert faults.clear(first.id) == 1
    assert faults.clear(first.id) == 0
    assert [one.id for one in faults.active()] == [second.id]
    assert faults.clear() == 1
    assert faults.active() == []


def test_there_may_not_be_faults_without_end() -> None:
    faults = Faults(Ticks())
    for _ in range(64):
        faults.add(parse("slow"))
    with pytest.raises(FaultError):
        faults.add(parse("slow"))
