"""The people of a class or a department, who never were: names, projects, habits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gcs_lab.workload.distributions import zipf

__all__ = ["PROJECTS", "Person", "people_of"]

#: Also the projects of a private Grid Engine with simulated hosts.
PROJECTS = ("physics", "biology", "climate", "teaching")
#: What people call their jobs, by project.
_STEMS = {
    "physics": ("lattice", "detector", "calib", "unfold"),
    "biology": ("align", "fold", "variants", "dock"),
    "climate": ("ocean", "regrid", "ensemble", "trend"),
    "teaching": ("exercise", "fit", "plot", "train"),
}
_NAMES = (
    *("ada", "ben", "chen", "dora", "emil", "fatima", "goran", "hana", "igor", "jana", "kofi", "lena", "marek"),
    *("nadia", "omar", "paula", "quinn", "rosa", "sven", "tara", "uwe", "vera", "wen", "xenia", "yusuf", "zoe"),
    *("amir", "bela", "cora", "diego", "elif", "farid", "greta", "hugo", "ines", "jonas", "kaya", "liam", "mina"),
    *("noor", "olga", "petr", "rania", "samir", "tomas", "ula", "viktor", "wanda", "yara"),
)


@dataclass(frozen=True)
class Person:
    """One of the people.

    ``activity`` is the part of all that is sent; ``stems`` are the names of the jobs; ``memory`` is the median of
    what the jobs use, in bytes a slot; ``wastes`` says that far more memory is asked for, ``floods`` that now and
    then far more is sent than there is room for.
    """

    name: str
    project: str
    activity: float
    stems: tuple[str, ...]
    memory: float
    wastes: bool = False
    floods: bool = False


def people_of(count: int, seed: int) -> tuple[Person, ...]:
    """Return so many people, the busiest first; the same seed gives the same ones.

    One of them wastes memory, another one floods the queue (of three and more).
    """
    random = np.random.default_rng([seed, 1])
    names = [_NAMES[place] for place in random.permutation(len(_NAMES))]
    # More people than names: ada, ada2, ada3 …
    names = [names[n % len(names)] + (str(n // len(names) + 1) if n >= len(names) else "") for n in range(count)]
    activity = zipf(count)
    special = (min(1, count - 1), min(2, count - 1)) if count > 2 else (-1, -1)  # noqa: PLR2004
    people = []
    for number, name in enumerate(names):
        project = PROJECTS[int(random.choice(len(PROJECTS), p=(0.2, 0.2, 0.2, 0.4)))]
        stems = tuple(str(stem) for stem in random.permutation(_STEMS[project])[: 2 + number % 2])
        memory = float(min(random.lognormal(np.log(0.6), 0.8), 12.0)) * 2**30
        wastes, floods = number == special[0], number == special[1]
        memory = 0.8 * 2**30 if wastes else memory
        people.append(Person(name, project, float(activity[number]), stems, memory, wastes=wastes, floods=floods))
    return tuple(people)
