"""``supports(capability)`` is true exactly where the capability's statement holds (GFD.231, 8.1 SessionManager)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance import (
    test_arrays,
    test_events,
    test_reservations,
    test_staging_and_limits,
    test_template_attributes,
    test_template_placement,
    test_times,
)
from conformance.statements import HONOURED, REFUSED, clause, subject, together
from gcs_lab.vocabulary import Capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.site import Site

#: Each of them checks what it says where it is honoured (None or ``honoured``), and else the refusal (``refused``).
STATEMENTS: dict[Capability, Callable[..., str | None]] = {
    Capability.ADVANCE_RESERVATION: test_reservations.test_a_reservation_is_requested_found_and_given_back,
    Capability.RESERVE_SLOTS: test_reservations.test_min_slots_are_reserved,
    Capability.CALLBACK: test_events.test_new_states_are_told_in_order_and_each_once,
    Capability.BULK_JOBS_MAXPARALLEL: test_arrays.test_at_most_max_parallel_tasks_run_at_once,
    Capability.JT_EMAIL: test_template_attributes.test_email_on_terminated_sends_to_all_when_the_job_has_ended,
    Capability.JT_STAGING: test_staging_and_limits.test_stage_in_files_are_there_before_the_job_starts,
    Capability.JT_DEADLINE: test_times.test_a_job_is_ended_at_its_deadline_time_running_or_waiting,
    Capability.JT_MAXSLOTS: test_template_placement.test_a_job_starts_with_fewer_than_max_slots_where_there_is_no_room_for_more,
    Capability.JT_ACCOUNTINGID: test_template_attributes.test_accounting_id_stands_in_the_jobs_record,
    Capability.RT_STARTNOW: test_reservations.test_a_reservation_without_a_start_time_begins_now,
    Capability.RT_DURATION: test_reservations.test_duration_counts_from_the_start,
    Capability.RT_MACHINEOS: test_reservations.test_machine_os_is_that_of_the_reserved_machine,
    Capability.RT_MACHINEARCH: test_reservations.test_machine_arch_is_that_of_the_reserved_machine,
}


def _parameter(capability: Capability) -> object:
    # A job that takes all slots that are free leaves none for the others' statements.
    alone = capability is Capability.JT_MAXSLOTS
    return pytest.param(capability, marks=[subject(f"Capability.{capability.name}"), *([] if alone else [together])])


@clause("GFD.231 8.1 supports")
@subject("Jobs.supports")
@pytest.mark.parametrize(
    "capability", [_parameter(capability) for capability in Capability], ids=lambda capability: capability.name
)
def test_a_capability_is_there_exactly_where_its_statement_holds(site: Site, capability: Capability) -> str:
    answer = STATEMENTS[capability](site) or HONOURED
    assert (answer == HONOURED) is site.jobs.supports(capability)
    return answer


@clause("GFD.231 8.1 supports")
def test_every_capability_has_a_statement() -> None:
    assert STATEMENTS.keys() == set(Capability)
    assert HONOURED != REFUSED
