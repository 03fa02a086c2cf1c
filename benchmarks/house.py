"""Count how large the code's files and functions are: `python -m benchmarks.house`.

Lines of a file and of a function are all lines, docstrings, comments and blanks included. Public is
what has no name with an underscore in front, from the module down to the method.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grimp
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.pages import update

ROOT = Path(__file__).resolve().parent.parent
TESTS = "tests"  # whose functions say by their names what they show
PACKAGES = ("lsemvae", "data_modules", "benchmarks", TESTS)
SHIPPED = PACKAGES[:2]
PAGE = ROOT / "docs/house.md"
PROGRAM = "benchmarks.house"
# A question, the word that one would look for in names of files, and where the answer is.
QUESTIONS = (
    ("Where is resampling?", "resampl", "data_modules/signals/resampling.py"),
    ("Where is the quarantine list?", "quarantine", "data_modules/conversion/quarantine.py"),
    ("Where is the operating threshold chosen?", "operating",
     "lsemvae/evaluation/statistics/operating_points.py"),
    ("Where are a checkpoint's settings checked?", "checkpoint", "lsemvae/models/checkpoint.py"),
    ("Where is a fold trained?", "fold", "lsemvae/crossval/folds.py"),
    ("Where is the gate computed?", "gate", "lsemvae/nn/gate.py"),
    ("Where are a study's pseudonyms made?", "pseudonym", "data_modules/linking/pseudonyms.py"),
    ("Where is Table 1 made?", "table1", "lsemvae/evaluation/tables/table1.py"),
    ("Where does a vendor's format go?", "format", "data_modules/reading/formats/muse_xml.py"),
    ("Where are patients split?", "split", "data_modules/cohort/splits.py"),
)  # fmt: skip
TOUCHED = "## Put it into the project"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


@dataclass(frozen=True)
class Sizes:
    """Lines of the files and functions of a package, and its public docstrings.

    Attributes:
        files: lines of each file.
        functions: lines of each function and method, nested ones included.
        public: public modules, classes, functions and methods.
        documented: those of them that have a docstring.
    """

    files: tuple[int, ...]
    functions: tuple[int, ...]
    public: int
    documented: int


def sizes_of(package: Path) -> Sizes:
    """Return the sizes of a package."""
    sources = [file.read_text(encoding="utf-8") for file in sorted(package.rglob("*.py"))]
    trees = [ast.parse(source) for source in sources if source]
    functions = [
        int(node.end_lineno or 0) - node.lineno + 1
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    public = [node for tree in trees for node in _public(tree)]
    documented = sum(ast.get_docstring(node) is not None for node in public)
    files = tuple(len(source.splitlines()) for source in sources)
    return Sizes(files, tuple(functions), len(public), documented)


def _public(node: Documented) -> Iterator[Documented]:
    """Return a module or class and what is public in it; nothing of what is inside a function."""
    yield node
    for inner in node.body:
        if isinstance(inner, ast.ClassDef | ast.FunctionDef) and not inner.name.startswith("_"):
            yield from _public(inner) if isinstance(inner, ast.ClassDef) else (inner,)


def circles(imports: dict[str, set[str]]) -> int:
    """Return how many groups of modules need each other, directly or through others.

    Args:
        imports: what each module imports; what is no key is ignored.
    """
    place = {name: row for row, name in enumerate(imports)}
    pairs = [(place[a], place[b]) for a, found in imports.items() for b in found if b in place]
    rows, columns = np.array(pairs, dtype=int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(place), len(place)))
    _, group = connected_components(graph, connection="strong")
    return int((np.bincount(group, minlength=1) > 1).sum())


def rooms(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the imports between the folders just below the packages; a file there is a room."""
    found: dict[str, set[str]] = {}
    for module, imported in imports.items():
        room = _room(module)
        found.setdefault(room, set()).update({_room(other) for other in imported} - {room})
    return found


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def touched(page: str) -> int:
    """Return how many files a page "Add a ..." says that one touches in the project."""
    _, _, part = page.partition(TOUCHED)
    rows = [line for line in part.splitlines() if line.startswith("|")]
    return max(len(rows) - 2, 0)  # a head and the line below it


def markdown(
    sizes: dict[str, Sizes], n_circles: tuple[int, int], extensions: dict[str, int],
    found: dict[str, tuple[int, bool]],
) -> str:  # fmt: skip
    """Return the figures as tables.

    Args:
        sizes: of each package.
        n_circles: of modules, and of rooms.
        extensions: files touched, by what is added.
        found: see `found_by_name`.
    """
    lines = [
        "| package | files | lines a file: median | p90 | longest | functions "
        "| lines a function: median | p90 | longest | public docstrings |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_row(name, found) for name, found in sizes.items()),
        "",
        f"Circles of imports: {n_circles[0]} among modules, {n_circles[1]} among rooms.",
        "",
        "| to add | files touched in the project |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in extensions.items()),
        "",
        "| question | files whose path holds the word | the answer is among them |",
        "|---|---|---|",
        *(
            f"| {question} | {n} | {'yes' if right else 'no'} |"
            for question, (n, right) in found.items()
        ),
    ]
    return "\n".join(lines)


def _row(name: str, found: Sizes) -> str:
    cells = [name, str(len(found.files)), *_spread(found.files)]
    cells += [str(len(found.functions)), *_spread(found.functions)]
    told = "-" if name == TESTS else f"{found.documented} of {found.public}"
    return "| " + " | ".join([*cells, told]) + " |"


def _spread(lines: tuple[int, ...]) -> list[str]:
    """Return median, 90th percentile and maximum, as whole lines."""
    return [f"{np.quantile(lines, share, method='higher'):.0f}" for share in (0.5, 0.9, 1.0)]


def found_by_name(root: Path) -> dict[str, tuple[int, bool]]:
    """Return for each question how many paths hold its word, and whether the answer is one."""
    files = [file.relative_to(root).as_posix() for name in SHIPPED
             for file in (root / name).rglob("*.py")]  # fmt: skip
    hits = {question: {file for file in files if word in file} for question, word, _ in QUESTIONS}
    return {question: (len(hits[question]), answer in hits[question])
            for question, _, answer in QUESTIONS}  # fmt: skip


def imports_of(packages: tuple[str, ...]) -> dict[str, set[str]]:
    """Return what each module of installed packages imports of them."""
    graph = grimp.build_graph(*packages)
    return {name: graph.find_modules_directly_imported_by(name) for name in sorted(graph.modules)}


def extensions_of(pages: Path) -> dict[str, int]:
    """Return the files touched by what the pages `add_*.md` of a folder describe."""
    found = sorted(pages.glob("add_*.md"))
    return {
        page.stem.removeprefix("add_").replace("_", " "): touched(page.read_text(encoding="utf-8"))
        for page in found
    }


def main() -> None:
    """Measure, print, and write the figures into their page."""
    imports = imports_of(SHIPPED)
    text = markdown(
        {name: sizes_of(ROOT / name) for name in PACKAGES},
        (circles(imports), circles(rooms(imports))),
        extensions_of(PAGE.parent),
        found_by_name(ROOT),
    )
    update(PAGE, PROGRAM, text)
    print(text)


if __name__ == "__main__":
    main()
