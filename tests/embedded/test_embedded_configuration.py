"""``cluster.toml``: complexes and their values, categories, mail, topology, allocation rules; and what they do."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gcs_lab.backends.embedded import service
from gcs_lab.backends.embedded.cluster_file import default_text, parse_layout
from gcs_lab.backends.embedded.matching import consumption, suit
from gcs_lab.errors import GcsError, InvalidArgument, UnknownName
from gcs_lab.vocabulary import JobTemplate

HOST = '[[hosts]]\nname="n"\n'
QUEUE = '[[queues]]\nname="q"\nslots=4\n'
GOOD = HOST + QUEUE
COMPLEXES = """
[[complexes]]
name = "licence"
shortcut = "lic"
type = "INT"
consumable = "YES"
[[complexes]]
name = "scratch"
type = "MEMORY"
consumable = "JOB"
[[complexes]]
name = "share"
type = "DOUBLE"
consumable = "YES"
[[complexes]]
name = "generation"
type = "INT"
relop = ">="
[[complexes]]
name = "site"
type = "CSTRING"
[[complexes]]
name = "ssd"
type = "BOOL"
"""
CLUSTER = (
    COMPLEXES
    + """
[[hosts]]
name = "small"
complex_values = { licence = 2, scratch = "10G", share = 1, generation = 7, site = "Berlin", ssd = false }
[[hosts]]
name = "large"
complex_values = { licence = 4, scratch = "100G", share = 0.3, generation = 3, site = "Bonn", ssd = true }
consumables = { gpu = 1 }
[[queues]]
name = "all.q"
slots = 8
[[parallel_environments]]
name = "smp"
slots = 99
allocation_rule = "$pe_slots"
[[parallel_environments]]
name = "two"
slots = 99
allocation_rule = "2"
"""
)


def complex_entry(**keys):
    lines = {"name": '"c"', "type": '"INT"'} | keys
    return "[[complexes]]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())


def hosts(layout, **requests):
    match = suit(requests, (), layout)
    return [place.host for place in match.places] or match.why_not


def test_everything_that_the_file_can_say_is_read():
    layout = parse_layout(
        'max_array_tasks = 5\n[mail]\ncommand = ["/usr/sbin/sendmail", "-t", "-i"]\nsender = "me@here"\n'
        '[job_categories]\nquick = "-l h_rt=0:01:00 -p -10"\n'
        + CLUSTER.replace(
            'name = "small"\n', 'name = "small"\nsockets = 2\ncores_per_socket = 8\nthreads_per_core = 1\n'
        )
    )
    assert layout.max_array_tasks == 5
    assert (layout.mail.command, layout.mail.sender) == (("/usr/sbin/sendmail", "-t", "-i"), "me@here")
    assert layout.job_categories == {"quick": "-l h_rt=0:01:00 -p -10"}
    small, large = layout.hosts
    assert (small.sockets, small.cores_per_socket, small.threads_per_core, large.sockets) == (2, 8, 1, None)
    assert large.consumables == {"licence": 4, "scratch": 100 * 2**30, "share": Fraction("0.3"), "gpu": 1}
    assert large.fixed_values == {"generation": "3", "site": "Bonn", "ssd": "TRUE"}
    assert [pe.rule for pe in layout.parallel_environments] == ["$pe_slots", "2"]


def test_the_catalogue_has_complexes_hosts_and_categories():
    catalogue = parse_layout('[job_categories]\nb="-h"\na="-h"\n' + CLUSTER).catalogue()
    assert (catalogue.hosts, catalogue.job_categories) == (("small", "large"), ("a", "b"))
    licence = catalogue.by_name["lic"]
    assert (licence.name, licence.type, licence.consumable) == ("licence", "INT", True)
    assert catalogue.by_name["gpu"].consumable
    assert not catalogue.by_name["site"].consumable
    assert {"h_core", "s_vmem", "h_stack", "s_cpu"} <= set(catalogue.by_name)


@pytest.mark.parametrize("commented", ["[mail]", "[job_categories]", "[[complexes]]"])
def test_the_examples_in_the_default_file_are_valid(commented):
    lines = default_text().splitlines()
    start = next(n for n, line in enumerate(lines) if line == f"# {commented}")
    end = next(n for n in range(start, len(lines)) if not lines[n].startswith("#"))
    text = "\n".join([*lines[:start], *(line.removeprefix("# ") for line in lines[start:end]), *lines[end:]])
    layout = parse_layout(text)
    assert layout.mail or layout.job_categories or layout.complexes


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("max_array_tasks = 0\n" + GOOD, "max_array_tasks is 0"),
        ('mail = "yes"\n' + GOOD, "mail is 'yes'; expected a table"),
        ("[mail]\n" + GOOD, r"\[mail\]: command is None"),
        ('[mail]\ncommand="sendmail -t"\n' + GOOD, "expected a list of words"),
        ('[mail]\ncommand=["x"]\nsender="a b"\n' + GOOD, "sender is 'a b'"),
        ('[mail]\ncommand=["x"]\nto="a"\n' + GOOD, "unknown key 'to'"),
        ("[job_categories]\nquick=3\n" + GOOD, "job_categories: quick is 3"),
        ('[job_categories]\nquick="-t 3"\n' + GOOD, "quick: .*submit_array"),
        ('[job_categories]\nquick="-l h_rt"\n' + GOOD + "oops=1\n", "unknown key 'oops'"),
        (complex_entry(type='"LONG"') + GOOD, r"\(c\): type is 'LONG'; expected INT"),
        (complex_entry(name='"1c"') + GOOD, "no name of a complex"),
        (complex_entry(name='"h_rt"') + GOOD, "'h_rt' is a standard complex"),
        (complex_entry(shortcut='"h"') + GOOD, "'h' is a standard complex or its shortcut"),
        (complex_entry() + complex_entry() + GOOD, "two complexes called 'c'"),
        (complex_entry(type='"STRING"', consumable='"YES"') + GOOD, "STRING cannot be consumed"),
        (complex_entry(consumable="true") + GOOD, "consumable is True; expected YES, JOB, NO"),
        (complex_entry(consumable='"YES"', relop='">="') + GOOD, "relop is '>='"),
        (complex_entry(type='"BOOL"', relop='"<="') + GOOD, "relop is '<='; expected ==, !="),
        (HOST + "complex_values={lic=1}\n" + QUEUE, "'lic' is none of"),
        (complex_entry() + HOST + 'complex_values={c="many"}\n' + QUEUE, "c: 'many' is not a whole number"),
        (complex_entry() + HOST + "complex_values={c=[1]}\n" + QUEUE, r"c is \[1\]; expected a number or a text"),
        (complex_entry(type='"MEMORY"', consumable='"YES"') + HOST + 'complex_values={c="infinity"}\n' + QUEUE,
         "c is without end"),
        (complex_entry() + HOST + "consumables={c=1}\n" + QUEUE, "'c' is a complex already"),
        (HOST + "consumables={h_vmem=1}\n" + QUEUE, "'h_vmem' is a complex already"),
        (HOST + "sockets=0\n" + QUEUE, "sockets is 0"),
        (HOST + 'mem_total="infinity"\n' + QUEUE, "mem_total is without end"),
        (GOOD + 'h_core="x"\n', "h_core: 'x' is not a memory value"),
        (GOOD + '[[parallel_environments]]\nname="p"\nslots=1\nallocation_rule="0"\n', "allocation_rule is '0'"),
        (GOOD + '[[parallel_environments]]\nname="p"\nslots=1\nallocation_rule="1.5"\n', "allocation_rule is '1.5'"),
        (GOOD + "parallel_environments=3\n", "unknown key 'parallel_environments'"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_told_by_its_place(text, match):
    with pytest.raises(GcsError, match=match):
        parse_layout(text)


def test_fixed_values_are_compared_by_type_and_relation():
    layout = parse_layout(CLUSTER)
    assert hosts(layout, generation="5") == ["large"]
    assert hosts(layout, generation="8") == ["small", "large"]
    assert hosts(layout, site="BERLIN") == ["small"]
    assert hosts(layout, ssd="1") == ["large"]
    assert hosts(layout, ssd="false", site="bonn") == "-l site=bonn fits nowhere: the hosts have small: Berlin"
    assert hosts(layout, generation="2") == "-l generation=2 fits nowhere: the hosts have small: 7, large: 3"


def test_consumables_are_counted_by_slot_or_by_job_in_their_own_units():
    layout = parse_layout(CLUSTER)
    each, once = consumption({"licence": "2", "scratch": "20G", "share": "0.1", "gpu": "1", "h_rt": "5"}, layout)
    assert each == {"licence": 2, "share": Fraction(1, 10), "gpu": 1}
    assert once == {"scratch": 20 * 2**30}
    assert hosts(layout, scratch="20G") == ["large"]
    assert hosts(layout, gpu="2") == "-l gpu=2 fits nowhere: the hosts have small: none, large: 1"


def test_a_job_waits_whose_complex_was_taken_away_or_became_another(lab):
    lab.configure(CLUSTER)
    gone = lab.submit("true", resource_requests={"ssd": "true"}, submit_as_hold=True)
    changed = lab.submit("true", resource_requests={"scratch": "20G"}, submit_as_hold=True)
    service.stop()
    text = CLUSTER.replace('type = "MEMORY"', 'type = "INT"').replace('"10G"', "10").replace('"100G"', "100")
    text = text.replace('[[complexes]]\nname = "ssd"\ntype = "BOOL"\n', "")
    lab.configure(text.replace(", ssd = false", "").replace(", ssd = true", ""))
    for job in (gone, changed):
        job.release()
        assert lab.letters(job) == "qw"
        assert "fits nowhere" in lab.status(job).annotation


def test_a_consumable_by_slot_and_one_by_job_are_given_out_and_come_back(lab):
    lab.configure(CLUSTER)
    smp = {"parallel_environment": "smp", "min_slots": 2}
    requests = {"resource_requests": {"lic": "1", "scratch": "60G"}, **smp}
    first = lab.submit("sleep", "60", **requests)
    lab.wait_letters(first, "r")
    assert lab.status(first).machine_name == "large"
    # Of 100G 60 are gone, and they were not doubled by the two slots.
    second = lab.submit("sleep", "60", **requests)
    third = lab.submit("sleep", "60", resource_requests={"scratch": "40G"})
    lab.wait_letters(third, "r")
    # Of the licences on "large" two are left, on "small" there are two.
    lab.wait_letters(lab.submit("sleep", "60", resource_requests={"lic": "1"}, **smp), "r")
    lab.wait_letters(lab.submit("sleep", "60", resource_requests={"licence": "1"}, **smp), "r")
    last = lab.submit("true", resource_requests={"licence": "1"})
    assert (lab.letters(second), lab.letters(last)) == ("qw", "qw")
    # The second takes both licences that the first gives back, and its scratch beside the third's.
    first.terminate()
    lab.wait_letters(second, "r")
    assert lab.letters(last) == "qw"
    second.terminate()
    lab.ended(last)


def test_three_tenths_of_a_share_are_three_times_one_tenth(lab):
    lab.configure(CLUSTER)
    request = {"share": "0.1", "hostname": "large"}
    jobs = [lab.submit("sleep", "60", resource_requests=request) for _ in range(3)]
    for job in jobs:
        lab.wait_letters(job, "r")
    fourth = lab.submit("true", resource_requests=request)
    assert lab.letters(fourth) == "qw"
    jobs[1].terminate()
    lab.ended(fourth)


def test_a_fixed_allocation_rule_gives_each_host_so_many(lab):
    lab.configure(CLUSTER)
    info = lab.ended(lab.submit("true", parallel_environment="two", min_slots=4))
    assert sorted((slots.machine_name, slots.slots) for slots in info.allocated_machines) == [
        ("large", 2),
        ("small", 2),
    ]


def test_requests_of_complexes_are_checked_when_they_are_made(lab):
    lab.configure(CLUSTER)
    for request, error in [
        ({"licence": "1.5"}, InvalidArgument),
        ({"share": "-1"}, InvalidArgument),
        ({"ssd": "perhaps"}, InvalidArgument),
        ({"scratch": "infinity"}, InvalidArgument),
        ({"licence": "1", "lic": "1"}, InvalidArgument),
        ({"slots": "2"}, InvalidArgument),
        ({"licenc": "1"}, UnknownName),
    ]:
        with pytest.raises(error):
            lab.submit("true", resource_requests=request)
    with pytest.raises(InvalidArgument, match="2 at most"):
        _array_of_three(lab)
    assert lab.jobs.list() == []


def _array_of_three(lab):
    service.stop()
    lab.configure("max_array_tasks = 2\n" + CLUSTER)
    lab.jobs.submit_array(JobTemplate(remote_command="/bin/true"), 1, 3)


def test_limits_of_a_queue_of_every_kind_hold_in_the_job(lab):
    lab.configure(HOST + QUEUE + 'h_core="0"\ns_stack="1M"\nh_fsize="64K"\n')
    lab.ended(lab.shell("ulimit -c; ulimit -Ss; ulimit -f", output_path="o"))
    core, stack, size = lab.read("o").split()
    assert (core, stack) == ("0", "1024")
    # dash counts blocks of 512 bytes, bash of 1024.
    assert size in {"128", "64"}


def test_machines_tell_the_topology_that_the_file_gives_them(lab):
    lab.configure(HOST + "sockets=2\ncores_per_socket=4\nthreads_per_core=2\n" + 'mem_total="2G"\n' + QUEUE)
    (machine,) = lab.jobs.machines()
    assert (machine.sockets, machine.cores_per_socket, machine.threads_per_core) == (2, 4, 2)
    assert machine.phys_memory == 2 * 1024**2
