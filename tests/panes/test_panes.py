"""What each pane says in the cases that matter."""

from __future__ import annotations

import msgspec
import pytest

from tests.panes.screen import shown
from tests.samples import (
    MI,
    NAMES,
    NOW,
    conditions,
    cpu_metric,
    deployment,
    hpa,
    nodes,
    pod,
    replicaset,
)
from tests.stages import Stage, at_max, empty, idle, scaling, unknown
from tui.config import Settings
from tui.panes.digits import large
from tui.panes.hpa import figure
from tui.state.links import Health, Link, Source
from tui.state.rows import ContainerRow, Kind, MetricRow


@pytest.mark.parametrize(
    ("metric", "value", "written"),
    [
        (cpu_metric(3), 87, "87 %"),
        (MetricRow(type="Resource", name="cpu", target_type="AverageValue"), 250, "250m"),
        (
            MetricRow(type="Resource", name="memory", target_type="AverageValue"),
            128 * MI * 1000,
            "128Mi",
        ),
        (
            MetricRow(type="ContainerResource", name="memory", target_type="AverageValue"),
            2048 * MI * 1000,
            "2.0Gi",
        ),
        (MetricRow(type="Pods", name="http_requests", target_type="AverageValue"), 12500, "12.5"),
        (MetricRow(type="Object", name="queue", target_type="Value"), 30_000_000, "30k"),
        (MetricRow(type="External", name="lag", target_type="Value"), 250, "250m"),
    ],
)
def test_figures_are_in_their_own_unit(metric: MetricRow, value: int, written: str) -> None:
    assert figure(metric, value) == written


async def test_the_two_numbers_are_the_largest_thing() -> None:
    async with shown(scaling()) as screen:
        text = screen.text("#hpa")
        for part in ("4", "▶", "8"):
            for row in large(part, 5):
                assert row.strip() in text
        assert "ready 4/8" in text
        assert "347 % / 50 %" in " ".join(text.split())
        assert "▲ rate limit up" in text


async def test_one_number_when_nothing_is_to_change() -> None:
    async with shown(idle()) as screen:
        text = screen.text("#hpa")
        assert large("▶", 5)[2].strip() not in text.splitlines()[3][:40]
        assert "within min and max" in text


async def test_every_metric_of_an_hpa_is_shown_with_its_unit() -> None:
    stage = idle()
    metrics = (
        cpu_metric(81),
        MetricRow(type="Resource", name="memory", target=70, current=None),
        MetricRow(type="ContainerResource", name="cpu", container="app", target=60, current=45),
        MetricRow(
            type="Pods", name="rps", target_type="AverageValue", target=100_000, current=90_000
        ),
        MetricRow(
            type="Object",
            name="depth",
            object="Service/mq",
            target_type="Value",
            target=10_000,
            current=25_000,
        ),
        MetricRow(
            type="External", name="lag", target_type="AverageValue", target=5000, current=1500
        ),
    )
    stage.at(0, lambda: stage.store.put(Kind.HPAS, [hpa(2, 2, 3, metrics=metrics)]))
    async with shown(stage) as screen:
        await screen.press("tab", "tab", "tab", "z")
        text = " ".join(screen.text("#hpa").replace("│", " ").split())
        for words in (
            "cpu 81 % / 50 %",
            "memory <unknown> / 70 %",
            "cpu of app 45 % / 60 %",
            "rps per pod 90 / 100",
            "depth of Service/mq 25 / 10",
            "lag per pod, external 1.5 / 5",
        ):
            assert words in text


async def test_unknown_is_named_with_its_cause() -> None:
    async with shown(unknown()) as screen:
        text = " ".join(screen.text("#hpa").replace("│", " ").split())
        assert "<unknown> / 50 %" in text
        assert "missing request for cpu in container" in text
        assert "unable to compute the replica count" not in text


async def test_a_warming_up_hpa_is_not_called_broken() -> None:
    stage = idle()
    stage.at(0, lambda: stage.store.put(Kind.HPAS, [hpa(None, None, None, conditions=())]))
    async with shown(stage) as screen:
        text = screen.text("#hpa")
        assert "<unknown>" in text
        assert "✕" not in text


async def test_a_target_without_an_hpa_says_so() -> None:
    from tui.analysis.focus import Target

    stage = idle()
    stage.store.retain(Kind.HPAS, [])
    app_target = Target("Deployment", "fastapi-deploy")
    async with shown(stage) as screen:
        screen.app._director._target = app_target
        screen.app._director._moved = True
        await screen.look()
        assert "has no HPA: nothing scales it" in screen.text("#hpa")
        assert "Pods 2/2 ready" in screen.text("#pods")


