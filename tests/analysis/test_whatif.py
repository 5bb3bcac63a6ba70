"""The form of what might be: what it takes, what it refuses, and the commands it comes to."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.analysis.test_forecast import inputs, spec
from tests.thorough import examples
from tui.analysis import hpa
from tui.analysis.whatif import FIELDS, Plan, WhatIfError, form, plan
from tui.demo.api.patches import json_patch

HPA = spec(min_replicas=2, max_replicas=10)
SEEN = inputs(2, 60)


def ask(wanted: hpa.HpaSpec = HPA, **fields: str) -> Plan:
    return plan(wanted, SEEN, {k.replace("_", " "): v for k, v in fields.items()})


def as_object(**behavior: Any) -> dict[str, Any]:
    """The HPA as the API server has it."""
    target = {"type": "Utilization", "averageUtilization": 50}
    return {
        "metadata": {"name": "h", "namespace": "n"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "d"},
            "minReplicas": 2,
            "maxReplicas": 10,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            **behavior,
        },
    }


def patched(command: str) -> hpa.HpaSpec:
    words = shlex.split(command)
    assert words[:4] == ["kubectl", "patch", "hpa", "h"]
    operations = json.loads(words[words.index("-p") + 1])
    return hpa.spec_from_object(json_patch(as_object(), operations))


def test_the_form_shows_what_is() -> None:
    assert form(HPA, SEEN) == {
        "target": "50",
        "min": "2",
        "max": "10",
        "request": "100m",
        "up window": "0",
        "up": "default",
        "down window": "300",
        "down": "default",
    }


def test_an_unchanged_form_asks_for_nothing() -> None:
    same = plan(HPA, SEEN, form(HPA, SEEN))
    assert (same.spec, same.inputs, same.commands) == (HPA, SEEN, ())


@pytest.mark.parametrize(
    "fields",
    [
        {"target": "75"},
        {"target": "75 %"},
        {"min": "3", "max": "30"},
        {"up_window": "60"},
        {"up": "4 pods/15s, 100 %/15s"},
        {"down": "least of 1 pod/60s, 10%/60s", "down_window": "120"},
        {"down": "off"},
    ],
)
def test_the_patch_makes_the_hpa_what_was_forecast(fields: dict[str, str]) -> None:
    wanted = ask(**fields)
    made = patched(wanted.commands[0])
    assert (made.min_replicas, made.max_replicas) == (
        wanted.spec.min_replicas,
        wanted.spec.max_replicas,
    )
    assert made.metrics == wanted.spec.metrics
    assert made.behavior == wanted.spec.behavior


def test_a_request_is_a_change_of_the_target_not_of_the_hpa() -> None:
    wanted = ask(request="250m")
    assert wanted.patch == ()
    assert wanted.commands == (
        "kubectl set resources deployment/d -n n -c app --requests=cpu=250m",
    )
    assert wanted.inputs.pods[0].containers[0].requests == {"cpu": 250}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"target": "much"}, "target: 'much' is no whole number from 1 to 10000"),
        ({"target": "0"}, "target: '0' is no whole number"),
        ({"min": "11"}, "max is 10, which is less than min 11"),
        ({"max": ""}, "max: '' is no whole number"),
        ({"request": "x"}, "request: 'x' is not a quantity"),
        ({"request": "0"}, "request: it has to be more than 0"),
        ({"up": "lots"}, "up: 'lots' is no policy such as 4 pods/15s or 100 %/15s"),
        ({"up": "4 pods/0s"}, "up, period: '0' is no whole number from 1 to 1800"),
        ({"down_window": "9999"}, "down window: '9999' is no whole number from 0 to 3600"),
    ],
)
def test_what_cannot_be_is_refused_in_words(fields: dict[str, str], says: str) -> None:
    with pytest.raises(WhatIfError) as error:
        ask(**fields)
    assert str(error.value).startswith(says)


def test_an_hpa_that_may_scale_to_zero_may_be_asked_about() -> None:
    none = replace(HPA, min_replicas=0)
    wanted = ask(none, max="30")
    assert (wanted.spec.min_replicas, wanted.spec.max_replicas) == (0, 30)
    with pytest.raises(WhatIfError, match="from 1 to"):
        ask(min="0")


def test_a_tolerance_set_by_the_user_is_kept() -> None:
    rules = hpa.ScalingRules((hpa.ScalingPolicy("Pods", 4, 15),), "Max", 0, 0.05)
    wanted = ask(replace(HPA, behavior=hpa.Behavior(rules, None)), up_window="30")
    written = wanted.patch[0]["value"]
    assert written["scaleUp"]["tolerance"] == "0.05"
    assert wanted.spec.behavior is not None
    assert wanted.spec.behavior.scale_up == replace(rules, stabilization_window_seconds=30)


def test_names_cannot_break_out_of_the_command() -> None:
    evil = replace(HPA, name="h; rm -rf ~", namespace="$(id)")
    words = shlex.split(ask(evil, max="12").commands[0])
    assert words[3:6] == ["h; rm -rf ~", "-n", "$(id)"]


@settings(max_examples=examples(60, 1000), deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=20)))
def test_whatever_is_typed_is_a_plan_or_a_sentence(asked: dict[str, str]) -> None:
    with suppress(WhatIfError):
        found = plan(HPA, SEEN, asked)
        assert found.spec.max_replicas >= (found.spec.min_replicas or 1)
