"""The project's own settings without anybody's secrets."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def project_root(tmp_path_factory):
    """A directory with the project's settings.toml: a developer's .secrets.toml does not count."""
    directory = tmp_path_factory.mktemp("project")
    shutil.copy(Path(__file__).parents[2] / "settings.toml", directory)
    return directory
