"""A journal holds what was written into it."""

from pathlib import Path

from lsemvae.predicting.journal import RowJournal
from lsemvae.predicting.outcome import Row


def test_a_journal_is_not_read_on_from_a_flipped_bit(tmp_path: Path) -> None:
    """Its numbers would be results; what follows is done again."""
    path, identities = tmp_path / "p.csv.journal", {"a": "1", "b": "2", "c": "3"}
    rows = [Row(name, "result", probability=0.25) for name in identities]
    with RowJournal(path, "key", identities) as journal:
        journal.add(rows)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"0.25", b"0.75", 2).replace(b"0.75", b"0.25", 1))
    with RowJournal(path, "key", identities) as journal:
        assert journal.done == {"a"}
        assert [row.probability for row in journal.rows()] == [0.25]
        journal.add(rows[1:])
    assert path.read_bytes() == content