async def test_an_empty_cluster_tells_the_next_step() -> None:
    async with shown(empty()) as screen:
        assert "no HorizontalPodAutoscaler in namespace default" in screen.text("#hpa")
        assert "kubectl autoscale deployment" in screen.text("#hpa")
        assert "no pods" in screen.text("#pods")
        assert "nothing has happened yet" in screen.text("#timeline")
        assert "fires a burst" not in screen.text("#timeline")


async def test_a_calm_cluster_invites_to_a_burst() -> None:
    async with shown(idle()) as screen:
        assert "b fires a burst of load" in screen.text("#timeline")


async def test_what_invites_to_a_burst_names_the_keys_of_the_settings() -> None:
    stage = idle()
    stage.settings = Settings(keys={"burst": "f6", "choose_burst": "f7", "stop_burst": "f8"})
    async with shown(stage) as screen:
        assert "F6 fires a burst of load" in screen.text("#timeline")
        await screen.press("2")
        text = " ".join(screen.text("#load").split())
        assert "F6 fires a burst at the target" in text
        assert "F7 chooses another F8 stops it" in text


async def test_pods_show_what_they_ask_for() -> None:
    stage = at_max()
    greedy = pod(
        "fastapi-deploy-66b8c95455-greed",
        age=5,
        restarts=3,
        containers=(
            ContainerRow("a", 200, 400, 100 * MI, 200 * MI),
            ContainerRow("b", 100, None, None, None),
        ),
        ready_containers=1,
        total_containers=2,
    )
    stage.at(0, lambda: stage.store.put(Kind.PODS, [greedy]))
    async with shown(stage, size=(200, 60)) as screen:
        lines = screen.text("#pods").splitlines()
        first = next(x for x in lines if "66dvd" in x).split()
        assert "131m" in first
        assert "131" in first
        assert "26" in first
        greedy_line = next(x for x in lines if "greed" in x)
        assert "1/2" in greedy_line
        assert " 3 " in greedy_line


async def test_trouble_is_in_the_timeline_with_its_reason() -> None:
    stage = scaling()
    sick = pod(
        NAMES[0],
        age=4500,
        status="CrashLoopBackOff",
        ready_containers=0,
        ready=False,
        restarts=4,
        message="back-off 40s restarting failed container",
    )
    stage.at(0, lambda: stage.store.put(Kind.PODS, [sick]))
    async with shown(stage) as screen:
        assert "…66dvd CrashLoopBackOff: back-off 40s" in screen.text("#timeline")


async def test_nodes_show_used_requested_and_trouble() -> None:
    stage = scaling()
    bad = msgspec.structs.replace(
        nodes()[1], ready="False", problems=("MemoryPressure",), unschedulable=True
    )
    stage.at(0, lambda: stage.store.put(Kind.NODES, [bad]))
    async with shown(stage) as screen:
        text = screen.text("#nodes")
        assert "1 not Ready" in text
        assert "NotReady" in text
        assert "MemoryPressure" in text
        assert "cordoned" in text
        assert "pods and requests: default only" in text


async def test_many_nodes_take_a_line_each() -> None:
    stage = idle()
    many = [
        msgspec.structs.replace(nodes()[0], uid=f"n{i}", name=f"node-{i:03d}") for i in range(500)
    ]
    stage.store.put(Kind.NODES, many)
    async with shown(stage) as screen:
        assert "Nodes 502" in screen.text("#nodes")
        assert "node-004" in screen.text("#nodes")


async def test_the_chart_marks_the_crossing_and_the_decisions() -> None:
    async with shown(scaling()) as screen:
        text = screen.text("#chart")
        assert "▲" in text
        assert text.count("◆") == 2
        assert "▸50" in text


async def test_the_chart_marks_no_decision_of_an_hpa_that_is_not_in_view() -> None:
    stage = scaling()
    other = hpa(3, 3, 40, uid="uid-other", name="other-hpa", target_name="other")
    stage.store.put(Kind.HPAS, [other])
    then = msgspec.structs.replace(other, desired=7, last_scale=NOW - 15)
    stage.at(-15, lambda: stage.store.put(Kind.HPAS, [then]))
    async with shown(stage) as screen:
        assert "other-hpa: 3 ▶ 7" in screen.text("#timeline")
        assert screen.text("#chart").count("◆") == 2


