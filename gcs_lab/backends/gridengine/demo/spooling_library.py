"""A spooling library that the qmaster can use, where the distribution's cannot be.

``sge_qmaster`` loads ``libspoolc.so`` at run time. Both contain Grid Engine's base library, and the spooling library
counts on ELF's rule that the program's functions come first: then both share what the program has set up. Ubuntu
24.04 links with ``-Bsymbolic-functions``, which binds the library to copies of its own that nobody has set up, and
the qmaster crashes while it reads its configuration (8.1.9+dfsg-11build3). Here the rule is put back, in a copy of
the library for the qmaster of a private cell: each function that the program has, too, begins with a jump to where
the dynamic linker says that it is. Layouts are those of elf(5) and of the x86-64 psABI.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from gcs_lab.backends.gridengine.sge_cell import program
from gcs_lab.errors import Internal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["DEBIANS", "calls_only_itself", "share_functions", "spooling_library"]

#: Its name in ``bootstrap``.
DEBIANS = "libspoolc"
#: A copy in the folder in which the qmaster works. Debian's qmaster puts ``/usr/lib/gridengine/`` in front of what
#: ``bootstrap`` says and ``.so`` behind it, and has room for 63 characters in all: too few for the folder's path.
_COPY = f"../../../proc/self/cwd/{DEBIANS}"
_MAGIC, _X86_64 = b"\x7fELF\x02\x01", 62
_HEADER, _SEGMENT, _DYNAMIC = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ"), struct.Struct("<qQ")
_SYMBOL, _RELOCATION = struct.Struct("<IBBHQQ"), struct.Struct("<QQq")
_PT_LOAD, _PT_DYNAMIC, _PT_NOTE = 1, 2, 4
_READ_WRITE = 6
_DT_PLTRELSZ, _DT_STRTAB, _DT_SYMTAB, _DT_RELA, _DT_RELASZ, _DT_JMPREL = 2, 5, 6, 7, 8, 23
_DT_GNU_HASH = 0x6FFFFEF5
_STT_FUNC, _GLOB_DAT, _PAGE = 2, 6, 0x1000
#: Allowed as the target of an indirect branch; it stays in front of the jump.
_ENDBR64 = b"\xf3\x0f\x1e\xfa"
_JUMP_BYTES = 6
#: Compilers align functions so.
_ALIGNMENT = 16


@dataclass(frozen=True)
class _Function:
    """A function that a file defines for others: its place in the symbol table, its address and size."""

    index: int
    address: int
    size: int


class _Elf:
    """A program or library for x86-64, as far as it is needed here."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)
        header = _HEADER.unpack_from(content)
        self._first, self._count = header[5], header[10]
        self.segments = [_SEGMENT.unpack_from(content, self._segment_at(n)) for n in range(self._count)]
        dynamic = next(segment for segment in self.segments if segment[0] == _PT_DYNAMIC)
        self.dynamic: dict[int, tuple[int, int]] = {}
        for place in range(dynamic[2], dynamic[2] + dynamic[5], _DYNAMIC.size):
            tag, value = _DYNAMIC.unpack_from(content, place)
            self.dynamic.setdefault(tag, (place, value))

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Return what the file holds, or None if it is none for x86-64."""
        content = path.read_bytes()
        is_ours = content.startswith(_MAGIC) and struct.unpack_from("<H", content, 18)[0] == _X86_64
        return cls(content) if is_ours else None

    def _segment_at(self, number: int) -> int:
        return int(self._first + number * _SEGMENT.size)

    def offset(self, address: int) -> int:
        """Return where in the file that is which is loaded at an address."""
        for kind, _, offset, start, _, size, _, _ in self.segments:
            if kind == _PT_LOAD and start <= address < start + size:
                return int(offset + address - start)
        raise Internal(f"no segment of the spooling library holds the address {address:#x}.")

    def value(self, tag: int) -> int:
        """Return an entry of the dynamic section; 0 if it has none."""
        return self.dynamic[tag][1] if tag in self.dynamic else 0

    def table(self, tag: int) -> int:
        """Return where in the file a table of the dynamic section begins."""
        return self.offset(self.value(tag))

    def functions(self) -> dict[str, _Function]:
        """Return the functions that this file defines for others, by name."""
        symbols, names = self.table(_DT_SYMTAB), self.table(_DT_STRTAB)
        found = {}
        for index in range(self._symbols()):
            name, info, other, section, address, size = _SYMBOL.unpack_from(
                self.content, symbols + index * _SYMBOL.size
            )
            if info & 15 == _STT_FUNC and section and not other & 3:
                begin = names + name
                found[self.content[begin : self.content.index(0, begin)].decode()] = _Function(index, address, size)
        return found

    def _symbols(self) -> int:
        """Return how many symbols there are: the hash table alone tells."""
        place = self.table(_DT_GNU_HASH)
        buckets, first, words, _ = struct.unpack_from("<4I", self.content, place)
        place += 16 + 8 * words
        last = max(struct.unpack_from(f"<{buckets}I", self.content, place), default=0)
        if last < first:
            return int(first)
        chain = place + 4 * buckets
        while not self.content[chain + 4 * (last - first)] & 1:
            last += 1
        return int(last + 1)

    def called(self) -> Iterator[int]:
        """Yield the symbols, by number, whose addresses calls look up at run time."""
        begin = self.table(_DT_JMPREL) if _DT_JMPREL in self.dynamic else 0
        for place in range(begin, begin + self.value(_DT_PLTRELSZ), _RELOCATION.size):
            yield _RELOCATION.unpack_from(self.content, place)[1] >> 32

    def add_segment(self, begin: int, content: bytes) -> None:
        """Append what is to be loaded at the address `begin`, for which a note in the list of segments makes room."""
        kinds = [segment[0] for segment in self.segments]
        last_loaded = max(number for number, kind in enumerate(kinds) if kind == _PT_LOAD)
        notes = [number for number, kind in enumerate(kinds) if kind == _PT_NOTE and number > last_loaded]
        if not notes:
            raise Internal("the spooling library has no note that could be given up for a segment.")
        self.content.extend(bytes(-len(self.content) % _PAGE))
        size = len(content)
        segment = (_PT_LOAD, _READ_WRITE, len(self.content), begin, begin, size, size, _PAGE)
        _SEGMENT.pack_into(self.content, self._segment_at(notes[0]), *segment)
        self.content.extend(content)


def calls_only_itself(library: Path) -> bool:
    """Tell whether a library for x86-64 calls its own functions directly, whatever the program has."""
    elf = _Elf.read(library)
    if elf is None:
        return False
    own = {function.index for function in elf.functions().values()}
    return own.isdisjoint(elf.called())


def share_functions(program: Path, library: Path) -> bytes:
    """Return the library changed such that functions which the program has, too, are the program's.

    No other program can use it: a function that the program had not would call itself for ever.

    Parameters
    ----------
    program, library
        ELF files for x86-64; the program exports its symbols.

    Raises
    ------
    Internal
        If they are built in another way than is known here.
    """
    theirs, elf = _Elf.read(program), _Elf.read(library)
    if theirs is None or elf is None:
        raise Internal(f"{program} and {library} are not both ELF files for x86-64.")
    shared = theirs.functions().keys()
    functions = [one for name, one in elf.functions().items() if name in shared and _has_room(one)]
    end = max(segment[3] + segment[6] for segment in elf.segments if segment[0] == _PT_LOAD)
    begin = end + -end % _PAGE
    table = elf.table(_DT_RELA)
    relocations = bytearray(elf.content[table : table + elf.value(_DT_RELASZ)])
    for number, function in enumerate(functions):
        slot = begin + 8 * number
        relocations += _RELOCATION.pack(slot, function.index << 32 | _GLOB_DAT, 0)
        place = elf.offset(function.address)
        skipped = len(_ENDBR64) if elf.content[place : place + len(_ENDBR64)] == _ENDBR64 else 0
        # jmp *slot(%rip)
        after = function.address + skipped + _JUMP_BYTES
        jump = b"\xff\x25" + struct.pack("<i", slot - after)
        elf.content[place + skipped : place + skipped + _JUMP_BYTES] = jump
    slots = bytes(8 * len(functions))
    for tag, value in ((_DT_RELA, begin + len(slots)), (_DT_RELASZ, len(relocations))):
        _DYNAMIC.pack_into(elf.content, elf.dynamic[tag][0], tag, value)
    elf.add_segment(begin, slots + relocations)
    return bytes(elf.content)


def _has_room(function: _Function) -> bool:
    return function.address % _ALIGNMENT == 0 or function.size >= len(_ENDBR64) + _JUMP_BYTES


def spooling_library(binaries: Path, spool: Path) -> str:
    """Return what ``bootstrap`` tells a qmaster as ``spooling_lib``: Debian's library, or a copy that works.

    Parameters
    ----------
    binaries
        Where Grid Engine's programs are.
    spool
        The qmaster's spool folder, in which it works; a copy is put there.

    Raises
    ------
    Internal
        If the library is built in another way than is known here.
    OSError
        If the copy cannot be written.
    """
    library = binaries / f"{DEBIANS}.so"
    if not library.is_file() or not calls_only_itself(library):
        return DEBIANS
    copy = spool / library.name
    new = copy.with_suffix(".new")
    new.write_bytes(share_functions(program(binaries, "sge_qmaster"), library))
    new.replace(copy)
    return _COPY
