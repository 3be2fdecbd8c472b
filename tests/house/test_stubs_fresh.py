import filecmp
import importlib.util
from pathlib import Path

from tests.house.tracked import ROOT

STUBS = ROOT / "proto" / "shelfmate" / "v1"


def test_committed_stubs_are_what_the_proto_files_generate(tmp_path):
    _generate(tmp_path)
    fresh = {path.name for path in (tmp_path / "shelfmate" / "v1").iterdir()}
    committed = {path.name for path in STUBS.iterdir() if path.suffix in {".py", ".pyi"}}
    assert committed == fresh, "run `make proto`"
    _, differing, unreadable = filecmp.cmpfiles(
        STUBS, tmp_path / "shelfmate" / "v1", sorted(fresh), shallow=False
    )
    assert (differing, unreadable) == ([], []), "run `make proto`"


def _generate(out: Path) -> None:
    # Loaded by its path: `proto` is a source root, never an import.
    spec = importlib.util.spec_from_file_location("stub_generator", ROOT / "proto" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    generator.generate(out)
