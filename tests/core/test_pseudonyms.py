import hashlib
import hmac
import os
import stat
from pathlib import Path

import pytest

from data_modules.linking.pseudonyms import open_key, record_name
from lsemvae.core.errors import InputError
from lsemvae.core.joblib_backend import joblib_backend
from lsemvae.core.pseudonyms import local_salt, pseudonym


def test_pseudonym_is_the_hmac_of_the_id() -> None:
    expected = hmac.new(b"salt", b"patient 7", hashlib.sha256).hexdigest()[:16]
    assert pseudonym("patient 7", b"salt") == f"h{expected}"


def test_pseudonyms_tell_ids_apart_and_follow_the_salt() -> None:
    names = {pseudonym(str(number), b"salt") for number in range(1000)}
    assert len(names) == 1000
    assert pseudonym("1", b"other") not in names


def test_salt_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "folder/salt"
    salt = local_salt(file)
    assert len(salt) == 32
    assert local_salt(file) == salt != local_salt(tmp_path / "other")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_salt_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSEMVAE_SALT_FILE", str(tmp_path / "salt"))
    assert local_salt() == (tmp_path / "salt").read_bytes()


@pytest.mark.parametrize("left", [b"", b"cut"])
def test_what_a_stopped_program_left_is_no_salt(left: bytes, tmp_path: Path) -> None:
    file = tmp_path / "salt"
    file.write_bytes(left)
    with pytest.raises(InputError, match="expected 16 or more; put it back from a copy"):
        local_salt(file)


def test_a_home_that_takes_no_key_is_one_line_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    file = tmp_path / "home/.config/salt"
    with pytest.raises(InputError, match=r"salt cannot be made or read .*by --key or by LSEMVAE"):
        local_salt(file)


def test_a_key_that_is_no_file_is_one_line_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    for name in ("pipe", "", "circle"):
        with pytest.raises(InputError, match=r"the key .* a file"):
            open_key(str(tmp_path / name), out=tmp_path / "out")


def test_a_key_among_the_exports_is_no_secret(tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "a.xml").write_bytes(bytes(range(200)))
    for name in ("a.xml", "new.key"):
        with pytest.raises(InputError, match="are no secret: move it elsewhere"):
            open_key(str(exports / name), out=tmp_path / "out", source=exports)
    assert not (exports / "new.key").exists()


def test_a_file_name_that_is_not_utf8_has_a_name_of_its_own() -> None:
    assert record_name("a\udcff", b"salt") != record_name("a\udcfe", b"salt")


def test_what_is_no_address_of_a_scheduler_is_one_line() -> None:
    with (
        pytest.raises(InputError, match="no Dask scheduler answers at nowhere: missing port"),
        joblib_backend(1, "nowhere"),
    ):
        pass
