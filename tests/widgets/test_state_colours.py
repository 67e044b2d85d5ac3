"""The colours of small marks (the cells of a strip): seen on every page, and told apart by everybody."""

from __future__ import annotations

from itertools import combinations

import pytest

from gcs_lab.widgets.card_line import state_look

#: One of each colour: states that wait alike share one.
DISTINCT = ("QUEUED", "QUEUED_HELD", "RUNNING", "SUSPENDED", "DONE", "FAILED")
#: JupyterLab's light theme, its dark one, and VS Code's dark.
PAGES = {"on_light": ("#ffffff",), "on_dark": ("#111111", "#1e1e1e")}
#: What people see who lack one kind of cone (Machado, Oliveira, Fernandes 2009, severity 1.0; on linear RGB).
EYES = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]


def contrast(one: str, other: str) -> float:
    """Contrast of WCAG 2.2."""
    dark, light = sorted(
        sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (one, other)
    )
    return (light + 0.05) / (dark + 0.05)


def lab(colour: str, eye: str) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of the colour as `eye` sees it."""
    red, green, blue = (
        min(1.0, max(0.0, sum(m * c for m, c in zip(row, linear(colour), strict=True)))) for row in EYES[eye]
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("state", [*DISTINCT, "UNDETERMINED", "REQUEUED", "REQUEUED_HELD"])
def test_each_mark_has_a_contrast_of_3_to_1_against_its_page(state, page):
    assert min(contrast(getattr(state_look(state), page), ground) for ground in PAGES[page]) >= 3


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("eye", EYES)
def test_any_two_marks_differ_for_every_eye(eye, page):
    for one, other in combinations(DISTINCT, 2):
        seen = [lab(getattr(state_look(state), page), eye) for state in (one, other)]
        distance = sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5
        assert distance > 15, (one, other, distance)


def test_marks_differ_by_what_they_fill_too():
    levels = [state_look(state).level for state in ("UNDETERMINED", "QUEUED", "RUNNING", "DONE", "FAILED")]
    assert levels == sorted(set(levels))
