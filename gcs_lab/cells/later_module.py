"""A module that a job imported: there in the namespace at once, imported here when it is first used."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__all__ = ["LaterModule", "module_now_or_later"]


class LaterModule(ModuleType):
    """Stands for a module of which only the name came back from a job.

    In a normal cell ``import torch`` takes its time; here the job took it, and the notebook should not take it again
    for a name that it may never use (nor fail, where the module is not installed).
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)

    def __dir__(self) -> list[str]:
        return dir(importlib.import_module(self.__name__))

    def __repr__(self) -> str:
        return f"<module {self.__name__!r}, imported by a job; imported here when it is used>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Where it travels on, it is the module itself.
        return importlib.import_module, (self.__name__,)


def module_now_or_later(name: str) -> ModuleType:
    """Return module `name` if it is loaded, else one that loads it when it is used."""
    return sys.modules.get(name) or LaterModule(name)
