"""Specs of batch models, and a run of the command line over one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cultivar.core.errors import UsageError
from cultivar.llm.batch import BatchModel
from cultivar.llm.specs import open_model


@pytest.mark.parametrize(
    "spec", ["batch:some/model@http://127.0.0.1:8000/v1", "batch:files@exchange", "batch:files/org/m@/tmp/exchange"]
)
def test_a_spec_is_the_name_of_its_model(spec: str, tmp_path: Path) -> None:
    model = open_model(spec, batches=tmp_path)
    assert isinstance(model, BatchModel)
    assert model.name == spec
    assert not list(tmp_path.iterdir())  # nothing is written before anything is asked


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("batch:m@h:8000/v1", "no endpoint's URL"),
        ("batch:m@http://user:sk-secret@h/v1", "keys do not go into"),
        ("batch:files", "write batch:files@DIR"),
        ("bach:m@http://h/v1", "did you mean 'batch'"),
    ],
)
def test_a_spec_that_is_none(spec: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        open_model(spec)
    assert "sk-secret" not in str(caught.value)


def test_two_models_keep_their_batches_apart(tmp_path: Path) -> None:
    specs = [f"batch:{name}@http://127.0.0.1/v1" for name in ("a", "b", "a/b", "a-b")]
    folders = {
        str(model._folder.path) for spec in specs if isinstance(model := open_model(spec, batches=tmp_path), BatchModel)
    }
    assert len(folders) == 4
