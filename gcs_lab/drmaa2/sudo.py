"""On whose behalf something is done (Univa's ``Sudo``): here always on the user's own."""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING, Any

from gcs_lab.drmaa2.attributes import NumberAttribute, TextAttribute
from gcs_lab.drmaa2.drmaa2_object import Drmaa2Object
from gcs_lab.errors import NotAuthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Sudo", "check_authority"]


class Sudo(Drmaa2Object):
    """A user to act as. Only the user who runs the program is possible: gcs_lab acts with nobody else's rights.

    Parameters
    ----------
    username, groupname, uid, gid
        Who; what is not given does not matter.
    sudo_dict
        The same as a dictionary.
    """

    username = TextAttribute("Name of the user.")
    groupname = TextAttribute("Name of the user's group.")
    uid: NumberAttribute[int | None] = NumberAttribute("Number of the user.")
    gid: NumberAttribute[int | None] = NumberAttribute("Number of the user's group.")

    def __init__(
        self,
        username: str | None = None,
        groupname: str | None = None,
        uid: int | None = None,
        gid: int | None = None,
        sudo_dict: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(sudo_dict)
        given = {"username": username, "groupname": groupname, "uid": uid, "gid": gid}
        self.from_dict({name: value for name, value in given.items() if value is not None})


def check_authority(auth: Sudo | Mapping[str, Any] | None) -> None:
    """Check that `auth` is the user who runs the program, or nobody in particular.

    Raises
    ------
    NotAuthorized
        If it is another user or group (a ``DeniedByDrms``).
    InvalidArgument
        If it is neither a Sudo nor a dictionary of one.
    """
    if auth is None or auth == {}:
        return
    asked = Sudo.create_from_dict(auth)
    own = {"uid": os.geteuid(), "gid": os.getegid()}
    own_names = {"username": _name(pwd.getpwuid, own["uid"]), "groupname": _name(grp.getgrgid, own["gid"])}
    for name, value in {**own, **own_names}.items():
        wanted = asked.values_set.get(name)
        if wanted is not None and wanted != value:
            raise NotAuthorized(
                f"{name} {wanted!r} was asked for, and this program runs as {value!r}. gcs_lab acts with your own "
                "rights only: leave `auth` out, or run the program as that user."
            )


def _name(find: Any, number: int) -> str:
    try:
        return str(find(number)[0])
    except KeyError:  # a container's user that has no name
        return str(number)