async def test_pods_without_requests_are_drawn_in_millicores() -> None:
    stage = Stage()
    stage.all_live()
    stage.store.put(Kind.REPLICASETS, [replicaset(1)])
    stage.store.put(Kind.DEPLOYMENTS, [deployment(1, 1)])
    stage.store.put(Kind.HPAS, [hpa(1, 1, None)])
    stage.store.put(Kind.PODS, [pod(NAMES[0], age=60, containers=(ContainerRow("app"),))])
    stage.at(-20, lambda: stage.sample(250))
    async with shown(stage) as screen:
        assert "millicores" in screen.text("#chart")
        assert "▸50" not in screen.text("#chart")


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (Health.LIVE, "● live"),
        (Health.CONNECTING, "○ connecting"),
        (Health.RETRYING, "▲ stale 42 s, retry in 9 s"),
        (Health.FORBIDDEN, "✕ forbidden"),
    ],
)
async def test_the_connection_is_always_in_sight(health: Health, words: str) -> None:
    stage = idle()
    stage.connection = Link(health, NOW - 42, "Nothing answers there.", NOW + 9)
    for size in ((80, 24), (120, 36)):
        async with shown(stage, size) as screen:
            assert words in screen.text("#header")
            assert "metrics 7 s ago" in screen.text("#header")
            assert ("14:03:22" in screen.text("#header")) == (size[0] > 80 or len(words) < 20)
            stage.script = []


@pytest.mark.parametrize(
    ("width", "end"),
    [
        (100, "● live  metrics 7 s ago  14:03:22"),
        (80, "● live  metrics 7 s ago  14:03:22"),
        (78, "● live  metrics 7 s ago  14:03"),
        (72, "● live  metrics 7 s ago"),
        (64, "● live  14:03:22"),
        (61, "● live  14:03"),
    ],
)
async def test_a_long_context_keeps_its_end_and_the_time_gives_way_before_the_metrics_age(
    width: int, end: str
) -> None:
    stage = idle()
    name = "arn:aws:eks:eu-central-1:123456789012:cluster/shop-production"
    stage.place = msgspec.structs.replace(stage.place, context=name)
    async with shown(stage, (width, 24)) as screen:
        header = screen.text("#header")
        assert "luster/shop-production / default  " in header
        assert header.endswith(end)


async def test_old_metrics_are_called_old() -> None:
    stage = idle()
    stage.script = [step for step in stage.script if step[0] < -200]
    async with shown(stage) as screen:
        assert "metrics 3 min ago" in screen.text("#header")


async def test_the_embedded_cluster_is_called_simulated() -> None:
    stage = idle()
    stage.place = msgspec.structs.replace(stage.place, simulated=True)
    async with shown(stage, size=(80, 24)) as screen:
        assert "SIMULATED" in screen.text("#header")


async def test_a_server_that_is_not_verified_is_called_insecure() -> None:
    stage = idle()
    async with shown(stage, size=(80, 24)) as screen:
        assert "INSECURE" not in screen.text("#header")
    stage = idle()
    stage.place = msgspec.structs.replace(stage.place, insecure=True)
    async with shown(stage, size=(60, 16)) as screen:
        assert "INSECURE" in screen.text("#header")


async def test_what_may_not_be_read_is_named_in_its_pane_and_the_rest_works() -> None:
    stage = scaling()
    for source in (Kind.NODES, Source.NODE_METRICS):
        stage.store.link(source, Health.FORBIDDEN, "You may not list nodes in the cluster.")
    stage.store.retain(Kind.NODES, [])
    async with shown(stage) as screen:
        assert "You may not list nodes" in screen.text("#nodes")
        assert "Pods 4/8 ready" in screen.text("#pods")


async def test_a_lost_connection_says_why_and_how_old_the_picture_is() -> None:
    stage = scaling()
    stage.connection = Link(Health.RETRYING, NOW - 42, "Nothing answers at 10.0.0.1:6443.", NOW + 9)
    async with shown(stage) as screen:
        text = " ".join(screen.text("#banner").split())
        assert "Nothing answers at 10.0.0.1:6443. What is shown was seen 42 s ago." in text


async def test_condition_reasons_of_every_kind_have_words() -> None:
    stage = idle()
    async with shown(stage) as screen:
        for reason, words in {
            "ScaleDownStabilized": "▲ scale-down held by its window",
            "TooManyReplicas": "▲ held at max",
            "BackoffBoth": "▲ waiting after the last change",
            "NeverHeardOf": "▲ NeverHeardOf",
        }.items():
            row = hpa(2, 2, 3, conditions=conditions(reason, able=reason))
            stage.store.put(Kind.HPAS, [row])
            await screen.look()
            assert words in screen.text("#hpa")
