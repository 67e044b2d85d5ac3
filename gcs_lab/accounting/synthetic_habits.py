"""The people of a synthetic site: who they are, and the families of jobs that each of them has the habit of.

All figures are made up; they are of the sizes that sites publish (log-normal activity, run times and memory; far more
time asked for than used). Nothing here comes from the records of a real site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DEPARTMENTS", "PROJECTS", "QUEUES", "Habits", "habits_of", "suffixes"]

#: The queues of the site, and the part of its hosts that each has.
QUEUES = {"all.q": 0.68, "long.q": 0.16, "gpu.q": 0.06, "mpi.q": 0.10}
#: Projects, and the department that each belongs to.
PROJECTS = {
    "climate": "earth", "oceans": "earth", "seismic": "earth",
    "genomes": "biology", "proteins": "biology", "imaging": "biology",
    "lattice": "physics", "particles": "physics", "plasma": "physics",
    "catalysis": "chemistry", "materials": "chemistry",
    "language": "informatics", "vision": "informatics",
}  # fmt: skip
DEPARTMENTS = tuple(dict.fromkeys(PROJECTS.values()))
_STEMS = (
    *("fit", "align", "simulate", "train", "render", "sweep", "assemble", "call_variants", "relax", "md_run"),
    *("postprocess", "plot", "bootstrap", "evaluate", "convert", "index", "blast", "scf", "ensemble", "preprocess"),
)
#: What people write behind ``-l``: seconds, and GiB for each slot.
_TIMES = np.array([600, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800, 345600, 604800, 864000])
_MEMORY = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64])
_GIB = float(1 << 30)
#: How names of one family differ: not at all, by a counter, by a date, by a hash, by a chromosome.
_PLAIN, _COUNTED, _DATED, _HASHED, _CHROMOSOME = range(5)
_LONG_RUN = 10 * 3600
_MPI_SLOTS = (16, 32, 48, 64)


@dataclass
class Habits:
    """The families of jobs of a site: arrays with one entry a family, but `users` and what follows it.

    ``wall`` is the median run time in seconds, ``spread`` its logarithm's standard deviation. ``memory`` is the
    median peak of virtual memory in bytes for each slot. ``h_rt`` and ``h_vmem`` are 0 where nothing is asked for.
    """

    user: NDArray[np.int64]
    stem: list[str]
    style: NDArray[np.int64]
    queue: NDArray[np.int64]
    slots: NDArray[np.int64]
    wall: NDArray[np.float64]
    spread: NDArray[np.float64]
    memory: NDArray[np.float64]
    memory_spread: NDArray[np.float64]
    efficiency: NDArray[np.float64]
    failing: NDArray[np.float64]
    array: NDArray[np.float64]
    share: NDArray[np.float64]
    h_rt: NDArray[np.float64]
    h_vmem: NDArray[np.float64]
    users: list[str]
    user_project: list[str]
    user_group: list[str]

    def category(self, family: int) -> str:
        """Return the family's requests as Grid Engine writes them (``category.c``: -u -q -l -pe -P)."""
        asked = [f"h_rt={self.h_rt[family]:.0f}"] if self.h_rt[family] else []
        if self.h_vmem[family]:
            asked.append(f"h_vmem={self.h_vmem[family] / _GIB:g}G")
        queue, slots = list(QUEUES)[self.queue[family]], self.slots[family]
        if queue == "gpu.q":
            asked.insert(0, "gpu=1")
        words = [f"-u {self.users[self.user[family]]}"]
        words += [f"-q {queue}"] if queue != "all.q" else []
        words += [f"-l {','.join(asked)}"] if asked else []
        words += [f"-pe {self.environment(family)} {slots}"] if slots > 1 else []
        return " ".join([*words, f"-P {self.user_project[self.user[family]]}"])

    def environment(self, family: int) -> str:
        """Return the family's parallel environment; NONE: it has none."""
        if self.slots[family] == 1:
            return "NONE"
        return "mpi" if list(QUEUES)[self.queue[family]] == "mpi.q" else "smp"

    def ask(self) -> None:
        """Decide what each family asks for, from the run time and the memory that it is known for."""
        random = np.random.default_rng(len(self.user))
        typical = self.wall * np.exp(1.6 * self.spread) * random.choice([1.0, 1.5, 4.0, 10.0], len(self.wall))
        asked = _TIMES[np.minimum(np.searchsorted(_TIMES, typical), len(_TIMES) - 1)].astype(float)
        self.h_rt = np.where(random.random(len(asked)) < 0.85, asked, 0.0)  # noqa: PLR2004
        enough = self.memory / _GIB * np.exp(2.2 * self.memory_spread)
        wanted = enough * random.choice([1.0, 1.3, 2.0, 4.0, 8.0], len(enough), p=[0.15, 0.2, 0.3, 0.25, 0.1])
        memory = _MEMORY[np.minimum(np.searchsorted(_MEMORY, wanted), len(_MEMORY) - 1)] * _GIB
        self.h_vmem = np.where(random.random(len(memory)) < 0.8, memory, 0.0)  # noqa: PLR2004


