"""What code at the top level of a file may name without being tried again: nothing of it reaches its caller's names."""

from __future__ import annotations

from collections.abc import Mapping

from instar.hmr.state.dtypes import NAMES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILTINS = _words(
    "abs all any bool bytes chr classmethod complex dict divmod enumerate float frozenset int isinstance issubclass len "
    "list max min object ord pow print property range repr reversed round set slice sorted staticmethod str sum super "
    "tuple zip ArithmeticError Exception ImportError IndexError KeyError LookupError RuntimeError TypeError ValueError "
    "ZeroDivisionError __name__ __annotations__"
)
"""Builtins, and what every module has."""
HARMLESS = _words("__all__ __author__ __doc__ __version__")
"""Names with underscores around them that mean nothing to Python when a file binds them."""
_NUMPY = _words(
    "abs arange arccos arcsin arctan arctan2 array asarray bool_ ceil clip column_stack complex64 complex128 concatenate "
    "cos cosh cumsum deg2rad diff dot dtype e empty exp eye finfo float16 float32 float64 floor full geomspace hstack hypot "
    "identity iinfo inf int8 int16 int32 int64 intp linspace log log10 log2 logspace maximum mean meshgrid minimum nan "
    "ndarray newaxis ones outer pi power radians random repeat reshape roll sign sin sinh sqrt square stack std sum tan "
    "tanh tile uint8 uint16 uint32 uint64 uint vstack where zeros"
)
MODULES: Mapping[str, frozenset[str]] = {
    "__future__": frozenset(),
    "cmath": frozenset(),
    "collections": frozenset({"Counter", "OrderedDict", "defaultdict", "deque", "namedtuple"}),
    "dataclasses": frozenset({"dataclass", "field"}),
    "enum": frozenset({"Enum", "Flag", "IntEnum", "IntFlag", "StrEnum", "auto", "unique"}),
    "instar": frozenset({*NAMES, "Agents", "Param", "Ref", "every", "field", "keep", "persist"}),
    "logging": frozenset({"getLogger"}),
    "math": frozenset(),
    "numpy": _NUMPY,
    "os": frozenset({"environ", "getenv"}),
    "time": frozenset({"monotonic", "perf_counter", "time"}),
    "typing": frozenset(
        {"Any", "ClassVar", "Final", "Literal", "NamedTuple", "Optional", "Protocol", "TypeVar", "Union"}
    ),
}
"""Modules from outside of a scene, and what may be taken from them: anything where nothing is listed."""
REACHING = _words(
    "bltns builtins core ctypes ctypeslib f2py functools gc importlib inspect lib modules operator sys testing warnings "
    "_current_frames _getframe f_back f_builtins f_globals f_locals gi_frame tb_frame"
)
"""Attributes that lead to other modules or namespaces, whatever they are attributes of."""
