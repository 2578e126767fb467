"""The process that serves: where it listens, what it warns of, how it spares the garbage collector."""

import gc
import logging

import pytest

from app import serving
from app.serving import CannotListen, listen
from tests.factories import settings


@pytest.mark.parametrize(
    ("host", "required", "warned"),
    [
        ("0.0.0.0", False, True),
        ("fleet.example.org", False, True),
        ("0.0.0.0", True, False),
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("localhost", False, False),
    ],
)
def test_an_open_server_in_production_is_warned_of(host, required, warned, caplog):
    """Beyond its own machine, without tokens."""
    chosen = settings("production", server={"host": host}, auth={"required": required})
    with caplog.at_level(logging.WARNING, "iotsphere.server"):
        serving._warn_if_open(chosen)
    assert ("auth.required = true" in caplog.text) == warned


def test_other_environments_are_not_warned(caplog):
    """Development may be open on purpose."""
    with caplog.at_level(logging.WARNING, "iotsphere.server"):
        serving._warn_if_open(settings("development", server={"host": "0.0.0.0"}))
    assert caplog.text == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_listens_on_both_families(host):
    """Port 0 lets the system choose."""
    with listen(settings(server={"host": host}).server) as listener:
        assert listener.getsockname()[0] == host
        assert listener.getsockname()[1] > 0


def test_an_address_of_another_machine_is_refused_in_one_sentence():
    """The range 192.0.2.0/24 belongs to nobody."""
    with pytest.raises(CannotListen, match=r"^Cannot listen on 192\.0\.2\.1 port 0: .+; stop what listens there, or"):
        listen(settings(server={"host": "192.0.2.1"}).server)


@pytest.mark.parametrize("objects", [0, 100_000])
def test_what_lives_at_the_start_is_exempt_from_collections(objects: int):
    """New objects are still collected, as rarely as the settings say; 0 leaves that to Python."""
    before = gc.get_threshold()
    chosen = {"gc_young_objects": objects, "gc_young_rounds": 50, "gc_middle_rounds": 100}
    try:
        serving.spare_the_collector(settings(server=chosen).server)
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold() == ((objects, 50, 100) if objects else before)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