def habits_of(random: np.random.Generator, users: int, slots_each: int, mpi_slots: int) -> Habits:
    """Return the habits of `users` people on hosts of `slots_each` slots; `mpi_slots` is what mpi.q has in all."""
    names = [f"user{number:03d}" for number in range(users)]
    projects = list(random.choice(list(PROJECTS), users))
    groups = [PROJECTS[project] for project in projects]
    activity = np.minimum(random.lognormal(0, 1.3, users), 25)
    each = 1 + random.poisson(2, users)
    user = np.repeat(np.arange(users), each)
    count = len(user)
    wall = np.minimum(random.lognormal(np.log(3600), 1.4, count), 60 * 3600)
    queue = np.where(wall > _LONG_RUN, 1, 0)
    special = random.random(count)
    queue = np.where(special < 0.05, 2, np.where(special > 0.97, 3, queue))  # noqa: PLR2004
    few = np.array([size for size in (1, 2, 4, 8) if size <= slots_each])
    chances = np.array([0.68, 0.1, 0.15, 0.07])[: len(few)]
    slots = random.choice(few, count, p=chances / chances.sum())
    wide = np.array([size for size in _MPI_SLOTS if size <= mpi_slots] or [mpi_slots])
    slots = np.where(queue == 3, random.choice(wide, count), slots)  # noqa: PLR2004
    is_array = (random.random(count) < 0.35) & (queue != 3)  # noqa: PLR2004
    # Who has long or wide jobs has fewer of them.
    share = activity[user] * random.gamma(0.8, 1, count) / (slots * np.maximum(wall, 600) / 600) ** 0.3
    habits = Habits(
        user=user,
        stem=list(random.choice(_STEMS, count)),
        style=random.choice(5, count, p=[0.35, 0.3, 0.12, 0.13, 0.1]),
        queue=queue,
        slots=slots,
        wall=wall,
        spread=random.uniform(0.25, 1.0, count),
        memory=np.minimum(random.lognormal(np.log(0.8), 1.0, count), 40) * _GIB,
        memory_spread=random.uniform(0.05, 0.5, count),
        efficiency=np.where(slots > 1, random.beta(4, 2, count), random.beta(14, 1.5, count)),
        failing=np.minimum(random.lognormal(np.log(0.015), 0.9, count), 0.25),
        array=np.where(is_array, np.minimum(random.lognormal(np.log(30), 1.0, count), 400), 0.0),
        share=share / share.sum(),
        h_rt=np.zeros(count),
        h_vmem=np.zeros(count),
        users=names,
        user_project=projects,
        user_group=groups,
    )
    habits.ask()
    return habits


def suffixes(style: int, random: np.random.Generator, count: int) -> list[str]:
    """Return `count` endings of job names of a family of this style."""
    if style == _COUNTED:
        return [f"_{number:03d}" for number in random.integers(0, 1000, count)]
    if style == _DATED:
        days = np.datetime64("2025-01-01") + random.integers(0, 700, count)
        return [f"-{day}" for day in days]
    if style == _HASHED:
        return [f".{number:08x}" for number in random.integers(1 << 24, 1 << 32, count)]
    if style == _CHROMOSOME:
        return [f"_chr{number}" for number in random.integers(1, 23, count)]
    return [""] * count
