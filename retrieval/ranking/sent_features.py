"""What callers know of candidates, as columns."""

from collections.abc import Mapping, Sequence

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.errors import RequestError
from artifacts.ranker import FeatureSchema

LARGEST = float(np.finfo(np.float32).max)


def sent_features(schema: FeatureSchema, sent: Sequence[Mapping[str, float]]) -> FloatMatrix | None:
    """Return (n, e) float32 for `schema.caller_names`, NaN where a candidate has no value.

    Args:
        schema: says what callers may send.
        sent: values of each candidate by name; empty where nothing was sent.

    Returns:
        None where nothing was sent of any candidate.

    Raises:
        RequestError: a name that the schema does not leave to callers, or a value that is not a
            finite float32; the path starts with `candidates`.
    """
    if not any(sent):
        return None
    columns = {name: at for at, name in enumerate(schema.caller_names)}
    values = np.full((len(sent), len(columns)), np.nan, dtype=np.float32)
    for place, named in enumerate(sent):
        for name, value in named.items():
            path = f"candidates[{place}].features[{name}]"
            if name not in columns:
                raise _unknown(path, name, schema)
            if not abs(value) <= LARGEST:
                raise RequestError(
                    f"{path}: expected a finite number, got {value}",
                    field=path,
                    reason="NOT_FINITE",
                )
            values[place, columns[name]] = value
    return values


def _unknown(path: str, name: str, schema: FeatureSchema) -> RequestError:
    sendable = ", ".join(schema.caller_names) or "none"
    return RequestError(
        f"{path}: expected a feature that callers send ({sendable}), got {name!r}",
        field=path,
        reason="UNKNOWN_FEATURE",
    )
