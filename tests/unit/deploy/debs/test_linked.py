"""What compiled parts need of the distribution."""

import sysconfig
from pathlib import Path

import msgspec
import pytest

from deploy.debs import linked

SAID = """
File: a.so
 0x0000000000000001 (NEEDED)             Shared library: [libpthread.so.0]
 0x0000000000000001 (NEEDED)             Shared library: [libstdc++.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
 0x0000000000000001 (NEEDED)             Shared library: [libown-1234.so.3]
  0x0010:   Name: GLIBC_2.4  Flags: none  Version: 3
  0x0020:   Name: GLIBC_2.17  Flags: none  Version: 2
  0x0030:   Name: GLIBC_2.2.5  Flags: none  Version: 4
"""


def test_the_newest_glibc_and_each_library_of_the_system_count() -> None:
    assert linked.needed(SAID, {"libown-1234.so.3"}) == ["libc6 (>= 2.17)", "libstdc++6"]


def test_a_library_that_nobody_brings_is_refused() -> None:
    with pytest.raises(ValueError, match="libown-1234"):
        linked.needed(SAID, set())


def test_a_real_wheels_parts_are_found_and_read() -> None:
    folder = Path(msgspec.__file__).parent
    found = linked.compiled(folder)
    assert [path.name for path in found] == [f"_core{sysconfig.get_config_var('EXT_SUFFIX')}"]
    assert [need.split()[0] for need in linked.dependencies(found)] == ["libc6"]


def test_a_package_without_compiled_parts_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "not.so").write_text("a text")
    assert linked.dependencies(linked.compiled(tmp_path)) == []
